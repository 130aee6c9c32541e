"""Refunds: opened true to the lines, and closed when the money has gone back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F, Sum

from oms.kernel import clock
from oms.kernel.halves import in_halves
from oms.kernel.models import User
from oms.kernel.money import yen
from oms.kernel.said import said, together
from oms.kernel.said_field import choice
from orders.decide.refunds import (
    FEES,
    Bill,
    BillLine,
    RefundPlan,
    everything_left,
    parts_shares,
    plan_refund,
    shares_of,
    units_beside,
)
from orders.decide.set_shares import SetPart
from orders.models import Order, OrderLine, OrderTask, Refund, RefundLine, TaskKind
from orders.models.order import PaymentState
from orders.models.payment import Collector
from orders.services import (
    journal,
    ledger,
    payment_gates,
    payment_mail,
    provider_tasks,
    refund_limits,
    refund_parts,
    review,
    tasks,
)
from orders.services import stage as stages
from orders.services.channel_words import page_of
from orders.services.journal import SYSTEM, Actor, Entry

LIVE = refund_limits.LIVE


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall go back. `quantities` maps line ids to pieces; None: every piece that is left, and every fee.
    `units`: of single components of sets, by the id of their `LineComponent`.

    `fees` names the fees that go back whole ("shipping", "fees", "gift_fees"). `deduction` is what the buyer bears
    (freight of the return); `goodwill` comes on top of the goods, and so does `surplus`, money paid beyond the total;
    where everything goes back the surplus does too, without being named. `difference` (percent of tax → yen): what was
    sent in exchange costs so much less.
    """

    quantities: Mapping[int, int] | None = None
    fees: Sequence[str] = ()
    deduction: int = 0
    goodwill: int = 0
    surplus: int = 0
    units: Mapping[int, int] = field(default_factory=dict)
    difference: Mapping[int, int] = field(default_factory=dict)


class NothingToRefund(Exception):
    """Says in Japanese why no refund can be opened."""


@transaction.atomic
def open_refund(
    order_id: int,
    *,
    key: str,
    wish: Wish,
    reason: str,
    actor: Actor = SYSTEM,
    by_channel: bool = False,
    decided_by: User | None = None,
    at_most: int | None = None,
) -> Refund | None:
    """Open the refund of a cancelled, returned or shortened order; the same `key` again returns the known one.

    Call it in the transaction of the verb that causes it, with the order's lock held or before other locks (it takes
    the order's), and *before* the line's quantities are lowered. `by_channel`: our cancel notice makes the channel pay
    back by itself, so no person has to; the refund closes when the channel says that the order is cancelled.
    Otherwise a task says where a person pays back. An authorisation that was never captured is voided instead.
    `decided_by` is whose decision it follows from, when it is not the actor's; a refund that no person's limit covers
    is opened too, and paid by somebody whose limit does. `at_most`: yen, where part of the wish is met otherwise.

    Returns None when the buyer's money is not with us (unpaid, cash on delivery not yet delivered). Raises
    NothingToRefund, with a sentence for people, when more is asked than there is.
    """
    order = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").get(pk=order_id)
    known = Refund.objects.filter(key=key).first()
    if known is not None:
        return known
    held = money_left(order)
    if not held and not _paid_with_points_alone(order):
        return None
    plan = plan_for(order, wish, at_most=held if at_most is None else min(held, at_most))
    if not plan.amount and not plan.points_back and not plan.coupon_back:
        raise NothingToRefund(said("返金する金額がありません。数量と金額を確かめてください。"))
    person = decided_by or actor.by
    cleared_by = person if refund_limits.authority(order.pk, plan.amount, person) else None
    refund = _write(
        order, plan, key=key, reason=reason, way=_way(order, by_channel), actor=actor, cleared_by=cleared_by
    )
    if ledger.book_channel_money(order, actor=actor):
        release_no_more(order.pk, actor=actor)
    ledger.settle([order.pk], actor=actor)
    if refund.way != Refund.Way.CHANNEL:
        _ask_person(order, refund, actor)
    review.sync([order.pk])
    journal.write([Entry(order.pk, "refund_opened", together([yen(refund.amount), reason], " "))], actor=actor)
    stages.recompute([order.pk], actor=actor)
    return refund


@transaction.atomic
def open_alone(
    order_id: int, *, key: str, wish: Wish, reason: str, actor: Actor, at_most: int | None = None
) -> Refund | None:
    """`open_refund` on the actor's own authority: raises NeedsApproval, and opens nothing, where that is not enough."""
    refund = open_refund(order_id, key=key, wish=wish, reason=reason, actor=actor, at_most=at_most)
    if refund is not None and refund.cleared_by_id is None:
        refund_limits.check(order_id, refund.amount, actor.by)
    return refund


