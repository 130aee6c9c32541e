"""Opening accepted reasons again: a person takes back that they had waved something through."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import F

from orders.models import Order, ReviewReason
from orders.models.order import FulfillmentState
from orders.services import journal
from orders.services import stage as stages
from orders.services.journal import Actor, Entry


@transaction.atomic
def reopen_reasons(codes: Mapping[int, Sequence[str]], *, actor: Actor) -> list[int]:
    """Open these accepted reasons (order → codes) anew, of orders that have not gone to work; returns the orders.

    Takes the orders' locks by pk. Their stages follow. Twice does nothing.
    """
    standing = Order.objects.filter(pk__in=codes, cancelled_at=None, fulfillment_state=FulfillmentState.NONE)
    locked = list(standing.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    accepted = ReviewReason.objects.filter(order__in=locked, state=ReviewReason.State.ACCEPTED)
    rows = [row for row in accepted.only("pk", "order", "code") if row.code in codes[row.order_id]]
    ReviewReason.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=ReviewReason.State.OPEN, closed_at=None, closed_by=None
    )
    done = sorted({row.order_id for row in rows})
    Order.objects.filter(pk__in=done).update(version=F("version") + 1)
    journal.write([Entry(id_, "reason_reopened") for id_ in done], actor=actor)
    stages.recompute(done, actor=actor)
    return done
