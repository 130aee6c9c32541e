"""Invariants of orders, checked against the database as it stands."""

from collections.abc import Iterator, Mapping

from django.db import connection

from inventory.models import Sku
from inventory.services import stock
from oms.kernel import audit, clock
from orders.services import audit_money, stage

BATCH = 5_000
JOURNALS = ("orders_orderevent", "orders_returnevent", "orders_exportevent", "orders_privacyevent")

CHECKS: Mapping[str, str] = {
    "order {} of shop {} is stored {} times": """
        SELECT channel_order_no, shop_id, count(*) FROM orders_order
         GROUP BY shop_id, channel_order_no HAVING count(*) > 1""",
    "shop {}, stage {}: the tile counts {}, the list has {}": """
        SELECT shop_id, stage, coalesce(t.n, 0), coalesce(o.n, 0)
          FROM (SELECT shop_id, stage, sum(n) AS n
                  FROM (SELECT shop_id, stage, count AS n FROM orders_stagecount
                        UNION ALL SELECT shop_id, stage, delta FROM orders_stagedelta) AS parts
                 GROUP BY 1, 2) t
          FULL JOIN (SELECT shop_id, stage, count(*) AS n FROM orders_order GROUP BY 1, 2) o USING (shop_id, stage)
         WHERE coalesce(t.n, 0) <> coalesce(o.n, 0)""",
    # What the channel changed after the instruction, or ships itself, was never ours to add up.
    "order {}: lines, fees and discounts make {}, the channel says {}, and no reason says so": """
        SELECT o.id, sums.expected, o.total FROM orders_order o
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(l.amount) FILTER (WHERE l.quantity > 0), 0) + o.shipping_fee + o.fees + o.gift_fees
                      + o.tax_excluded - o.discount - o.coupons_shop - o.coupons_channel - o.points AS expected
                 FROM orders_orderline l WHERE l.order_id = o.id) sums
         WHERE o.total IS NOT NULL AND o.cancelled_at IS NULL AND NOT o.fulfilled_by_channel
           AND (o.phase <> 'shipped' OR o.fulfillment_state <> 'none') AND sums.expected <> o.total
           AND NOT EXISTS (SELECT FROM orders_reviewreason r
                            WHERE r.order_id = o.id AND r.code IN ('amount_mismatch', 'channel_changed'))""",
    "mail {} was written {} times": """
        SELECT key, count(*) FROM orders_mail GROUP BY key HAVING count(*) > 1""",
    "mail {} waits, and nothing will send it": """
        SELECT m.key FROM orders_mail m
         WHERE m.state = 'scheduled' AND NOT EXISTS (
               SELECT FROM kernel_effect e WHERE e.key = 'mail:' || m.id AND e.state IN ('waiting', 'running'))""",
    "order {}: nobody thanked the customer": """
        SELECT o.id FROM orders_order o
         WHERE o.phase IN ('open', 'to_confirm') AND o.cancelled_at IS NULL AND NOT o.fulfilled_by_channel
           AND NOT 'internal' = ANY(o.flags)
           AND NOT o.flags @> '{moved_in}'
           AND NOT EXISTS (SELECT FROM orders_mail m WHERE m.order_id = o.id AND m.event = 'order_received')""",
}

PROMISES = f"""
WITH parts AS (SELECT * FROM unnest(%(bundles)s::bigint[], %(components)s::bigint[], %(quantities)s::int[])
                 AS p(bundle, component, quantity)),
owed AS (
  SELECT l.id AS line, coalesce(c.sku_id, p.component, l.sku_id) AS sku,
         sum((l.quantity - l.shipped_quantity) * coalesce(c.units, l.units * coalesce(p.quantity, 1))) AS units
    FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
    LEFT JOIN orders_linecomponent c ON c.line_id = l.id
    LEFT JOIN parts p ON p.bundle = l.sku_id AND c.id IS NULL  -- a set that was empty when it was sold
   WHERE l.reserved AND o.cancelled_at IS NULL GROUP BY 1, 2),
held AS (
  SELECT substr(e.ref, 6)::bigint AS line, b.sku_id AS sku, sum(e.reserved) AS units
    FROM inventory_entry e JOIN inventory_balance b ON b.id = e.balance_id
   WHERE b.location_id IS NULL AND e.reserved <> 0 AND e.ref ~ '^line:[0-9]+$' GROUP BY 1, 2)
SELECT line, sku, coalesce(owed.units, 0), coalesce(held.units, 0)
  FROM owed FULL JOIN held USING (line, sku)
 WHERE coalesce(owed.units, 0) <> coalesce(held.units, 0) AND line NOT IN ({audit.UNSETTLED_LINES})
"""

STAGES = f"""
SELECT f.*, o.stage_due_at, o.blocking_reasons
  FROM ({stage.FACTS} WHERE o.id > %(last)s ORDER BY o.id LIMIT %(limit)s) AS f
  JOIN orders_order o ON o.id = f.id ORDER BY f.id
"""


def violations() -> list[str]:
    """What is broken, in words; empty when all is well. Reads every order, line and ledger entry once or twice."""
    return [
        *audit.broken(CHECKS),
        *audit.broken({"line {}, SKU {}: the order is promised {}, the ledger holds {}": PROMISES}, _bundles()),
        *_wrong_stages(),
        *audit.unprotected_journals(JOURNALS),
        *audit_money.violations(),
    ]


def _bundles() -> dict[str, list[int]]:
    """Bundles as their components, as parallel lists."""
    contents = stock.components(Sku.objects.filter(is_bundle=True).values_list("pk", flat=True))
    rows = [(bundle, part, units) for bundle, parts in contents.items() for part, units in parts.items()]
    return {
        "bundles": [bundle for bundle, _part, _units in rows],
        "components": [part for _bundle, part, _units in rows],
        "quantities": [units for _bundle, _part, units in rows],
    }


def _wrong_stages() -> list[str]:
    """Stored stage against the stage that the facts give. What waits for the sweep of this minute is left alone."""
    found = []
    for row in _facts():
        *facts, due_at, blocking = row
        now = clock.now()
        if due_at is not None and due_at <= now:
            continue
        move = stage.decided(tuple(facts), now)
        if move.before != move.after:
            found.append(f"order {move.order_id}: stage {move.before} is stored, its facts say {move.after}")
        if move.blocking != blocking:
            found.append(f"order {move.order_id}: {blocking} blocking reasons are counted, {move.blocking} are open")
        if len(found) >= audit.NAMED:
            break
    return found


def _facts() -> Iterator[tuple]:
    """Every order's facts, batch by batch; each batch is one statement."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(STAGES, {"today": clock.today(), "last": last, "limit": BATCH})
            rows = cursor.fetchall()
        yield from rows
        if len(rows) < BATCH:
            return
        last = rows[-1][0]
