"""Rules at work: a batch of orders is judged, and what the verdicts ask is done, each action once.

`prepare` locks the orders and does everything but stock; `finish` comes after the one call of the stock door. `run` is
both with the door in between, for a transaction of its own; `run_behind` is for transactions that have used the door:
lines that a rule adds or takes back are then left to the worker, which comes at once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from inventory.services import stock
from oms.kernel import clock
from oms.kernel.said import said
from orders.decide.rules.actions import SPECS
from orders.decide.rules.engine import Compiled, Subject, Verdict, decide
from orders.models import RuleMark
from orders.services import set_parts
from orders.services import stage as stages
from orders.services.facts import mark_reserved
from orders.services.journal import SYSTEM, Actor
from orders.services.reservation import line_ids_of, ref_of, want_of
from orders.services.rules import active, kept, reasons, wakes, work
from orders.services.rules.before import Mark, is_ours, locked_counters, marks_of, subjects_of, traces_of
from orders.services.rules.verbs import VERBS, drop_lines
from orders.services.rules.work import Job, Work

log = structlog.get_logger(__name__)

BATCH = 500
APPLIED, TAKEN_BACK = RuleMark.State.APPLIED, RuleMark.State.TAKEN_BACK


@dataclass
class Run:
    """A batch between `prepare` and `finish`. `wants` goes into the transaction's one call of the stock door."""

    work: Work
    verdicts: dict[int, list[Verdict]] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    taken_back: list[Job] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    actor: Actor = SYSTEM

    @property
    def wants(self) -> list[stock.Want]:
        return [
            want_of(
                line.id,
                line.sku_id,
                line.quantity,
                self.work.orders[line.job.order_id]["ship_by"],
                self.work.orders[line.job.order_id]["ordered_at"],
            )
            for line in self.work.lines
        ]


@transaction.atomic
def run(
    order_ids: Sequence[int],
    events: Mapping[int, Collection[str]],
    *,
    actor: Actor = SYSTEM,
    every: bool = False,
) -> Run | None:
    """Judge these orders and act, in a transaction of its own. `events` says what happened to which order; `every`
    asks all rules whose event has happened to the order by now."""
    done = prepare(order_ids, events, actor=actor, every=every)
    if done is not None:
        finish(done, _use_door(done))
    return done


def run_behind(order_ids: Sequence[int], events: Mapping[int, Collection[str]]) -> None:
    """The same inside a transaction whose call of the stock door is spent."""
    done = prepare(order_ids, events, behind=True)
    if done is not None:
        finish(done, set())


def _use_door(done: Run) -> set[str]:
    """Promise the added lines, give back what the dropped ones held: one call, or none."""
    if not done.work.lines and not done.work.let_go:
        return set()
    asked = set_parts.requests_for(done.wants)
    last = (float("inf"), float("inf"))
    return stock.regrant([*asked, *(stock.Request(ref, (), last) for ref in done.work.let_go)])


def prepare(
    order_ids: Sequence[int],
    events: Mapping[int, Collection[str]],
    *,
    behind: bool = False,
    actor: Actor = SYSTEM,
    every: bool = False,
) -> Run | None:
    """Lock, load, decide, act; None when no rule is in force. The caller's transaction; `finish` must follow."""
    force = active.active()
    if not force.rules or not order_ids:
        return None
    done = Run(work.lock(order_ids, behind=behind), actor=actor)
    open_ids = [id_ for id_, row in done.work.orders.items() if is_ours(row)]
    marks, traces = marks_of(open_ids), traces_of(open_ids)
    counters = locked_counters(force.rules)

    def judge(ids: Sequence[int]) -> list[Subject]:
        """A batch; when something in it cannot even be looked at, its halves, until that order stands alone."""
        try:
            with transaction.atomic():
                found = subjects_of(done.work.orders, ids, events, force, marks, traces, every=every)
                done.verdicts |= decide(force.rules, found, today=clock.today(), counters=counters)
                return found
        except (InterfaceError, OperationalError):
            raise
        except Exception as error:  # rules must never keep an order out
            if len(ids) == 1:
                log.exception("rules_failed", order=ids[0])
                done.verdicts[ids[0]] = []
                done.failed[ids[0]] = said("ルールを判定できませんでした（%(error)s）。", error=type(error).__name__)
                return []
        middle = len(ids) // 2
        return [*judge(ids[:middle]), *judge(ids[middle:])]

    subjects = judge(open_ids) if open_ids else []
    _act(done, force.by_id, marks)
    kept.traces(done.verdicts, [*done.jobs, *done.taken_back], force, subjects, traces)
    kept.tallies(done.verdicts, traces)
    return done


