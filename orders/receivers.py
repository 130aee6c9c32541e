"""What the floors below tell orders: promises that a stock fact took away, members whose page was opened, a doubt about
two members that is over."""

from typing import Any
from uuid import uuid4

from django.dispatch import receiver

from customers.signals import member_shown, members_changed, pair_decided, rank_raised, ranks_changed
from inventory.signals import promises_released
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.services.outbox import NewEffect, put
from orders.models import Order, ReviewReason
from orders.services import member_mail, personal_views, review, review_again


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


@receiver(members_changed)
def look_again_at_orders(member_ids: list[int], **_: Any) -> None:
    """Few orders of a member are before instruction, so reasons and rules look at them again at once."""
    rows = Order.objects.filter(member__in=member_ids, stage__in=review_again.BEFORE_INSTRUCT)
    review.reevaluate(sorted(rows.values_list("pk", flat=True)))


@receiver(rank_raised)
def tell_of_ranks(raised: dict[int, str], **_: Any) -> None:
    member_mail.rank_up(raised)


@receiver(ranks_changed)
def follow_ranks(**_: Any) -> None:
    later("orders.tasks.reapply_reason", "vip")


@receiver(member_shown)
def note_view_of_member(member_id: int, by: User, **_: Any) -> None:
    personal_views.saw_member(member_id, by=by)
