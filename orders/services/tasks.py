"""Tasks about orders: rules make them, people finish them."""

from django.db import transaction
from django.db.models import F

from oms.kernel import clock
from orders.models import Order, OrderTask
from orders.services import journal
from orders.services.journal import Actor, Entry


@transaction.atomic
def finish(task_id: int, *, actor: Actor) -> bool:
    """Mark a task as done; False when it was so already."""
    order_id, text = OrderTask.objects.values_list("order", "text").get(pk=task_id)
    order = Order.objects.select_for_update(no_key=True).filter(pk=order_id).order_by("pk")
    order.first()
    open_task = OrderTask.objects.filter(pk=task_id, done_at=None)
    if not open_task.update(done_at=clock.now(), done_by=actor.by):
        return False
    Order.objects.filter(pk=order_id).update(version=F("version") + 1)
    journal.write([Entry(order_id, "task_done", text)], actor=actor)
    return True
