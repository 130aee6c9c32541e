"""入金待ち, one order's money, refunds: what the screens show."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from oms.kernel import clock, privacy
from oms.kernel.money import yen
from orders.decide.payments import Terms
from orders.decide.refunds import RefundPlan, everything_left, units_beside
from orders.forms_returns import Row as GoodsRow
from orders.forms_returns import rows_of_goods
from orders.models import (
    BankMatch,
    Order,
    OrderTask,
    PaymentEntry,
    Refund,
    RefundRequest,
    Reminder,
    TaskKind,
)
from orders.models.order import PAYABLE
from orders.models.payment import Collector, ShipsWhen
from orders.models.return_case import part_name
from orders.queries import refund_requests, visible
from orders.queries.found import found_order_ids
from orders.queries.matching import due_of, unpaid_to_us
from orders.services import authorisations, ledger, payment_gates, refunds, reminders
from orders.services.payment import undone_keys
from orders.services.reminders import Case
from orders.services.set_parts import parts_of

WHEN = (("late", _("期限切れ")), ("soon", _("3日以内")), ("partial", _("一部入金")))
MONEY_TASKS = (TaskKind.REFUND, TaskKind.VOID, TaskKind.CAPTURE, TaskKind.REAUTHORIZE, TaskKind.REPORT)
STEP_LABELS = dict(Reminder.Step.choices)
STEP_TONES = {"": "neutral", "first": "waiting", "final": "attention", "cancel": "danger"}


class PaymentFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("受注番号・氏名・電話"), method="search", widget=forms.SearchInput)
    when = django_filters.ChoiceFilter(label=_("期限"), choices=WHEN, method="by_day", empty_label=_("すべて"))
    shop = django_filters.ModelChoiceFilter(label=_("店舗"), queryset=visible.own_shops, empty_label=_("すべて"))

    class Meta:
        model = Order
        fields = ["q", "when", "shop"]

    def search(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        return rows.filter(pk__in=found_order_ids(typed))

    def by_day(self, rows: QuerySet[Order], _name: str, value: str) -> QuerySet[Order]:
        now = clock.now()
        if value == "partial":
            return rows.filter(payment_state="partially_paid")
        if value == "late":
            return rows.filter(pay_by__lt=now)
        return rows.filter(pay_by__gte=now, pay_by__lt=now + timedelta(days=3))


@dataclass(frozen=True, slots=True)
class Row:
    """One unpaid order. `next` is the step whose day has come and that was not taken."""

    order: Order
    buyer: str
    due: int
    late: bool
    last: str | Promise
    next: str | Promise
    tone: str
    ends_on: Any
    scarce: bool


def waiting_orders() -> QuerySet[Order]:
    columns = (
        "shop", "channel_order_no", "buyer_name", "ordered_at", "payment_method", "payment_name", "payment_state",
        "total", "paid_amount", "pay_by", "stage",
    )  # fmt: skip
    return unpaid_to_us().select_related("shop").only(*columns, "shop__name", "shop__capabilities")


def rows_of(orders: Sequence[Order], *, personal: bool) -> list[Row]:
    """A fixed number of queries, whatever the page's length."""
    now = clock.now()
    return [_row(case, now, personal) for case in reminders.cases(orders)]


def expired_rows(*, personal: bool) -> list[Row]:
    cases = reminders.expired()
    names = dict(Order.objects.filter(pk__in=[c.order.pk for c in cases]).values_list("pk", "buyer_name"))
    for case in cases:
        case.order.buyer_name = names[case.order.pk]
    now = clock.now()
    return [_row(case, now, personal) for case in cases]


def _row(case: Case, now: Any, personal: bool) -> Row:
    order = case.order
    last = next((step for step in reversed(Reminder.Step.values) if step in case.taken), "")
    return Row(
        order,
        order.buyer_name if personal else privacy.mask_name(order.buyer_name),
        due_of(order),
        bool(order.pay_by and order.pay_by < now),
        STEP_LABELS.get(last, ""),
        STEP_LABELS[case.step] if case.is_new else "",
        STEP_TONES[case.step if case.is_new else ""],
        case.ends_on,
        case.scarce,
    )


def tally() -> dict[str, int]:
    """The numbers above the list."""
    rows, now = unpaid_to_us(), clock.now()
    return {
        "waiting": rows.count(),
        "late": rows.filter(pay_by__lt=now).count(),
        "partial": rows.filter(payment_state="partially_paid").count(),
        "refunds": visible.of_shops(Refund.objects.filter(state=Refund.State.DUE)).count(),
        "tasks": visible.of_shops(OrderTask.objects.filter(kind__in=MONEY_TASKS, done_at=None)).count(),
    }


@dataclass(frozen=True, slots=True)
class EntryRow:
    entry: PaymentEntry
    undo_url: str


