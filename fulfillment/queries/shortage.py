"""What cannot be promised: which SKU lacks how much, for which orders, in the order in which stock would be given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from inventory.models import Sku
from inventory.models.product import Coming
from oms.kernel import clock
from oms.kernel.search import matching
from orders.models.order import Stage
from orders.services.reservation import NO_RESERVE

# Orders that still have goods to send.
OPEN = [stage.value for stage in Stage if stage not in {Stage.SHIPPED, Stage.COMPLETED, Stage.CANCELLED}]
SHOWN = 50

# Lines without a promise (as `orders.services.waiting.promisable`), sets as the components they were sold with; one
# that was empty then is what the catalogue says (as `orders.services.set_parts.needs_of`). Read from the stages'
# index, so that its cost follows the open orders. `SERVICE` is the order of `orders.services.reservation`.
WANTED = """
WITH line AS MATERIALIZED (
  SELECT l.id, l.order_id, l.sku_id, l.quantity - l.shipped_quantity AS pieces, l.units, l.name,
         o.priority, o.ship_by, o.ordered_at
    FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id
   WHERE o.stage = ANY(%(open)s) AND o.cancelled_at IS NULL AND o.shipped_at IS NULL AND NOT o.fulfilled_by_channel
     AND o.phase <> 'shipped' AND NOT o.flags @> %(no_reserve)s::varchar[]
     AND NOT l.reserved AND l.sku_id IS NOT NULL AND l.quantity > l.shipped_quantity),
kept AS MATERIALIZED (
  SELECT k.line_id, k.sku_id, k.units FROM orders_linecomponent k WHERE k.line_id IN (SELECT id FROM line)),
part AS (
  SELECT * FROM kept
  UNION ALL
  SELECT line.id, coalesce(low.component_id, top.component_id),
         sum(top.quantity * coalesce(low.quantity, 1) * line.units)::int
    FROM line JOIN inventory_bundlecomponent top ON top.bundle_id = line.sku_id
    LEFT JOIN inventory_bundlecomponent low ON low.bundle_id = top.component_id
   WHERE line.id NOT IN (SELECT line_id FROM kept)
   GROUP BY 1, 2),
wanted AS MATERIALIZED (
  SELECT line.id, line.order_id, line.sku_id AS sold_id, line.name, coalesce(part.sku_id, line.sku_id) AS sku_id,
         line.pieces * coalesce(part.units, line.units) AS units, line.priority, line.ship_by, line.ordered_at
    FROM line LEFT JOIN part ON part.line_id = line.id)
"""

# What may be promised of each wanted SKU. Looked up row by row, by the index: the planner expects one wanted row where
# there are thousands, and would reckon a list of all of them anew for each.
FREE = """
  LEFT JOIN LATERAL (
    SELECT greatest(b.on_hand + b.overcommit - b.reserved, 0) AS units
      FROM inventory_balance b JOIN inventory_sku k ON k.id = b.sku_id
     WHERE b.sku_id = wanted.sku_id AND b.location_id IS NULL AND (b.release = '' OR k.release_date > %(today)s)
     ORDER BY b.release DESC LIMIT 1) AS free ON true
"""
SERVICE = "priority DESC, ship_by NULLS LAST, ordered_at, id"

LACKING = (
    WANTED
    + f"""
SELECT *, count(*) OVER ()::int, sum(lacking) OVER ()::int FROM (
  SELECT wanted.sku_id, sum(wanted.units)::int AS asked, coalesce(free.units, 0) AS free,
         (sum(wanted.units) - coalesce(free.units, 0))::int AS lacking,
         count(DISTINCT wanted.order_id)::int AS orders, min(wanted.ship_by) AS ship_by
    FROM wanted {FREE}
   WHERE %(skus)s::bigint[] IS NULL OR wanted.sku_id = ANY(%(skus)s)
   GROUP BY wanted.sku_id, free.units) AS found
 WHERE lacking > 0
 ORDER BY ship_by NULLS LAST, lacking DESC, sku_id LIMIT %(limit)s OFFSET %(offset)s
"""
)

QUEUE = (
    WANTED
    + f"""
SELECT id, order_id, sku_id, sold_id, name, units, free, ahead, ahead_orders FROM (
  SELECT wanted.*, coalesce(free.units, 0) AS free,
         (sum(wanted.units) OVER earlier - wanted.units)::int AS ahead,
         (count(*) OVER earlier - 1)::int AS ahead_orders
    FROM wanted {FREE}
   WHERE wanted.sku_id = ANY(%(skus)s)
  WINDOW earlier AS (PARTITION BY wanted.sku_id ORDER BY {SERVICE} ROWS UNBOUNDED PRECEDING)) AS queued
 WHERE %(orders)s::bigint[] IS NULL OR order_id = ANY(%(orders)s)
 ORDER BY {SERVICE} LIMIT %(limit)s OFFSET %(offset)s
"""
)

# Orders whose turn does not come with what is there, by the day on which the last of it is known to come: of the SKUs
# of these words, else of those of which a day is known.
SHORT = (
    WANTED
    + f"""
SELECT order_id, max(comes) FROM (
  SELECT wanted.order_id, s.comes, coalesce(free.units, 0) AS free, sum(wanted.units) OVER earlier AS asked
    FROM wanted JOIN LATERAL (
      SELECT CASE WHEN s.release_date > %(today)s THEN s.release_date ELSE s.arrives_on END AS comes
        FROM inventory_sku s
       WHERE s.id = wanted.sku_id AND CASE WHEN %(words)s::text[] IS NULL
                                           THEN s.release_date > %(today)s OR s.arrives_on IS NOT NULL
                                           ELSE s.code = ANY(%(words)s) OR s.jan = ANY(%(words)s) END) AS s ON true
         {FREE}
  WINDOW earlier AS (PARTITION BY wanted.sku_id ORDER BY {SERVICE} ROWS UNBOUNDED PRECEDING)) AS queued
 WHERE queued.free < queued.asked
 GROUP BY order_id
