"""Keeping the stored stage equal to what the facts say, with exact tile counts beside it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.models import Effect
from oms.kernel.services.outbox import NewEffect, put
from oms.kernel.sql import copy_rows, update_rows
from orders.decide.stage import Facts, stage
from orders.models import Order
from orders.models.order import ChannelSync, Stage
from orders.services import journal
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.rules import wakes

# Facts of orders. The sub-selects serve a handful of rows each by index. Takes today's date.
FACTS = """
SELECT o.id, o.shop_id, o.stage, o.channel_order_no, s.auto_confirm,
       (s.capabilities->>'confirm')::bool IS TRUE AND o.phase = 'to_confirm' AND o.confirmed_at IS NULL,
       o.phase, o.cancelled_at IS NOT NULL, o.held_at IS NOT NULL, o.fulfilled_by_channel, o.fulfillment_state,
       o.shipped_at, s.follow_up_days,
       (SELECT count(*) FROM orders_reviewreason r WHERE r.order_id = o.id AND r.state = 'open' AND r.level = 'block'),
       o.payment_method, o.payment_state,
       EXISTS (SELECT 1 FROM orders_orderline l WHERE l.order_id = o.id AND l.allocated_quantity < l.quantity
                  AND (l.release_date IS NULL OR l.release_date <= %s)),
       o.release_date, o.planned_ship_date
  FROM orders_order o JOIN orders_shop s ON s.id = o.shop_id
"""
READ = f"{FACTS} WHERE o.id = ANY(%s) ORDER BY o.id FOR NO KEY UPDATE OF o"


@dataclass(frozen=True, slots=True)
class Move:
    """A stage that changed."""

    order_id: int
    shop_id: int
    before: str
    after: Stage
    due_at: datetime | None
    blocking: int


@transaction.atomic
def recompute(order_ids: Sequence[int], *, actor: Actor = SYSTEM) -> list[Move]:
    """Set each order's stage from its facts; journal the moves, keep the counts, start what a gate asks for.

    Takes the orders' locks by pk. Idempotent.
    """
    if not order_ids:
        return []
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(READ, [clock.today(), list(order_ids)])
        rows = cursor.fetchall()
    moves = [decided(row, now) for row in rows]
    update_rows(
        "orders_order",
        {"stage": "text", "stage_due_at": "timestamptz", "blocking_reasons": "smallint"},
        [(m.order_id, m.after, m.due_at, m.blocking) for m in moves],
    )
    changed = [move for move in moves if move.before != move.after]
    if changed:
        update_rows("orders_order", {"stage_since": "timestamptz"}, [(m.order_id, now) for m in changed])
        count_moves([(m.shop_id, m.before, m.after) for m in changed])
        journal.write([Entry(m.order_id, "stage", f"{m.before} → {m.after}") for m in changed], actor=actor)
    ask_confirm(
        [row[0] for row, move in zip(rows, moves, strict=True) if row[4] and row[5] and move.after == Stage.NEW]
    )
    wake(move.after for move in changed)
    wakes.note_moves([(m.order_id, m.before, str(m.after)) for m in changed])
    return changed


def decided(row: tuple, now: datetime) -> Move:
    """What a row of `FACTS` comes to."""
    id_, shop_id, before, _no, _auto, waits, phase, *rest = row
    cancelled, held, by_channel, fulfillment, shipped_at, follow_up, blocking, method, paid, due, release, planned = (
        rest
    )
    after, due_at = stage(
        Facts(
            phase=phase,
            cancelled=cancelled,
            held=held,
            fulfilled_by_channel=by_channel,
            fulfillment_state=fulfillment,
            shipped_at=shipped_at,
            follow_up_days=follow_up,
            blocking_reasons=blocking,
            waits_for_confirm=waits,
            payment_method=method,
            payment_state=paid,
            due_unallocated=due,
            release_date=release,
            planned_ship_date=planned,
        ),
        now,
    )
    return Move(id_, shop_id, before, after, due_at, blocking)


def count_moves(moves: Sequence[tuple[int, str, str]]) -> None:
    """Append what (shop, stage before, stage after) changes on the tiles; an empty "before" is a new order."""
    deltas: Counter[tuple[int, str]] = Counter()
    for shop_id, before, after in moves:
        if before:
            deltas[shop_id, before] -= 1
        deltas[shop_id, after] += 1
    rows = [(shop_id, name, delta) for (shop_id, name), delta in deltas.items() if delta]
    if rows:
        copy_rows("orders_stagedelta", ["shop_id", "stage", "delta"], rows)


def ask_confirm(order_ids: Sequence[int]) -> int:
    """Have the channel told that we took these orders. One that it refused before stays refused, and says so."""
    keys = {f"confirm:{id_}": id_ for id_ in order_ids}
    written = put(
        [NewEffect("channel_confirm", key, f"order:{id_}:channel", {"order": id_}) for key, id_ in keys.items()]
    )
    if keys:
        under_way = Effect.objects.filter(key__in=keys, state__in=[Effect.State.WAITING, Effect.State.RUNNING])
        asked = [keys[key] for key in under_way.values_list("key", flat=True)]
        Order.objects.filter(pk__in=asked).update(channel_sync=ChannelSync.PENDING)
    return written


def wake(stages: Iterable[str]) -> None:
    """Wake the allocator when an order now waits for stock."""
    if Stage.AWAITING_STOCK in set(stages):
        later("fulfillment.tasks.allocate_waiting")


def sweep(limit: int = 5000) -> int:
    """Apply what time alone has changed; returns how many orders moved."""
    due = Order.objects.filter(stage_due_at__lte=clock.now()).order_by("stage_due_at")
    return len(recompute(list(due.values_list("pk", flat=True)[:limit])))


@transaction.atomic
def fold_counts() -> int:
    """Fold the deltas into the counts; returns how many deltas there were. One folder at a time (advisory lock)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('orders_stagedelta'))")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(
            """
            WITH gone AS (DELETE FROM orders_stagedelta RETURNING shop_id, stage, delta),
                 sums AS (SELECT shop_id, stage, sum(delta) AS delta, count(*) AS n FROM gone GROUP BY 1, 2),
                 kept AS (INSERT INTO orders_stagecount (shop_id, stage, count)
                          SELECT shop_id, stage, delta FROM sums
                          ON CONFLICT (shop_id, stage) DO UPDATE SET count = orders_stagecount.count + excluded.count)
            SELECT coalesce(sum(n), 0)::int FROM sums
            """
        )
        return int(cursor.fetchone()[0])
