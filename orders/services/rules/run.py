"""Rules at work: a batch of orders is judged, and what the verdicts ask is done, each action once.

`prepare` locks the orders and does everything but stock; `finish` comes after the one call of the stock door. `run` is
both with the door in between, for a transaction of its own; `run_behind` is for transactions that have used the door:
lines that a rule adds or takes back are then left to the worker, which comes at once.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from psycopg.types.json import Jsonb

from inventory.services import stock
from oms.kernel import clock
from oms.kernel.said import said, stored, together
from oms.kernel.sql import copy_rows
from orders.decide.rules.actions import SPECS
from orders.decide.rules.engine import Compiled, Counters, Subject, Verdict, decide, print_of
from orders.decide.rules.sentence import params_said
from orders.models import RuleMark
from orders.services import journal, set_parts
from orders.services import stage as stages
from orders.services.facts import mark_reserved
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.reservation import line_ids_of, ref_of, want_of
from orders.services.rules import active, facts, reasons, wakes, work
from orders.services.rules.verbs import VERBS, drop_lines, from_json
from orders.services.rules.work import Job, Work

log = structlog.get_logger(__name__)

BATCH = 500
APPLIED, TAKEN_BACK, KEPT = RuleMark.State.APPLIED, RuleMark.State.TAKEN_BACK, RuleMark.State.KEPT
ABSENT: frozenset[str] = frozenset()
MONEY = {"add_fee": ("fees", 1), "add_discount": ("discount", -1)}  # action → its column, and what it does to `total`


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
    counters = _counters(force.rules)

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
    _write_traces(done, force, subjects, traces)
    _write_tallies(done, traces)
    return done


def finish(done: Run, granted: set[str]) -> dict[int, str]:
    """Write what the run changed, now that stock has answered; returns order → stage for orders that moved."""
    refused = [line for line in done.work.lines if ref_of(line.id) not in granted]
    for line in refused:
        line.job.done, line.job.note = False, said("在庫がないため、足しませんでした。")
    drop_lines(refused)
    mark_reserved(line_ids_of(granted & {ref_of(line.id) for line in done.work.lines}))
    done.work.write()
    _write_marks(done)
    _write_journal(done)
    touched = done.work.restage | reasons.refresh_raised(sorted(done.work.reasons))
    touched |= reasons.refresh_errors(done.failed, [*done.verdicts])
    wakes.put([(order_id, "changed") for order_id in sorted(done.work.again)])
    return {move.order_id: move.after for move in stages.recompute(sorted(touched), actor=done.actor)}


def happened(row: Mapping[str, Any]) -> frozenset[str]:
    """The events that lie behind an order, as its columns tell. Moments of time are not among them."""
    events = {"imported", f"stage_entered:{row['stage']}"}
    events |= {"paid"} if row["payment_state"] == "paid" else set()
    events |= {"confirmed"} if row["confirmed_at"] else set()
    events |= {"allocated", "shipment_planned"} if row["allocation_state"] == "full" else set()
    events |= {"instructed"} if row["fulfillment_state"] != "none" else set()
    events |= {"parcel_returned"} if row["came_back"] else set()
    return frozenset(events | ({"shipped"} if row["shipped_at"] else set()))


def is_ours(row: Mapping[str, Any]) -> bool:
    """Rules leave alone what is cancelled or shipped by the channel."""
    return not row["cancelled_at"] and not row["fulfilled_by_channel"]


# ---- what is known before


@dataclass(frozen=True, slots=True)
class Mark:
    id: int
    rule: int
    version: int
    key: str
    action: str
    params: dict[str, Any]
    before: Any
    after: Any
    state: str


def marks_of(order_ids: Sequence[int]) -> dict[int, dict[tuple[int, str], Mark]]:
    found: dict[int, dict[tuple[int, str], Mark]] = defaultdict(dict)
    rows = RuleMark.objects.filter(order__in=order_ids).order_by("pk")
    for order_id, *values in rows.values_list(
        "order", "pk", "rule", "version", "key", "action", "params", "before", "after", "state"
    ):
        mark = Mark(*values)
        found[order_id][mark.rule, mark.key] = mark
    return found


def traces_of(order_ids: Sequence[int]) -> dict[int, tuple[list[dict[str, Any]], dict[str, Any]]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT order_id, rows, seen FROM orders_ruletrace WHERE order_id = ANY(%s)", [list(order_ids)])
        return {order_id: (_read(rows), _read(seen)) for order_id, rows, seen in cursor.fetchall()}


def _read(value: Any) -> Any:
    """Raw cursors give jsonb as text."""
    return json.loads(value) if isinstance(value, str) else value


def undone(row: Mapping[str, Any], marks: Iterable[Mark]) -> dict[str, Any]:
    """Columns of an order as they would be without what rules did, newest mark first."""
    values: dict[str, Any] = {}
    tags = list(row["tags"])
    for mark in reversed([mark for mark in marks if mark.state == APPLIED]):
        if mark.action in MONEY and mark.after and "amount" in mark.after:
            name, sign = MONEY[mark.action]
            values[name] = values.get(name, row[name]) - mark.after["amount"]
            values["total"] = values.get("total", row["total"] or 0) - sign * mark.after["amount"]
            continue
        if mark.action == "add_tag" and not mark.before["had"]:
            tags = [tag for tag in tags if tag != mark.params["tag"]]
        elif mark.action == "remove_tag" and mark.before["had"]:
            tags.append(mark.params["tag"])
        elif isinstance(mark.before, dict) and isinstance(mark.after, dict):
            values |= _column_before(row, values, mark)
    return values | {"tags": tags}


def _column_before(row: Mapping[str, Any], values: Mapping[str, Any], mark: Mark) -> dict[str, Any]:
    now = {name: work.kept({name: values.get(name, row.get(name))})[name] for name in mark.after}
    if not mark.after.keys() <= work.TYPES.keys() or now != mark.after:
        return {}
    found = {name: from_json(name, value) for name, value in mark.before.items()}
    return found | ({"held": found["held_at"] is not None} if "held_at" in found else {})


def subjects_of(  # noqa: PLR0917 - what is known of them, loaded once by the caller
    orders: Mapping[int, Mapping[str, Any]],
    order_ids: Sequence[int],
    events: Mapping[int, Collection[str]],
    force: active.Active,
    marks: Mapping[int, Mapping[tuple[int, str], Mark]],
    traces: Mapping[int, tuple[list[dict[str, Any]], dict[str, Any]]],
    *,
    every: bool = False,
) -> list[Subject]:
    """The orders as rules see them; `orders` are their rows as `work.lock` reads them."""
    base = {id_: undone(orders[id_], marks.get(id_, {}).values()) for id_ in order_ids}
    loaded = facts.load(order_ids, force.keys, now=clock.now(), undone=base)
    subjects = []
    for id_ in order_ids:
        rows, seen = traces.get(id_, ([], {}))
        loaded[id_] |= {f"seen:{key}": value for key, value in seen.items()}
        live = [mark for mark in marks.get(id_, {}).values() if mark.state == APPLIED]
        subjects.append(
            Subject(
                id_,
                loaded[id_],
                frozenset(events.get(id_, ABSENT)) | (happened(orders[id_]) if every else ABSENT),
                frozenset(row["rule"] for row in rows),
                frozenset(mark.rule for mark in live),
                late=orders[id_]["fulfillment_state"] != "none" or orders[id_]["shipped_at"] is not None,
            )
        )
    return subjects


def _counters(rules: Sequence[Compiled]) -> Counters:
    """How often counting rules have worked. One batch at a time counts a rule, or two would both be the twentieth."""
    counting = sorted(rule.id for rule in rules if rule.counts)
    if not counting:
        return Counters()
    with connection.cursor() as cursor:
        for rule_id in counting:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('orders_rule'), %s)", [rule_id])
        return count(counting)


def count(rule_ids: Sequence[int]) -> Counters:
    """The counters as they stand."""
    counters = Counters()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.rule_id, o.member_id, count(DISTINCT m.order_id) FROM orders_rulemark m "
            "JOIN orders_order o ON o.id = m.order_id WHERE m.rule_id = ANY(%s) AND m.state = 'applied' GROUP BY 1, 2",
            [list(rule_ids)],
        )
        for rule_id, member_id, orders in cursor.fetchall():
            counters.total[rule_id] = counters.total.get(rule_id, 0) + orders
            if member_id:
                counters.member[rule_id, member_id] = orders
    return counters


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


# ---- writing


MARK = """
INSERT INTO orders_rulemark (order_id, rule_id, version, key, action, params, before, after, state, at)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::text[], %s::text[], %s::jsonb[], %s::jsonb[],
                     %s::jsonb[], %s::text[], %s::timestamptz[])
