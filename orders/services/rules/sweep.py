"""Rules that time or another transaction wakes: wakes are consumed, moments are found, each once per order."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from oms.kernel import clock
from oms.kernel.said import said
from orders.decide.rules.engine import TIMED, Compiled
from orders.models import RuleOccasion
from orders.services import stage as stages
from orders.services.rules import active, reasons, wakes
from orders.services.rules import run as rules

BATCH = 500
ROUNDS = 40  # of one sweep
FORGET = timedelta(days=90)

TAKE = """
DELETE FROM orders_rulewake WHERE id IN (
    SELECT id FROM orders_rulewake ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING order_id, event, depth
"""


def consume_wakes() -> int:
    """Run the rules for every order that was woken; returns how many."""
    total = 0
    for _round in range(ROUNDS):
        done = _consume_batch()
        total += done
        if not done:
            break
    return total


@transaction.atomic
def _consume_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [BATCH])
        rows = cursor.fetchall()
    by_depth: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    deepest: dict[int, int] = defaultdict(int)
    for order_id, _event, depth in rows:
        deepest[order_id] = max(deepest[order_id], depth)
    for order_id, event, _depth in rows:
        by_depth[deepest[order_id]][order_id].add(event)
    for depth, events in sorted(by_depth.items()):
        ids = sorted(events)
        if depth > wakes.DEEPEST:
            _report_loop(ids)
        else:
            with wakes.running(depth):
                rules.run(ids, events)
    return len(deepest)


def _report_loop(order_ids: Sequence[int]) -> None:
    text = said("ルールが互いを呼び続けるため、途中で止めました。ルールの条件を見直してください。")
    stages.recompute(sorted(reasons.refresh_errors(dict.fromkeys(order_ids, text), order_ids)))


# ---- moments

FRESH = """
WITH due AS (
    SELECT o.id, {occasion} AS occasion FROM orders_order o
     WHERE o.cancelled_at IS NULL AND {where}
       AND NOT EXISTS (SELECT FROM orders_ruleoccasion x
                        WHERE x.rule_id = %(rule)s AND x.order_id = o.id AND x.occasion = {occasion})
     ORDER BY o.id LIMIT %(limit)s)
INSERT INTO orders_ruleoccasion (rule_id, order_id, occasion, at)
SELECT %(rule)s, id, occasion, %(now)s FROM due ON CONFLICT DO NOTHING RETURNING order_id
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """What names the moment of an order, and which orders have come to theirs, as SQL over `orders_order o`."""

    occasion: str
    where: str
    params: dict[str, Any]


DAYS = {
    "wish_date": "o.wish_date",
    "planned_ship_date": "o.planned_ship_date",
    "ship_by": "(o.ship_by AT TIME ZONE 'Asia/Tokyo')::date",
    "release_date": "o.release_date",
}
LOOK_BACK = timedelta(days=30)  # a rule published today does not dig up last year's orders


def run_moments() -> int:
    """Find orders whose moment has come for a rule, and run it; returns how many orders were judged."""
    total = 0
    for rule in active.active().rules:
        if rule.document["when"]["event"] in TIMED:
            for _round in range(ROUNDS):
                done = _run_moment(rule)
                total += done
                if done < BATCH:
                    break
    return total


@transaction.atomic
def _run_moment(rule: Compiled) -> int:
    moment = MOMENTS[rule.document["when"]["event"]](rule.document["when"])
    if moment is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            FRESH.format(occasion=moment.occasion, where=moment.where),
            {**moment.params, "rule": rule.id, "limit": BATCH, "now": clock.now()},
        )
        ids = sorted(row[0] for row in cursor.fetchall())
    rules.run(ids, dict.fromkeys(ids, (rule.event,)))
    return len(ids)


def _waited(when: Any) -> Moment | None:
    latest = clock.now() - timedelta(hours=when["hours"])
    return Moment(
        "o.stage || ':' || extract(epoch FROM o.stage_since)::bigint",
        "o.stage = %(stage)s AND o.stage_since BETWEEN %(first)s AND %(last)s",
        {"stage": when["stage"], "first": latest - LOOK_BACK, "last": latest},
    )


def _reached(when: Any) -> Moment | None:
    latest, day = clock.today() - timedelta(days=when["days"]), DAYS[when["date"]]
    return Moment(
        f"'{when['date']}:' || {day}",
        f"{day} BETWEEN %(first)s AND %(last)s AND o.shipped_at IS NULL",
        {"first": latest - LOOK_BACK, "last": latest},
    )


def _daily(when: Any) -> Moment | None:
    now = clock.in_tokyo(clock.now())
    if now.strftime("%H:%M") < when["at"] or (when["weekdays"] and str(now.weekday()) not in when["weekdays"]):
        return None
    return Moment("'day:' || %(day)s::text", "o.shipped_at IS NULL", {"day": now.date().isoformat()})


MOMENTS: dict[str, Callable[[Any], Moment | None]] = {
    "stage_waited": _waited,
    "date_reached": _reached,
    "schedule": _daily,
}


# ---- keeping house


@transaction.atomic
def fold_tallies() -> int:
    """Fold each rule's figures of a day into one row; returns how many rows went. Also forgets old moments."""
    RuleOccasion.objects.filter(at__lt=clock.now() - FORGET).delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('orders_ruletally'))")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(
            """
            WITH gone AS (DELETE FROM orders_ruletally RETURNING *),
                 kept AS (INSERT INTO orders_ruletally (rule_id, day, rival_id, hits, overruled, errors, last_at)
                          SELECT rule_id, day, rival_id, sum(hits), sum(overruled), sum(errors), max(last_at)
                            FROM gone GROUP BY 1, 2, 3)
            SELECT count(*) FROM gone
            """
        )
        return int(cursor.fetchone()[0])
