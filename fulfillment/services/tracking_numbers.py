"""送り状番号取込: numbers are written on parcels under way; nothing leaves. The same file twice changes nothing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from fulfillment.models import Shipment, ShipmentLine
from fulfillment.services import facts, journal
from fulfillment.services.ship import Departure, put_numbers, search_words
from oms.kernel.said import said, together
from oms.kernel.said_field import choice
from orders.models import Order
from orders.services import facts as order_facts
from orders.services.journal import Actor


@dataclass(frozen=True, slots=True)
class Taken:
    """`same` had these very numbers before."""

    changed: list[int] = field(default_factory=list)
    same: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)  # shipment → why


@transaction.atomic
def take_numbers(departures: Sequence[Departure], *, actor: Actor) -> Taken:
    """Locks orders by pk, then shipments by pk."""
    by_id = {one.shipment_id: one for one in departures if one.tracking_no.strip()}
    orders_of: dict[int, set[int]] = defaultdict(set)
    lines = ShipmentLine.objects.filter(shipment__in=by_id).values_list("shipment", "order_line__order")
    for shipment_id, order_id in lines:
        orders_of[shipment_id].add(order_id)
    touched = sorted({order for own in orders_of.values() for order in own})
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=touched).order_by("pk").values_list("pk"))
    locked = Shipment.objects.select_for_update(no_key=True).filter(pk__in=by_id).order_by("pk")
    taken, changed = Taken(), []
    for shipment in locked:
        if shipment.state != Shipment.State.INSTRUCTED:
            taken.refused[shipment.pk] = said("出荷指示が出ていません（%(state)s）。", state=choice(shipment, "state"))
            continue
        before = _numbers(shipment)
        put_numbers(shipment, by_id[shipment.pk])
        if _numbers(shipment) == before:
            taken.same.append(shipment.pk)
        else:
            changed.append(shipment)
    Shipment.objects.bulk_update(changed, ["carrier", "tracking_no", "more_tracking_nos"], batch_size=500)
    journal.write(
        [
            (one.pk, "numbered", together([choice(one, "carrier"), one.tracking_no, *one.more_tracking_nos], " "))
            for one in changed
        ],
        by=actor.by,
    )
    parcels: dict[int, list[Shipment]] = defaultdict(list)
    for one in changed:
        for order_id in orders_of[one.pk]:
            parcels[order_id].append(one)
    facts.refresh(sorted(parcels), actor=actor)
    rows = Order.objects.filter(pk__in=parcels).only("pk", "tracking_label")
    order_facts.add_search_words(search_words(rows, parcels))
    taken.changed.extend(one.pk for one in changed)
    return taken


def _numbers(shipment: Shipment) -> tuple[str, str, list[str]]:
    return shipment.carrier, shipment.tracking_no, list(shipment.more_tracking_nos)
