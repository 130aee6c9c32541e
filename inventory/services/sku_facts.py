"""A SKU's facts, set by hand: who sells it to us at what cost, what it weighs, what its product is.

Costs are yen of one unit without tax. A set without stock of its own costs and weighs what its parts do, unless it
has values of its own.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.db import connection, transaction

from inventory.models import Product, Sku, SkuChange
from oms.kernel import clock
from oms.kernel.services import setting_versions
from oms.kernel.text import clean_text

OF_SKU = ("supplier", "cost", "weight_g", "size_factor", "tags", "custom", "arrives_on")
OF_PRODUCT = ("brand", "category")


class Moved(Exception):
    """Somebody else changed the facts since they were shown; nothing was written."""


def facts_of(sku: Sku) -> dict[str, Any]:
    own = {name: _plain(getattr(sku, name)) for name in OF_SKU}
    return {name: getattr(sku.product, name) for name in OF_PRODUCT} | own


def _plain(value: Any) -> Any:
    """As the journal keeps it: texts without odd spaces, days as ISO text."""
    if isinstance(value, date):
        return value.isoformat()
    return clean_text(value) if isinstance(value, str) else value


def seen(sku: Sku) -> str:
    """Equal as long as the facts are."""
    return hashlib.blake2b(json.dumps(facts_of(sku), sort_keys=True).encode(), digest_size=10).hexdigest()


@transaction.atomic
def change(sku_id: int, values: Mapping[str, Any], *, shown: str, by_id: int | None) -> bool:
    """Set the facts named in `values`, and write the journal; False when nothing differs.

    Brand and category are the product's, for all of its SKUs. Raises Moved. Locks the product, then the SKU.
    """
    with setting_versions.kept("sku", sku_id, by=by_id):
        product_id = Sku.objects.values_list("product_id", flat=True).get(pk=sku_id)
        Product.objects.select_for_update(no_key=True).order_by("pk").get(pk=product_id)
        Sku.objects.select_for_update(no_key=True).order_by("pk").get(pk=sku_id)
        sku = Sku.objects.select_related("product").get(pk=sku_id)
        wanted = {name: _plain(value) for name, value in values.items()}
        before = facts_of(sku)
        after = {name: value for name, value in wanted.items() if before[name] != value}
        if not after:
            return False
        if shown != seen(sku):
            raise Moved
        if of_product := _own(after, OF_PRODUCT):
            Product.objects.filter(pk=product_id).update(**of_product)
        if of_sku := _own(after, OF_SKU):
            Sku.objects.filter(pk=sku_id).update(**of_sku)
        SkuChange.objects.create(
            sku=sku, at=clock.now(), by_id=by_id, before={name: before[name] for name in after}, after=after
        )
        return True


def _own(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


# A set's own value, else its parts'; null as soon as one part is not known. Sets nest two levels at most.
OF_ONE = """
WITH leaf AS (
    SELECT s.id, coalesce(c2.component_id, c1.component_id, s.id) AS part,
           coalesce(c1.quantity, 1) * coalesce(c2.quantity, 1) AS n
      FROM inventory_sku s
      LEFT JOIN inventory_bundlecomponent c1 ON c1.bundle_id = s.id AND s.{fact} IS NULL
      LEFT JOIN inventory_sku k1 ON k1.id = c1.component_id
      LEFT JOIN inventory_bundlecomponent c2 ON c2.bundle_id = k1.id AND k1.{fact} IS NULL
     WHERE s.id = ANY(%s))
SELECT l.id, CASE WHEN bool_and(p.{fact} IS NOT NULL) THEN sum(p.{fact}::bigint * l.n)::bigint END,
       coalesce(array_agg(p.code ORDER BY p.code) FILTER (WHERE p.{fact} IS NULL), '{{}}')
  FROM leaf l JOIN inventory_sku p ON p.id = l.part GROUP BY l.id
"""
UNIT_COSTS, UNIT_WEIGHTS = OF_ONE.format(fact="cost"), OF_ONE.format(fact="weight_g")


def unit_costs(sku_ids: Collection[int]) -> dict[int, tuple[int | None, list[str]]]:
    """SKU → (cost of one unit or None, codes of the SKUs whose cost is missing). One query."""
    with connection.cursor() as cursor:
        cursor.execute(UNIT_COSTS, [list(sku_ids)])
        return {sku_id: (cost, list(missing)) for sku_id, cost, missing in cursor.fetchall()}


def unit_weights(sku_ids: Collection[int]) -> dict[int, int | None]:
    """SKU → grams of one unit, None where they are not known. One query."""
    with connection.cursor() as cursor:
        cursor.execute(UNIT_WEIGHTS, [list(sku_ids)])
        return {sku_id: grams for sku_id, grams, _missing in cursor.fetchall()}
