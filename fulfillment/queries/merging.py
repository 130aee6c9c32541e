"""Orders that go to one recipient: what the finder compares, read for many orders in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from fulfillment.decide.merging import Candidate, is_paid, recipient_key
from fulfillment.models import MergedOrder, MergePair
from oms.kernel import clock
from orders.models import Recipient, RuleMark, Shop
from orders.models.payment import ShipsWhen
from orders.services.payment_gates import TermsOfShops

# Orders that still wait for their instruction; one in review may wait for nothing but this question.
OPEN_STAGES = ["new", "review", "awaiting_payment", "awaiting_stock", "awaiting_release", "scheduled", "ready"]

READ = """
SELECT o.id, o.shop_id, s.merge_policy, s.merge_group, (s.capabilities->>'merge')::bool IS FALSE, s.merge_cod_prepaid,
       k.key, o.stage, o.blocking_reasons, o.held_at IS NOT NULL, o.carrier, o.delivery_method, o.wish_date,
       o.wish_slot, o.planned_ship_date, o.release_date, o.gift, o.noshi, o.message_card, o.payment_method,
       o.payment_name, o.payment_state, o.ships_unpaid, o.allocation_state, o.fulfillment_state,
       o.cancelled_at IS NOT NULL,
       (SELECT count(*) FROM orders_recipient r WHERE r.order_id = o.id AND r.position < 1000),
       (SELECT array_agg(DISTINCT coalesce(part.temperature, sku.temperature)) FROM orders_orderline l
          JOIN inventory_sku sku ON sku.id = l.sku_id
          LEFT JOIN orders_linecomponent c ON c.line_id = l.id
          LEFT JOIN inventory_sku part ON part.id = c.sku_id
         WHERE l.order_id = o.id AND l.quantity > 0),
       EXISTS (SELECT FROM orders_reviewreason q
                WHERE q.order_id = o.id AND q.code = 'merge_candidate' AND q.state = 'open' AND q.level = 'block'),
       p.parcels, p.location_id
  FROM orders_order o JOIN orders_shop s ON s.id = o.shop_id JOIN fulfillment_mergekey k ON k.order_id = o.id
 CROSS JOIN LATERAL (
       SELECT count(DISTINCT f.id) AS parcels, min(f.location_id) AS location_id FROM fulfillment_shipment f
         JOIN fulfillment_shipmentline fl ON fl.shipment_id = f.id JOIN orders_orderline ol ON ol.id = fl.order_line_id
        WHERE ol.order_id = o.id AND f.state = 'planned') p
 WHERE o.id = ANY(%s) ORDER BY o.id
"""


def candidates(order_ids: Sequence[int]) -> list[Candidate]:
    """These orders as the finder compares them; those without a key (not open, no recipient) are left out."""
    if not order_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(READ, [list(order_ids)])
        rows = cursor.fetchall()
    terms = TermsOfShops(Shop.objects.filter(pk__in={row[1] for row in rows}))
    return [_candidate(row, terms) for row in rows]


def _candidate(row: Sequence[Any], terms: TermsOfShops) -> Candidate:
    id_, shop, policy, group, forbidden, with_prepaid, key, stage, blocking, held, carrier, method, *rest = row
    wish_date, wish_slot, planned, release, gift, noshi, card, pays, pay_code, paid, trusted, *last = rest
    allocated, fulfilled, cancelled, *last = last
    recipients, temperatures, asks, parcels, location = last
    today = clock.today()
    past_gates = stage in {"ready", "scheduled"} or (stage == "review" and asks and blocking == 1)
    found = Candidate(
        order_id=id_,
        shop_id=shop,
        group=f"group:{group}" if group else f"shop:{shop}",
        policy="never" if forbidden else policy,
        key=key,
        ready=past_gates and not held and not cancelled and allocated == "full" and fulfilled == "none",
        recipients=recipients,
        parcels=parcels,
        location_id=location,
        carrier=carrier,
        method=method,
        temperatures=frozenset(temperatures or ()),
        wish=(wish_date, wish_slot),
        ship_on=max(planned or today, today),
        released=release is None or release <= today,
        gift=(gift, noshi, card),
        payment_method=pays,
        payment_state=paid,
        ships_when=ShipsWhen.AT_ONCE if trusted else terms.of(shop, pays, pay_code).ships_when,
        cod_with_prepaid=with_prepaid,
    )
    return found if is_paid(found) or not found.ready else _not_ready(found)


def _not_ready(candidate: Candidate) -> Candidate:
    """A reason opened here hides the payment gate, which stands behind review; it is looked at all the same."""
    return Candidate(**{name: getattr(candidate, name) for name in Candidate.__slots__} | {"ready": False})


SHARED = """
SELECT k.order_id FROM fulfillment_mergekey k
 WHERE k.key IN (SELECT key FROM fulfillment_mergekey WHERE key <> '' GROUP BY key HAVING count(*) > 1)
 ORDER BY k.order_id
"""
WITH = """
SELECT other.order_id FROM fulfillment_mergekey own JOIN fulfillment_mergekey other ON other.key = own.key
 WHERE own.order_id = %s AND own.key <> '' ORDER BY other.order_id
"""


def meeting() -> list[int]:
    """Open orders whose recipient has another open order."""
    with connection.cursor() as cursor:
        cursor.execute(SHARED)
        return [row[0] for row in cursor.fetchall()]


def meeting_with(order_id: int) -> list[int]:
    """Open orders to the same recipient, this one included."""
    with connection.cursor() as cursor:
        cursor.execute(WITH, [order_id])
        return [row[0] for row in cursor.fetchall()]


def keys_of(order_ids: Iterable[int]) -> dict[int, str]:
    """Order → the key of its first recipient, from what is stored now."""
    rows = Recipient.objects.filter(order__in=list(order_ids), position=0).select_related("order")
    return {
        row.order_id: recipient_key(
            name=row.name,
            postal_code=row.postal_code,
            address=f"{row.prefecture}{row.city}{row.address}",
            phone=row.phone or row.order.buyer_phone,
        )
        for row in rows
    }


def guests(order_ids: Sequence[int]) -> set[int]:
    """Orders among these whose goods travel in another order's shipment."""
    rows = MergedOrder.objects.filter(order__in=order_ids, active=True).exclude(former={})
    return set(rows.values_list("order", flat=True))


def merged_by_rule(order_ids: Sequence[int]) -> set[int]:
    """Orders among these that a rule wants merged without asking."""
    marks = RuleMark.objects.filter(order__in=order_ids, action="merge", state=RuleMark.State.APPLIED)
    return set(marks.values_list("order", flat=True))


def decided(order_ids: Sequence[int]) -> Mapping[tuple[int, int], str]:
    """Pairs of these orders about which something was decided."""
    rows = MergePair.objects.filter(low__in=order_ids, high__in=order_ids)
    return {(low, high): decision for low, high, decision in rows.values_list("low", "high", "decision")}


def by_key(found: Iterable[Candidate]) -> list[list[Candidate]]:
    sorted_by: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in found:
        sorted_by[candidate.key].append(candidate)
    return [group for group in sorted_by.values() if len(group) > 1]
