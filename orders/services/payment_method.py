"""Another way to pay, agreed with the buyer, before money has moved."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from oms.kernel.clock import TOKYO, in_tokyo
from oms.kernel.said import said
from orders.decide.payments import pay_by
from orders.decide.schedule import END_OF_DAY
from orders.models import Order
from orders.models.order import PaymentMethod, PaymentState
from orders.models.payment import Collector
from orders.services import journal, review
from orders.services.journal import Actor, Entry
from orders.services.payment_terms import TermsOfShops

# Money that came, or is promised, belongs to the way it came.
CHANGEABLE = frozenset({PaymentState.UNPAID, PaymentState.FAILED})
COLUMNS = ("payment_method", "payment_name", "payment_state", "pay_by")


@transaction.atomic
def change(order_ids: Sequence[int], method: str, *, actor: Actor) -> list[int]:
    """Let these orders be paid by `method`; returns those that changed. Amounts stay as they are.

    The day to pay by follows the shop's terms of the new method, counted from the order's day; a failed payment counts
    as not made. Reasons and stages follow. Takes the orders' locks by pk.
    """
    orders = list(_open(order_ids).exclude(payment_method=method).select_related("shop"))
    terms = TermsOfShops({order.shop for order in orders})
    events = []
    for order in orders:
        own = terms.of(order.shop_id, method, "")
        last = pay_by(own, in_tokyo(order.ordered_at).date()) if own.collector == Collector.US else None
        events.append(_entry(order.pk, order.payment_method, method))
        order.payment_method, order.payment_name, order.payment_state = method, "", PaymentState.UNPAID
        order.pay_by = _end_of(last)
        order.version += 1
    _write(orders, events, actor)
    return [order.pk for order in orders]


@transaction.atomic
def put_back(before: Mapping[int, Mapping[str, Any]], *, actor: Actor) -> list[int]:
    """Undo `change`: order → its `COLUMNS` as they were, moments as ISO text. Orders that left, were cancelled or paid
    meanwhile stay; returns the others."""
    orders = list(_open(list(before)))
    events = []
    for order in orders:
        was = before[order.pk]
        events.append(_entry(order.pk, order.payment_method, was["payment_method"]))
        order.payment_method, order.payment_name = was["payment_method"], was["payment_name"]
        order.payment_state = was["payment_state"]
        order.pay_by = datetime.fromisoformat(was["pay_by"]) if was["pay_by"] else None
        order.version += 1
    _write(orders, events, actor)
    return [order.pk for order in orders]


def _open(order_ids: Sequence[int]) -> QuerySet[Order]:
    rows = Order.objects.select_for_update(no_key=True, of=("self",)).filter(
        pk__in=order_ids, cancelled_at=None, shipped_at=None, paid_amount=0, payment_state__in=CHANGEABLE
    )
    return rows.order_by("pk").only("shop", "ordered_at", "version", *COLUMNS)


def _write(orders: Sequence[Order], events: Sequence[Entry], actor: Actor) -> None:
    """The orders are locked; what follows from the way to pay follows here."""
    Order.objects.bulk_update(orders, [*COLUMNS, "version"])
    journal.write(events, actor=actor)
    review.reevaluate([order.pk for order in orders], actor=actor)


def _entry(order_id: int, before: str, after: str) -> Entry:
    names = dict(PaymentMethod.choices)
    return Entry(order_id, "edited", changes={"payment_method": (said(names[before]), said(names[after]))})


def _end_of(day: date | None) -> datetime | None:
    return datetime.combine(day, END_OF_DAY, TOKYO) if day else None
