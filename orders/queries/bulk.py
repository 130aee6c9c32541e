"""What a preview and a result say about orders that were left out, and the log of all runs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from oms.kernel import scope
from oms.kernel.csv_text import csv_line
from oms.kernel.models import User
from oms.kernel.said import heard
from orders import actions
from orders.actions import Action
from orders.models import BulkRun, Order

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Group:
    """Orders with one cause: how many, and the first of them as (id, number)."""

    why: str
    count: int
    orders: list[tuple[int, str]]

    @property
    def more(self) -> int:
        return self.count - len(self.orders)


def grouped(causes: Mapping[int, str]) -> list[Group]:
    """By cause, the largest group first. One query."""
    ids: dict[str, list[int]] = defaultdict(list)
    for order_id, why in causes.items():
        ids[heard(why)].append(order_id)
    shown = [order_id for own in ids.values() for order_id in own[:SHOWN]]
    numbers = dict(Order.objects.filter(pk__in=shown).values_list("pk", "channel_order_no"))
    groups = [Group(why, len(own), [(id_, numbers.get(id_, "")) for id_ in own[:SHOWN]]) for why, own in ids.items()]
    return sorted(groups, key=lambda group: -group.count)


@dataclass(frozen=True, slots=True)
class Note:
    """What happens to one order."""

    order_id: int
    no: str
    text: str

    @property
    def is_long(self) -> bool:
        return "\n" in str(self.text)

    @property
    def first_line(self) -> str:
        return str(self.text).partition("\n")[0]

    @property
    def rest(self) -> str:
        return str(self.text).partition("\n")[2]


def noted(notes: Mapping[int, str]) -> list[Note]:
    """The first of them, with their orders' numbers. One query."""
    shown = list(notes)[:SHOWN]
    numbers = dict(Order.objects.filter(pk__in=shown).values_list("pk", "channel_order_no"))
    return [Note(order_id, numbers.get(order_id, ""), notes[order_id]) for order_id in shown]


# ---- the log

COUNTS = {
    name: RawSQL(sql, ())
    for name, sql in {
        "chosen": "cardinality(order_ids)",
        "changed": "cardinality(done)",
        "left_out": "(SELECT count(*) FROM jsonb_object_keys(skipped))",
        "broken": "(SELECT count(*) FROM jsonb_object_keys(failed))",
        "back": "cardinality(undone)",
        "not_back": "(SELECT count(*) FROM jsonb_object_keys(undo_skipped))",
    }.items()
}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One run; `may_see` when the person may take its action, and so read its result and take it back."""

    key: UUID
    what: str
    params: str
    who: str
    at: datetime
    state: str
    running: bool
    figures: Mapping[str, int]
    undone_by: str
    undone_at: datetime | None
    undoing: bool
    may_see: bool


def log_rows() -> "QuerySet[BulkRun, Any]":
    """Every run that began, as plain values; the long columns are only counted."""
    begun = BulkRun.objects.exclude(state=BulkRun.State.DRAFT)
    if scope.current().shops:  # whoever is limited sees what they did themselves
        begun = begun.filter(by=scope.current().person)
    return begun.annotate(**COUNTS).values(
        "key", "action", "params", "by", "created_at", "state", "undo_state", "undone_by", "undone_at", *COUNTS
    )


def log_lines(rows: Sequence[Mapping[str, Any]], user: User) -> list[LogLine]:
    """One query, for the people."""
    ids = {row[name] for row in rows for name in ("by", "undone_by")}
    people = {person.pk: str(person) for person in User.objects.filter(pk__in=ids - {None})}
    return [_log_line(row, people, user) for row in rows]


def _log_line(row: Mapping[str, Any], people: Mapping[int, str], user: User) -> LogLine:
    action = actions.get(row["action"])
    return LogLine(
        key=row["key"],
        what=str(action.label) if action else row["action"],
        params=_said(row["params"], action),
        who=people[row["by"]],
        at=row["created_at"],
        state=str(BulkRun.State(row["state"]).label),
        running=row["state"] == BulkRun.State.RUNNING,
        figures={name: row[name] for name in COUNTS},
        undone_by=people.get(row["undone_by"], ""),
        undone_at=row["undone_at"],
        undoing=row["undo_state"] == BulkRun.State.RUNNING,
        may_see=action is not None and row["state"] == BulkRun.State.FINISHED and user.has_perm(action.permission),
    )


def _said(params: Mapping[str, Any], action: Action | None) -> str:
    """What the person had filled in, shortly: only texts speak for themselves, and choices by their names."""
    fields: Mapping[str, forms.Field] = getattr(action.form, "base_fields", {}) if action else {}
    told = [_in_words(value, fields.get(name)) for name, value in params.items() if isinstance(value, str) and value]
    return _("、").join(told)[:80]


def _in_words(value: str, field: forms.Field | None) -> str:
    if isinstance(field, forms.ChoiceField) and isinstance(field.choices, list):
        return str(dict(field.choices).get(value, value))
    return value


def last_of(user: User) -> UUID | None:
    """The newest finished run of this person."""
    newest = BulkRun.objects.filter(by=user, state=BulkRun.State.FINISHED).order_by("-created_at", "-key")
    return newest.values_list("pk", flat=True).first()


# ---- the list of a preview or a result


def told(run: BulkRun) -> dict[int, tuple[str, str]]:
    """What became of each order: a word, and why."""
    found = dict.fromkeys(run.done, (_("変更"), ""))
    found |= {int(order_id): (_("対象外"), why) for order_id, why in run.skipped.items()}
    found |= {int(order_id): (_("失敗"), why) for order_id, why in run.failed.items()}
    found |= dict.fromkeys(run.undone, (_("元に戻した"), ""))
    return found | {int(order_id): (_("変更"), why) for order_id, why in run.undo_skipped.items()}


def csv_lines(order_ids: Sequence[int], said: Mapping[int, tuple[str, str]]) -> Iterator[str]:
    """With a byte order mark, for Excel. A query per thousand orders."""
    yield "\ufeff" + csv_line([_("受注番号"), _("結果"), _("理由")])
    for start in range(0, len(order_ids), 1000):
        portion = order_ids[start : start + 1000]
        numbers = dict(Order.objects.filter(pk__in=portion).values_list("pk", "channel_order_no"))
        for order_id in portion:
            word, why = said.get(order_id, ("", ""))
            yield csv_line([numbers.get(order_id, ""), word, heard(why)])
