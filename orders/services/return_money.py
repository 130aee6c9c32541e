"""The money of a return: what goes back, what is owed no more, and what pays for goods sent in exchange.

A driver who handed the goods over has taken the cash, though nobody has entered it: it is entered before it goes back.
What is taken back of an order that is not paid yet lowers first what is still owed; only the rest is refunded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db.models import Q, Sum

from oms.kernel.money import distribute, yen
from oms.kernel.said import said
from oms.kernel.said_field import choice
from orders.decide import refunds as refund_plans
from orders.decide import returns as decide
from orders.decide.returns import Refused, Settlement
from orders.models import BillingAccount, DocumentKind, Order, PaymentEntry, Refund, ReturnCase
from orders.models.order import PAYABLE, FulfillmentState, PaymentMethod, PaymentState
from orders.models.payment import Collector
from orders.queries.billing import not_taken_off
from orders.queries.papers import billed_monthly
from orders.services import account_balance, documents, journal, ledger, refunds, return_papers, review
from orders.services import stage as stages
from orders.services.journal import Actor, Entry
from orders.services.payment_terms import rule_for

Kind = ReturnCase.Kind
NO_LIMIT = 10**9


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a settlement: its refund, and the yen by which the buyer owes less, now (`credited`) or by the
    next monthly bill (`off_bill`)."""

    refund: Refund | None
    credited: int = 0
    off_bill: int = 0


def settle(case: ReturnCase, settlement: Settlement, *, actor: Actor) -> Settled:
    """Open the refund of a case, or lower what is owed. The caller holds the order's lock.

    Raises Refused when there is nothing to give back and no note says why, or when the price of the goods pays for
    what is sent in exchange; NeedsApproval when it is more than the actor may give back alone.
    """
    order = Order.objects.select_related("shop").get(pk=case.order_id)
    asked = bool(settlement.wanted_pieces or settlement.wanted_units)
    if asked and (sent := exchange_of(case)):
        raise Refused(
            said(
                "商品の代金は交換・再送の受注 %(no)s に充てています。返金するときは、先にその受注をキャンセルするか、"
                "数を0にして「交換の差額」に金額を入れてください。",
                no=sent.channel_order_no,
            )
        )
    if settlement.is_empty:
        return Settled(None)
    _book_at_the_door(case, order, actor)
    wish = wish_of(case, settlement)
    less = owed_less(case, order, wish)
    if less and _is_by_month(order):
        return Settled(None, off_bill=less)
    credited = _owe_less(case, order, less, actor)
    wish, at_most = rest_of(order, wish, credited)
    reason = said("返品 %(no)s（%(why)s）", no=case.number, why=choice(case, "reason"))
    try:
        refund = refunds.open_alone(
            case.order_id, key=case.refund_key, wish=wish, reason=reason, actor=actor, at_most=at_most
        )
    except refunds.NothingToRefund as nothing:
        if credited or settlement.note.strip():
            return Settled(None, credited)
        raise Refused(str(nothing)) from nothing
    if refund is None and not credited and not _is_no_wonder(case, order, settlement):
        raise Refused(
            said(
                "この受注の代金はまだ受け取っていないため、返金はありません。受け取っているときは先に「入金を登録」し、"
                "返金しないときは理由をメモに入れてください。"
            )
        )
    return Settled(refund, credited)


def wish_of(case: ReturnCase, settlement: Settlement) -> refunds.Wish:
    by_rate = value_by_rate(case, received=True) if settlement.difference else {}
    parts = distribute(settlement.difference, list(by_rate.values())) if sum(by_rate.values()) else []
    return refunds.Wish(
        settlement.wanted_pieces,
        settlement.fees,
        settlement.deduction,
        settlement.goodwill,
        units=settlement.wanted_units,
        difference=dict(zip(by_rate, parts, strict=True)) if parts else {10: settlement.difference},
    )


def _is_no_wonder(case: ReturnCase, order: Order, settlement: Settlement) -> bool:
    """Nobody expects money back: what the driver brought back was never paid for, and a monthly bill is lowered."""
    refused = case.kind == Kind.UNDELIVERED or case.reason == "refused"
    return refused or _is_by_month(order) or bool(settlement.note.strip())


# ---- cash that the driver took


def at_the_door(case: ReturnCase, order: Order) -> int:
    """The yen that a driver has taken for the order of a case and nobody has entered. The order comes with its shop.

    Whose goods came from the buyer's hands has paid for them. Where nobody asked to return them they may have been
    refused at the door; of that, and of an order that left only in part, a person has to say how much came.
    """
    unknown = order.payment_state == PaymentState.UNPAID and not order.payments.exists()
    if not unknown or not order.total or order.fulfillment_state != FulfillmentState.SHIPPED:
        return 0
    if rule_for(order).collector != Collector.CARRIER:
        return 0
    doubtful = Q(kind=Kind.UNDELIVERED) | Q(reason__in=decide.NOBODY_ASKED)
    refused = ReturnCase.objects.filter(doubtful, order=order, state__in=decide.LIVE)
    return 0 if refused.exists() else order.total


