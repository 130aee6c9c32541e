"""The log of exports, and what a run's page tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _
from django.utils.translation import override

from oms.kernel import scope
from oms.kernel.clock import in_tokyo
from oms.kernel.models import User
from oms.kernel.said import heard
from orders.decide.export_columns import READY_MADE
from orders.filter_ranges import midnight
from orders.models import DocumentEvent, ExportFormat, ExportRun, MoveInEvent
from orders.models.moving_in import PERSONAL_KINDS

MOST_SHOWN = 100

COUNTS = {
    "chosen": RawSQL("cardinality(order_ids)", ()),
    "taken": RawSQL(
        "(SELECT count(*) FROM orders_exportevent e WHERE e.run_id = orders_exportrun.key AND e.kind = 'downloaded')",
        (),
    ),
}


@dataclass(frozen=True, slots=True)
class LogLine:
    """`own`: the person's own, whose file may be taken."""

    key: UUID
    at: datetime
    who: str
    what: str
    kind: str
    chosen: int
    rows: int
    taken: int
    personal: bool
    reason: str
    state: str
    state_label: str
    tone: str
    own: bool


TONES = {"running": "info", "finished": "done", "failed": "danger", "gone": "neutral"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the log is narrowed by; days in Tokyo, both included. Empty words and None do not narrow."""

    since: date | None = None
    until: date | None = None
    person: int | None = None
    personal: bool = False
    words: str = ""


def log_rows(wanted: Wanted) -> "QuerySet[ExportRun, Any]":
    """Every export that began, as plain values; the long column is only counted."""
    begun = ExportRun.objects.exclude(state=ExportRun.State.DRAFT)
    begun = begun.filter(_days("created_at", wanted), *([Q(by=wanted.person)] if wanted.person else []))
    if wanted.personal:
        begun = begun.filter(personal=True)
    if wanted.words:
        begun = begun.filter(Q(reason__icontains=wanted.words) | Q(layout_name__icontains=wanted.words))
    if scope.current().shops:  # whoever is limited sees what they did themselves
        begun = begun.filter(by=scope.current().person)
    return begun.annotate(**COUNTS).values(
        "key", "created_at", "by", "layout_name", "format", "rows", "personal", "reason", "state", *COUNTS
    )


def log_lines(rows: Sequence[Mapping[str, Any]], user: User) -> list[LogLine]:
    """One query, for the people."""
    people = {person.pk: str(person) for person in User.objects.filter(pk__in={row["by"] for row in rows})}
    return [
        LogLine(
            key=row["key"],
            at=row["created_at"],
            who=people[row["by"]],
            what=shown_name(row["layout_name"]),
            kind=str(ExportFormat(row["format"]).label),
            chosen=row["chosen"],
            rows=row["rows"],
            taken=row["taken"],
            personal=row["personal"],
            reason=row["reason"],
            state=row["state"],
            state_label=str(ExportRun.State(row["state"]).label),
            tone=TONES[row["state"]],
            own=row["by"] == user.pk,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Taken:
    at: datetime
    by: int | None
    why: str
    n: int
    who: str = ""
    what: str = ""


def papers_taken(wanted: Wanted) -> Sequence[Taken]:
    """Issued papers that were taken out, one row for each time: at, who, why, how many. Two queries."""
    rows: Any = DocumentEvent.objects.filter(_days("at", wanted), kind=DocumentEvent.Kind.EXPORTED)
    if scope.current().shops:
        rows = rows.filter(by=scope.current().person)
    if wanted.person:
        rows = rows.filter(by=wanted.person)
    if wanted.words:
        rows = rows.filter(text__icontains=wanted.words)
    grouped = rows.values_list("at", "by", "text").annotate(n=Count("pk")).order_by("-at")[:MOST_SHOWN]
    return _with_names([Taken(at, by, heard(text), n) for at, by, text, n in grouped])


def lines_taken(wanted: Wanted) -> Sequence[Taken]:
    """The same of the unreadable lines of files from a system used before; `n` counts the lines. Two queries."""
    rows = MoveInEvent.objects.filter(_days("at", wanted), kind="taken", move__kind__in=PERSONAL_KINDS)
    if scope.current().shops:
        rows = rows.filter(by=scope.current().person)
    if wanted.person:
        rows = rows.filter(by=wanted.person)
    if wanted.words:
        rows = rows.filter(Q(text__icontains=wanted.words) | Q(move__name__icontains=wanted.words))
    told = rows.order_by("-at", "-pk").values_list("at", "by", "text", "move__bad", "move__name")[:MOST_SHOWN]
    return _with_names([Taken(at, by, why, n, what=name) for at, by, why, n, name in told])


def _with_names(found: Sequence[Taken]) -> Sequence[Taken]:
    people = {person.pk: str(person) for person in User.objects.filter(pk__in={row.by for row in found})}
    return [replace(row, who=people.get(row.by or 0, "–")) for row in found]


def _days(name: str, wanted: Wanted) -> Q:
    found = Q()
    if wanted.since:
        found &= Q(**{f"{name}__gte": midnight(wanted.since)})
    if wanted.until:
        found &= Q(**{f"{name}__lt": midnight(wanted.until + timedelta(days=1))})
    return found


def shown_name(name: str) -> str:
    """A ready-made layout in the reader's language, whoever used it; a saved one as it was called."""
    for layout in READY_MADE:
        for language in ("ja", "en"):
            with override(language):
                same = str(layout.name) == name
            if same:
                return str(layout.name)
    return name


def file_name(run: ExportRun) -> str:
    """受注一覧_20261129-0915.csv"""
    ending = "xlsx" if run.format == ExportFormat.XLSX else "csv"
    name = "".join("_" if char in '\\/:*?"<>|' else char for char in run.layout_name) or _("受注")
    return f"{name}_{in_tokyo(run.created_at):%Y%m%d-%H%M}.{ending}"
