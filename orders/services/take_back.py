"""Taking back what one person has just done to one order: the way back on a row that left the list.

Only the newest thing that anybody did, and only by who did it, a short time ago. A bulk action gives back this order
alone; its others stay.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func, Value

from oms.kernel import clock
from oms.kernel.said import said
from orders import actions
from orders.models import BulkMemory, BulkRun, Order, OrderEvent, ReviewReason
from orders.services import bulk_undo, hold, reopen
from orders.services.journal import Actor

WITHIN = timedelta(minutes=10)
CLOSED_WITHIN = timedelta(seconds=10)  # a reason is closed a moment before the journal says so
SINGLE = {"held": "orders.hold_order", "lifted": "orders.hold_order", "reason_accepted": "orders.review_order"}
FOLLOWING = ("stage",)  # what follows from a deed by itself


class Refused(Exception):
    """There is nothing (any more) to take back; `cause` says why."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def offered(order_ids: Sequence[int], *, by_id: int) -> set[int]:
    """Which of these orders this person can give back. At most two queries."""
    newest = _newest(order_ids)
    mine = {pk: event for pk, event in newest.items() if event.by_id == by_id and not _gave_back(event)}
    single = {pk for pk, event in mine.items() if event.kind in SINGLE}
    runs = {pk: key for pk, event in mine.items() if pk not in single and (key := _key(event.action))}
    if not runs:
        return single
    kept = BulkMemory.objects.filter(
        run__in=set(runs.values()), order_id__in=runs, run__state=BulkRun.State.FINISHED, run__undo_state=""
    )
    return single | {pk for pk, run in kept.values_list("order_id", "run") if runs[pk] == run}


@transaction.atomic
def take_back(order_id: int, *, actor: Actor) -> None:
    """Give the order back as it was. Locks the run that did it, then the order. Raises Refused when something was done
    since, or too long ago."""
    assert actor.by is not None, "a person takes back what they did"
    _lock_run(order_id)
    list(Order.objects.select_for_update(no_key=True).filter(pk=order_id).order_by("pk").values_list("pk", flat=True))
    event = _newest([order_id]).get(order_id)
    if event is None or event.by_id != actor.by.pk or _gave_back(event):
        raise Refused(said("もう元に戻せません。時間がたったか、ほかの人が操作しました。"))
    done = _of_run(event, actor) or _single(event, actor)
    if not done:
        raise Refused(said("この操作は、ここからは元に戻せません。"))


def _gave_back(event: OrderEvent) -> bool:
    """A run was taken back: who presses the way back at the same moment wants that, not the opposite."""
    return event.action.endswith(bulk_undo.MARK)


def _lock_run(order_id: int) -> None:
    """The run that was the last to touch the order: it may be taken back whole this moment."""
    seen = _newest([order_id]).get(order_id)
    if key := _key(seen.action) if seen else None:
        list(BulkRun.objects.select_for_update(no_key=True).filter(pk=key).order_by("pk").values_list("pk"))


def _newest(order_ids: Sequence[int]) -> Mapping[int, OrderEvent]:
    """The last thing that a person did to each order, within the time."""
    rows = OrderEvent.objects.filter(order__in=order_ids, by__isnull=False, at__gte=clock.now() - WITHIN)
    rows = rows.exclude(kind__in=FOLLOWING).order_by("order", "-pk").distinct("order")
    return {event.order_id: event for event in rows}


def _key(action: str) -> UUID | None:
    try:
        return UUID(hex=action)
    except ValueError:
        return None


def _of_run(event: OrderEvent, actor: Actor) -> bool:
    """What a bulk action did to this order, by the memory of the run."""
    key = _key(event.action)
    kept = BulkMemory.objects.filter(run=key, order_id=event.order_id).select_related("run").first() if key else None
    action = actions.get(kept.run.action) if kept else None
    if action and actor.by and not actions.may_take(actor.by, action):
        return False
    if kept is None or action is None or action.memory is None or bulk_undo.memory_of(kept.run) is None:
        return False
    now = action.memory.read([event.order_id], kept.run.params)
    if now.get(event.order_id) != kept.after:
        raise Refused(said("あとから変更されたため、そのままにしました。"))
    outcome = action.memory.undo({event.order_id: kept.before}, kept.run.params, actor)
    if outcome.done:
        BulkRun.objects.filter(pk=kept.run_id).update(
            undone=Func(F("undone"), Value(event.order_id), function="array_append")
        )
    return bool(outcome.done)


def _single(event: OrderEvent, actor: Actor) -> bool:
    ids = [event.order_id]
    if actor.by is None or not actor.by.has_perm(SINGLE.get(event.kind, "")):
        return False
    if event.kind == "held":
        return bool(hold.lift_holds(ids, actor=actor))
    if event.kind == "lifted":
        was = dict(event.values.values_list("field", "before"))
        until = date.fromisoformat(was["hold_until"]) if was.get("hold_until") else None
        return bool(hold.hold_orders(ids, reason=was.get("hold_reason", ""), until=until, actor=actor))
    if event.kind == "reason_accepted":
        closed = ReviewReason.objects.filter(
            order=event.order_id, closed_by=event.by_id, closed_at__range=(event.at - CLOSED_WITHIN, event.at)
        )
        return bool(reopen.reopen_reasons({event.order_id: list(closed.values_list("code", flat=True))}, actor=actor))
    return False
