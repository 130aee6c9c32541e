"""The ledger of an order's money: append-only entries, and the state that they give.

`Order.paid_amount` is the sum of the order's entries at every moment; both change in one transaction, under the
order's lock. An order whose money somebody else collects has no entries until we have to do with it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db import transaction
from django.db.models import F, Q, Sum

from oms.kernel import clock
from oms.kernel.sql import update_rows
from orders.decide.payments import MONEY_IS_THERE, state_after
from orders.models import Order, PaymentEntry, Refund
from orders.models.order import PaymentState
from orders.services.journal import SYSTEM, Actor

# What lowers what is owed, or went back, without being money that came.
NO_MONEY = (PaymentEntry.Kind.REFUND, PaymentEntry.Kind.WAIVED, PaymentEntry.Kind.CREDITED)
COLLECTED_ELSEWHERE = {PaymentState.PAID, PaymentState.AUTHORIZED}


@dataclass(frozen=True, slots=True)
class New:
    """A fact about an order's money: `amount` is signed, `key` unique for ever."""

    order_id: int
    kind: str
    amount: int
    key: str
    on: date | None = None
    note: str = ""


@transaction.atomic
def post(new: Sequence[New], *, actor: Actor = SYSTEM) -> list[int]:
    """Append entries that are not known yet and let the orders' payment states follow.

    Takes the orders' locks by pk. Returns the orders that got an entry; the caller looks after reasons and stages.
    """
    lock([one.order_id for one in new])
    known = set(PaymentEntry.objects.filter(key__in=[one.key for one in new]).values_list("key", flat=True))
    fresh = {one.key: one for one in new if one.key not in known and one.amount}
    now, today = clock.now(), clock.today()
    PaymentEntry.objects.bulk_create(
        PaymentEntry(
            order_id=one.order_id,
            kind=one.kind,
            amount=one.amount,
            key=one.key,
            on=one.on or today,
            at=now,
            by=actor.by,
            note=one.note[:200],
        )
        for one in fresh.values()
    )
    sums: defaultdict[int, int] = defaultdict(int)
    for one in fresh.values():
        sums[one.order_id] += one.amount
    for order_id in sorted(sums):
        Order.objects.filter(pk=order_id).update(
            paid_amount=F("paid_amount") + sums[order_id], version=F("version") + 1
        )
    settle(sorted(sums), actor=actor)
    return sorted(sums)


@transaction.atomic
def settle(order_ids: Sequence[int], *, actor: Actor = SYSTEM) -> None:
    """Set the payment state of orders with entries to what the ledger says; orders without any keep theirs.

    The day of payment is the day of the entry that completed it.
    """
    if not order_ids:
        return
    given, due, last = _refunded(order_ids), _refunds_due(order_ids), _last_days(order_ids)
    rows = []
    for order in Order.objects.filter(pk__in=lock(order_ids)).only("total", "paid_amount", "cancelled_at", "paid_at"):
        if order.pk not in last:
            continue
        state = state_after(
            total=order.total,
            balance=order.paid_amount,
            refunded=given.get(order.pk, 0),
            refund_due=order.pk in due,
            cancelled=order.cancelled_at is not None,
        )
        has_money = state in MONEY_IS_THERE or state == PaymentState.REFUNDED
        rows.append((order.pk, str(state), (order.paid_at or last[order.pk]) if has_money else None))
    update_rows("orders_order", {"payment_state": "text", "paid_at": "timestamptz"}, rows)


def book_channel_money(order: Order, *, actor: Actor = SYSTEM) -> bool:
    """Enter what somebody else collected for us, before the ledger has to say what became of it. What is only
    authorised counts as collected once the goods have left. Returns whether there was anything to enter."""
    taken = order.payment_state == PaymentState.PAID or (
        order.payment_state == PaymentState.AUTHORIZED and order.shipped_at is not None
    )
    fresh = taken and bool(order.total) and not order.payments.exists()
    if fresh:
        book_taken(order, actor=actor)
    return fresh


