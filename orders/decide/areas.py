"""Where no parcel goes, or not in every way: what a company writes of it, one place a line. Pure.

A line names a place: the first digits of postal codes, a prefecture, or 離島. Behind it may stand carriers and ways of
sending, then the line concerns those alone (one of the carriers, one of the ways), and a last day: 「2026/12/05まで」.
English words are understood as well: `Okinawa sagawa cool until:2026/12/05`.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.address import PREFECTURES as WRITINGS
from oms.kernel.address import full_prefecture
from oms.kernel.postal import is_remote_island, postal_digits
from orders.models.order import Carrier

PREFECTURES = frozenset(WRITINGS.values())
ISLANDS = "離島"
CARRIERS = {
    "ヤマト運輸": Carrier.YAMATO,
    "ヤマト": Carrier.YAMATO,
    "佐川急便": Carrier.SAGAWA,
    "佐川": Carrier.SAGAWA,
    "日本郵便": Carrier.JAPANPOST,
    "郵便": Carrier.JAPANPOST,
    "その他": Carrier.OTHER,
    **{carrier.value: carrier for carrier in Carrier},
}
WAYS: dict[str, str | Promise] = {
    "冷蔵": lazy("冷蔵"),
    "冷凍": lazy("冷凍"),
    "代引": lazy("代引"),
    "時間帯": lazy("時間帯指定"),
    "希望日": lazy("日付指定"),
    "宅配": lazy("宅配便"),
    "ポスト投函": lazy("ポスト投函"),
}
IN_OTHER_WORDS: dict[str, set[str]] = {
    "クール": {"冷蔵", "冷凍"},
    "cool": {"冷蔵", "冷凍"},
    "chilled": {"冷蔵"},
    "frozen": {"冷凍"},
    "cod": {"代引"},
    "hours": {"時間帯"},
    "date": {"希望日"},
    "door": {"宅配"},
    "mailbox": {"ポスト投函"},
}
UNTIL = re.compile(r"(?:until:)?(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?:まで)?")
CODE = re.compile(r"〒?[\d-]+")


class Unreadable(ValueError):
    """Says which line, and what of it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Where something shall go, and how; `ways` are keys of `WAYS`."""

    prefecture: str
    postal_code: str
    carrier: str
    ways: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Area:
    """One line. No carriers, or no ways: all of them."""

    place: str
    carriers: frozenset[str] = frozenset()
    ways: frozenset[str] = frozenset()
    until: date | None = None

    def concerns(self, parcel: Parcel, today: date | None) -> bool:
        over = self.until is not None and today is not None and self.until < today
        by_this = not self.carriers or parcel.carrier in self.carriers
        this_way = not self.ways or bool(parcel.ways & self.ways)
        return not over and by_this and this_way and self._holds(parcel)

    def told_ways(self, parcel: Parcel) -> list[str | Promise]:
        """Which ways of this parcel the line is about, in words."""
        return [word for way, word in WAYS.items() if way in self.ways & parcel.ways]

    def _holds(self, parcel: Parcel) -> bool:
        if self.place.isdigit():
            return postal_digits(parcel.postal_code).startswith(self.place)
        if self.place == ISLANDS:
            return is_remote_island(parcel.postal_code)
        return self.place == parcel.prefecture


def read(text: str) -> list[Area]:
    """The lines of a setting. Raises Unreadable."""
    return [_area(line) for line in _lines(text)]


@lru_cache(maxsize=500)
def known(text: str) -> Sequence[Area]:
    """Those of its lines that can be read: a stored setting never keeps orders from being looked at."""
    found = []
    for line in _lines(text):
        with suppress(Unreadable):
            found.append(_area(line))
    return found


def _lines(text: str) -> list[str]:
    return [line for line in re.split(r"[\n、,]", text) if line.strip()]


def _area(line: str) -> Area:
    place, *rest = line.split()
    carriers, ways, until = set[str](), set[str](), None
    for word in rest:
        if word.lower() in CARRIERS:
            carriers.add(CARRIERS[word.lower()].value)
        elif word in WAYS:
            ways.add(word)
        elif word.lower() in IN_OTHER_WORDS:
            ways |= IN_OTHER_WORDS[word.lower()]
        else:
            until = _day(word, line)
    return Area(_place(place, line), frozenset(carriers), frozenset(ways), until)


def _place(word: str, line: str) -> str:
    if word.lower() in {ISLANDS, "islands"}:
        return ISLANDS
    if (prefecture := full_prefecture(word)) in PREFECTURES:
        return prefecture
    if CODE.fullmatch(word) and (digits := postal_digits(word)):
        return digits
    raise Unreadable(
        _("「%(line)s」の「%(word)s」は、郵便番号のはじめの数字・都道府県・離島のどれでもありません。")
        % {"line": line.strip(), "word": word}
    )


def _day(word: str, line: str) -> date:
    try:
        year, month, day = (int(part) for part in UNTIL.fullmatch(word).groups())  # type: ignore[union-attr]
        return date(year, month, day)
    except (AttributeError, ValueError) as error:
        raise Unreadable(
            _(
                "「%(line)s」の「%(word)s」が読み取れません。使える言葉は、ヤマト・佐川・郵便・その他・クール・冷蔵・冷凍・代引・時間帯・"
                "希望日・宅配・ポスト投函と、「2026/12/05まで」です。"
            )
            % {"line": line.strip(), "word": word}
        ) from error


def first(areas: Sequence[Area], parcel: Parcel, today: date | None) -> Area | None:
    """The first line that concerns a parcel."""
    return next((area for area in areas if area.concerns(parcel, today)), None)
