"""Bundles as their components. They nest at most two levels, so two joins expand them."""

from collections import defaultdict
from collections.abc import Iterable

from django.db import connection

COMPONENTS = """
SELECT top.bundle_id, coalesce(inner_part.component_id, top.component_id),
       sum(top.quantity * coalesce(inner_part.quantity, 1))::int, bool_or(part.is_bundle AND inner_part.id IS NULL)
  FROM inventory_bundlecomponent top
  JOIN inventory_sku part ON part.id = top.component_id
  LEFT JOIN inventory_bundlecomponent inner_part ON inner_part.bundle_id = top.component_id
 WHERE top.bundle_id = ANY(%s)
 GROUP BY 1, 2 ORDER BY 1, 2
"""


def components(sku_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """SKU → {stocked SKU: units in one}. A plain SKU is one of itself; a bundle without components is empty,
    and so is one that contains such a bundle."""
    ids = sorted(set(sku_ids))
    parts: dict[int, dict[int, int]] = {sku_id: {sku_id: 1} for sku_id in ids}
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM inventory_sku WHERE id = ANY(%s) AND is_bundle", [ids])
        bundles = [row[0] for row in cursor.fetchall()]
        if bundles:
            parts |= {bundle: {} for bundle in bundles}
            cursor.execute(COMPONENTS, [bundles])
            rows = cursor.fetchall()
            unknown = {bundle for bundle, *_part, is_empty in rows if is_empty}
            for bundle, component, quantity, _is_empty in rows:
                if bundle not in unknown:
                    parts[bundle][component] = quantity
    return parts


BUNDLES_OF = """
SELECT component_id, bundle_id FROM inventory_bundlecomponent WHERE component_id = ANY(%(ids)s)
UNION
SELECT i.component_id, o.bundle_id FROM inventory_bundlecomponent i
  JOIN inventory_bundlecomponent o ON o.component_id = i.bundle_id
 WHERE i.component_id = ANY(%(ids)s)
"""


ONCE_BUNDLES_OF = """
WITH part AS (SELECT bundle_id, component_id FROM inventory_bundlecomponent
              UNION SELECT bundle_id, component_id FROM inventory_formercomponent)
SELECT bundle_id FROM part WHERE component_id = ANY(%(ids)s)
UNION
SELECT o.bundle_id FROM part i JOIN part o ON o.component_id = i.bundle_id WHERE i.component_id = ANY(%(ids)s)
"""


def once_bundles_of(sku_ids: Iterable[int]) -> set[int]:
    """The bundles, of both levels, that have or ever had one of these components: orders keep what they were sold."""
    with connection.cursor() as cursor:
        cursor.execute(ONCE_BUNDLES_OF, {"ids": sorted(set(sku_ids))})
        return {row[0] for row in cursor.fetchall()}


def bundles_of(sku_ids: Iterable[int]) -> dict[int, set[int]]:
    """Component → the bundles, of both levels, whose availability hangs on it. SKUs in no bundle are left out."""
    found: dict[int, set[int]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(BUNDLES_OF, {"ids": sorted(set(sku_ids))})
        for component, bundle in cursor.fetchall():
            found[component].add(bundle)
    return dict(found)