def book_taken(order: Order, *, actor: Actor = SYSTEM) -> int:
    """Enter that the provider, or the channel, took what it held; returns the yen. What was let go of before was never
    taken, and is owed no more."""
    free = released([order.pk])[order.pk]
    taken = max(0, (order.total or 0) - free)
    off = New(order.pk, PaymentEntry.Kind.CREDITED, (order.total or 0) - taken, f"released:{order.pk}")
    post([New(order.pk, PaymentEntry.Kind.CHANNEL, taken, f"channel:{order.pk}"), off], actor=actor)
    return taken


def released(order_ids: Sequence[int]) -> dict[int, int]:
    """By order: what was let go of money that is, or was, only held."""
    rows = Refund.objects.filter(order__in=order_ids, way=Refund.Way.VOID, state=Refund.State.DONE)
    return dict.fromkeys(order_ids, 0) | dict(rows.values_list("order").annotate(sum=Sum("amount")))


def received(order: Order) -> int:
    """The buyer's money that came, before refunds; what somebody else collects counts as come when it is sure."""
    rows = order.payments.exclude(kind__in=NO_MONEY)
    if order.payments.exists():
        return rows.aggregate(sum=Sum("amount"))["sum"] or 0
    return (order.total or 0) if order.payment_state in COLLECTED_ELSEWHERE else 0


def buyers_money(orders: Sequence[Order]) -> dict[int, int]:
    """By order what `received` says, less what its refunds have given back or promised. Two queries."""
    ids = [order.pk for order in orders]
    counted = ~Q(kind__in=NO_MONEY)
    entries = PaymentEntry.objects.filter(order__in=ids).values_list("order")
    came = dict(entries.annotate(sum=Sum("amount", filter=counted)))
    live = Refund.objects.filter(order__in=ids, state__in=[Refund.State.DUE, Refund.State.DONE])
    live = live.exclude(
        way=Refund.Way.VOID, state=Refund.State.DONE, order__in=list(came)
    )  # let go of, so it never came
    given = dict(live.values_list("order").annotate(sum=Sum("amount")))
    elsewhere = {order.pk: order.total or 0 for order in orders if order.payment_state in COLLECTED_ELSEWHERE}
    return {pk: max(0, (came[pk] or 0 if pk in came else elsewhere.get(pk, 0)) - given.get(pk, 0)) for pk in ids}


def free_money(order_ids: Sequence[int]) -> dict[int, int]:
    """By order: the money that came, less what refunds have given back or promised."""
    came = PaymentEntry.objects.filter(order__in=order_ids).exclude(kind__in=NO_MONEY)
    given = Refund.objects.filter(order__in=order_ids, state__in=[Refund.State.DUE, Refund.State.DONE]).exclude(
        way=Refund.Way.VOID
    )
    left = dict.fromkeys(order_ids, 0)
    for rows, sign in ((came, 1), (given, -1)):
        for order_id, total in rows.values_list("order").annotate(sum=Sum("amount")):
            left[order_id] += sign * total
    return left


def lock(order_ids: Sequence[int]) -> list[int]:
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def _refunded(order_ids: Sequence[int]) -> dict[int, int]:
    rows = PaymentEntry.objects.filter(order__in=order_ids, kind=PaymentEntry.Kind.REFUND)
    return {order: -total for order, total in rows.values_list("order").annotate(sum=Sum("amount"))}


def _refunds_due(order_ids: Sequence[int]) -> set[int]:
    rows = Refund.objects.filter(order__in=order_ids, state=Refund.State.DUE).exclude(Q(amount=0))
    return set(rows.values_list("order", flat=True))


def _last_days(order_ids: Sequence[int]) -> dict[int, datetime]:
    """The moment of payment by order: noon of the last incoming entry's day, or its writing if that is today."""
    found: dict[int, datetime] = {}
    today = clock.today()
    for order, on, at in (
        PaymentEntry.objects.filter(order__in=order_ids).order_by("pk").values_list("order", "on", "at")
    ):
        found[order] = at if on >= today else datetime.combine(on, time(12), clock.TOKYO)
    return found
