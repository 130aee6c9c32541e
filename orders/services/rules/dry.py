"""Trying a rule out: what it would do to the orders of the last days. Nothing is locked, stored or sent.

The same functions judge and plan as when rules run, so replaying the same orders after publishing does just this; only
what stock or a later change refuses is seen when it is done.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection

from oms.kernel import clock
from orders.decide.rules.document import actions_of
from orders.decide.rules.engine import Compiled, Explained, Facts, Verdict, decide, explain
from orders.decide.rules.sentence import Names
from orders.models import Order
from orders.services.rules import active, before, facts, stock_levels, work
from orders.services.rules import run as rules
from orders.services.rules.kept import deed
from orders.services.rules.names import names_in
from orders.services.rules.work import Job

BATCH = 1000
MOST_ORDERS = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """What would happen to one order: `does` and `takes_back` in words, by rule name."""

    order_id: int
    no: str
    shop: str
    does: Sequence[str]
    takes_back: Sequence[str]


@dataclass
class Tried:
    """`looked` orders were judged; `hits` of them match the rule; `changes` are those something would happen to.
    `actions` counts what the rule does, old version beside new."""

    days: int
    looked: int = 0
    cut: bool = False
    hits: int = 0
    hits_before: int = 0
    changes: list[Change] = field(default_factory=list)
    actions: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    failed: int = 0
    names: Names = field(default_factory=dict)
    sides: dict[int, "Sides"] = field(default_factory=lambda: defaultdict(Sides))


@dataclass
class Sides:
    """What the rule says of one order: in force now, and in the version on trial; None where it is not asked."""

    now: "Side | None" = None
    then: "Side | None" = None


@dataclass(frozen=True, slots=True)
class Side:
    matched: bool
    does: Sequence[str]


def try_rule(rule: Compiled, *, days: int = 30) -> Tried:
    """The rules in force with this version in the place of the rule's own, over the orders of the last `days`."""
    now_in_force = active.active()
    others = [other for other in now_in_force.rules if other.id != rule.id]
    fresh = active.bundle([*others, rule])
    ids = list(
        Order.objects.filter(imported_at__gte=clock.now() - timedelta(days=days), cancelled_at__isnull=True)
        .order_by("-pk")
        .values_list("pk", flat=True)[: MOST_ORDERS + 1]
    )
    tried = Tried(days, cut=len(ids) > MOST_ORDERS, names=_names_of(fresh, now_in_force))
    ids = sorted(ids[:MOST_ORDERS])
    new_counts, old_counts = (
        before.count([one.id for one in bundle.rules if one.counts]) for bundle in (fresh, now_in_force)
    )
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        concerned = stock_levels.concerned(rule.document["when"], part)
        _note_new(tried, rule, Judged.of(part, fresh, new_counts, event=rule.event, concerned=concerned))
        _note_old(tried, rule.id, Judged.of(part, now_in_force, old_counts, event=rule.event))
    return tried


@dataclass(frozen=True, slots=True)
class Judged:
    """A batch judged by a set of rules, and what running them would do."""

    orders: Mapping[int, Mapping[str, Any]]
    verdicts: Mapping[int, Sequence[Verdict]]
    plan: rules.Plan

    @classmethod
    def of(
        cls,
        order_ids: Sequence[int],
        force: active.Active,
        counters: Any,
        *,
        event: str = "",
        concerned: Collection[int] | None = None,
    ) -> "Judged":
        """`event` is taken for having happened when it is a moment or a level that a rule on trial waits for, to all
        orders or to those `concerned`."""
        orders = {id_: row for id_, row in read(order_ids).items() if before.is_ours(row)}
        ids = list(orders)
        marks, traces = before.marks_of(ids), before.traces_of(ids)
        woken = ids if concerned is None else [id_ for id_ in ids if id_ in concerned]
        events = dict.fromkeys(woken, (event,)) if event.startswith("rule:") else {}
        subjects = before.subjects_of(orders, ids, events, force, marks, traces, every=True)
        verdicts = decide(force.rules, subjects, today=clock.today(), counters=counters)
        return cls(orders, verdicts, rules.plan(verdicts, force.by_id, marks))


