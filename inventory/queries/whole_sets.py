"""How many sets the places hold whole: for sets whose components may not leave in different parcels."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db import connection

Free = Mapping[int, int]  # SKU → units

KEPT_WHOLE = "SELECT id FROM inventory_sku WHERE id = ANY(%s) AND is_bundle AND NOT ships_apart"

AT_PLACES = """
SELECT b.sku_id, b.location_id, b.in_pool AND l.active, b.on_hand - b.reserved, b.reserved
  FROM inventory_balance b JOIN inventory_location l ON l.id = b.location_id
 WHERE b.sku_id = ANY(%s) ORDER BY l.priority, l.id
"""
PROMISED = """
SELECT sku_id, sum(reserved)::int, sum(overcommit)::int FROM inventory_balance
 WHERE sku_id = ANY(%s) AND location_id IS NULL GROUP BY sku_id
"""


@dataclass(frozen=True, slots=True)
class Places:
    """Unpromised units that lie at the places that sell online, preferred places first; what was promised of each SKU
    without a place yet; and the SKUs that are sold before they are there, which lie nowhere."""

    free: Mapping[int, Free] = field(default_factory=dict)  # location → SKU → units
    waiting: Free = field(default_factory=dict)
    coming: Collection[int] = frozenset()


def sets_among(parts: Mapping[int, Mapping[int, int]]) -> list[int]:
    """Of SKUs opened by `components`, those that need several units together."""
    return [sku for sku, needs in parts.items() if sum(needs.values()) > 1]


def kept_whole(sku_ids: Collection[int]) -> set[int]:
    """Of these SKUs, the sets that leave whole or not at all; of a set inside a set the outer one decides. One query,
    none for none."""
    if not sku_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(KEPT_WHOLE, [sorted(sku_ids)])
        return {row[0] for row in cursor.fetchall()}


def places_of(sku_ids: Iterable[int]) -> Places:
    """The places of these stocked SKUs. Unlocked reads, two queries."""
    ids = sorted(set(sku_ids))
    free: dict[int, dict[int, int]] = defaultdict(dict)
    placed: dict[int, int] = defaultdict(int)
    with connection.cursor() as cursor:
        cursor.execute(AT_PLACES, [ids])
        for sku, place, sells, units, reserved in cursor.fetchall():
            placed[sku] += reserved
            if sells and units > 0:
                free[place][sku] = units
        cursor.execute(PROMISED, [ids])
        rows = cursor.fetchall()
    waiting = {sku: units for sku, promised, _room in rows if (units := promised - placed[sku]) > 0}
    return Places(dict(free), waiting, {sku for sku, _promised, room in rows if room})


def whole_sets(
    needs: Mapping[int, int], places: Iterable[Free], waiting: Free, coming: Collection[int] = ()
) -> int | None:
    """Sets (SKU → units in one) that these places can still send, each from one of them; None where nothing of the set
    lies at a place. Pure.

    What waits for a place takes first what the allocator would give it: whole sets, as far as it can make some, then
    single units, place by place in the places' own order.
    """
    bound = {sku: units for sku, units in needs.items() if sku not in coming}
    if not bound:
        return None
    left = [{sku: place.get(sku, 0) for sku in bound} for place in places]
    owed = {sku: waiting.get(sku, 0) for sku in bound}
    ahead = min(owed[sku] // units for sku, units in bound.items())
    for place in left:
        sets = min(ahead, *(place[sku] // units for sku, units in bound.items()))
        ahead -= sets
        for sku, units in bound.items():
            place[sku] -= sets * units
            owed[sku] -= sets * units
    for place in left:
        for sku, units in owed.items():
            taken = min(units, place[sku])
            place[sku] -= taken
            owed[sku] -= taken
    return sum(min(place[sku] // units for sku, units in bound.items()) for place in left)
