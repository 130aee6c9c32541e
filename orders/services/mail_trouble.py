"""The reasons `mail_failed` and `mail_bounced`: opened by what became of a mail, closed when one gets through."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from oms.kernel import clock
from orders.decide.reasons import Found
from orders.models import Order, ReviewReason
from orders.services import journal, review
from orders.services import stage as stages
from orders.services.journal import Entry

CODES = ("mail_failed", "mail_bounced")


@transaction.atomic
def raise_reason(order_id: int, code: str, evidence: str) -> None:
    """Open the reason with this evidence, or open it again. Takes the order's lock."""
    Order.objects.select_for_update(no_key=True).get(pk=order_id)
    [(_order, found)] = review.at_own_levels([(order_id, Found(code, evidence, "mail"))])
    reason = ReviewReason.objects.filter(order=order_id, code=code).first()
    if reason is None:
        review.insert([(order_id, found)])
    elif reason.state == ReviewReason.State.OPEN and reason.evidence == evidence:
        return
    else:
        ReviewReason.objects.filter(pk=reason.pk).update(
            state=ReviewReason.State.OPEN, evidence=evidence, fingerprint=found.fingerprint, level=found.level,
            raised_at=clock.now(), closed_at=None, closed_by=None,
        )  # fmt: skip
    journal.write([Entry(order_id, code, evidence)])
    _follow([order_id])


@transaction.atomic
def settle(order_id: int) -> None:
    """A mail got through: what an earlier one ran into needs nobody any more."""
    open_rows = ReviewReason.objects.filter(order=order_id, code__in=CODES, state=ReviewReason.State.OPEN)
    if open_rows.exists():
        Order.objects.select_for_update(no_key=True).get(pk=order_id)
        open_rows.update(state=ReviewReason.State.AUTO_RESOLVED, closed_at=clock.now())
        _follow([order_id])


def _follow(order_ids: Sequence[int]) -> None:
    Order.objects.filter(pk__in=order_ids).update(version=F("version") + 1)
    stages.recompute(order_ids)
