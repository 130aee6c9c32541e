"""Balance rows come into being here. Quantities are the door's."""

from collections.abc import Iterable

from django.db import connection

from inventory.models.balance import PREORDER
from inventory.queries.availability import place_ids

# FOR SHARE waits for a location that is just changing sides, and reads what it became.
ENSURE_PLACES = """
INSERT INTO inventory_balance (sku_id, location_id, release, in_pool, on_hand, reserved, overcommit)
SELECT w.sku_id, w.location_id, '', l.sells_online, 0, 0, 0
  FROM (SELECT l.id, l.sells_online FROM inventory_location l WHERE l.id = ANY(%(locations)s) ORDER BY l.id FOR SHARE) l
  JOIN unnest(%(skus)s::bigint[], %(places)s::bigint[]) AS w(sku_id, location_id) ON w.location_id = l.id
  JOIN inventory_sku s ON s.id = w.sku_id AND NOT s.is_bundle
 ORDER BY w.sku_id, w.location_id
ON CONFLICT (sku_id, location_id, release) DO NOTHING
"""
ENSURE_POOLS = """
INSERT INTO inventory_balance (sku_id, location_id, release, in_pool, on_hand, reserved, overcommit)
SELECT w.sku_id, NULL, w.release, false, 0, 0, 0
  FROM (SELECT id AS sku_id, '' AS release FROM inventory_sku WHERE id = ANY(%(skus)s) AND NOT is_bundle
        UNION ALL
        SELECT id, %(preorder)s FROM inventory_sku
         WHERE id = ANY(%(skus)s) AND NOT is_bundle AND preorder_limit > 0 AND release_date IS NOT NULL) w
 ORDER BY w.sku_id, w.release
ON CONFLICT (sku_id, location_id, release) DO NOTHING
"""


def ensure_pools(sku_ids: Iterable[int]) -> None:
    """Make the pool rows of these SKUs where they are missing; for a pre-order with a limit, its own row too."""
    with connection.cursor() as cursor:
        cursor.execute(ENSURE_POOLS, {"skus": sorted(set(sku_ids)), "preorder": PREORDER})


def ensure_balances(pairs: Iterable[tuple[int, int]]) -> None:
    """Make the rows of these (SKU, location) pairs, and the SKUs' pools, where they are missing.

    A bundle gets none. When all are there nothing is written or locked.
    """
    pairs = set(pairs)
    wanted = sorted(pairs - place_ids(pairs).keys())
    if not wanted:
        return
    ensure_pools(sku for sku, _location in wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            ENSURE_PLACES,
            {
                "skus": [sku for sku, _location in wanted],
                "places": [location for _sku, location in wanted],
                "locations": sorted({location for _sku, location in wanted}),
            },
        )
