"""What is known when a document is checked, what was found, and readers of plain values: each names its fault. Pure."""

from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from django.utils.translation import gettext as _

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """The names a document may refer to. Empty sets of `tags` never matter: a new tag is fine."""

    channels: frozenset[str] = frozenset()
    shops: frozenset[str] = frozenset()
    locations: frozenset[str] = frozenset()
    skus: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    mail_texts: frozenset[str] = frozenset()
    ranks: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()


@dataclass
class Checked:
    """The document in its normal form, and (place, sentence) for each fault. Only a faultless one may be stored."""

    document: Document
    faults: list[tuple[str, str]] = field(default_factory=list)
    nodes: int = 0

    def fault(self, place: str, text: str) -> None:
        self.faults.append((place, text))


def integer(value: Any, place: str, result: Checked, least: int, most: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        result.fault(
            place, _("%(least)s から %(most)s までの整数を入力してください。") % {"least": least, "most": most}
        )
        return max(least, min(most, number))
    return number


def names_of(value: Any, place: str, names: frozenset[str], result: Checked) -> list[str]:
    if not isinstance(value, list):
        result.fault(place, _("一覧の形で指定してください。"))
        return []
    for name in value:
        if name not in names:
            result.fault(place, _("「%(name)s」は見つかりません。") % {"name": name})
    return [str(name) for name in value]


def day_or_none(value: Any, place: str, result: Checked) -> str | None:
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        result.fault(place, _("日付は 2026-06-01 の形で入力してください。"))
        return None


def time_of_day(value: Any, place: str, result: Checked) -> str:
    try:
        return time.fromisoformat(str(value)).strftime("%H:%M")
    except ValueError:
        result.fault(place, _("時刻は 09:30 の形で入力してください。"))
        return "00:00"