def read(order_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The columns that `work.lock` reads, without locking."""
    with connection.cursor() as cursor:
        cursor.execute(work.LOCK.replace(" FOR NO KEY UPDATE", ""), [list(order_ids)])
        names = [column.name for column in cursor.description]
        return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


def _note_new(tried: Tried, rule: Compiled, judged: Judged) -> None:
    tried.looked += len(judged.verdicts)
    for order_id, verdict in _own(judged, rule.id):
        tried.hits += bool(verdict.matched)
        tried.failed += bool(verdict.error)
        tried.sides[order_id].then = _side(verdict, tried.names)
        for chosen in verdict.chosen:
            tried.actions[deed(chosen.action, tried.names)][1] += chosen.status == "do"
    tried.changes += changes_of(judged, tried.names)


def _note_old(tried: Tried, rule_id: int, judged: Judged) -> None:
    for order_id, verdict in _own(judged, rule_id):
        tried.hits_before += bool(verdict.matched)
        tried.sides[order_id].now = _side(verdict, tried.names)
        for chosen in verdict.chosen:
            tried.actions[deed(chosen.action, tried.names)][0] += chosen.status == "do"


def _own(judged: Judged, rule_id: int) -> Iterator[tuple[int, Verdict]]:
    for order_id, verdicts in judged.verdicts.items():
        yield from ((order_id, verdict) for verdict in verdicts if verdict.rule == rule_id)


def _side(verdict: Verdict, called: Names) -> Side | None:
    if verdict.matched is None:
        return None
    return Side(verdict.matched, [deed(chosen.action, called) for chosen in verdict.chosen if chosen.status == "do"])


def _names_of(*bundles: active.Active) -> Names:
    return names_in(action for bundle in bundles for rule in bundle.rules for action in actions_of(rule.document))


def changes_of(judged: Judged, called: Names) -> list[Change]:
    """Orders that something would happen to, in the order of their ids."""
    does, takes_back = _by_order(judged.plan.due, called), _by_order(judged.plan.ended, called)
    ids = sorted(does.keys() | takes_back.keys())
    shops = dict(Order.objects.filter(pk__in=ids).values_list("pk", "shop__name"))
    return [
        Change(id_, judged.orders[id_]["channel_order_no"], shops[id_], does.get(id_, ()), takes_back.get(id_, ()))
        for id_ in ids
    ]


def _by_order(jobs: Sequence[Job], called: Names) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for job in jobs:
        if not job.quiet:
            found[job.order_id].append(f"{job.rule.name}: {deed(job.action, called)}")
    return found


def preview_replay(order_ids: Sequence[int]) -> list[Change]:
    """What running all rules in force anew would do to these orders."""
    force = active.active()
    changes: list[Change] = []
    called = _names_of(force)
    counters = before.count([one.id for one in force.rules if one.counts])
    for start in range(0, len(order_ids), BATCH):
        changes += changes_of(Judged.of(order_ids[start : start + BATCH], force, counters), called)
    return changes


def explain_one(order_id: int, rule: Compiled) -> tuple[Explained, Facts] | None:
    """Each condition of the rule for one order, with the order's values; None for an order that is not there."""
    force = active.bundle([rule])
    orders = read([order_id])
    if order_id not in orders:
        return None
    marks = before.marks_of([order_id])
    base = {order_id: before.undone(orders[order_id], marks.get(order_id, {}).values())}
    loaded = facts.load([order_id], force.keys | rule.watched, now=clock.now(), undone=base)[order_id]
    counters = before.count([rule.id] if rule.counts else [])
    loaded["rule_count"] = counters.total.get(rule.id, 0)
    loaded["rule_count_member"] = counters.member.get((rule.id, loaded["member_id"] or 0), 0)
    rows, seen = before.traces_of([order_id]).get(order_id, ([], {}))
    if "rules_matched" in loaded:
        loaded["rules_matched"] = frozenset(str(row["rule"]) for row in rows if row["matched"])
    loaded |= {f"seen:{key}": value for key, value in seen.items()}
    tree = explain(rule.document["if"], loaded, lists=active.lists(), today=clock.today, salt=f"{rule.id}")
    return tree, loaded
