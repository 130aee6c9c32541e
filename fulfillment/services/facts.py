"""How far each order's goods are, computed from its shipments and written on the order."""

from collections.abc import Sequence

from django.db import connection

from oms.kernel import clock
from orders.services import facts
from orders.services.journal import SYSTEM, Actor

# Once through the lines and once through the shipments of all these orders: with statistics that mislead (a table just
# filled or emptied), a subquery per order turns into a scan of the whole table for each of them.
READ = """
WITH line AS (
     SELECT id, order_id, quantity, allocated_quantity, shipped_quantity, release_date
       FROM orders_orderline WHERE order_id = ANY(%(ids)s)),
goods AS (
     SELECT order_id, sum(quantity) AS quantity, sum(allocated_quantity) AS allocated, sum(shipped_quantity) AS shipped,
            bool_or(allocated_quantity < quantity
                    AND (release_date IS NULL OR release_date <= %(today)s)) AS due_missing
       FROM line GROUP BY order_id),
carried AS (
     SELECT DISTINCT line.order_id, fl.shipment_id
       FROM line JOIN fulfillment_shipmentline fl ON fl.order_line_id = line.id),
sent AS (
     SELECT carried.order_id,
            bool_or(f.state IN ('instructed', 'stop_requested')) AS instructed, min(f.instructed_at) AS instructed_at,
            max(f.shipped_at) AS shipped_at, string_agg(DISTINCT p.name, '・') AS places,
            string_agg(DISTINCT nullif(f.tracking_no, ''), ' ') AS tracking
       FROM carried
       JOIN fulfillment_shipment f ON f.id = carried.shipment_id AND f.state NOT IN ('cancelled', 'stopped')
       JOIN inventory_location p ON p.id = f.location_id
      GROUP BY carried.order_id)
SELECT o.id,
       CASE WHEN coalesce(g.allocated, 0) = 0 THEN 'none' WHEN g.due_missing THEN 'partial' ELSE 'full' END,
       CASE WHEN g.quantity > 0 AND g.shipped >= g.quantity THEN 'shipped' WHEN g.shipped > 0 THEN 'partially_shipped'
            WHEN s.instructed THEN 'instructed' ELSE 'none' END,
       coalesce(s.places, ''), coalesce(s.tracking, ''), s.instructed_at,
       CASE WHEN g.quantity > 0 AND g.shipped >= g.quantity THEN s.shipped_at END
  FROM orders_order o LEFT JOIN goods g ON g.order_id = o.id LEFT JOIN sent s ON s.order_id = o.id
 WHERE o.id = ANY(%(ids)s) ORDER BY o.id
"""


def refresh(order_ids: Sequence[int], *, actor: Actor = SYSTEM) -> None:
    """Write the fulfilment facts of these orders, whose locks the caller holds; their stages follow."""
    if not order_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(READ, {"today": clock.today(), "ids": list(order_ids)})
        rows = cursor.fetchall()
    facts.write_fulfilment([facts.Fulfilment(*row) for row in rows], actor=actor)