def finish(done: Run, granted: set[str]) -> dict[int, str]:
    """Write what the run changed, now that stock has answered; returns order → stage for orders that moved."""
    refused = [line for line in done.work.lines if ref_of(line.id) not in granted]
    for line in refused:
        line.job.done, line.job.note = False, said("在庫がないため、足しませんでした。")
    drop_lines(refused)
    mark_reserved(line_ids_of(granted & {ref_of(line.id) for line in done.work.lines}))
    done.work.write()
    kept.marks(done.jobs, done.taken_back, unfinished=done.work.again)
    kept.entries(done.jobs, done.taken_back, actor=done.actor)
    touched = done.work.restage | reasons.refresh_raised(sorted(done.work.reasons))
    touched |= reasons.refresh_errors(done.failed, [*done.verdicts])
    wakes.put([(order_id, "changed") for order_id in sorted(done.work.again)])
    return {move.order_id: move.after for move in stages.recompute(sorted(touched), actor=done.actor)}


# ---- acting


@dataclass(frozen=True, slots=True)
class Plan:
    """What verdicts come to, given what was done before: `due` jobs, and jobs whose marks no longer have a reason."""

    due: list[Job]
    ended: list[Job]


def plan(
    verdicts: Mapping[int, Sequence[Verdict]],
    rules: Mapping[int, Compiled],
    marks: Mapping[int, Mapping[tuple[int, str], Mark]],
) -> Plan:
    """Nothing is done twice, and what a rule asked before and asks no more has ended."""
    found = Plan([], [])
    for order_id, own_verdicts in verdicts.items():
        own = marks.get(order_id, {})
        for verdict in own_verdicts:
            rule = rules[verdict.rule]
            if verdict.matched is None:
                continue
            asked = {chosen.key for chosen in verdict.chosen if chosen.status in {"do", "late"}}
            found.due.extend(
                Job(order_id, rule, chosen.key, chosen.action, quiet=_is_live(own.get((rule.id, chosen.key))))
                for chosen in verdict.chosen
                if chosen.status == "do" and _is_due(own.get((rule.id, chosen.key)), chosen.action)
            )
            found.ended.extend(
                Job(order_id, rule, mark.key, mark.params | {"do": mark.action}, mark.before, mark.after)
                for mark in own.values()
                if mark.rule == rule.id and mark.state == APPLIED and mark.key not in asked
            )
    return found


def _act(
    done: Run, rules: Mapping[int, Compiled], marks: Mapping[int, Mapping[tuple[int, str], Mark]]
) -> None:  # fmt: skip
    """Take back first, so that what another rule wants now finds its place free."""
    for order_id, verdicts in done.verdicts.items():
        for verdict in verdicts:
            if verdict.error:
                done.failed[order_id] = said(
                    "ルール「%(name)s」を判定できませんでした（%(error)s）。",
                    name=rules[verdict.rule].name,
                    error=verdict.error,
                )
    planned = plan(done.verdicts, rules, marks)
    _take_back(done, planned.ended)
    for code, jobs in _by_action(planned.due).items():
        _do(done, code, jobs)
    done.jobs += planned.due


def _is_due(mark: Mark | None, action: Mapping[str, Any]) -> bool:
    return mark is None or mark.state == TAKEN_BACK or (mark.state == APPLIED and VERBS[action["do"]].again)


def _is_live(mark: Mark | None) -> bool:
    return mark is not None and mark.state == APPLIED


def _by_action(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    found: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        found[job.action["do"]].append(job)
    return found


def _take_back(done: Run, ended: Sequence[Job]) -> None:
    """What the rule no longer wants, where the action allows it and nobody built on it; otherwise it stays."""
    open_to = []
    for job in ended:
        code = job.action["do"]
        late = done.work.orders[job.order_id]["fulfillment_state"] != "none" and not SPECS[code].late
        if VERBS[code].undo is not None and job.action.get("undo", True) and not late:
            open_to.append(job)
        else:
            job.note = said("そのまま残しました。")
    for code, jobs in _by_action(open_to).items():
        _do(done, code, jobs, undo=True)
    done.taken_back += ended


def _do(done: Run, code: str, jobs: Sequence[Job], *, undo: bool = False) -> None:
    """Run a verb over its jobs; when it fails, over each half, until the culprit stands alone and is named."""
    verb = VERBS[code].undo if undo else VERBS[code].run
    assert verb is not None
    try:
        with transaction.atomic():
            verb(done.work, jobs)
            return
    except DatabaseError as error:
        if _is_passing(error):
            raise
        failure: Exception = error
    except Exception as error:  # whatever an action stumbles over concerns this order only
        failure = error
    if len(jobs) == 1:
        job = jobs[0]
        log.warning(
            "rule_action_failed", rule=job.rule.id, order=job.order_id, action=code, error=type(failure).__name__
        )
        job.done, job.note = False, said("処理できませんでした（%(error)s）。", error=type(failure).__name__)
        done.failed[job.order_id] = said(
            "ルール「%(name)s」の「%(action)s」を実行できませんでした（%(error)s）。",
            name=job.rule.name,
            action=SPECS[code].label,
            error=type(failure).__name__,
        )
        return
    middle = len(jobs) // 2
    _do(done, code, jobs[:middle], undo=undo)
    _do(done, code, jobs[middle:], undo=undo)


def _is_passing(error: DatabaseError) -> bool:
    """A deadlock or a lost connection: nothing is wrong with the order."""
    return isinstance(error, InterfaceError | OperationalError)


__all__ = ["BATCH", "Run", "finish", "prepare", "run", "run_behind"]
