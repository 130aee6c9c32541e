"""What may still be promised, per SKU and per place. Unlocked reads: the door has the last word."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from inventory.queries.bundles import components
from inventory.queries.whole_sets import kept_whole, places_of, sets_among, whole_sets
from oms.kernel import clock

# A SKU that is on pre-order today sells from its pre-order row, where it has one.
POOLS = """
SELECT DISTINCT ON (b.sku_id) b.sku_id, b.id, b.on_hand + b.overcommit - b.reserved
  FROM inventory_balance b JOIN inventory_sku s ON s.id = b.sku_id
 WHERE b.sku_id = ANY(%s) AND b.location_id IS NULL AND (b.release = '' OR s.release_date > %s)
 ORDER BY b.sku_id, b.release DESC
"""


def pool_ids(sku_ids: Iterable[int]) -> dict[int, int]:
    """SKU → the pool balance that takes a new promise today. SKUs without a pool row, and bundles, are left out."""
    return {sku_id: balance_id for sku_id, balance_id, _free in _pools(sku_ids)}


def available(sku_ids: Iterable[int]) -> dict[int, int]:
    """SKU → units that may be promised now, the room to overcommit included; every SKU asked is in the answer.

    A bundle has as many as its scarcest component allows; one whose components may not part, no more than the places
    have whole (`whole_sets`).
    """
    parts = components(sku_ids)
    free = {sku_id: units for sku_id, _id, units in _pools({part for needs in parts.values() for part in needs})}
    found = {
        sku_id: min((free.get(part, 0) // quantity for part, quantity in needs.items()), default=0)
        for sku_id, needs in parts.items()
    }
    if whole := kept_whole(sets_among(parts)):
        places = places_of({part for sku_id in whole for part in parts[sku_id]})
        for sku_id in whole:
            there = whole_sets(parts[sku_id], places.free.values(), places.waiting, places.coming)
            found[sku_id] = found[sku_id] if there is None else min(found[sku_id], there)
    return found


def available_at(sku_ids: Iterable[int], location_id: int) -> dict[int, int]:
    """SKU → unpromised units that lie at one place; a bundle has as many as its scarcest component allows."""
    parts = components(sku_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT sku_id, on_hand - reserved FROM inventory_balance
             WHERE sku_id = ANY(%s) AND location_id = %s AND release = ''
            """,
            [sorted({part for needs in parts.values() for part in needs}), location_id],
        )
        free = dict(cursor.fetchall())
    return {
        sku_id: min((free.get(part, 0) // quantity for part, quantity in needs.items()), default=0)
        for sku_id, needs in parts.items()
    }


def _pools(sku_ids: Iterable[int]) -> list[tuple[int, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(POOLS, [sorted(set(sku_ids)), clock.today()])
        return cursor.fetchall()


def all_pool_ids(sku_ids: Iterable[int]) -> dict[int, list[int]]:
    """SKU → every pool balance it has, the ordinary one first."""
    found: dict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT sku_id, id FROM inventory_balance
             WHERE sku_id = ANY(%s) AND location_id IS NULL ORDER BY sku_id, release
            """,
            [sorted(set(sku_ids))],
        )
        for sku_id, balance_id in cursor.fetchall():
            found[sku_id].append(balance_id)
    return dict(found)


@dataclass(frozen=True, slots=True)
class FreePlace:
    balance_id: int
    location_id: int
    free: int


FREE = """
SELECT b.sku_id, b.id, b.location_id, b.on_hand - b.reserved
  FROM inventory_balance b JOIN inventory_location l ON l.id = b.location_id
 WHERE b.sku_id = ANY(%s) AND b.in_pool AND l.active AND b.on_hand > b.reserved
 ORDER BY b.sku_id, l.priority, l.id
"""


def free_by_location(sku_ids: Iterable[int]) -> dict[int, list[FreePlace]]:
    """SKU → active pool places with units not yet allocated, preferred places first. SKUs with none are left out."""
    found: dict[int, list[FreePlace]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(FREE, [sorted(set(sku_ids))])
        for sku_id, balance_id, location_id, free in cursor.fetchall():
            found[sku_id].append(FreePlace(balance_id, location_id, free))
    return dict(found)


def place_ids(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """(SKU, location) → balance. Pairs without a row are left out."""
    wanted = sorted(set(pairs))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT b.sku_id, b.location_id, b.id FROM inventory_balance b
              JOIN unnest(%s::bigint[], %s::bigint[]) AS w(sku_id, location_id) USING (sku_id, location_id)
            """,
            [[sku for sku, _location in wanted], [location for _sku, location in wanted]],
        )
        return {(sku, location): balance for sku, location, balance in cursor.fetchall()}
