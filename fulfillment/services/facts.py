"""How far each order's goods are, computed from its shipments and written on the order."""

from collections.abc import Sequence

from django.db import connection

from oms.kernel import clock
from orders.services import facts
from orders.services.journal import SYSTEM, Actor

READ = """
SELECT o.id,
       CASE WHEN l.allocated = 0 THEN 'none' WHEN l.due_missing THEN 'partial' ELSE 'full' END,
       CASE WHEN l.quantity > 0 AND l.shipped >= l.quantity THEN 'shipped' WHEN l.shipped > 0 THEN 'partially_shipped'
            WHEN s.instructed THEN 'instructed' ELSE 'none' END,
       coalesce(s.places, ''), coalesce(s.tracking, ''), s.instructed_at,
       CASE WHEN l.quantity > 0 AND l.shipped >= l.quantity THEN s.shipped_at END
  FROM orders_order o
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(quantity), 0) AS quantity, coalesce(sum(allocated_quantity), 0) AS allocated,
              coalesce(sum(shipped_quantity), 0) AS shipped,
              coalesce(bool_or(allocated_quantity < quantity
                               AND (release_date IS NULL OR release_date <= %s)), false) AS due_missing
         FROM orders_orderline WHERE order_id = o.id) l
  LEFT JOIN LATERAL (
       SELECT bool_or(f.state IN ('instructed', 'stop_requested')) AS instructed, min(f.instructed_at) AS instructed_at,
              max(f.shipped_at) AS shipped_at, string_agg(DISTINCT p.name, '・') AS places,
              string_agg(DISTINCT nullif(f.tracking_no, ''), ' ') AS tracking
         FROM fulfillment_shipment f JOIN inventory_location p ON p.id = f.location_id
        WHERE f.state NOT IN ('cancelled', 'stopped') AND f.id IN (
              SELECT fl.shipment_id FROM fulfillment_shipmentline fl
                JOIN orders_orderline ol ON ol.id = fl.order_line_id
               WHERE ol.order_id = o.id)) s ON true
 WHERE o.id = ANY(%s) ORDER BY o.id
"""


def refresh(order_ids: Sequence[int], *, actor: Actor = SYSTEM) -> None:
    """Write the fulfilment facts of these orders, whose locks the caller holds; their stages follow."""
    if not order_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(READ, [clock.today(), list(order_ids)])
        rows = cursor.fetchall()
    facts.write_fulfilment([facts.Fulfilment(*row) for row in rows], actor=actor)
