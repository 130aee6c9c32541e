"""What lower rooms tell orders: promises that a stock fact took away, a doubt about two members that is over."""

from typing import Any
from uuid import uuid4

from django.dispatch import receiver

from customers.signals import pair_decided
from inventory.signals import promises_released
from oms.kernel.services.outbox import NewEffect, put
from orders.models import ReviewReason
from orders.services import review


@receiver(promises_released)
def note_lost_promises(released: list[str], unplaced: list[str], **_: Any) -> None:
    """Stock is locked now, so only leave the work in the outbox."""
    if refs := [*released, *unplaced]:
        key = uuid4().hex
        put([NewEffect("promises_lost", f"promises_lost:{key}", f"stock:{key}", {"refs": refs})])


@receiver(pair_decided)
def close_doubts(member_ids: list[int], **_: Any) -> None:
    """Few orders have the reason open, so they are looked at again at once."""
    rows = ReviewReason.objects.filter(
        code="member_duplicate", state=ReviewReason.State.OPEN, order__member__in=member_ids
    )
    review.reevaluate(sorted(rows.values_list("order", flat=True)))
