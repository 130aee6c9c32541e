"""A kit's parts, and how many could be built where."""

from dataclasses import dataclass

from inventory.models import Balance, KitPart, Sku


@dataclass(frozen=True, slots=True)
class KitPlace:
    """`buildable` is what the parts there allow that are not allocated; `built` what stands there unallocated."""

    name: str
    buildable: int
    built: int


def parts_of(kit: Sku) -> list[KitPart]:
    return list(KitPart.objects.filter(kit=kit).select_related("part").order_by("part__code"))


def places_of(kit: Sku, parts: list[KitPart]) -> list[KitPlace]:
    """Active places that have a part or a kit. One query."""
    wanted = {part.part_id: part.quantity for part in parts}
    rows = Balance.objects.filter(sku__in=[kit.pk, *wanted], location__active=True).order_by(
        "location__priority", "location_id"
    )
    free: dict[int, dict[int, int]] = {}
    names: dict[int, str] = {}
    for place, name, sku_id, on_hand, reserved in rows.values_list(
        "location", "location__name", "sku", "on_hand", "reserved"
    ):
        names[place] = name
        free.setdefault(place, {})[sku_id] = on_hand - reserved
    found = [
        KitPlace(name, min(have.get(sku, 0) // count for sku, count in wanted.items()), have.get(kit.pk, 0))
        for place, name in names.items()
        if (have := free[place]) and wanted
    ]
    return [place for place in found if place.buildable or place.built]