def _book_at_the_door(case: ReturnCase, order: Order, actor: Actor) -> None:
    if not (amount := at_the_door(case, order)):
        return
    note = said("返品 %(no)s の精算のとき、配達時に受け取り済みとして記帳", no=case.number)
    ledger.post(
        [ledger.New(order.pk, PaymentEntry.Kind.CARRIER, amount, f"carrier:{order.pk}", note=note)], actor=actor
    )
    journal.write([Entry(order.pk, "paid_at_the_door", yen(amount))], actor=actor)


# ---- orders that are not paid yet


def owed_less(case: ReturnCase, order: Order, wish: refunds.Wish) -> int:
    """By how many yen the buyer of an order that we collect for ourselves owes less when this is taken back. The order
    comes with its shop."""
    if order.total is None:
        return 0
    by_month = _is_by_month(order)
    if not by_month and (order.payment_state not in PAYABLE or rule_for(order).collector != Collector.US):
        return 0
    try:
        value = refunds.plan_for(order, replace(wish, deduction=0) if by_month else wish, at_most=NO_LIMIT).amount
    except refunds.NothingToRefund:
        return 0
    owed = order.total - order.paid_amount
    if by_month:
        return value if owed - _on_their_way(order) >= value else 0
    return min(value, max(0, owed))


def rest_of(order: Order, wish: refunds.Wish, less: int) -> tuple[refunds.Wish, int | None]:
    """What is left of a wish once so much is owed less: the goods pay first, and what was beside them is not paid on
    top. The yen that may go back at most; None: what is with us."""
    if not less:
        return wish, None
    value = less if _is_by_month(order) else refunds.plan_for(order, wish, at_most=NO_LIMIT).amount
    return replace(wish, deduction=wish.deduction + less), value - less


def _is_by_month(order: Order) -> bool:
    """The credit note is taken off the next bill, and what the buyer bears of the freight is put on it."""
    return order.payment_method == PaymentMethod.ACCOUNT and bool(billed_monthly([order]))


def _on_their_way(order: Order) -> int:
    """The yen of the order's credit notes that wait for the next bill."""
    waiting = documents.standing().filter(not_taken_off(), kind=DocumentKind.CREDIT_NOTE, order=order)
    return int(waiting.aggregate(sum=Sum("amount"))["sum"] or 0)


def _owe_less(case: ReturnCase, order: Order, amount: int, actor: Actor) -> int:
    if not amount:
        return 0
    key = f"credited:return:{case.pk}"
    ledger.post([ledger.New(order.pk, PaymentEntry.Kind.CREDITED, amount, key, note=case.number)], actor=actor)
    journal.write([Entry(order.pk, "owed_less", f"{yen(amount)} {case.number}")], actor=actor)
    review.sync([order.pk])
    stages.recompute([order.pk], actor=actor)
    return amount


# ---- papers


def write_credit_note(case: ReturnCase, settlement: Settlement, settled: Settled, *, actor: Actor) -> str:
    """Its number, "" where none was issued."""
    if settled.refund:
        return return_papers.credit_note(case, settled.refund, actor=actor)
    wish = wish_of(case, settlement)
    if settled.credited:
        price = sum(rate.amount for rate in refunds.plan_for(case.order, wish, at_most=0).rates)
        if not return_papers.is_due(case, price):
            return ""
    elif settlement.is_empty or not _is_by_month(case.order):
        return ""
    elif settlement.deduction:
        account = BillingAccount.objects.get(shop=case.order.shop_id, member=case.order.member_id)
        note = f"{case.order.channel_order_no} {case.number}"
        account_balance.charge_freight(case.refund_key, account.pk, settlement.deduction, note=note, actor=actor)
    return return_papers.credit_unpaid(
        case, settlement.wanted_pieces, settlement.wanted_units, settlement.fees,
        settlement.goodwill + settlement.difference, actor=actor,
    )  # fmt: skip


# ---- what pays for an exchange


def exchange_of(case: ReturnCase) -> Order | None:
    """The order of what is sent instead, unless it was cancelled."""
    order = case.exchange_order
    return None if order is None or order.cancelled_at else order


def value_by_rate(case: ReturnCase, *, received: bool = False) -> Mapping[int, int]:
    """What the buyer paid for the goods of a case (or for those `received`), after discounts, by percent of tax."""
    bill = refunds.bill_of(case.order)
    shares, _fees = refund_plans.shares_of(bill)
    worth: dict[tuple[int, int | None], tuple[int, int, int]] = {}  # (line, component) → price, pieces or units, rate
    for line, share in zip(bill.lines, shares, strict=True):
        worth[line.id, None] = (share.price, line.quantity, line.tax_rate)
        for part, own in zip(line.parts, refund_plans.parts_shares(line, share), strict=True):
            worth[line.id, part.id] = (own.price, part.units * line.quantity, part.tax_rate)
    found: dict[int, int] = {}
    for own_line in case.lines.all():
        price, of, rate = worth.get((own_line.line_id, own_line.component_id), (0, 1, 10))
        count = own_line.received if received else own_line.quantity
        found[rate] = found.get(rate, 0) + price * count // of
    return found
