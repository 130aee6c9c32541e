"""Orders that were under way when their channel told something new, and no longer are."""

from collections.abc import Sequence

from orders.models import Order
from orders.models.order import FulfillmentState
from orders.services.channel_change import HELD
from orders.signals import refetch_wanted


def ask_for_held(order_ids: Sequence[int]) -> list[int]:
    """Let the channel's room fetch those of these orders again whose channel told parts that were not taken; returns
    them. The caller holds the orders' locks."""
    rows = Order.objects.filter(pk__in=order_ids, fulfillment_state=FulfillmentState.NONE, cancelled_at=None)
    held = [
        pk
        for pk, parts in rows.order_by("pk").values_list("pk", "channel_parts")
        if any(digest.startswith(HELD) for digest in parts.values())
    ]
    if held:
        refetch_wanted.send(sender=Order, order_ids=held)
    return held
