"""The components of a set's line, kept from the moment it is sold: what is picked, and how its price is spread."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from django.db import connection

from inventory.queries.set_contents import Content, contents
from inventory.services import stock
from orders.decide.set_shares import SetPart
from orders.models import LineComponent, OrderLine, RefundPart
from orders.services.reservation import line_ids_of

Sold = tuple[int, int | None, int, int | None]  # line id, SKU, its units in one piece, the rate the channel told


def keep(lines: Iterable[Sold]) -> None:
    """Remember what these new lines are made of; plain goods have nothing to remember. One query, two with sets."""
    sold = [(line, sku, units, rate) for line, sku, units, rate in lines if sku]
    found = contents(sku for _line, sku, _units, _rate in sold) if sold else {}
    LineComponent.objects.bulk_create(
        _component(line, place, part, units, rate)
        for line, sku, units, rate in sold
        for place, part in enumerate(found.get(sku, ()))
    )


def keep_anew(lines: Sequence[Sold]) -> None:
    """The same for lines that stand for another SKU from now on; what has left or gone back stays what it was."""
    if not lines:
        return
    ids = [line for line, *_rest in lines]
    fixed = set(OrderLine.objects.filter(pk__in=ids, shipped_quantity__gt=0).values_list("pk", flat=True))
    fixed |= set(RefundPart.objects.filter(component__line__in=ids).values_list("component__line", flat=True))
    LineComponent.objects.filter(line__in=set(ids) - fixed).delete()
    keep(line for line in lines if line[0] not in fixed)


def _component(line: int, place: int, part: Content, units: int, rate: int | None) -> LineComponent:
    return LineComponent(
        line_id=line,
        sku_id=part.sku_id,
        position=place,
        name=part.name,
        set_name=part.set_name,
        units=part.units * units,
        list_value=part.list_value * units,
        tax_rate=part.tax_rate if rate is None else rate,
        release_date=part.release_date,
    )


# A component whose set is sent whole waits for the last of those that stand; what has goods stays as it is.
DAYS = """
WITH whole AS (SELECT DISTINCT coalesce(set_line_id, id) AS id FROM orders_orderline WHERE id = ANY(%s)),
day AS (
  SELECT l.id,
         CASE WHEN l.set_line_id IS NULL THEN
                   GREATEST(k.release_date, (SELECT max(release_date) FROM orders_linecomponent WHERE line_id = l.id))
              WHEN k.ships_apart THEN GREATEST(k.release_date, c.release_date)
              ELSE max(GREATEST(k.release_date, c.release_date)) OVER (PARTITION BY l.set_line_id) END AS day
    FROM whole JOIN orders_orderline w ON w.id = whole.id JOIN inventory_sku k ON k.id = w.sku_id AND k.is_bundle
    JOIN orders_orderline l ON l.id = w.id OR l.set_line_id = w.id
    LEFT JOIN orders_linecomponent c ON c.line_id = w.id AND c.sku_id = l.sku_id
   WHERE l.quantity > l.shipped_quantity)
UPDATE orders_orderline l SET release_date = day.day FROM day
 WHERE l.id = day.id AND l.allocated_quantity = 0 AND l.release_date IS DISTINCT FROM day.day
"""


def settle_days(line_ids: Sequence[int]) -> None:
    """Give sets among these lines, and components of sets that were taken apart, the day from which they can leave.
    The caller holds the orders' locks."""
    with connection.cursor() as cursor:
        cursor.execute(DAYS, [list(line_ids)])


def needs_of(lines: Sequence[tuple[int, int, int]]) -> dict[int, dict[int, int]]:
    """(line, SKU, its units in one piece) → line → stocked SKU → units in one piece. At most three queries.

    A set that was empty when it was sold is what the catalogue says today.
    """
    kept: dict[int, dict[int, int]] = defaultdict(dict)
    ids = [line for line, _sku, _units in lines]
    rows = LineComponent.objects.filter(line__in=ids).order_by("line", "position")
    for line, sku, units in rows.values_list("line", "sku", "units"):
        kept[line][sku] = units
    parts = stock.components({sku for line, sku, _units in lines if line not in kept})
    return {
        line: kept[line] if line in kept else {part: each * units for part, each in parts[sku].items()}
        for line, sku, units in lines
    }


def requests_for(wants: Sequence[stock.Want]) -> list[stock.Request]:
    """As `stock.requests_for`, with sets as they were sold. The wants are of lines that are stored."""
    ids = line_ids_of(want.ref for want in wants)
    kept: dict[str, dict[int, int]] = defaultdict(dict)
    rows = LineComponent.objects.filter(line__in=ids)
    for line, units_of_line, sku, units in rows.values_list("line", "line__units", "sku", "units"):
        kept[f"line:{line}"][sku] = units // units_of_line
    return stock.requests_for([replace(want, parts=kept.get(want.ref)) for want in wants])


def parts_of(line_ids: Iterable[int]) -> dict[int, list[LineComponent]]:
    """Line → its components in their order; lines that are no sets are left out. One query."""
    found: dict[int, list[LineComponent]] = defaultdict(list)
    for part in LineComponent.objects.filter(line__in=list(line_ids)).order_by("line", "position"):
        found[part.line_id].append(part)
    return dict(found)


def set_parts(components: Iterable[LineComponent]) -> list[SetPart]:
    """Components as `orders.decide` takes them, with nothing given back."""
    return [SetPart(part.pk, part.units, part.list_value, part.tax_rate) for part in components]


def rates_sold(components: Iterable[LineComponent]) -> Mapping[int, list[LineComponent]]:
    """The components by the rate at which they were sold, highest first."""
    found: dict[int, list[LineComponent]] = defaultdict(list)
    for part in components:
        found[part.tax_rate].append(part)
    return dict(sorted(found.items(), reverse=True))
