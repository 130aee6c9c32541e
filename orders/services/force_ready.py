"""強制出荷可: a person takes it on themselves that orders pass the gates before the stock.

It is made of facts that each can be seen and taken back: reasons accepted with the note, money that is not waited
for, no planned day, no hold. What only its cause can close stays open, and what opens later stops the order again.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import F

from oms.kernel import clock
from orders.models import Order
from orders.models.order import FulfillmentState, PaymentState, Phase, Stage
from orders.services import hold, journal, review
from orders.services import stage as stages
from orders.services.journal import Actor, Entry

STOPPED = (Stage.ON_HOLD, Stage.REVIEW, Stage.AWAITING_PAYMENT, Stage.SCHEDULED)


@transaction.atomic
def force(order_ids: Sequence[int], *, note: str, actor: Actor) -> list[int]:
    """Have these orders pass what stops them; returns those that something stopped. Takes the orders' locks by pk."""
    stopped = Order.objects.filter(
        pk__in=order_ids, stage__in=STOPPED, cancelled_at=None, fulfillment_state=FulfillmentState.NONE
    ).exclude(phase=Phase.PROVISIONAL)
    ids = list(stopped.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    journal.write([Entry(pk, "forced_ready", note) for pk in ids], actor=actor)
    hold.lift_holds(ids, actor=actor)
    review.accept(ids, actor=actor, note=note)
    rows = Order.objects.filter(pk__in=ids)
    rows.exclude(payment_state=PaymentState.PAID).update(ships_unpaid=True)
    rows.filter(planned_ship_date__gt=clock.today()).update(planned_ship_date=None)
    _follow(ids, actor)
    return ids


@transaction.atomic
def put_back(before: Mapping[int, Mapping[str, Any]], *, actor: Actor) -> list[int]:
    """`ships_unpaid` and `planned_ship_date` (ISO) as they were, where the warehouse has not begun; returns which."""
    standing = Order.objects.filter(pk__in=before, cancelled_at=None, fulfillment_state=FulfillmentState.NONE)
    ids = list(standing.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    for pk in ids:
        day = before[pk]["planned_ship_date"]
        Order.objects.filter(pk=pk).update(
            ships_unpaid=before[pk]["ships_unpaid"], planned_ship_date=date.fromisoformat(day) if day else None
        )
    _follow(ids, actor)
    return ids


def _follow(order_ids: Sequence[int], actor: Actor) -> None:
    Order.objects.filter(pk__in=order_ids).update(version=F("version") + 1)
    stages.recompute(order_ids, actor=actor)
