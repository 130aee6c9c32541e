"""What people and rules stuck on orders, for the screens."""

from typing import Any

from oms.kernel.models import User
from orders.models import Order, OrderTag, OrderTask
from orders.queries import visible


def open_tasks(user: User, *, mine: bool) -> list[OrderTask]:
    rows = visible.of_shops(OrderTask.objects.filter(done_at=None)).select_related("order__shop", "assignee", "team")
    if mine:
        rows = rows.filter(assignee=user) | rows.filter(team__in=user.groups.all())
    return list(rows.order_by("due_at", "pk")[:200])


def order_labels(order: Order) -> dict[str, Any]:
    """Tags with colours, and open tasks, for the order page. Two queries at most."""
    tones = dict(OrderTag.objects.filter(name__in=order.tags).values_list("name", "tone")) if order.tags else {}
    return {
        "tags": [(tag, tones.get(tag, "neutral")) for tag in order.tags],
        "tasks": list(order.tasks.select_related("assignee", "team").order_by("done_at", "pk")),
    }
