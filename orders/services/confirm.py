"""Telling the channel that we took an order, where it has such a step."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.models import Order
from orders.models.order import ChannelSync, Phase
from orders.services import journal
from orders.services import stage as stages
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.rules import wakes


@transaction.atomic
def confirm_orders(order_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """Queue the confirmation of orders that wait for it and have no blocking reason; returns those queued. One that the
    channel refused before is asked again."""
    rows = Order.objects.select_for_update(no_key=True).filter(
        pk__in=order_ids,
        phase=Phase.TO_CONFIRM,
        confirmed_at__isnull=True,
        blocking_reasons=0,
        held_at__isnull=True,
        cancelled_at__isnull=True,
        shop__capabilities__confirm=True,
    )
    waiting = list(rows.order_by("pk").values_list("pk", flat=True))
    ask_again(waiting)
    stages.ask_confirm(waiting)
    journal.write([Entry(order_id, "confirm_asked") for order_id in waiting], actor=actor)
    return waiting


def ask_again(order_ids: Sequence[int]) -> None:
    """Deliver refused confirmations once more; that of a cancelled order ends there without asking the channel."""
    refused = Effect.objects.filter(
        key__in=[f"confirm:{order_id}" for order_id in order_ids], state=Effect.State.FAILED
    )
    outbox.retry(refused.values_list("pk", flat=True))


@transaction.atomic
def record_confirmed(order_ids: Sequence[int]) -> None:
    """The channel took the confirmation: the gate opens. The payment gate follows with the channel's next word."""
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids, confirmed_at__isnull=True)
    fresh = list(rows.order_by("pk").values_list("pk", flat=True))
    Order.objects.filter(pk__in=fresh).update(
        confirmed_at=clock.now(), channel_sync=ChannelSync.IN_SYNC, version=F("version") + 1
    )
    journal.write([Entry(order_id, "confirmed") for order_id in fresh], actor=SYSTEM)
    wakes.note(fresh, "confirmed")
    stages.recompute(fresh)
