"""Sets opened down to what is stocked, with what a sale has to remember of each component."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from django.db import connection

from oms.kernel.money import spread_to_largest

TREE = """
SELECT top.bundle_id, o.id, o.name, o.tax_rate, o.price, o.is_bundle, top.quantity,
       i.id, i.name, i.tax_rate, i.price, inner_part.quantity, i.release_date,
       s.tax_by_component, s.tax_rate, o.release_date
  FROM inventory_bundlecomponent top
  JOIN inventory_sku s ON s.id = top.bundle_id AND s.is_bundle
  JOIN inventory_sku o ON o.id = top.component_id
  LEFT JOIN inventory_bundlecomponent inner_part ON inner_part.bundle_id = top.component_id
  LEFT JOIN inventory_sku i ON i.id = inner_part.component_id
 WHERE top.bundle_id = ANY(%s)
 ORDER BY top.bundle_id, o.code, i.code
"""


@dataclass(frozen=True, slots=True)
class Content:
    """So many units of a stocked SKU in one set, and their list value in yen. `set_name`: of the set inside the set;
    `release_date`: before which they are not there."""

    sku_id: int
    name: str
    set_name: str
    units: int
    list_value: int
    tax_rate: int
    release_date: date | None = None


def contents(sku_ids: Iterable[int]) -> dict[int, list[Content]]:
    """Set → its components; plain SKUs, empty sets and sets that contain one are left out. One query.

    A component's list value is its price times its units. The price of a set inside the set is spread over that set's
    components by their list prices; where it has none of its own, it is worth its components.
    """
    with connection.cursor() as cursor:
        cursor.execute(TREE, [sorted(set(sku_ids))])
        rows = cursor.fetchall()
    unknown = {row[0] for row in rows if row[5] and row[7] is None}  # they contain a set that is empty
    groups: dict[tuple[int, int], list[tuple]] = defaultdict(list)
    for row in rows:
        if row[0] not in unknown:
            groups[row[0], row[1]].append(row)
    found: dict[int, list[Content]] = defaultdict(list)
    for (bundle, _top), own in groups.items():
        found[bundle] += _opened(own)
    return {bundle: _once_each(parts) for bundle, parts in found.items()}


def _opened(rows: list[tuple]) -> list[Content]:
    """One direct component: itself, or the components of the set it is."""
    _bundle, sku, name, rate, price, is_bundle, count, *_inside, by_component, set_rate, released = rows[0]
    if not is_bundle:
        return [Content(sku, name, "", count, price * count, rate if by_component else set_rate, released)]
    inside = [row[7:13] for row in rows]
    values = [part_price * quantity for _id, _name, _rate, part_price, quantity, _day in inside]
    if price:
        values = spread_to_largest(price, values if sum(values) else [part[4] for part in inside])
    return [
        Content(
            id_,
            part_name,
            name,
            count * quantity,
            count * value,
            part_rate if by_component else set_rate,
            later_of(day, released),
        )
        for (id_, part_name, part_rate, _price, quantity, day), value in zip(inside, values, strict=True)
    ]


def later_of(*days: date | None) -> date | None:
    return max((day for day in days if day), default=None)


def _once_each(parts: list[Content]) -> list[Content]:
    """A SKU that stands in a set twice, alone and in a set inside, is one component."""
    merged: dict[int, Content] = {}
    for part in parts:
        known = merged.get(part.sku_id)
        merged[part.sku_id] = (
            part
            if known is None
            else replace(
                known,
                units=known.units + part.units,
                list_value=known.list_value + part.list_value,
                set_name=known.set_name and part.set_name,
                release_date=later_of(known.release_date, part.release_date),
            )
        )
    return list(merged.values())
