"""What the pages of setting versions show: all changes by time, and one setting's versions with what differs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import ndiff
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from oms.kernel.models import SettingVersion, User
from oms.kernel.setting_kinds import EMPTY, KINDS, Content, Kind, Teller, Who
from orders.filter_ranges import midnight

How = SettingVersion.How
TONES = {How.BACK: "attention", How.OUTSIDE: "attention"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; days in Tokyo, both included. Empty words and None do not narrow."""

    since: date
    until: date
    person: int | None = None
    kind: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs. `lines` (sign, text) where one of both sides has several lines."""

    label: str
    before: str
    after: str
    lines: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shown:
    """One version: what it changed, and everything it holds (None: nothing set, the standard holds)."""

    version: SettingVersion
    label: str
    tone: str
    differences: list[Difference]
    whole: list[tuple[str, str]] | None
    current: bool
    may_go_back: bool


def kinds_for(user: User) -> list[Kind]:
    """What this person may set, and so see the versions of."""
    return [kind for kind in KINDS.values() if user.has_perms(kind.rights)]


def changes(wanted: Wanted, kinds: Sequence[Kind]) -> QuerySet[SettingVersion]:
    """Changes of these kinds, for pages by time. First states are none."""
    first, last = midnight(wanted.since), midnight(wanted.until + timedelta(days=1))
    codes = [kind.code for kind in kinds if wanted.kind in {"", kind.code}]
    rows = SettingVersion.objects.filter(kind__in=codes, at__gte=first, at__lt=last).exclude(how=How.FIRST)
    rows = rows.select_related("by").defer("content")
    if wanted.person is not None:
        rows = rows.filter(by=wanted.person)
    if wanted.words:
        rows = rows.filter(
            Q(title__icontains=wanted.words) | Q(note__icontains=wanted.words) | Q(content__icontains=wanted.words)
        )
    return rows


def told(rows: Sequence[SettingVersion]) -> list[dict[str, Any]]:
    """Rows of the list. No query."""
    return [
        {
            "version": row,
            "kind": kind_label(row.kind),
            "label": _("登録") if row.number == 1 else How(row.how).label,
            "tone": TONES.get(How(row.how), "neutral"),
            "fields": len(row.changed) or None,
        }
        for row in rows
    ]


def kind_label(code: str) -> str | Promise:
    return KINDS[code].label if code in KINDS else code


def versions(kind: Kind, ref: str) -> QuerySet[SettingVersion]:
    return SettingVersion.objects.filter(kind=kind.code, ref=ref).select_related("by")


def shown(kind: Kind, ref: str, rows: Sequence[SettingVersion], who: Who) -> list[Shown]:
    """These versions (a page of them, newest first) with what each changed against the one before it."""
    if not rows:
        return []
    numbers = {row.number for row in rows}
    older = versions(kind, ref).filter(number=min(numbers) - 1)
    known = {row.number: row for row in [*rows, *older]}
    newest = versions(kind, ref).order_by("-number").values_list("number", flat=True).first()
    teller = kind.teller(ref, who, [row.content for row in known.values()])
    return [_shown(row, known.get(row.number - 1), kind, teller, current=row.number == newest) for row in rows]


def _shown(row: SettingVersion, before: SettingVersion | None, kind: Kind, teller: Teller, *, current: bool) -> Shown:
    return Shown(
        version=row,
        label=str(How(row.how).label),
        tone=TONES.get(How(row.how), "neutral"),
        differences=differences(teller, before.content, row.content) if before else [],
        whole=whole(teller, row.content),
        current=current,
        may_go_back=not current and (row.content is not None or kind.reset is not None),
    )


def whole(teller: Teller, content: Content) -> list[tuple[str, str]] | None:
    if content is None:
        return None
    return [(teller.label(name), teller.text(name, content[name])) for name in teller.names if name in content]


def differences(teller: Teller, before: Content, after: Content) -> list[Difference]:
    """Field by field, in the order of the form. What this person may not see is no field of it. Where one side has
    nothing set, what the other leaves empty is no difference to tell."""
    found, one_sided = [], before is None or after is None
    for name in teller.names:
        old, new = ((content or {}).get(name) for content in (before, after))
        if old == new:
            continue
        told, told_new = teller.text(name, old), teller.text(name, new)
        if told != told_new or not one_sided:
            found.append(_difference(teller.label(name), told, told_new))
    return found


def _difference(label: str, before: str, after: str) -> Difference:
    if "\n" not in before + after:
        return Difference(label, before, after)
    old, new = ([] if text == EMPTY else text.splitlines() for text in (before, after))
    compared = ndiff(old, new)
    lines = [(line[0], line[2:]) for line in compared if line[0] in "+- "]
    return Difference(label, before, after, lines)
