"""One action on ten thousand orders among a million: preview and every slice, as the worker runs them.

The floor is the least that can be said of it: one bare UPDATE of the same rows, and one bare row of journal each.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch
from uuid import UUID

from django.db import connection, transaction

from bench.row import Row
from bench.scratch import scratch_database
from oms.kernel import clock
from oms.kernel.models import User
from orders.models import BulkRun, Order
from orders.services import bulk, bulk_undo

STORED, CHOSEN = 1_000_000, 10_000
ACTIONS = {"hold": {"reason": "測定"}, "lift": {}, "add_tag": {"tag": "測定"}}
UNDONE = {"add_tag"}  # timed together with taking it back
MUST_S, TARGET_S = 10, 4
TIMES_THE_FLOOR = (8, 3.2)  # what 10 s and 4 s are where the floor takes 1.25 s


def run() -> list[Row]:
    """Rows for holding and for lifting the hold, in seconds and in times of the floor."""
    with scratch_database("bench_bulk", orders=STORED):
        by = User.objects.get_or_create(username="bench", is_superuser=True)[0]
        ids = ready_orders()
        floor_s = min(_bare(ids, held) for held in (True, False) for _round in range(2))
        return [row for code, params in ACTIONS.items() for row in _rows(code, params, ids, by, floor_s)]


def ready_orders() -> list[int]:
    """The newest orders, as if none of them had left yet."""
    ids = list(
        Order.objects.filter(cancelled_at=None, held_at=None).order_by("-pk").values_list("pk", flat=True)[:CHOSEN]
    )
    Order.objects.filter(pk__in=ids).update(
        shipped_at=None, phase="open", fulfillment_state="none", stage="ready", stage_due_at=None
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE orders_order")
    return ids


def _rows(code: str, params: dict[str, str], ids: list[int], by: User, floor_s: float) -> Iterator[Row]:
    name = f"bulk {code}, {CHOSEN:,} orders with preview{' and undo' if code in UNDONE else ''}"
    spent = _whole(code, params, ids, by)
    yield Row(f"{name}, seconds of the budget", spent, "s", 1, spent, MUST_S, TARGET_S, lower_is_better=True)
    yield Row(name, spent, "s", floor_s, spent / floor_s, *TIMES_THE_FLOOR, lower_is_better=True)


def _whole(code: str, params: dict[str, str], ids: list[int], by: User) -> float:
    """Seconds from the frozen selection to the finished run."""
    began = time.perf_counter()
    draft = bulk.draft(code, ids, by=by)
    plan = bulk.preview(draft, params)
    with patch("orders.services.bulk.later"):  # the worker's part is done here
        bulk.start(draft, params)
    bulk.work(draft.pk)
    if code in UNDONE:
        _undo(draft.pk, by)
    spent = time.perf_counter() - began
    done = BulkRun.objects.get(pk=draft.pk)
    if done.state != BulkRun.State.FINISHED or len(done.done) != len(ids) or len(plan.will) != len(ids):
        raise RuntimeError(f"{code}: {len(plan.will)} planned and {len(done.done)} done of {len(ids)}")
    return spent


def _undo(key: UUID, by: User) -> None:
    run = BulkRun.objects.get(pk=key)
    with patch("orders.services.bulk_undo.later"):
        bulk_undo.start(run, by=by)
    bulk_undo.work(key)
    if len(BulkRun.objects.get(pk=key).undone) != len(run.done):
        raise RuntimeError(f"{run.action}: not everything came back")


def _bare(ids: list[int], held: bool) -> float:
    """Seconds of the bare statements, undone afterwards."""
    with _undone(), connection.cursor() as cursor:
        now = clock.now()
        began = time.perf_counter()
        cursor.execute("UPDATE orders_order SET held_at = %s WHERE id = ANY(%s)", [now if held else None, ids])
        cursor.execute(
            "INSERT INTO orders_orderevent (order_id, at, kind, text, fields, action)"
            " SELECT id, %s, 'held', '', '[]', '' FROM unnest(%s::bigint[]) AS id",
            [now, ids],
        )
        return time.perf_counter() - began


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
