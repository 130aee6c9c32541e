"""What stock tells the channels."""

from typing import Any

from django.dispatch import receiver

from channels.services.wake import wake_publisher
from inventory.signals import stock_moved


@receiver(stock_moved)
def wake(**_: Any) -> None:
    """The marks are written; only ask for the publisher."""
    wake_publisher()