"""
)

# Where else a SKU is: on its way to us, and at places that do not sell online.
BESIDE = """
SELECT b.sku_id, sum(b.on_hand) FILTER (WHERE l.kind = 'in_transit')::int,
       sum(b.on_hand - b.reserved) FILTER (WHERE l.kind IN ('warehouse', 'store') AND NOT b.in_pool)::int
  FROM inventory_balance b JOIN inventory_location l ON l.id = b.location_id
 WHERE b.sku_id = ANY(%s) AND b.on_hand > 0 GROUP BY b.sku_id
"""

# Since when a line waits: since its promise was last lost, else since we know the order.
SINCE = (
    WANTED
    + """
SELECT wanted.sku_id, min(coalesce(lost.at, o.imported_at))
  FROM wanted JOIN orders_order o ON o.id = wanted.order_id
  LEFT JOIN LATERAL (SELECT max(e.at) AS at FROM inventory_entry e
                      WHERE e.ref = 'line:' || wanted.id AND e.reserved < 0) AS lost ON true
 WHERE wanted.sku_id = ANY(%(skus)s) GROUP BY wanted.sku_id
"""
)


@dataclass(frozen=True, slots=True)
class Lacking:
    """A SKU of which more is asked for than may be promised. `asked` units by `orders` orders, `free` are there."""

    sku: Sku
    asked: int
    free: int
    lacking: int
    orders: int
    ship_by: datetime | None
    since: datetime | None = None
    on_the_way: int = 0
    elsewhere: int = 0
    arrives: Coming | None = None


@dataclass(frozen=True, slots=True)
class LackingPage:
    rows: list[Lacking]
    skus: int = 0
    units: int = 0


@dataclass(frozen=True, slots=True)
class Queued:
    """One line's wish for a SKU, and what stands before it."""

    line_id: int
    order_id: int
    sku_id: int
    sold_id: int
    name: str
    units: int
    free: int
    ahead: int
    ahead_lines: int


def lacking(typed: str = "", *, page: int = 1, size: int = SHOWN) -> LackingPage:
    """SKUs that lack units, the most urgent first. `typed` narrows by code and name. A fixed number of queries."""
    skus = list(matching(Sku.objects.all(), "search_text", typed).values_list("pk", flat=True)) if typed else None
    found = _rows(LACKING, skus=skus, limit=size, offset=(page - 1) * size)
    if not found:
        return LackingPage([])
    return LackingPage(_described(found), skus=found[0][-2], units=found[0][-1])


def lacking_of(sku_id: int) -> Lacking | None:
    """One SKU; None when it lacks nothing (any more)."""
    found = _rows(LACKING, skus=[sku_id], limit=1, offset=0)
    return _described(found)[0] if found else None


def queue(
    sku_ids: Iterable[int], *, order_ids: Sequence[int] | None = None, limit: int | None = None, offset: int = 0
) -> list[Queued]:
    """Who waits for these SKUs, in the order in which they would be served. One query."""
    skus = sorted(set(sku_ids))
    ids = None if order_ids is None else list(order_ids)
    return [Queued(*row) for row in _rows(QUEUE, skus=skus, orders=ids, limit=limit, offset=offset)] if skus else []


def orders_short_of(words: Sequence[str]) -> list[int]:
    """Orders that wait for goods which are not there, of SKUs with these codes or JANs. At most two queries."""
    if not Sku.objects.filter(Q(code__in=words) | Q(jan__in=words)).exists():
        return []
    return [order_id for order_id, _comes in _rows(SHORT, words=list(words))]


def orders_that_get() -> dict[int, date]:
    """Orders that wait for goods of which one knows when they come, with the day of the last of them. At most two
    queries: most companies know of few days, or none."""
    if not Sku.objects.filter(Q(release_date__gt=clock.today()) | Q(arrives_on__isnull=False)).exists():
        return {}
    return dict(_rows(SHORT, words=None))


def _described(found: Sequence[Sequence[Any]]) -> list[Lacking]:
    ids = [row[0] for row in found]
    skus = Sku.objects.defer("search_text").in_bulk(ids)
    since = dict(_rows(SINCE, skus=ids))
    beside = _beside(ids)
    today = clock.today()
    rows = []
    for sku_id, *figures, _skus, _units in found:
        sku, (on_the_way, elsewhere) = skus[sku_id], beside.get(sku_id, (0, 0))
        asked, free, lacking, orders, ship_by = figures
        rows.append(
            Lacking(
                sku, asked, free, lacking, orders, ship_by, since=since.get(sku_id), on_the_way=on_the_way or 0,
                elsewhere=elsewhere or 0, arrives=sku.coming(today),
            )
        )  # fmt: skip
    return rows


def _beside(sku_ids: Sequence[int]) -> dict[int, tuple[int | None, int | None]]:
    with connection.cursor() as cursor:
        cursor.execute(BESIDE, [list(sku_ids)])
        return {sku_id: (on_the_way, elsewhere) for sku_id, on_the_way, elsewhere in cursor.fetchall()}


def _rows(sql: str, **values: Any) -> list[tuple[Any, ...]]:
    known: Mapping[str, Any] = {"open": OPEN, "no_reserve": [NO_RESERVE], "today": clock.today()}
    with connection.cursor() as cursor:
        cursor.execute(sql, {**known, **values})
        return cursor.fetchall()
