"""What orders' freight costs us, by the rates of the settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from fulfillment.models import FreightRate

# A parcel of several orders is shared among them to the last yen, the first ones bearing the remainder. Cancelled and
# stopped parcels cost nothing. A box is as large as its share of the parcel's goods.
FREIGHT = """
WITH mine AS (
    SELECT DISTINCT sl.shipment_id FROM orders_orderline l
      JOIN fulfillment_shipmentline sl ON sl.order_line_id = l.id WHERE l.order_id = ANY(%(ids)s)),
parcel AS (
    SELECT s.id, s.carrier, s.package_count, sum(sl.quantity * k.size_factor) AS size,
           array_agg(DISTINCT l.order_id ORDER BY l.order_id) AS orders
      FROM mine m JOIN fulfillment_shipment s ON s.id = m.shipment_id AND s.state NOT IN ('cancelled', 'stopped')
      JOIN fulfillment_shipmentline sl ON sl.shipment_id = s.id JOIN orders_orderline l ON l.id = sl.order_line_id
      JOIN inventory_sku k ON k.id = sl.sku_id GROUP BY s.id),
priced AS (
    SELECT p.orders, r.price * p.package_count AS yen, cardinality(p.orders) AS n
      FROM parcel p LEFT JOIN LATERAL (
           SELECT price FROM fulfillment_freightrate f
            WHERE f.carrier = p.carrier AND (f.size_to IS NULL OR f.size_to * p.package_count >= p.size)
            ORDER BY f.size_to NULLS LAST LIMIT 1) r ON true)
SELECT o.id, coalesce(sum(p.yen / p.n + (o.place <= p.yen %% p.n)::int), 0)::bigint, bool_and(p.yen IS NOT NULL)
  FROM priced p CROSS JOIN unnest(p.orders) WITH ORDINALITY AS o(id, place)
 WHERE o.id = ANY(%(ids)s) GROUP BY o.id
"""


@dataclass(frozen=True, slots=True)
class Freight:
    """Yen without tax of the parcels whose rate is known; `known`: that is all of them, and there is one."""

    yen: int = 0
    known: bool = False


def freights(order_ids: Sequence[int]) -> dict[int, Freight]:
    """By order; one that has no parcel is left out. One query."""
    with connection.cursor() as cursor:
        cursor.execute(FREIGHT, {"ids": list(order_ids)})
        return {order: Freight(yen, known) for order, yen, known in cursor.fetchall()}


# What one parcel costs by itself, without tax.
PARCELS = """
SELECT s.id, r.price * s.package_count
  FROM fulfillment_shipment s
 CROSS JOIN LATERAL (SELECT sum(sl.quantity * k.size_factor) AS size FROM fulfillment_shipmentline sl
                       JOIN inventory_sku k ON k.id = sl.sku_id WHERE sl.shipment_id = s.id) p
 CROSS JOIN LATERAL (SELECT price FROM fulfillment_freightrate f
                      WHERE f.carrier = s.carrier AND (f.size_to IS NULL OR f.size_to * s.package_count >= p.size)
                      ORDER BY f.size_to NULLS LAST LIMIT 1) r
 WHERE s.id = ANY(%s) AND s.state NOT IN ('cancelled', 'stopped')
"""


def of_parcels(shipment_ids: Sequence[int]) -> dict[int, int]:
    """Yen without tax by parcel; one whose rate is not known is left out. One query."""
    with connection.cursor() as cursor:
        cursor.execute(PARCELS, [list(shipment_ids)])
        return dict(cursor.fetchall())


class Rates:
    """The rates of the settings, read once. One query."""

    def __init__(self) -> None:
        self._of: dict[str, list[tuple[int | None, int]]] = {}
        for rate in FreightRate.objects.order_by("carrier", "price"):
            self._of.setdefault(rate.carrier, []).append((rate.size_to, rate.price))

    def price(self, carrier: str, size: int) -> int | None:
        """Yen without tax of one box; None where no rate is set for it. A limit comes before none, the smallest first,
        as in the queries above."""
        fitting = [(to is None, to or 0, price) for to, price in self._of.get(carrier, ()) if to is None or to >= size]
        return min(fitting)[2] if fitting else None
