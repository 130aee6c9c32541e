"""温度帯: how cold a planned parcel travels, where somebody chooses other than its goods ask."""

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction

from fulfillment.decide.splitting import coldest
from fulfillment.models import Shipment, ShipmentLine
from fulfillment.services import journal
from inventory.models import Sku
from oms.kernel.said import said, together


@transaction.atomic
def choose(order_ids: Sequence[int], temperature: str, *, of: str = "") -> dict[int, list[int]]:
    """Have the orders' planned parcels travel so ("": as their goods ask again); `of` only those whose coldest goods
    are of this temperature. Order → the parcels that travel so now, whoever said it. Locks the parcels."""
    planned = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state=Shipment.State.PLANNED)
    owners: dict[int, set[int]] = defaultdict(set)
    for parcel, order in planned.values_list("shipment", "order_line__order"):
        owners[parcel].add(order)
    goods: dict[int, set[str]] = defaultdict(set)
    for parcel, cold in ShipmentLine.objects.filter(shipment__in=owners).values_list("shipment", "sku__temperature"):
        goods[parcel].add(cold)
    wanted = [pk for pk in owners if not of or coldest(frozenset(goods[pk])) == of]
    rows = Shipment.objects.select_for_update(no_key=True).filter(pk__in=wanted, state=Shipment.State.PLANNED)
    found: dict[int, list[int]] = defaultdict(list)
    changed = []
    for shipment in rows.order_by("pk"):
        if shipment.temperature != temperature:
            changed.append(shipment)
        for order in sorted(owners[shipment.pk] & set(order_ids)):
            found[order].append(shipment.pk)
    Shipment.objects.filter(pk__in=[one.pk for one in changed]).update(temperature=temperature)
    journal.write(
        [(one.pk, "temperature", together([_said(one.temperature), _said(temperature)], " → ")) for one in changed],
        by=None,
    )
    return dict(found)


def _said(temperature: str) -> str:
    return said(Sku.Temperature(temperature).label) if temperature else said("商品のとおり")


def so_chosen(order_ids: Sequence[int], temperature: str) -> dict[int, list[int]]:
    """Order → its planned parcels for which this temperature was chosen."""
    rows = ShipmentLine.objects.filter(
        order_line__order__in=order_ids, shipment__state=Shipment.State.PLANNED, shipment__temperature=temperature
    )
    found: dict[int, list[int]] = defaultdict(list)
    for order, parcel in rows.values_list("order_line__order", "shipment").distinct():
        found[order].append(parcel)
    return dict(found)
