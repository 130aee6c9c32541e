"""Work for people: asked for by services, taken, finished and taken up again by persons.

Any room may ask: `task.ask([NewTask(...)])` inside its own transaction. What is finished may mean something to the
room that asked; it listens with `on_finished`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from oms.kernel import clock
from orders.models import Order, Task
from orders.services import journal
from orders.services.journal import SYSTEM, Actor, Entry

Listener = Callable[[Sequence[Task], Actor], None]
_listeners: dict[str, list[Listener]] = {}


@dataclass(frozen=True, slots=True)
class NewTask:
    """`key` is unique for ever; the same key again changes nothing. `order_id` None: it concerns no single order."""

    key: str
    kind: str
    text: str
    order_id: int | None = None
    link: str = ""
    due_at: datetime | None = None


def on_finished(kind: str, listener: Listener) -> None:
    """Have `listener` called inside the transaction that finishes tasks of this kind; a second time does nothing."""
    known = _listeners.setdefault(kind, [])
    if listener not in known:
        known.append(listener)


@transaction.atomic
def ask(new: Sequence[NewTask], *, actor: Actor = SYSTEM) -> list[Task]:
    """Open the tasks that are not known yet; returns those."""
    known = set(Task.objects.filter(key__in=[one.key for one in new]).values_list("key", flat=True))
    shops = dict(Order.objects.filter(pk__in=[one.order_id for one in new if one.order_id]).values_list("pk", "shop"))
    fresh = {one.key: one for one in new if one.key not in known}
    rows = [
        Task(
            key=one.key,
            kind=one.kind,
            text=one.text[:300],
            order_id=one.order_id,
            shop_id=shops.get(one.order_id) if one.order_id else None,
            link=one.link if one.link.startswith(("https://", "/")) else "",
            due_at=one.due_at,
            made_at=clock.now(),
        )
        for one in fresh.values()
    ]
    Task.objects.bulk_create(rows, ignore_conflicts=True)
    made = list(Task.objects.filter(key__in=fresh))
    journal.write([Entry(t.order_id, "task_asked", t.text) for t in made if t.order_id], actor=actor)
    return made


@transaction.atomic
def finish(task_ids: Sequence[int], *, actor: Actor, note: str = "") -> list[Task]:
    """Say that these are done; returns those that were open. Whoever asked for them is told here."""
    done = _claim(task_ids, finished=False)
    for task in done:
        task.done_at, task.done_by, task.note = clock.now(), actor.by, note[:300]
        task.save(update_fields=["done_at", "done_by", "note"])
    journal.write([Entry(t.order_id, "task_done", t.text) for t in done if t.order_id], actor=actor)
    for kind in dict.fromkeys(task.kind for task in done):
        for listener in _listeners.get(kind, []):
            listener([task for task in done if task.kind == kind], actor)
    return done


@transaction.atomic
def reopen(task_ids: Sequence[int], *, actor: Actor) -> list[Task]:
    """It was not done after all. What finishing it brought about stays, and is undone where it was done."""
    again = _claim(task_ids, finished=True)
    for task in again:
        task.done_at, task.done_by = None, None
        task.save(update_fields=["done_at", "done_by"])
    journal.write([Entry(t.order_id, "task_reopened", t.text) for t in again if t.order_id], actor=actor)
    return again


@transaction.atomic
def take(task_ids: Sequence[int], *, actor: Actor) -> int:
    """Make the person the owner of open tasks that have none."""
    return Task.objects.filter(pk__in=task_ids, done_at=None, owner=None).update(owner=actor.by)


@transaction.atomic
def withdraw(keys: Sequence[str], *, actor: Actor = SYSTEM, note: str = "") -> int:
    """Close open tasks whose cause is gone, without telling who asked."""
    rows = Task.objects.select_for_update(no_key=True).filter(key__in=keys, done_at=None).order_by("pk")
    gone = list(rows)
    Task.objects.filter(pk__in=[task.pk for task in gone]).update(
        done_at=clock.now(), done_by=actor.by, note=note[:300]
    )
    return len(gone)


def _claim(task_ids: Sequence[int], *, finished: bool) -> list[Task]:
    """Work rows first: the tasks' locks come before the orders'."""
    rows = Task.objects.select_for_update(no_key=True).filter(pk__in=task_ids, done_at__isnull=not finished)
    return list(rows.order_by("pk"))
