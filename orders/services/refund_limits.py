"""1人で返金できる上限: whose authority covers a refund, and setting the limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.money import yen
from oms.kernel.services import setting_versions
from orders.decide import refund_limits as decide
from orders.models import Cancellation, Order, Refund, RefundLimit, RefundLimitEvent
from orders.services import ledger
from orders.services.internal import is_internal
from orders.services.journal import Actor

LIVE = (Refund.State.DUE, Refund.State.DONE)


class NeedsApproval(Exception):
    """More than this person may give back alone: `amount` yen of `order_id`. Nothing was written."""

    def __init__(self, order_id: int, amount: int, limit: int) -> None:
        super().__init__(why_over(amount, limit))
        self.order_id, self.amount, self.limit = order_id, amount, limit


def why_over(amount: int, limit: int) -> str:
    return _(
        "返金額 %(amount)s が、1人で返金できる上限 %(limit)s を超えています。1件ずつ操作して承認を申請してください。"
    ) % {"amount": yen(amount), "limit": yen(limit)}


def limit_of(person: User | None) -> int | None:
    """What this person may give back alone; None: any amount, as for the system. One query."""
    if person is None or person.is_superuser:
        return None
    rows = Group.objects.filter(user=person).values_list("name", "refund_limit", "refund_limit__amount")
    return decide.limit_of(amount if own else decide.standard_of(name) for name, own, amount in rows)


def given_alone(order_ids: Sequence[int], person: User) -> dict[int, int]:
    """By order: the yen that this person has given back of it on their own authority, so that parts add up."""
    rows = Refund.objects.filter(order__in=order_ids, cleared_by=person, state__in=LIVE)
    given = dict(rows.values_list("order").annotate(sum=Sum("amount")))
    quiet = Cancellation.objects.filter(order__in=order_ids, by=person, refund=False, whole=False, amount__gt=0)
    for order_id, amount in quiet.values_list("order").annotate(sum=Sum("amount")):
        given[order_id] = given.get(order_id, 0) + amount
    return given


def authority(order_id: int, amount: int, person: User | None) -> bool:
    """Whether this person may give back so much more of the order. The system has none of its own: what it opens is
    looked at by whoever pays it."""
    if person is None:
        return False
    limit = limit_of(person)
    if limit is None or not amount:
        return True
    return decide.covers(limit, amount + given_alone([order_id], person).get(order_id, 0))


def check(order_id: int, amount: int, person: User | None) -> None:
    """Raises NeedsApproval when it is more than this person may give back of the order."""
    if person is None or not amount:
        return
    limit = limit_of(person)
    if limit is None:
        return
    together = amount + given_alone([order_id], person).get(order_id, 0)
    if not decide.covers(limit, together):
        raise NeedsApproval(order_id, together, limit)


def over_whole(orders: Sequence[Order], *, refund: bool, actor: Actor) -> dict[int, NeedsApproval]:
    """Of orders that are about to be cancelled whole: those that give back more than this person may alone.

    Without `refund` nothing is opened here, but a mall that is told pays back by itself, so its orders count all the
    same. A fixed number of queries; none for who has no limit but the one that says so.
    """
    limit = limit_of(actor.by)
    counted = [order for order in orders if refund or not is_internal(order)]
    if limit is None or actor.by is None or not counted:
        return {}
    left, given = ledger.buyers_money(counted), given_alone([order.pk for order in counted], actor.by)
    sums = {pk: left[pk] + given.get(pk, 0) for pk in left if left[pk]}
    return {pk: NeedsApproval(pk, sum_, limit) for pk, sum_ in sums.items() if not decide.covers(limit, sum_)}


@dataclass(frozen=True, slots=True)
class RoleLimit:
    """`amount`: yen, None for any; `own`: somebody set it."""

    group: Group
    amount: int | None
    own: bool


def role_limits() -> list[RoleLimit]:
    """Every role with the limit that holds for it. Two queries."""
    own = dict(RefundLimit.objects.values_list("group", "amount"))
    return [
        RoleLimit(group, own.get(group.pk, decide.standard_of(group.name)), group.pk in own)
        for group in Group.objects.order_by("pk")
    ]


@transaction.atomic
def set_limits(wanted: Mapping[int, int | None], *, by: User) -> int:
    """Set limits by group id; returns how many are others now. Locks the roles by pk; each change is journaled."""
    with setting_versions.kept("refund_limits", "-", by=by):
        groups = Group.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
        names = {group.pk: group.name for group in groups}
        before = {one.group.pk: one.amount for one in role_limits()}
        moved = [pk for pk in names if before[pk] != wanted[pk]]
        for pk in moved:
            RefundLimit.objects.update_or_create(group_id=pk, defaults={"amount": wanted[pk]})
        now = clock.now()
        RefundLimitEvent.objects.bulk_create(
            RefundLimitEvent(role=names[pk], before=before[pk], after=wanted[pk], at=now, by=by) for pk in moved
        )
        return len(moved)


def causes(over: Mapping[int, NeedsApproval]) -> dict[int, str]:
    return {pk: str(one) for pk, one in over.items()}
