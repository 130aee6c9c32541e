"""What comes back from the carriers' software: files of issued labels with their tracking numbers. Pure.

B2クラウド 発行済データ has the columns of the import (own number first, label number fourth, one line per piece of type
6); e飛伝III and ゆうプリR are read by the names of their columns, since those are chosen in the software.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from fulfillment.tracking import Pasted, PastedLine, normal_tracking_no, own_number, read_pasted, shared_numbers

KEYS = ("お客様管理番号", "お客様側管理番号", "お客様管理ナンバー", "お客様管理no.", "お客様管理no")
REMARKS = ("摘要/記事", "記事", "摘要")
# What the column of numbers is called, and by whose software.
NUMBERS = {
    "伝票番号": "yamato",
    "お問い合せ送り状no.": "sagawa",
    "お問い合せ送り状no": "sagawa",
    "お問合せ送り状no.": "sagawa",
    "お問合せ送り状no": "sagawa",
    "お問い合わせ番号": "japanpost",
    "お問合せ番号": "japanpost",
    "追跡番号": "japanpost",
}
KINDS = ("送り状種類", "送り状種別")
B2_KINDS = set("0123456789A")
B2_SEVERAL = "6"
B2_LEAST, OWN, KIND, NUMBER = 42, 0, 1, 3
_OWN_IN_TEXT = re.compile(r"S(\d{7,12})(?!\d)")


class Unreadable(Exception):
    """Neither UTF-8 nor CP932."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the columns stand; -1 where there is none."""

    carrier: str
    own: int
    number: int
    kind: int = -1
    remark: int = -1


def read_any(content: bytes | str) -> Pasted:
    """A carrier's file, or pasted lines of shipment and number. Raises Unreadable."""
    text = decoded(content) if isinstance(content, bytes) else content
    return read_returned(text) or read_pasted(text)


def decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable


def read_returned(text: str) -> Pasted | None:
    """None where no layout is recognised."""
    rows = _rows(text)
    columns, body = _recognised(rows)
    if columns is None:
        return None
    found: dict[int, list[str]] = {}
    joined, unreadable = set(), []
    for row in body:
        own, number = _own_of(row, columns), normal_tracking_no(_cell(row, columns.number))
        if own is None or not re.fullmatch(r"[0-9A-Z]{1,40}", number):
            unreadable.append(_told(_cell(row, columns.own), number))
            continue
        numbers = found.setdefault(own, [])
        if number not in numbers:
            numbers.append(number)
        if columns.kind >= 0 and _cell(row, columns.kind) == B2_SEVERAL:
            joined.add(own)
    lines = {
        own: PastedLine(own, numbers[0], columns.carrier, numbers=tuple(numbers), joined=own in joined)
        for own, numbers in found.items()
    }
    return Pasted(lines, unreadable, (), shared_numbers(found), source=columns.carrier)


def _rows(text: str) -> list[list[str]]:
    head = text[: text.find("\n")] if "\n" in text else text
    reader = csv.reader(text.splitlines(), delimiter="\t" if "\t" in head else ",")
    return [row for row in reader if any(cell.strip() for cell in row)]


def _recognised(rows: Sequence[Sequence[str]]) -> tuple[_Columns | None, Sequence[Sequence[str]]]:
    if not rows:
        return None, ()
    if columns := _by_names({_name(cell): place for place, cell in reversed(list(enumerate(rows[0])))}):
        return columns, rows[1:]
    if any(_is_b2(row) for row in rows[:5]):
        return _Columns("yamato", OWN, NUMBER, kind=KIND), [row for row in rows if len(row) >= B2_LEAST]
    return None, ()


def _by_names(places: Mapping[str, int]) -> _Columns | None:
    number = next((name for name in NUMBERS if name in places), "")
    own = _first(places, KEYS)
    remark = _first(places, REMARKS)
    if not number or (own < 0 and remark < 0):
        return None
    return _Columns(NUMBERS[number], own, places[number], kind=_first(places, KINDS), remark=remark)


def _first(places: Mapping[str, int], names: Iterable[str]) -> int:
    return next((places[name] for name in names if name in places), -1)


def _name(cell: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", cell)).lower()


def _is_b2(row: Sequence[str]) -> bool:
    if len(row) < B2_LEAST or _cell(row, KIND) not in B2_KINDS:
        return False
    return bool(re.fullmatch(r"\d{11,12}", normal_tracking_no(row[NUMBER])))


def _own_of(row: Sequence[str], columns: _Columns) -> int | None:
    """By the own number; where the layout has none, by what the remark begins with."""
    own = own_number(_cell(row, columns.own))
    if own is not None or columns.remark < 0:
        return own
    match = _OWN_IN_TEXT.search(unicodedata.normalize("NFKC", _cell(row, columns.remark)))
    return int(match[1]) if match else None


def _cell(row: Sequence[str], place: int) -> str:
    return row[place].strip() if 0 <= place < len(row) else ""


def _told(own: str, number: str) -> str:
    """A line by its two numbers alone: the rest of it is somebody's address."""
    return f"{own[:40] or _('管理番号なし')} / {number[:40] or _('送り状番号なし')}"
