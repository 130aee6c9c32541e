"""Taking a bulk run back: order by order, where nobody has changed since what the run left behind.

Each slice of a run writes down what its orders held before and after (`BulkMemory`). Undoing walks those rows in slices
that commit together with the place reached, so that it goes on where it was broken off and does nothing twice.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import override
from psycopg.types.json import Jsonb

from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.said import said, stored
from oms.kernel.sql import copy_rows
from orders import actions
from orders.actions import Memory, Outcome
from orders.models import BulkMemory, BulkRun, Order
from orders.services.bulk_slices import bearable, joined
from orders.services.journal import Actor

SLICE = 500
AT_ONCE = 200  # so many are taken back while the person waits; more go to a worker
POSSIBLE_FOR = timedelta(days=7)
STUCK = timedelta(minutes=2)
MARK = "-undo"  # ends what the journal calls the action of an undoing

State = BulkRun.State
Values = dict[int, dict[str, Any]]


def lock(order_ids: Sequence[int]) -> list[int]:
    """Lock these orders by pk; what is read of them afterwards stays true."""
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def remember(key: UUID, before: Values, after: Values) -> None:
    """Write down what a slice changed. Orders that hold what they held before are not worth a row."""
    rows = [(key, id_, before[id_], held) for id_, held in after.items() if id_ in before and before[id_] != held]
    if rows:
        copy_rows("orders_bulkmemory", ["run_id", "order_id", "before", "after"], rows)


def memory_of(run: BulkRun) -> Memory | None:
    """How this run is taken back, while that is possible: it is finished, recent, and nobody began to."""
    action = actions.get(run.action)
    if action is None or run.state != State.FINISHED or run.undo_state or not run.done:
        return None
    recent = run.finished_at is not None and run.finished_at > clock.now() - POSSIBLE_FOR
    return action.memory if recent else None


def start(run: BulkRun, *, by: User) -> bool:
    """Begin to take a finished run back; False when it cannot be, or somebody began. Large ones go to a worker."""
    if memory_of(run) is None:
        return False
    now = clock.now()
    begun = BulkRun.objects.filter(pk=run.pk, state=State.FINISHED, undo_state="").update(
        undo_state=State.RUNNING, undone_by=by, touched_at=now
    )
    if begun and len(run.done) > AT_ONCE:
        later("orders.tasks.undo_bulk", str(run.pk))
    elif begun:
        work(run.pk)
    return bool(begun)


def work(key: UUID | str) -> None:
    """Take back what is left of a run, slice by slice."""
    while step(key):
        continue


LONG = ("order_ids", "done", "skipped", "failed", "undone", "undo_skipped")
WRITE = """
UPDATE orders_bulkrun
   SET undo_position = %(position)s, undone = undone || %(undone)s::bigint[],
       undo_skipped = undo_skipped || %(skipped)s::jsonb, touched_at = %(now)s,
       undo_state = %(state)s, undone_at = CASE WHEN %(state)s = 'finished' THEN %(now)s ELSE undone_at END
 WHERE key = %(key)s
"""


@transaction.atomic
def step(key: UUID | str) -> bool:
    """One slice of an undoing; False when nothing is left. Locks the run, then the orders by pk."""
    rows = BulkRun.objects.select_for_update(no_key=True, of=("self",)).filter(pk=key, undo_state=State.RUNNING)
    run = rows.select_related("undone_by").defer(*LONG).order_by("pk").first()
    if run is None:
        return False
    remembered = list(BulkMemory.objects.filter(run=run, pk__gt=run.undo_position).order_by("pk")[:SLICE])
    with override(run.undone_by.language if run.undone_by else None):
        outcome = _slice(run, remembered)
    left = len(remembered) == SLICE
    _note(run, remembered[-1].pk if remembered else run.undo_position, outcome, finished=not left)
    return left


def _slice(run: BulkRun, remembered: Sequence[BulkMemory]) -> Outcome:
    action = actions.get(run.action)
    rows = {row.order_id: row for row in remembered}
    if action is None or action.memory is None:
        return Outcome([], dict.fromkeys(rows, said("この操作は、もう元に戻せません。")))
    actor = Actor(by=run.undone_by, action=f"{run.key.hex}{MARK}")
    memory = action.memory

    def go(ids: Sequence[int]) -> Outcome:
        now = memory.read(lock(ids), run.params)
        same = {id_: rows[id_].before for id_ in ids if now.get(id_) == rows[id_].after}
        other = {id_: said("あとから変更されたため、そのままにしました。") for id_ in ids if id_ not in same}
        return joined(memory.undo(same, run.params, actor) if same else Outcome([]), Outcome([], other))

    return bearable(go, list(rows), f"undo {run.action}")


def _note(run: BulkRun, position: int, outcome: Outcome, *, finished: bool) -> None:
    left: Mapping[int, str] = {**outcome.skipped, **outcome.failed}
    values: dict[str, Any] = {
        "key": run.pk,
        "position": position,
        "undone": list(outcome.done),
        "skipped": Jsonb({str(id_): stored(why) for id_, why in left.items()}),
        "now": clock.now(),
        "state": (State.FINISHED if finished else State.RUNNING).value,
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE, values)


def resume_stuck() -> int:
    """Wake undoings whose worker went away; forget what nobody can take back any more. Returns how many woke."""
    now = clock.now()
    BulkMemory.objects.filter(run__finished_at__lt=now - POSSIBLE_FOR).exclude(run__undo_state=State.RUNNING).delete()
    stuck = BulkRun.objects.filter(undo_state=State.RUNNING, touched_at__lt=now - STUCK)
    keys = [str(key) for key in stuck.values_list("pk", flat=True)]
    for key in keys:
        later("orders.tasks.undo_bulk", key)
    return len(keys)
