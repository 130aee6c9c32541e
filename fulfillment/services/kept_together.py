"""Components that stay together although their set was taken apart, because one of them was cancelled: a set that may
not be sent in parts leaves in one parcel, also without what is no longer wanted of it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db.models import F, QuerySet

from fulfillment.models import Shipment, ShipmentLine
from orders.models import OrderLine


def bond_of(line: OrderLine) -> int:
    """Equal for lines that leave together: the set's line, as a negative number; else the line itself. The line comes
    with its set's line and SKU."""
    whole = line.set_line
    return -whole.pk if whole and whole.sku and not whole.sku.ships_apart else line.pk


def bonds_of(lines: Mapping[int, OrderLine]) -> list[list[int]]:
    """These lines (by id) in groups that leave together."""
    found: dict[int, list[int]] = defaultdict(list)
    for pk, line in lines.items():
        found[bond_of(line)].append(pk)
    return list(found.values())


def bound(line_ids: Iterable[int]) -> dict[int, int]:
    """Of these lines those that leave with others, and the set's line that binds them. One query."""
    rows = _bound().filter(pk__in=list(line_ids))
    return {line: whole for line, whole in rows.values_list("pk", "set_line") if whole}


def incomplete(bonds: Collection[int], line_ids: Collection[int]) -> set[int]:
    """The bonds with a line without place that is not among these: its mates wait for it. No query for none."""
    if not bonds:
        return set()
    missing = _bound().filter(set_line__in=bonds, allocated_quantity__lt=F("quantity")).exclude(pk__in=line_ids)
    return {whole for whole in missing.values_list("set_line", flat=True) if whole}


def places_taken(bonds: Collection[int]) -> dict[int, int]:
    """Bond → the location where some of its lines have their place already. No query for none."""
    if not bonds:
        return {}
    rows = ShipmentLine.objects.filter(
        order_line__set_line__in=bonds,
        shipment__state__in=[Shipment.State.PLANNED, Shipment.State.INSTRUCTED, Shipment.State.STOP_REQUESTED],
    )
    return {whole: at for whole, at in rows.values_list("order_line__set_line", "shipment__location") if whole}


def with_mates_placed(line_ids: Sequence[int]) -> set[int]:
    """Of these lines without place those that may not follow later: others of their set would leave before them."""
    bond = bound(line_ids)
    taken = places_taken(set(bond.values()))
    return {line for line, whole in bond.items() if whole in taken}


def _bound() -> QuerySet[OrderLine]:
    return OrderLine.objects.filter(set_line__isnull=False, set_line__sku__ships_apart=False)