ON CONFLICT (order_id, rule_id, key) DO UPDATE SET version = excluded.version, before = excluded.before,
   after = excluded.after, state = excluded.state, at = excluded.at, params = excluded.params
 WHERE orders_rulemark.state <> 'applied'
"""


def _write_marks(done: Run) -> None:
    now = clock.now()
    rows = [
        (job.order_id, job.rule.id, job.rule.version, job.key, job.action["do"],
         Jsonb({name: value for name, value in job.action.items() if name != "do"}), Jsonb(job.before),
         Jsonb(job.after), APPLIED, now)
        for job in done.jobs if job.done
    ]  # fmt: skip
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(MARK, [list(column) for column in zip(*rows, strict=True)])
    for state, gone in ((TAKEN_BACK, True), (KEPT, False)):
        for job in done.taken_back:
            if job.done is gone and job.order_id not in done.work.again:
                RuleMark.objects.filter(order=job.order_id, rule=job.rule.id, key=job.key).update(state=state, at=now)


def _write_journal(done: Run) -> None:
    """One entry per order and rule for what was done, one for what was taken back."""
    parts: dict[tuple[int, int, str], list[Job]] = defaultdict(list)
    for kind, jobs in (("rule", done.jobs), ("rule_undone", done.taken_back)):
        for job in jobs:
            if job.done and not job.quiet:
                parts[job.order_id, job.rule.id, kind].append(job)
    journal.write([_entry(*key, jobs) for key, jobs in parts.items()], actor=done.actor)


def _entry(order_id: int, _rule: int, kind: str, jobs: Sequence[Job]) -> Entry:
    rule = jobs[0].rule
    deeds = [together([deed(job.action), job.note], " ") for job in jobs]
    changes = {
        name: (str(job.before.get(name, "")), str(value))
        for job in jobs
        if kind == "rule" and isinstance(job.after, dict) and isinstance(job.before, dict)
        for name, value in job.after.items()
        if name in work.TYPES
    }
    return Entry(
        order_id,
        kind,
        said("ルール「%(name)s」第%(version)s版: %(deeds)s", name=rule.name, version=rule.version, deeds=deeds),
        changes,
    )


def deed(action: Mapping[str, Any]) -> str:
    """タグを付ける（先日付）: an action in a few words for journals and traces."""
    shown = params_said(action)
    label = SPECS[action["do"]].label
    return said("%(deed)s（%(what)s）", deed=label, what=together(shown, "・")) if shown else said(label)


def _write_traces(
    done: Run, force: active.Active, subjects: Sequence[Subject], traces: Mapping[int, tuple[Any, Any]]
) -> None:
    """Rows of rules that were not asked this time stay as they were."""
    notes = {(job.order_id, job.rule.id, job.key): job.note for job in [*done.jobs, *done.taken_back] if job.note}
    watched = frozenset().union(*(rule.watched for rule in force.rules))
    rows = []
    for subject in subjects:
        fresh = {verdict.rule: _with_notes(verdict.row, subject.id, notes) for verdict in done.verdicts[subject.id]}
        before = traces.get(subject.id, ([], {}))[0]
        kept = [row for row in before if row["rule"] not in fresh and row["rule"] in force.by_id]
        seen = {key: print_of(subject.facts[key]) for key in watched if key in subject.facts}
        if fresh or kept or seen:
            rows.append((subject.id, Jsonb([*kept, *fresh.values()]), Jsonb(seen)))
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_ruletrace (order_id, rows, seen, at) "
            "SELECT id, rows, seen, %s FROM unnest(%s::bigint[], %s::jsonb[], %s::jsonb[]) AS t(id, rows, seen) "
            "ON CONFLICT (order_id) DO UPDATE SET rows = excluded.rows, seen = excluded.seen, at = excluded.at",
            [clock.now(), *(list(column) for column in zip(*rows, strict=True))],
        )


def _with_notes(row: dict[str, Any], order_id: int, notes: Mapping[tuple[int, int, str], str]) -> dict[str, Any]:
    for action in row["actions"]:
        if note := notes.get((order_id, row["rule"], action["key"])):
            action["note"] = stored(note)
    return row


def _write_tallies(done: Run, traces: Mapping[int, tuple[list[dict[str, Any]], Any]]) -> None:
    """A hit is counted when the rule matches an order that it did not match before."""
    hits: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for order_id, verdicts in done.verdicts.items():
        before = {row["rule"] for row in traces.get(order_id, ([], {}))[0] if row["matched"]}
        for verdict in verdicts:
            new = bool(verdict.matched) and verdict.rule not in before
            overruled = new and any(chosen.status == "overruled" for chosen in verdict.chosen)
            for place, counted in enumerate((new, overruled, bool(verdict.error))):
                hits[verdict.rule][place] += counted
    now = clock.now()
    copy_rows(
        "orders_ruletally",
        ["rule_id", "day", "hits", "overruled", "errors", "last_at"],
        [(rule, clock.today(), *figures, now) for rule, figures in hits.items() if any(figures)],
    )


__all__ = ["BATCH", "Run", "finish", "prepare", "run", "run_behind"]