@transaction.atomic
def preview(order_id: int, wish: Wish, *, beside: int = 0, at_most: int | None = None) -> RefundPlan:
    """What `open_refund` would give back now, for dialogs, were so much money `beside` what the ledger knows entered
    first. Raises NothingToRefund like it. Changes nothing."""
    order = Order.objects.get(pk=order_id)
    held = money_left(order) + beside
    return plan_for(order, wish, at_most=held if at_most is None else min(held, at_most))


# The ways back as customers know them, in the language of mails: they have no page of a provider's.
FOR_THE_CUSTOMER = {
    Refund.Way.CHANNEL: "ご注文いただいたモールを通じたご返金",
    Refund.Way.MALL_PAGE: "ご注文いただいたモールを通じたご返金",
    Refund.Way.PROVIDER: "お支払い時にお使いの方法へのご返金",
    Refund.Way.BANK: "銀行振込",
}


@transaction.atomic
def complete(refund_ids: Sequence[int], *, actor: Actor, note: str = "") -> list[int]:
    """The money has gone back: the ledger says so, the order follows. Returns the refunds that were due.

    Raises NeedsApproval when one of them is covered by nobody's limit yet, and not by the actor's.
    """
    rows = _claim(refund_ids, Refund.State.DUE)
    for refund in rows:
        if refund.cleared_by_id is None:
            refund_limits.check(refund.order_id, refund.amount, actor.by)
            refund.cleared_by = actor.by
    voided = [r for r in rows if r.amount and not _was_paid(r)]
    _void(voided)
    for refund in rows:
        if refund.amount and not _was_paid(refund):
            refund.way = Refund.Way.VOID
        refund.state, refund.done_at, refund.done_by = Refund.State.DONE, clock.now(), actor.by
        refund.note = note[:300] or refund.note
        refund.save(update_fields=["state", "done_at", "done_by", "note", "way", "cleared_by"])
    ledger.post(
        [ledger.New(r.order_id, "refund", -r.amount, f"refund:{r.pk}", note=r.reason) for r in rows if _was_paid(r)],
        actor=actor,
    )
    tasks.withdraw([task_key(r) for r in rows], actor=actor)
    provider_tasks.say_what_to_take([r.order for r in voided])
    review.sync(sorted({r.order_id for r in rows}))
    for refund in rows:
        if _was_paid(refund):
            words = {
                "refund.amount": yen(refund.amount),
                "refund.way": FOR_THE_CUSTOMER.get(Refund.Way(refund.way), ""),
                "refund.date": f"{clock.today():%Y年%m月%d日}",
            }
            payment_mail.send([refund.order_id], "refund_done", suffix=f":{refund.pk}", extra=words)
    journal.write([Entry(r.order_id, "refund_done", yen(r.amount)) for r in rows], actor=actor)
    stages.recompute(sorted({r.order_id for r in rows}), actor=actor)
    return [r.pk for r in rows]


@transaction.atomic
def clear(refund_id: int, *, actor: Actor) -> bool:
    """Let a due refund be paid on the actor's authority; False when it is not due any more. Raises NeedsApproval."""
    rows = _claim([refund_id], Refund.State.DUE)
    for refund in rows:
        refund_limits.check(refund.order_id, refund.amount, actor.by)
        Refund.objects.filter(pk=refund.pk).update(cleared_by=actor.by)
    return bool(rows)


@transaction.atomic
def withdraw(refund_ids: Sequence[int], *, actor: Actor, note: str = "") -> list[int]:
    """A due refund will not be paid after all. One that is done stays done."""
    rows = _claim(refund_ids, Refund.State.DUE)
    Refund.objects.filter(pk__in=[r.pk for r in rows]).update(state=Refund.State.WITHDRAWN, note=note[:300])
    tasks.withdraw([task_key(r) for r in rows], actor=actor)
    ledger.settle(sorted({r.order_id for r in rows}), actor=actor)
    review.sync(sorted({r.order_id for r in rows}))  # what stays with us may be more than the order costs
    journal.write([Entry(r.order_id, "refund_withdrawn", note or yen(r.amount)) for r in rows], actor=actor)
    stages.recompute(sorted({r.order_id for r in rows}), actor=actor)
    return [r.pk for r in rows]


