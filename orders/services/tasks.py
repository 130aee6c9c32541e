"""Tasks about orders: rules and services ask for them, people finish them.

Any room may ask: `tasks.ask([NewTask(...)])` inside its own transaction. What is finished may mean something to the
room that asked; it listens with `on_finished`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F

from oms.kernel import clock
from orders.models import Order, OrderTask, TaskKind
from orders.services import journal
from orders.services.journal import SYSTEM, Actor, Entry

Listener = Callable[[OrderTask, Actor], None]
_listeners: dict[str, Listener] = {}


@dataclass(frozen=True, slots=True)
class NewTask:
    """`key` is unique for ever; the same key again changes nothing. `link`: "https://…" or a path of ours. It rests
    until `shown_from`. `assignee_id` is whose it is, where it is one person's; `team` (a group's name) where it is a
    team's."""

    key: str
    order_id: int
    text: str
    kind: str = TaskKind.OTHER
    link: str = ""
    due_at: datetime | None = None
    shown_from: datetime | None = None
    assignee_id: int | None = None
    team: str = ""


def on_finished(kind: str, listener: Listener) -> None:
    """Have `listener` called, under the order's lock, when a person finishes a task of this kind."""
    _listeners[kind] = listener


@transaction.atomic
def ask(new: Sequence[NewTask], *, actor: Actor = SYSTEM) -> list[OrderTask]:
    """Open the tasks whose keys are not known yet; returns those."""
    known = set(OrderTask.objects.filter(key__in=[one.key for one in new]).values_list("key", flat=True))
    fresh = {one.key: one for one in new if one.key not in known}
    named = {one.team for one in fresh.values() if one.team}
    teams = dict(Group.objects.filter(name__in=named).values_list("name", "pk")) if named else {}
    now = clock.now()
    OrderTask.objects.bulk_create(
        [
            OrderTask(
                key=one.key,
                order_id=one.order_id,
                text=one.text[:200],
                kind=one.kind,
                link=_link(one),
                due_at=one.due_at,
                shown_from=one.shown_from,
                assignee_id=one.assignee_id,
                team_id=teams.get(one.team),
                created_at=now,
            )
            for one in fresh.values()
        ],
        ignore_conflicts=True,
    )
    made = list(OrderTask.objects.filter(key__in=fresh).order_by("pk"))
    awake = [
        task for task in made if task.shown_from is None or task.shown_from <= now
    ]  # of the others nobody knows yet
    journal.write([Entry(task.order_id, "task_asked", task.text) for task in awake], actor=actor)
    return made


@transaction.atomic
def ask_anew(new: Sequence[NewTask], *, actor: Actor = SYSTEM) -> list[OrderTask]:
    """The same for what may have been asked and withdrawn before: closed tasks of these keys are open again. Returns
    those that were not open."""
    wanted, now = {one.key: one for one in new}, clock.now()
    closed = list(OrderTask.objects.filter(key__in=wanted, done_at__isnull=False).order_by("pk"))
    for task in closed:
        one = wanted[task.key]
        task.kind, task.text, task.due_at, task.created_at = one.kind, one.text[:200], one.due_at, now
        task.link, task.done_at, task.done_by, task.shown_from = _link(one), None, None, None
        task.save(update_fields=["kind", "text", "link", "due_at", "created_at", "done_at", "done_by", "shown_from"])
    journal.write([Entry(task.order_id, "task_asked", task.text) for task in closed], actor=actor)
    return [*closed, *ask(new, actor=actor)]


def _link(one: NewTask) -> str:
    return one.link if one.link.startswith(("https://", "/")) else ""


@transaction.atomic
def finish(task_id: int, *, actor: Actor) -> bool:
    """Mark a task as done; False when it was so already."""
    task = OrderTask.objects.get(pk=task_id)
    order = Order.objects.select_for_update(no_key=True).filter(pk=task.order_id).order_by("pk")
    order.first()
    open_task = OrderTask.objects.filter(pk=task_id, done_at=None)
    if not open_task.update(done_at=clock.now(), done_by=actor.by):
        return False
    Order.objects.filter(pk=task.order_id).update(version=F("version") + 1)
    journal.write([Entry(task.order_id, "task_done", task.text)], actor=actor)
    if listener := _listeners.get(task.kind):
        listener(task, actor)
    return True


@transaction.atomic
def put_off(task_id: int, until: date, *, actor: Actor) -> bool:
    """Let an open task rest until the morning of this day; False when it is done, or rests until then already."""
    task = OrderTask.objects.get(pk=task_id)
    Order.objects.select_for_update(no_key=True).filter(pk=task.order_id).order_by("pk").first()
    begins = datetime.combine(until, time.min, clock.TOKYO)
    rows = OrderTask.objects.filter(pk=task_id, done_at=None).exclude(shown_from=begins)
    if not rows.update(shown_from=begins, due_at=begins + timedelta(days=1)):
        return False
    Order.objects.filter(pk=task.order_id).update(version=F("version") + 1)
    journal.write([Entry(task.order_id, "task_put_off", f"{task.text} → {until:%Y/%m/%d}")], actor=actor)
    return True


@transaction.atomic
def withdraw(keys: Sequence[str], *, actor: Actor = SYSTEM) -> int:
    """Close open tasks whose cause is gone, without telling who asked. The caller holds the orders' locks."""
    return OrderTask.objects.filter(key__in=keys, done_at=None).update(done_at=clock.now(), done_by=actor.by)


def finished(keys: Sequence[str]) -> list[str]:
    """Those of these keys whose tasks a person has done."""
    rows = OrderTask.objects.filter(key__in=keys, done_at__isnull=False)
    return list(rows.values_list("key", flat=True))