def order_money(order: Order) -> dict[str, Any]:
    """The payment block of one order: terms, ledger, matches, reminders, refunds, tasks."""
    entries = list(order.payments.select_related("by").order_by("pk"))
    gone = undone_keys(entries)
    by_hand = {PaymentEntry.Kind.RECORDED, PaymentEntry.Kind.WAIVED}
    terms = payment_gates.rule_for(order)
    if order.ships_unpaid:
        terms = replace(terms, ships_when=ShipsWhen.AT_ONCE)
    return {
        "order": order,
        "terms": terms,
        "terms_text": terms_text(terms),
        "due": due_of(order),
        "received": ledger.received(order),
        "refundable": refunds.money_left(order),
        "payable": order.payment_state in PAYABLE and not order.cancelled_at,
        "holdable": not authorisations.why_not_renewed(order),
        "short": order.payment_state == "partially_paid" and not order.cancelled_at,
        "entries": [
            EntryRow(
                entry,
                reverse("orders:payment-undo", args=[order.pk, entry.pk])
                if entry.kind in by_hand and entry.amount > 0 and entry.key not in gone
                else "",
            )
            for entry in entries
        ],
        "matches": list(
            BankMatch.objects.filter(order=order, undone_at=None).select_related("line", "by").order_by("pk")
        ),
        "reminders": list(order.reminders.select_related("by").order_by("pk")),
        "refunds": list(order.refunds.prefetch_related("lines__line").order_by("pk")),
        "money_tasks": list(order.tasks.filter(kind__in=MONEY_TASKS, done_at=None).order_by("pk")),
        "payers": payers(order),
        "asked_refunds": list(refund_requests.of_order(order.pk)),
    }


def payers(order: Order) -> list[tuple[str | Promise, int]]:
    """Who paid how much of the price: buyer, channel, shop."""
    rows = [
        (_("お客様の支払い"), order.total or 0),
        (_("ポイント（モールが支払い）"), order.points),
        (_("モールクーポン（モールが支払い）"), order.coupons_channel),
        (_("店舗クーポン・値引（店舗が負担）"), order.coupons_shop + order.discount),
    ]
    return [(label, amount) for label, amount in rows if amount]


def terms_text(terms: Terms) -> list[tuple[str | Promise, str | Promise]]:
    collector = dict(Collector.choices)[terms.collector]
    ships = dict(ShipsWhen.choices)[terms.ships_when]
    rows: list[tuple[str | Promise, str | Promise]] = [(_("代金を受け取る人"), collector), (_("出荷できる時"), ships)]
    for label, days in (
        (_("支払期限"), terms.due_days),
        (_("督促"), terms.remind_days),
        (_("最終督促"), terms.final_days),
        (_("キャンセル"), terms.cancel_days),
    ):
        if days:
            rows.append((label, ngettext("%(n)s日", "%(n)s日", days) % {"n": days}))
    return rows


def refund_rows(state: str = Refund.State.DUE) -> QuerySet[Refund]:
    rows = visible.of_shops(Refund.objects.filter(state=state))
    return rows.select_related("order__shop", "made_by", "done_by").order_by("made_at", "pk")


def open_money_tasks() -> list[OrderTask]:
    """Open tasks about money that are no refund (those stand in the refunds)."""
    kinds = [kind for kind in MONEY_TASKS if kind not in {TaskKind.REFUND, TaskKind.VOID}]
    rows = visible.of_shops(OrderTask.objects.filter(kind__in=kinds, done_at=None)).select_related("order__shop")
    return list(rows.order_by("due_at", "pk")[:100])


def tab_counts() -> dict[str, int]:
    """What waits behind the tabs: refunds to pay with other open work about money, and approvals. Three queries."""
    kinds = [kind for kind in MONEY_TASKS if kind not in {TaskKind.REFUND, TaskKind.VOID}]
    due = visible.of_shops(Refund.objects.filter(state=Refund.State.DUE)).count()
    tasks = visible.of_shops(OrderTask.objects.filter(kind__in=kinds, done_at=None)).count()
    asked = visible.of_shops(RefundRequest.objects.filter(state=RefundRequest.State.WAITING)).count()
    return {"refunds_waiting": due + tasks, "approvals_waiting": asked}


def refundable_parts(order: Order) -> tuple[list[GoodsRow], list[tuple[str, str]]]:
    """(rows of pieces and of single components left, (fee, label)) that a refund may still give back."""
    bill = refunds.bill_of(order)
    pieces, units = everything_left(bill), units_beside(bill, {})
    shares = refunds.unit_shares(order)
    labels = {"shipping": _("送料"), "fees": _("手数料"), "gift_fees": _("ラッピング料")}
    fees = [
        (name, f"{label} {yen(bill.fees[name])}")
        for name, label in labels.items()
        if bill.fees.get(name) and not bill.refunded_fees.get(name)
    ]
    lines = [line for line in order.lines.order_by("position", "pk") if line.quantity]
    components = parts_of(line.pk for line in lines)
    return rows_of_goods(lines, components, pieces=pieces, units=units, shares=shares), fees


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One thing that goes back: whole pieces of a line, or units of one component alone."""

    name: str
    count: int
    rate: int
    money: int


def plan_rows(order: Order, plan: RefundPlan) -> list[PlanRow]:
    """The goods of a refund by name; of a set its components, where some go back alone or at another rate."""
    lines = {line.pk: line for line in order.lines.all()}
    names = {part.pk: part.name for own in parts_of(line.line_id for line in plan.lines).values() for part in own}
    found = []
    for line in plan.lines:
        name = lines[line.line_id].name
        mixed = len({part.tax_rate for part in line.parts}) > 1
        if mixed or any(part.alone for part in line.parts):
            found += [
                PlanRow(part_name(name, names[part.part_id]), part.units, part.tax_rate, part.share.money)
                for part in line.parts
            ]
        else:
            rate = line.parts[0].tax_rate if line.parts else line.tax_rate
            found.append(PlanRow(name, line.quantity, rate, line.share.money))
    return found