def _was_paid(refund: Refund) -> bool:
    """Whether money came that can go back. An authorisation that was never captured only ends, whoever ends it: the
    provider, the channel, or a person on the channel's page."""
    return bool(refund.amount) and refund.way != Refund.Way.VOID and refund.order.paid_amount > 0


def _void(rows: Sequence[Refund]) -> None:
    """An authorisation that is gone was never money: nothing for the ledger. A part of it leaves the rest standing."""
    ids = [r.order_id for r in rows if r.order.cancelled_at]
    Order.objects.filter(pk__in=ids, payment_state=PaymentState.AUTHORIZED).update(
        payment_state=PaymentState.REFUNDED, version=F("version") + 1
    )


def settle_by_channel(limit: int = 500) -> int:
    """Close refunds that the channel pays itself, of orders that it now calls cancelled."""
    rows = Refund.objects.filter(state=Refund.State.DUE, way=Refund.Way.CHANNEL, order__phase="cancelled")
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
    return sum(len(done) for done in in_halves(_paid_by_channel, ids, "refund_not_settled"))


def _paid_by_channel(refund_ids: Sequence[int]) -> list[int]:
    return complete(refund_ids, actor=SYSTEM, note=said("モールのキャンセルとともに返金されました。"))


def release_no_more(order_id: int, *, actor: Actor) -> None:
    """The money that was held has been taken: what was only to be released of it goes back as money now. The caller
    holds the order's lock."""
    rows = Refund.objects.select_related("order__shop").filter(
        order=order_id, state=Refund.State.DUE, way=Refund.Way.VOID, amount__gt=0
    )
    for refund in rows.order_by("pk"):
        refund.way = _way(refund.order, by_channel=False)
        refund.save(update_fields=["way"])
        tasks.withdraw([task_key(refund)], actor=actor)
        tasks.ask_anew([_task(refund.order, refund)], actor=actor)


def finished_by_person(task: OrderTask, actor: Actor) -> None:
    """Listener of finished tasks: the refund behind this one is done."""
    if task.key.startswith("refund:"):
        complete([refund_of(task)], actor=actor)


def refund_of(task: OrderTask) -> int:
    """The id of the refund that a task of `task_key` is about."""
    return int(task.key.partition(":")[2])


def money_left(order: Order) -> int:
    """The buyer's money that is with us, or with whoever collects for us, and is promised to no refund yet."""
    return ledger.buyers_money([order])[order.pk]


def plan_for(order: Order, wish: Wish, *, at_most: int) -> RefundPlan:
    bill = bill_of(order)
    quantities = everything_left(bill) if wish.quantities is None else dict(wish.quantities)
    units = units_beside(bill, quantities) if wish.quantities is None else wish.units
    fees = FEES if wish.quantities is None else wish.fees
    surplus = wish.surplus
    if wish.quantities is None:
        surplus = max(0, ledger.received(order) - (order.total or 0) - _surplus_given(order))
    try:
        return plan_refund(
            bill,
            quantities,
            units=units,
            fees=fees,
            deduction=wish.deduction,
            goodwill=wish.goodwill,
            surplus=surplus,
            difference=wish.difference,
            at_most=at_most,
        )
    except ValueError as error:
        raise NothingToRefund(said("返金できる数を超えています。すでに返金した数を確かめてください。")) from error


def _surplus_given(order: Order) -> int:
    return order.refunds.filter(state__in=LIVE).aggregate(sum=Sum("surplus"))["sum"] or 0


def bill_of(order: Order) -> Bill:
    """The order's figures with what its refunds have given back."""
    back = {
        row["line"]: row
        for row in RefundLine.objects.filter(refund__order=order, refund__state__in=LIVE)
        .values("line")
        .annotate(pieces=Sum("quantity"), prices=Sum("price"), points_=Sum("points"), coupons=Sum("coupon"))
    }
    fees = order.refunds.filter(state__in=LIVE).aggregate(*(Sum(name) for name in FEES))
    lines = [line for line in order.lines.all() if line.quantity]
    parts = refund_parts.parts_of(lines, back)
    return Bill(
        lines=[_bill_line(line, back.get(line.pk), parts.get(line.pk, ())) for line in lines],
        fees={"shipping": order.shipping_fee, "fees": order.fees, "gift_fees": order.gift_fees},
        shop_discount=order.discount + order.coupons_shop,
        coupons_channel=order.coupons_channel,
        points=order.points,
        tax_excluded=order.tax_excluded,
        refunded_fees={name: fees[f"{name}__sum"] or 0 for name in FEES},
    )


