"""Invariants of shipments, checked against the database as it stands."""

from collections.abc import Mapping

from oms.kernel import audit

JOURNALS = ("fulfillment_shipmentevent",)

# A bundle's line has one row per component in a shipment; its pieces count once.
PIECES = """
SELECT order_line_id AS line, sum(pieces) AS pieces FROM (
       SELECT sl.shipment_id, sl.order_line_id, max(sl.line_quantity) AS pieces
         FROM fulfillment_shipmentline sl JOIN fulfillment_shipment s ON s.id = sl.shipment_id
        WHERE s.state IN {states} GROUP BY 1, 2) AS per_shipment
 GROUP BY 1
"""
PLACED = PIECES.format(states="('planned', 'instructed', 'stop_requested', 'shipped', 'returned')")
GONE = PIECES.format(states="('shipped', 'returned')")

# (order, shipment) of everything that left, and the shipment whose mail and notice told of it: its own, or that of a
# parcel which left with it.
LEFT = """
SELECT DISTINCT l.order_id, s.id AS shipment_id, coalesce(t.under_id, s.id) AS told_under
  FROM fulfillment_shipment s JOIN fulfillment_shipmentline sl ON sl.shipment_id = s.id
  JOIN orders_orderline l ON l.id = sl.order_line_id
  LEFT JOIN fulfillment_toldtogether t ON t.shipment_id = s.id AND t.order_id = l.order_id
 WHERE s.state IN ('shipped', 'returned')
"""

CHECKS: Mapping[str, str] = {
    "line {}: {} pieces are allocated, its shipments carry {}": f"""
        SELECT l.id, l.allocated_quantity, coalesce(p.pieces, 0)
          FROM orders_orderline l LEFT JOIN ({PLACED}) p ON p.line = l.id
         WHERE l.allocated_quantity <> coalesce(p.pieces, 0) AND l.id NOT IN ({audit.UNSETTLED_LINES})""",
    "line {}: {} pieces are shipped, its shipped shipments carry {}": f"""
        SELECT l.id, l.shipped_quantity, coalesce(p.pieces, 0)
          FROM orders_orderline l LEFT JOIN ({GONE}) p ON p.line = l.id
         WHERE l.shipped_quantity <> coalesce(p.pieces, 0)""",
    "line {}, SKU {} at location {}: shipments wait for {}, the ledger holds {}": f"""
        WITH planned AS (
          SELECT sl.order_line_id AS line, sl.sku_id AS sku, s.location_id AS place, sum(sl.quantity) AS units
            FROM fulfillment_shipmentline sl JOIN fulfillment_shipment s ON s.id = sl.shipment_id
           WHERE s.state IN ('planned', 'instructed', 'stop_requested') GROUP BY 1, 2, 3),
        held AS (
          SELECT substr(e.ref, 6)::bigint AS line, b.sku_id AS sku, b.location_id AS place, sum(e.reserved) AS units
            FROM inventory_entry e JOIN inventory_balance b ON b.id = e.balance_id
           WHERE b.location_id IS NOT NULL AND e.reserved <> 0 AND e.ref ~ '^line:[0-9]+$' GROUP BY 1, 2, 3)
        SELECT line, sku, place, coalesce(planned.units, 0), coalesce(held.units, 0)
          FROM planned FULL JOIN held USING (line, sku, place)
         WHERE coalesce(planned.units, 0) <> coalesce(held.units, 0)
           AND line NOT IN ({audit.UNSETTLED_LINES})""",
    "merge {}: order {} travels in it, and {} of its planned goods are elsewhere": """
        SELECT m.merge_id, m.order_id, count(*)
          FROM fulfillment_mergedorder m JOIN fulfillment_merge g ON g.id = m.merge_id
          JOIN orders_orderline l ON l.order_id = m.order_id
          JOIN fulfillment_shipmentline sl ON sl.order_line_id = l.id
          JOIN fulfillment_shipment s ON s.id = sl.shipment_id
         WHERE m.active AND m.former <> '{}' AND s.state = 'planned'
           AND s.recipient_id = (m.former->>'recipient_id')::bigint
           AND s.location_id = (m.former->>'location_id')::bigint AND s.reference = (m.former->>'reference')::int
         GROUP BY 1, 2""",
    "shipment {} left without tracking number or time": """
        SELECT id FROM fulfillment_shipment WHERE state = 'shipped' AND (shipped_at IS NULL OR tracking_no = '')""",
    "order {}, shipment {}: {} mails say that it left": f"""
        SELECT order_id, shipment_id, coalesce(told.mails, 0) FROM ({LEFT}) gone
          LEFT JOIN (SELECT substr(key, length(event) + 2) AS about, count(*) AS mails FROM orders_mail
                      WHERE event IN ('shipped', 'partially_shipped') GROUP BY 1) told
            ON told.about = order_id || ':' || told_under
         WHERE coalesce(told.mails, 0) <> 1""",
    # A channel that knows no part shipments is told once, when everything has left.
    "order {}, shipment {}: the channel was not told": f"""
        SELECT order_id, shipment_id FROM ({LEFT}) gone
          JOIN orders_order o ON o.id = order_id JOIN orders_shop shop ON shop.id = o.shop_id
         WHERE NOT 'internal' = ANY(o.flags)
           AND NOT EXISTS (SELECT FROM kernel_effect e WHERE e.key = 'ship:' || order_id || ':' || told_under)
           AND ((shop.capabilities->>'partial_shipment')::bool IS TRUE
                OR (o.fulfillment_state = 'shipped' AND NOT EXISTS (
                    SELECT FROM kernel_effect e
                     WHERE e.subject = 'order:' || order_id || ':channel' AND e.kind = 'channel_ship')))""",
}


def violations() -> list[str]:
    """What is broken, in words; empty when all is well."""
    return [*audit.broken(CHECKS), *audit.unprotected_journals(JOURNALS)]
