"""Planned parcels after the channel changed where or how their order goes."""

from collections.abc import Sequence

from django.db import connection

from fulfillment.models import MergedOrder
from oms.kernel.services.outbox import NewEffect, put
from orders.models import Order

CARRIERS = """
UPDATE fulfillment_shipment s SET carrier = o.carrier
  FROM orders_order o
 WHERE s.state = 'planned' AND s.carrier <> o.carrier AND o.id = ANY(%s)
   AND s.recipient_id IN (SELECT id FROM orders_recipient WHERE order_id = o.id)
"""


def follow(order_ids: Sequence[int]) -> None:
    """Give planned parcels their orders' carrier, and let merges of these orders be looked at again. A parcel shows
    the recipient's row, so a new address needs no word. The caller holds the orders' locks."""
    with connection.cursor() as cursor:
        cursor.execute(CARRIERS, [sorted(order_ids)])
    merged = MergedOrder.objects.filter(order__in=order_ids, active=True).values_list("merge", "order")
    versions = dict(Order.objects.filter(pk__in=[order for _merge, order in merged]).values_list("pk", "version"))
    put(
        [
            NewEffect(
                "merge_broken",
                f"merge_moved:{merge}:{order}:{versions[order]}",
                f"merge:{merge}",
                {"merge": merge, "moved": order},
            )
            for merge, order in merged
        ]
    )
