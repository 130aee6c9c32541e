"""What people and rules stuck on orders, for the screens."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.models import User
from orders.models import Order, OrderTag, OrderTask, TaskKind
from orders.queries import visible

LATER = ((1, lazy("明日")), (3, lazy("3日後")), (7, lazy("1週間後")))  # how far a reminder is put off, in days


def open_tasks(user: User, *, mine: bool, reminders: bool = False) -> list[OrderTask]:
    """One's own and one's teams', those that rest left out; or everybody's with those. `reminders`: no others."""
    rows = visible.of_shops(OrderTask.objects.filter(done_at=None)).select_related("order__shop", "assignee", "team")
    if mine:
        rows = rows.filter(own_and_awake(user))
    if reminders:
        rows = rows.filter(kind=TaskKind.REMINDER)
    return list(rows.order_by("due_at", "pk")[:200])


def own_and_awake(user: User) -> Q:
    """Open tasks that this person should see now."""
    return (Q(assignee=user) | Q(team__in=user.groups.all())) & (Q(shown_from=None) | Q(shown_from__lte=clock.now()))


def due_reminders(user: User, most: int = 5) -> list[OrderTask]:
    """For the home page: today's reminders of this person and of the person's teams, the oldest first."""
    rows = OrderTask.objects.filter(own_and_awake(user), done_at=None, kind=TaskKind.REMINDER)
    return list(rows.select_related("order__shop").order_by("shown_from", "pk")[:most])


def order_labels(order: Order) -> dict[str, Any]:
    """Tags with colours, and open tasks, for the order page. Two queries at most."""
    tones = dict(OrderTag.objects.filter(name__in=order.tags).values_list("name", "tone")) if order.tags else {}
    return {
        "tags": [(tag, tones.get(tag, "neutral")) for tag in order.tags],
        "later": LATER,
        "tasks": list(order.tasks.select_related("assignee", "team").order_by("done_at", "pk")),
    }
