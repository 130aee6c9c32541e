"""Keeping the keys by which orders to one recipient are found."""

from collections.abc import Sequence

from django.db import connection

from fulfillment.models import MergeKey
from fulfillment.queries.merging import OPEN_STAGES, keys_of
from orders.models import Order
from orders.services.rules import active, wakes

BATCH = 2000

STALE = """
SELECT o.id FROM orders_order o LEFT JOIN fulfillment_mergekey k ON k.order_id = o.id
 WHERE o.stage = ANY(%s) AND NOT o.fulfilled_by_channel AND k.version IS DISTINCT FROM o.version
 ORDER BY o.id LIMIT %s
"""
OVER = """
DELETE FROM fulfillment_mergekey k USING orders_order o
 WHERE o.id = k.order_id AND (NOT o.stage = ANY(%s) OR o.fulfilled_by_channel)
"""

MEET = """
SELECT DISTINCT other.order_id FROM fulfillment_mergekey own JOIN fulfillment_mergekey other ON other.key = own.key
 WHERE own.order_id = ANY(%s) AND EXISTS (SELECT FROM fulfillment_mergekey third
                                           WHERE third.key = own.key AND third.order_id <> own.order_id)
 ORDER BY 1
"""
NEIGHBOURS = frozenset({"near_hours", "near_payments"})


def sweep() -> None:
    """Open orders have a key that fits their version ("" where no address is known yet); others have none."""
    with connection.cursor() as cursor:
        cursor.execute(OVER, [OPEN_STAGES])
        while True:
            cursor.execute(STALE, [OPEN_STAGES, BATCH])
            stale = [row[0] for row in cursor.fetchall()]
            if not renew(stale):
                return
            _tell_rules(stale)


def _tell_rules(order_ids: Sequence[int]) -> None:
    """Rules that ask about other orders to the same recipient look again at all who now have one."""
    if not NEIGHBOURS.isdisjoint(active.active().keys):
        with connection.cursor() as cursor:
            cursor.execute(MEET, [list(order_ids)])
            wakes.put([(row[0], "changed") for row in cursor.fetchall()])


def renew(order_ids: Sequence[int]) -> int:
    """Write the keys of these orders from what is stored now; returns how many. Orders past waiting get none."""
    waiting = Order.objects.filter(pk__in=order_ids, stage__in=OPEN_STAGES, fulfilled_by_channel=False)
    versions = dict(waiting.values_list("pk", "version"))
    keys = keys_of(versions)
    rows = [MergeKey(order_id=id_, key=keys.get(id_, ""), version=version) for id_, version in sorted(versions.items())]
    MergeKey.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["order"],
        update_fields=["key", "version"],
    )
    return len(rows)
