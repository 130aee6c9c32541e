"""Keeping the stored stage equal to what the facts say, with exact tile counts beside it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from oms.kernel import clock
from oms.kernel.halves import in_halves
from oms.kernel.later import later
from oms.kernel.models import Effect
from oms.kernel.said import stored
from oms.kernel.services.outbox import NewEffect, put
from oms.kernel.sql import copy_rows
from orders.decide.payments import ships_when_of
from orders.decide.stage import Facts, stage
from orders.models import Order
from orders.models.order import ChannelSync, Stage
from orders.services import journal, mail_stages
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.rules import wakes

# Facts of orders. The sub-selects serve a handful of rows each by index. Takes today's date, named `today`.
FACTS = """
SELECT o.id, o.shop_id, o.stage, o.channel_order_no, s.auto_confirm,
       (s.capabilities->>'confirm')::bool IS TRUE AND o.phase = 'to_confirm' AND o.confirmed_at IS NULL,
       o.phase, o.cancelled_at IS NOT NULL, o.held_at IS NOT NULL, o.fulfilled_by_channel, o.fulfillment_state,
       o.shipped_at, s.follow_up_days,
       (SELECT count(*) FROM orders_reviewreason r WHERE r.order_id = o.id AND r.state = 'open' AND r.level = 'block'),
       o.payment_method,
       CASE WHEN o.ships_unpaid THEN 'at_once' ELSE (SELECT g.ships_when FROM orders_paymentgate g
         WHERE g.shop_id = o.shop_id AND g.code IN ('', o.payment_name)
           AND (g.code <> '' OR g.method = o.payment_method) ORDER BY g.code DESC LIMIT 1) END,
       o.payment_state,
       EXISTS (SELECT 1 FROM orders_orderline l WHERE l.order_id = o.id AND l.allocated_quantity < l.quantity
                  AND (l.release_date IS NULL OR l.release_date <= %(today)s)
                  AND (NOT l.apart OR o.fulfillment_state <> 'none')),
       CASE WHEN o.release_date > %(today)s AND o.fulfillment_state = 'none' THEN (
            SELECT max(l.release_date) FROM orders_orderline l
             WHERE l.order_id = o.id AND l.quantity > 0 AND NOT l.apart)
            ELSE o.release_date END,
       (SELECT min(l.release_date) FROM orders_orderline l
         WHERE o.release_date > %(today)s AND l.order_id = o.id AND l.quantity > 0 AND l.release_date > %(today)s
           AND NOT l.apart),
       o.planned_ship_date,
       (SELECT p.lead_days FROM orders_shippingplan p
         WHERE p.location_id IS NULL OR p.location_id = o.preferred_location_id
         ORDER BY p.location_id NULLS LAST LIMIT 1)
  FROM orders_order o JOIN orders_shop s ON s.id = o.shop_id
"""
READ = f"{FACTS} WHERE o.id = ANY(%(ids)s) ORDER BY o.id FOR NO KEY UPDATE OF o"


@dataclass(frozen=True, slots=True)
class Move:
    """A stage that changed."""

    order_id: int
    shop_id: int
    before: str
    after: Stage
    due_at: datetime | None
    blocking: int


@dataclass(frozen=True, slots=True)
class Hold:
    """What `recompute` writes along with the stages: since when these orders are held, why and until which day, or
    that they are not."""

    since: datetime | None
    reason: str = ""
    until: date | None = None


@transaction.atomic
def recompute(order_ids: Sequence[int], *, actor: Actor = SYSTEM, hold: Hold | None = None) -> list[Move]:
    """Set each order's stage from its facts; journal the moves, keep the counts, start what a gate asks for.

    With `hold` every order is put on hold, or let go, in the same write. Takes the orders' locks by pk. Idempotent.
    """
    if not order_ids:
        return []
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(READ, {"today": clock.today(), "ids": list(order_ids)})
        rows = cursor.fetchall()
    held = None if hold is None else hold.since is not None
    moves = [decided(row, now, held=held) for row in rows]
    _write(moves, now, hold)
    changed = [move for move in moves if move.before != move.after]
    if changed:
        count_moves([(m.shop_id, m.before, m.after) for m in changed])
        journal.write([Entry(m.order_id, "stage", f"{m.before} → {m.after}") for m in changed], actor=actor)
        mail_stages.follow([(m.order_id, m.before, m.after) for m in changed])
    ask_confirm(
        [row[0] for row, move in zip(rows, moves, strict=True) if row[4] and row[5] and move.after == Stage.NEW]
    )
    wake(move.after for move in changed)
    wakes.note_moves([(m.order_id, m.before, str(m.after)) for m in changed])
    return changed


# An order's row stands in twenty indexes, so it is written once, and only when something changes.
WRITE = """
UPDATE orders_order AS o
   SET stage = v.stage, stage_due_at = v.due_at, blocking_reasons = v.blocking,
       stage_since = CASE WHEN o.stage = v.stage THEN o.stage_since ELSE %(now)s END{more}
  FROM unnest(%(ids)s::bigint[], %(stages)s::text[], %(due)s::timestamptz[], %(blocking)s::smallint[])
       AS v(id, stage, due_at, blocking)
 WHERE o.id = v.id{only}
"""
WITH_HOLD = ", held_at = %(since)s, hold_reason = %(reason)s, hold_until = %(until)s::date, version = o.version + 1"
IF_OTHER = " AND (o.stage, o.stage_due_at, o.blocking_reasons) IS DISTINCT FROM (v.stage, v.due_at, v.blocking)"


def _write(moves: Sequence[Move], now: datetime, hold: Hold | None) -> None:
    values: dict[str, Any] = {
        "now": now,
        "ids": [move.order_id for move in moves],
        "stages": [str(move.after) for move in moves],
        "due": [move.due_at for move in moves],
        "blocking": [move.blocking for move in moves],
    }
    if hold is not None:
        values |= {"since": hold.since, "reason": stored(hold.reason[:200]), "until": hold.until}
    with connection.cursor() as cursor:
        cursor.execute(WRITE.format(more=WITH_HOLD if hold else "", only="" if hold else IF_OTHER), values)


def decided(row: tuple, now: datetime, *, held: bool | None = None) -> Move:
    """What a row of `FACTS` comes to; with `held`, if it were so."""
    id_, shop_id, before, _no, _auto, waits, phase, *rest = row
    cancelled, is_held, by_channel, fulfillment, shipped_at, follow_up, blocking, method, term, paid, *dates = rest
    due, release, next_release, planned, lead = dates
    after, due_at = stage(
        Facts(
            phase=phase,
            cancelled=cancelled,
            held=is_held if held is None else held,
            fulfilled_by_channel=by_channel,
            fulfillment_state=fulfillment,
            shipped_at=shipped_at,
            follow_up_days=follow_up,
            blocking_reasons=blocking,
            waits_for_confirm=waits,
            ships_when=term or ships_when_of(method),
            payment_state=paid,
            due_unallocated=due,
            release_date=release,
            next_release=next_release,
            planned_ship_date=planned,
            lead_days=lead or 0,
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
    shop_of = dict(Order.objects.filter(pk__in=order_ids).values_list("pk", "shop")) if keys else {}
    written = put(
        [
            NewEffect("channel_confirm", key, f"order:{id_}:channel", {"order": id_, "shop": shop_of[id_]})
            for key, id_ in keys.items()
        ]
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
    return sum(
        len(moves) for moves in in_halves(recompute, list(due.values_list("pk", flat=True)[:limit]), "stage_stuck")
    )


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
