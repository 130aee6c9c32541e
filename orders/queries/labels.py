"""What people and rules stuck on orders, for the screens."""

from typing import Any

from django.db.models import Case, Exists, Q, QuerySet, When
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock, scope
from oms.kernel.models import User
from oms.kernel.roles import STORE_ROLES
from orders.models import Order, OrderTag, OrderTask, TaskKind
from orders.queries import visible

LATER = ((1, lazy("明日")), (3, lazy("3日後")), (7, lazy("1週間後")))  # how far a reminder is put off, in days


def open_tasks(user: User, *, mine: bool, reminders: bool = False) -> list[OrderTask]:
    """One's own and one's teams', those that rest left out; or everybody's with those. `reminders`: no others."""
    rows = in_sight().filter(done_at=None).select_related("order__shop", "assignee", "team", "location")
    if mine:
        rows = rows.filter(own_and_awake(user))
    if reminders:
        rows = rows.filter(kind=TaskKind.REMINDER)
    rows = rows.annotate(for_me=Case(When(_theirs_to_finish(user), then=True), default=False))
    return list(rows.order_by("due_at", "pk")[:200])


def in_sight() -> "QuerySet[OrderTask]":
    """Tasks of the shops of the person who asks, without those for other stores."""
    rows, places = visible.of_shops(OrderTask.objects.all()), scope.current().places
    return rows.filter(Q(location=None) | Q(location__in=places)) if places else rows


def may_finish(user: User, task: OrderTask) -> bool:
    """Who may change orders, and whoever the task is for, unless it is about money or the mall's page."""
    if user.has_perm("orders.change_order"):
        return True
    return OrderTask.objects.filter(_theirs_to_finish(user), pk=task.pk).exists()


def _theirs_to_finish(user: User) -> Q:
    return Q(kind__in=[TaskKind.OTHER, TaskKind.REMINDER]) & _own(user)


def own_and_awake(user: User) -> Q:
    """Open tasks that this person should see now."""
    return _own(user) & (Q(shown_from=None) | Q(shown_from__lte=clock.now()))


def _own(user: User) -> Q:
    """A task for a store is for those who are limited to it, or work in every store; of its team, where it has one."""
    own, places = user.groups.all(), scope.of(user).places
    here = Q(location__in=places) if places else Q(location__isnull=False)
    in_stores = Q() if places else Q(Exists(own.filter(name__in=STORE_ROLES)))
    of_team = Q(team__in=own) & (Q(location=None) | here)
    return Q(assignee=user) | of_team | (Q(team=None, assignee=None) & here & in_stores)


def due_reminders(user: User, most: int = 5) -> list[OrderTask]:
    """For the home page: today's reminders of this person and of the person's teams, the oldest first."""
    rows = in_sight().filter(own_and_awake(user), done_at=None, kind=TaskKind.REMINDER)
    return list(rows.select_related("order__shop").order_by("shown_from", "pk")[:most])


def order_labels(order: Order) -> dict[str, Any]:
    """Tags with colours, and open tasks, for the order page. Two queries at most."""
    tones = dict(OrderTag.objects.filter(name__in=order.tags).values_list("name", "tone")) if order.tags else {}
    return {
        "tags": [(tag, tones.get(tag, "neutral")) for tag in order.tags],
        "later": LATER,
        "tasks": list(order.tasks.select_related("assignee", "team", "location").order_by("done_at", "pk")),
    }
