"""What a run leaves: marks of what was done, the journal, each order's trace, each rule's figures."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from oms.kernel import clock
from oms.kernel.said import said, stored, together
from oms.kernel.sql import copy_rows
from orders.decide.rules.actions import SPECS
from orders.decide.rules.engine import Subject, Verdict, print_of
from orders.decide.rules.sentence import Names, params_said, spoken_action
from orders.models import RuleMark
from orders.services import journal
from orders.services.journal import Actor, Entry
from orders.services.rules import active, names, work
from orders.services.rules.work import Job

APPLIED, TAKEN_BACK, KEPT = RuleMark.State.APPLIED, RuleMark.State.TAKEN_BACK, RuleMark.State.KEPT
Traces = Mapping[int, tuple[list[dict[str, Any]], Any]]

MARK = """
INSERT INTO orders_rulemark (order_id, rule_id, version, key, action, params, before, after, state, at)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::text[], %s::text[], %s::jsonb[], %s::jsonb[],
                     %s::jsonb[], %s::text[], %s::timestamptz[])
ON CONFLICT (order_id, rule_id, key) DO UPDATE SET version = excluded.version, before = excluded.before,
   after = excluded.after, state = excluded.state, at = excluded.at, params = excluded.params
 WHERE orders_rulemark.state <> 'applied'
"""


def marks(jobs: Sequence[Job], taken_back: Sequence[Job], *, unfinished: Collection[int]) -> None:
    """`unfinished`: orders whose jobs are done by the next run."""
    now = clock.now()
    rows = [
        (job.order_id, job.rule.id, job.rule.version, job.key, job.action["do"],
         Jsonb({name: value for name, value in job.action.items() if name != "do"}), Jsonb(job.before),
         Jsonb(job.after), APPLIED, now)
        for job in jobs if job.done
    ]  # fmt: skip
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(MARK, [list(column) for column in zip(*rows, strict=True)])
    for state, gone in ((TAKEN_BACK, True), (KEPT, False)):
        for job in taken_back:
            if job.done is gone and job.order_id not in unfinished:
                RuleMark.objects.filter(order=job.order_id, rule=job.rule.id, key=job.key).update(state=state, at=now)


def entries(jobs: Sequence[Job], taken_back: Sequence[Job], *, actor: Actor) -> None:
    """One entry per order and rule for what was done, one for what was taken back."""
    parts: dict[tuple[int, int, str], list[Job]] = defaultdict(list)
    for kind, own in (("rule", jobs), ("rule_undone", taken_back)):
        for job in own:
            if job.done and not job.quiet:
                parts[job.order_id, job.rule.id, kind].append(job)
    called = names.names_in(job.action for own in parts.values() for job in own)
    journal.write([_entry(*key, own, called) for key, own in parts.items()], actor=actor)


def _entry(order_id: int, _rule: int, kind: str, jobs: Sequence[Job], called: Names) -> Entry:
    rule = jobs[0].rule
    deeds = [together([deed(job.action, called), job.note], " ") for job in jobs]
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


def deed(action: Mapping[str, Any], called: Names) -> str:
    """タグを付ける（先日付）: an action in a few words for journals and traces."""
    shown = params_said(spoken_action(action, called))
    label = SPECS[action["do"]].label
    return said("%(deed)s（%(what)s）", deed=label, what=together(shown, "・")) if shown else said(label)


def traces(
    verdicts: Mapping[int, Sequence[Verdict]],
    jobs: Sequence[Job],
    force: active.Active,
    subjects: Sequence[Subject],
    before: Traces,
) -> None:
    """Rows of rules that were not asked this time stay as they were."""
    notes = {(job.order_id, job.rule.id, job.key): job.note for job in jobs if job.note}
    watched = frozenset().union(*(rule.watched for rule in force.rules))
    rows = []
    for subject in subjects:
        fresh = {verdict.rule: _with_notes(verdict.row, subject.id, notes) for verdict in verdicts[subject.id]}
        kept = [
            row
            for row in before.get(subject.id, ([], {}))[0]
            if row["rule"] not in fresh and row["rule"] in force.by_id
        ]
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


def tallies(verdicts: Mapping[int, Sequence[Verdict]], before: Traces) -> None:
    """A hit is counted when the rule matches an order that it did not match before."""
    hits: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    rivals: Counter[tuple[int, int]] = Counter()
    for order_id, own in verdicts.items():
        matched = {row["rule"] for row in before.get(order_id, ([], {}))[0] if row["matched"]}
        for verdict in own:
            new = bool(verdict.matched) and verdict.rule not in matched
            by = {chosen.by for chosen in verdict.chosen if chosen.status == "overruled"} if new else set()
            rivals.update((verdict.rule, rival) for rival in by)
            for place, counted in enumerate((new, bool(by), bool(verdict.error))):
                hits[verdict.rule][place] += counted
    now = clock.now()
    copy_rows(
        "orders_ruletally",
        ["rule_id", "rival_id", "day", "hits", "overruled", "errors", "last_at"],
        [
            *((rule, None, clock.today(), *figures, now) for rule, figures in hits.items() if any(figures)),
            *((rule, rival, clock.today(), 0, times, 0, now) for (rule, rival), times in rivals.items()),
        ],
    )
