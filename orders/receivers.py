"""What inventory tells orders: promises that a stock fact took away."""

from typing import Any
from uuid import uuid4

from django.dispatch import receiver

from inventory.signals import promises_released
from oms.kernel.services.outbox import NewEffect, put


@receiver(promises_released)
def note_lost_promises(released: list[str], unplaced: list[str], **_: Any) -> None:
    """Stock is locked now, so only leave the work in the outbox."""
    if refs := [*released, *unplaced]:
        key = uuid4().hex
        put([NewEffect("promises_lost", f"promises_lost:{key}", f"stock:{key}", {"refs": refs})])