def unit_shares(order: Order) -> dict[int, int]:
    """Component of a set → what one unit of it cost after the shop's discounts, fractions of a yen cut off."""
    bill = bill_of(order)
    if not any(line.parts for line in bill.lines):
        return {}
    found: dict[int, int] = {}
    for line, share in zip(bill.lines, shares_of(bill)[0], strict=True):
        for part, own in zip(line.parts, parts_shares(line, share), strict=True):
            found[part.id] = own.price // (part.units * line.quantity)
    return found


def _bill_line(line: OrderLine, back: Mapping[str, Any] | None, parts: Sequence[SetPart]) -> BillLine:
    """Pieces that were refunded and then taken off the line are no part of what stands."""
    pieces = back["pieces"] if back else 0
    standing = max(0, pieces - line.cancelled_quantity)

    def share(name: str) -> int:
        return int(back[name]) * standing // pieces if back and pieces else 0

    return BillLine(
        id=line.pk,
        quantity=line.quantity,
        amount=line.amount,
        tax_rate=10 if line.tax_rate is None else line.tax_rate,
        discount=line.discount,
        refunded=min(standing, line.quantity),
        refunded_price=share("prices"),
        refunded_points=share("points_"),
        refunded_coupon=share("coupons"),
        parts=parts,
    )


def _write(
    order: Order, plan: RefundPlan, *, key: str, reason: str, way: str, actor: Actor, cleared_by: User | None
) -> Refund:
    def fee(name: str) -> int:
        return plan.fees[name].price if name in plan.fees else 0

    refund = Refund.objects.create(
        order=order,
        key=key[:120],
        way=way,
        reason=reason[:200],
        goods=sum(line.share.price for line in plan.lines),
        shipping=fee("shipping"),
        fees=fee("fees"),
        gift_fees=fee("gift_fees"),
        deduction=plan.deduction,
        goodwill=plan.goodwill,
        surplus=plan.surplus,
        difference=plan.difference,
        points_back=plan.points_back,
        coupon_back=plan.coupon_back,
        amount=plan.amount,
        tax_by_rate=[[rate.rate.percent, rate.amount, rate.tax] for rate in plan.rates],
        made_at=clock.now(),
        made_by=actor.by,
        cleared_by=cleared_by,
    )
    written = RefundLine.objects.bulk_create(
        RefundLine(
            refund=refund,
            line_id=line.line_id,
            quantity=line.quantity,
            price=line.share.price,
            points=line.share.points,
            coupon=line.share.coupon,
            money=line.share.money,
            tax_rate=line.tax_rate,
        )
        for line in plan.lines
    )
    refund_parts.write(zip(written, plan.lines, strict=True))
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1)
    return refund


def _way(order: Order, by_channel: bool) -> str:
    if by_channel:
        return Refund.Way.CHANNEL
    collector = payment_gates.rule_for(order).collector
    if collector == Collector.CHANNEL:
        return Refund.Way.MALL_PAGE
    if order.payment_state == PaymentState.AUTHORIZED and not order.shipped_at:
        return Refund.Way.VOID
    return Refund.Way.PROVIDER if collector == Collector.PROVIDER else Refund.Way.BANK


def _ask_person(order: Order, refund: Refund, actor: Actor) -> None:
    tasks.ask([_task(order, refund)], actor=actor)


def _task(order: Order, refund: Refund) -> tasks.NewTask:
    kind = TaskKind.VOID if refund.way == Refund.Way.VOID else TaskKind.REFUND
    words = {"no": order.channel_order_no, "amount": yen(refund.amount)}
    text = said("%(no)s: %(amount)s を返金する（%(way)s）", **words, way=choice(refund, "way"))
    if refund.way == Refund.Way.VOID:
        text = said("%(no)s: 決済会社の画面で与信 %(amount)s を取り消す", **words)
    link = page_of(order) if refund.way == Refund.Way.MALL_PAGE else ""
    return tasks.NewTask(task_key(refund), order.pk, text, kind, link)


def task_key(refund: Refund) -> str:
    return f"refund:{refund.pk}"


def _claim(refund_ids: Sequence[int], state: str) -> list[Refund]:
    """Lock the orders by pk, then read the refunds that are still in this state."""
    orders = Refund.objects.filter(pk__in=refund_ids).values_list("order", flat=True)
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=list(orders)).order_by("pk").values_list("pk"))
    return list(Refund.objects.select_related("order").filter(pk__in=refund_ids, state=state).order_by("pk"))


def _paid_with_points_alone(order: Order) -> bool:
    return order.total == 0 and bool(order.points or order.coupons_channel)
