"""Parcels after the channel changed where or how their order goes, or what is in them."""

from collections.abc import Sequence

from django.db import connection

from fulfillment.models import MergedOrder
from fulfillment.services import stop
from oms.kernel.models import Effect
from oms.kernel.services.outbox import NewEffect, put
from orders.models import Order, ReviewReason

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


PULL_BACK = "parcel_pull_back"


def ask_to_pull_back(order_ids: Sequence[int]) -> None:
    """Once for each version of an order: look whether its parcels can still come back by themselves."""
    versions = Order.objects.filter(pk__in=order_ids).order_by("pk").values_list("pk", "version")
    put([NewEffect(PULL_BACK, f"{PULL_BACK}:{pk}:{version}", f"order:{pk}", {"order": pk}) for pk, version in versions])


def pull_back(effect: Effect) -> None:
    """Handler of the effect: parcels that nobody has begun with come back, so that the order takes what its channel
    told and goes out anew. Others wait for a person, as does an order whose reason somebody has dealt with already."""
    order_id = effect.payload["order"]
    unread = ReviewReason.objects.filter(order=order_id, code="channel_changed", state=ReviewReason.State.OPEN)
    if unread.exists():
        stop.pull_back(order_id)
