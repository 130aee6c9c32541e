"""返金の承認待ち: what waits for an approval, and who may give it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from oms.kernel.models import User
from orders.decide.refund_limits import covers
from orders.models import RefundLimitEvent, RefundRequest
from orders.queries import visible
from orders.services.refund_limits import limit_of

State = RefundRequest.State
APPROVE = "orders.approve_refund"


def listed(state: str) -> QuerySet[RefundRequest]:
    """Requests in this state."""
    return (
        visible.of_shops(RefundRequest.objects.filter(state=state))
        .select_related("order__shop", "asked_by", "decided_by")
        .defer("order__search")
    )


def of_order(order_id: int) -> QuerySet[RefundRequest]:
    """What waits for an approval of one order."""
    return RefundRequest.objects.filter(order=order_id, state=State.WAITING).select_related("asked_by").order_by("pk")


def to_decide(person: User) -> QuerySet[RefundRequest]:
    """What this person could decide now: not their own, within their limit."""
    limit = limit_of(person)
    within = Q() if limit is None else Q(amount__lte=limit)
    rows = RefundRequest.objects.filter(within, state=State.WAITING).exclude(asked_by=person)
    return visible.of_shops(rows)


@dataclass(frozen=True, slots=True)
class Row:
    """`decides`: this person may approve or refuse it. `beyond`: they approve others, but this is over their limit."""

    request: RefundRequest
    is_own: bool
    decides: bool
    beyond: bool


def rows_of(requests: Sequence[RefundRequest], person: User) -> list[Row]:
    """With what this person may do about each. One query for the limit."""
    may = person.has_perm(APPROVE)
    limit = limit_of(person) if may and requests else None
    found = []
    for one in requests:
        own, within = one.asked_by_id == person.pk, covers(limit, one.amount)
        found.append(Row(one, own, may and within and not own, may and not within))
    return found


def limit_events() -> QuerySet[RefundLimitEvent]:
    return RefundLimitEvent.objects.select_related("by").order_by("-pk")[:50]
