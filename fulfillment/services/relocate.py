"""Another place for goods that no warehouse works on yet: the wish for a location, and looking for places anew."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, QuerySet

from fulfillment.decide.split_ways import FOLLOWS
from fulfillment.models import MergedOrder, SplitCharge
from inventory.models import AllocatorMark, Location
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.later import later
from orders.models import Order, OrderLine
from orders.models.order import FulfillmentState
from orders.services import journal
from orders.services.journal import Actor, Entry
from orders.services.reservation import ref_of
from orders.signals import lines_released


@transaction.atomic
def prefer(order_ids: Sequence[int], location_id: int | None, *, actor: Actor) -> list[int]:
    """From now on these orders want to leave from this location (None: from wherever the house's order of places
    says). Returns those that wanted another; they give back the places they had, and the allocator places them anew.

    Orders that were instructed, or travel with another one, stay. Locks the orders by pk, then stock, last.
    """
    rows = {row["pk"]: row["preferred_location"] for row in _movable(order_ids).values("pk", "preferred_location")}
    ids = [pk for pk, known in rows.items() if known != location_id]
    wanted = [pk for pk in (*rows.values(), location_id) if pk is not None]
    names: dict[int | None, str] = dict(Location.objects.filter(pk__in=wanted).values_list("pk", "name"))
    Order.objects.filter(pk__in=ids).update(preferred_location=location_id, version=F("version") + 1)
    journal.write(
        [
            Entry(pk, "edited", changes={"preferred_location": (names.get(rows[pk], ""), names.get(location_id, ""))})
            for pk in ids
        ],
        actor=actor,
    )
    _give_places_back(ids)
    return ids


@transaction.atomic
def place_anew(order_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """Give back the places of these orders, so that the allocator looks for new ones; returns those it will look at.

    Promises stay. Orders that were instructed, or travel with another one, stay as they are. Locks the orders by pk,
    then stock, last.
    """
    ids = list(_movable(order_ids).values_list("pk", flat=True))
    journal.write([Entry(pk, "places_anew") for pk in ids], actor=actor)
    skus = OrderLine.objects.filter(
        order__in=ids, reserved=False, sku__isnull=False, quantity__gt=F("shipped_quantity")
    )
    now = clock.now()
    marks = sorted(set(skus.values_list("sku", flat=True)))
    AllocatorMark.objects.bulk_create(AllocatorMark(sku_id=sku, at=now) for sku in marks)
    _give_places_back(ids)
    return ids


def travels_with_another(order_ids: Sequence[int]) -> set[int]:
    """Those of these orders whose goods share a parcel with another order's."""
    return set(MergedOrder.objects.filter(order__in=order_ids, active=True).values_list("order", flat=True))


def pays_for_parcels(order_ids: Sequence[int]) -> set[int]:
    """Those of these orders whose buyers pay for planned parcels: new places would make one of them."""
    charged = SplitCharge.objects.filter(order__in=order_ids, state=SplitCharge.State.AGREED)
    return set(charged.exclude(wish__way__in=list(FOLLOWS)).values_list("order", flat=True))


def _movable(order_ids: Sequence[int]) -> QuerySet[Order]:
    return (
        Order.objects.select_for_update(no_key=True)
        .filter(
            pk__in=order_ids, cancelled_at=None, fulfilled_by_channel=False, fulfillment_state=FulfillmentState.NONE
        )
        .exclude(pk__in=travels_with_another(order_ids) | pays_for_parcels(order_ids))
        .order_by("pk")
    )


def _give_places_back(order_ids: Sequence[int]) -> None:
    """The lines leave their planned parcels; the allocator, in a transaction of its own, gives them new ones. Between
    the two another order may take what was here: the promise of goods stays, the place is not promised."""
    placed = OrderLine.objects.filter(order__in=order_ids, allocated_quantity__gt=F("shipped_quantity"))
    lines = sorted(placed.values_list("pk", flat=True))
    if lines:
        OrderLine.objects.filter(pk__in=lines).update(allocated_quantity=F("shipped_quantity"))
        lines_released.send(sender=OrderLine, line_ids=lines)
        stock.unallocate(ref_of(line) for line in lines)
    later("fulfillment.tasks.allocate_waiting")
