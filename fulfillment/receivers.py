"""What orders tell fulfilment. The sender holds the locks of the orders concerned."""

from collections.abc import Mapping
from typing import Any

from django.dispatch import receiver

from fulfillment.models import MergedOrder, Shipment, ShipmentLine
from fulfillment.services import allocate, facts, journal, redirect, reopen, short_pick, stop
from oms.kernel.models import User
from oms.kernel.services.outbox import NewEffect, put
from orders.models import OrderLine
from orders.services.journal import Actor
from orders.signals import (
    address_leaves,
    fee_shared,
    lines_cut,
    lines_placed,
    lines_released,
    orders_cancelled,
    orders_redirected,
    orders_told_late,
    parcels_under_way,
    return_withdrawn,
    share_parcels,
    stop_wanted,
)

UNDER_WAY = [Shipment.State.INSTRUCTED, Shipment.State.STOP_REQUESTED]
LIVE = [Shipment.State.PLANNED, *UNDER_WAY]


@receiver(orders_cancelled)
def stop_shipments(order_ids: list[int], by: User | None, **_: Any) -> None:
    """A cancelled order's shipments stop; one that carries other orders too only loses these lines (below)."""
    own = Shipment.objects.filter(lines__order_line__order__in=order_ids, state__in=UNDER_WAY)
    shared = ShipmentLine.objects.filter(shipment__in=own).exclude(order_line__order__in=order_ids).values("shipment")
    ids = list(own.exclude(pk__in=shared).distinct().values_list("pk", flat=True))
    Shipment.objects.filter(pk__in=ids).update(state=Shipment.State.CANCELLED)
    journal.write([(pk, "cancelled", "") for pk in ids], by=by)
    merged = MergedOrder.objects.filter(order__in=order_ids, active=True).values_list("merge", "order")
    put(
        [NewEffect("merge_broken", f"merge_broken:{merge}:{order}", f"merge:{merge}", {"merge": merge})
         for merge, order in merged]
    )  # fmt: skip


@receiver(lines_released)
def let_go_of_lines(line_ids: list[int], **_: Any) -> None:
    """Lines without a place leave their planned and instructed shipments; a shipment left empty ends, and the
    orders' facts say how far they still are."""
    rows = ShipmentLine.objects.filter(order_line__in=line_ids, shipment__state__in=LIVE)
    touched = set(rows.values_list("shipment", flat=True))
    rows.delete()
    empty = Shipment.objects.filter(pk__in=touched, lines__isnull=True)
    instructed = list(empty.filter(state__in=UNDER_WAY).values_list("pk", flat=True))
    empty.filter(state=Shipment.State.PLANNED).delete()
    Shipment.objects.filter(pk__in=instructed).update(state=Shipment.State.CANCELLED)
    journal.write([(pk, "emptied", "") for pk in instructed], by=None)
    if touched:
        facts.refresh(sorted(set(OrderLine.objects.filter(pk__in=line_ids).values_list("order", flat=True))))


@receiver(lines_placed)
def carry_placed_lines(order_id: int, places: Mapping[int, Mapping[int, int]], **_: Any) -> None:
    """They join the order's planned shipments, or get new ones."""
    allocate.carry(order_id, places)


@receiver(stop_wanted)
def ask_to_stop(order_ids: list[int], line_ids: list[int] | None, by: User | None, note: str, **_: Any) -> set[int]:
    """Parcels under way are asked to stop; returns the orders whose location has still to answer."""
    return stop.ask_for_cancel(order_ids, line_ids=line_ids, by=by, note=note)


@receiver(share_parcels)
def travel_along(order_ids: list[int], **_: Any) -> set[int]:
    return stop.companions(order_ids)


@receiver(parcels_under_way)
def still_under_way(order_ids: list[int], **_: Any) -> set[int]:
    rows = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state__in=UNDER_WAY)
    return set(rows.values_list("order_line__order", flat=True))


@receiver(address_leaves)
def keep_where_parcels_went(recipient_id: int, former_id: int, **_: Any) -> int:
    """The sender holds the lock of the order to which they are addressed."""
    gone = Shipment.objects.filter(recipient=recipient_id, state__in=[Shipment.State.SHIPPED, Shipment.State.RETURNED])
    return gone.update(recipient=former_id)


@receiver(return_withdrawn)
def parcel_stays_away(case_id: int, by: User | None, **_: Any) -> int:
    return reopen.stays_away(case_id, actor=Actor(by=by))


@receiver(fee_shared)
def pays_no_fee(order_id: int, **_: Any) -> bool:
    """Of an order whose goods travel in another one's parcel the driver takes no second fee."""
    member = MergedOrder.objects.filter(order=order_id, active=True).exclude(charges={}).first()
    return member is not None and member.charges["before"]["fees"] > member.charges["after"]["fees"]


@receiver(lines_cut)
def follow_cut_lines(order_ids: list[int], by: User | None, **_: Any) -> None:
    """Fewer pieces may mean that everything has left."""
    facts.refresh(order_ids, actor=Actor(by=by))
    short_pick.settle(order_ids)


@receiver(orders_redirected)
def follow_another_way(order_ids: list[int], **_: Any) -> None:
    """Parcels that are only planned go by the order's new way; what no longer fits together comes apart."""
    redirect.follow(order_ids)


@receiver(orders_told_late)
def pull_parcels_back(order_ids: list[int], **_: Any) -> None:
    """Stock is locked now, so only leave the work in the outbox."""
    redirect.ask_to_pull_back(order_ids)
