"""What stock and orders tell the channels."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from channels.services import notices, reimport
from channels.services.wake import wake_publisher
from inventory.signals import stock_moved
from orders.signals import lines_cut, refetch_wanted


@receiver(stock_moved)
def wake(**_: Any) -> None:
    """The marks are written; only ask for the publisher."""
    wake_publisher()


@receiver(lines_cut)
def tell_what_waited(order_ids: Sequence[int], **_: Any) -> None:
    """Lines that waited for their last parcel may be complete without the pieces that were taken off."""
    notices.tell_again(order_ids)


@receiver(refetch_wanted)
def fetch_again(order_ids: Sequence[int], **_: Any) -> None:
    """What the channel told of these orders is fetched in a moment; the wish is written down with their change."""
    reimport.ask_for_orders(order_ids)
