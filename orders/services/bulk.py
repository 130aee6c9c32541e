"""Bulk runs: a frozen selection, a preview, slices of work that each commit alone, and a result.

Running twice does nothing twice: whoever has the run's row goes on where the last slice ended.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models.expressions import RawSQL
from psycopg.types.json import Jsonb

from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.said import stored
from orders import actions
from orders.actions import Action, Outcome, Params, Plan
from orders.models import BulkRun
from orders.services import bulk_undo
from orders.services.bulk_slices import bearable
from orders.services.journal import Actor

SLICE = 500
AT_ONCE = 200  # so many are run while the person waits; more go to a worker
LARGEST = 20_000
FORGOTTEN = timedelta(days=1)
STUCK = timedelta(minutes=2)

State = BulkRun.State


class NoSuchAction(Exception):
    """Nothing with this code is registered (any more)."""


def draft(code: str, order_ids: Sequence[int], *, by: User, query: str = "") -> BulkRun:
    """Freeze a selection for an action. Nothing happens to the orders yet."""
    now = clock.now()
    return BulkRun.objects.create(
        action=action_of(code).code, order_ids=list(order_ids), by=by, query=query, created_at=now, touched_at=now
    )


def preview(run: BulkRun, params: Params) -> Plan:
    """What running it now would do."""
    return action_of(run.action).plan(run.order_ids, params)


def start(run: BulkRun, params: Params) -> bool:
    """Begin a draft with these parameters; False when it has been begun already. Large ones go to a worker."""
    begun = BulkRun.objects.filter(pk=run.pk, state=State.DRAFT).update(
        state=State.RUNNING, params=dict(params), touched_at=clock.now()
    )
    if begun and run.total > AT_ONCE:
        later("orders.tasks.run_bulk", str(run.pk))
    elif begun:
        work(run.pk)
    return bool(begun)


def work(key: UUID | str) -> None:
    """Run what is left of a run, slice by slice."""
    while step(key):
        continue


# The long columns stay where they are: a slice reads its own ids and appends its own results.
LONG = ("order_ids", "done", "skipped", "failed")
WRITE = """
UPDATE orders_bulkrun
   SET position = %(position)s, done = done || %(done)s::bigint[], skipped = skipped || %(skipped)s::jsonb,
       failed = failed || %(failed)s::jsonb, offers = %(offers)s::jsonb, touched_at = %(now)s,
       state = CASE WHEN %(position)s < cardinality(order_ids) THEN state ELSE %(finished)s END,
       finished_at = CASE WHEN %(position)s < cardinality(order_ids) THEN finished_at ELSE %(now)s END
 WHERE key = %(key)s
RETURNING state
"""


@transaction.atomic
def step(key: UUID | str) -> bool:
    """One slice of a running run; False when nothing is left. Locks the run, then what the action locks."""
    rows = BulkRun.objects.select_for_update(no_key=True).filter(pk=key, state=State.RUNNING)
    next_ids = RawSQL("order_ids[position + 1 : position + %s]", [SLICE])
    run = rows.defer(*LONG).annotate(next_ids=next_ids).order_by("pk").first()
    if run is None:
        return False
    ids, outcome = run.next_ids, Outcome([])
    if ids:
        outcome = _run(run, ids)
    return _note(run, len(ids), outcome) == State.RUNNING


def _run(run: BulkRun, order_ids: Sequence[int]) -> Outcome:
    """The action on one slice, with what it changes remembered."""
    action, actor = action_of(run.action), Actor(by=run.by, action=run.key.hex)

    def go(ids: Sequence[int]) -> Outcome:
        before = _remembered(action, ids, run.params)
        outcome = action.run(ids, run.params, actor)
        bulk_undo.remember(run.pk, before, _remembered(action, outcome.done, run.params))
        return outcome

    return bearable(go, order_ids, action.code)


def _remembered(action: Action, order_ids: Sequence[int], params: Params) -> dict[int, dict[str, Any]]:
    """What the action's memory reads, under the orders' locks; nothing where it has none."""
    if action.memory is None or not order_ids:
        return {}
    return action.memory.read(bulk_undo.lock(order_ids), params)


def _note(run: BulkRun, dealt_with: int, outcome: Outcome) -> str:
    """Write down what became of a slice; returns the run's state."""
    values: dict[str, Any] = {
        "key": run.pk,
        "position": run.position + dealt_with,
        "done": list(outcome.done),
        "skipped": Jsonb({str(id_): stored(why) for id_, why in outcome.skipped.items()}),
        "failed": Jsonb({str(id_): stored(why) for id_, why in outcome.failed.items()}),
        "offers": Jsonb(_offers(run.offers, outcome)),
        "now": clock.now(),
        "finished": State.FINISHED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE, values)
        return str(cursor.fetchone()[0])


def _offers(known: list[dict[str, Any]], outcome: Outcome) -> list[dict[str, Any]]:
    """The offers of all slices so far; the same words and address are one offer."""
    found = {(one["text"], one["url"]): one for one in known}
    for offer in outcome.offers:
        text = stored(offer.text)
        one = found.setdefault((text, offer.url), {"text": text, "url": offer.url, "ids": []})
        one["ids"] += list(offer.ids)
    return list(found.values())


def action_of(code: str) -> Action:
    """Raises NoSuchAction."""
    action = actions.get(code)
    if action is None:
        raise NoSuchAction(code)
    return action


def resume_stuck() -> int:
    """Wake runs whose worker went away; returns how many. Also forgets selections that nobody ran."""
    now = clock.now()
    BulkRun.objects.filter(state=State.DRAFT, touched_at__lt=now - FORGOTTEN).delete()
    stuck = BulkRun.objects.filter(state=State.RUNNING, touched_at__lt=now - STUCK).values_list("pk", flat=True)
    keys = [str(key) for key in stuck]
    for key in keys:
        later("orders.tasks.run_bulk", key)
    return len(keys) + bulk_undo.resume_stuck()
