"""Cells of the carriers' files: cleaned text, measured widths, and parcels that are held back instead of cut. Pure.

Encoding CP932, line end CRLF, no byte order mark. Commas, quotation marks and line breaks are taken out of every text,
because some of the tools behind the import break at them even where they are quoted.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import jaconv
from django.utils.translation import gettext as _

from oms.kernel.label import width
from oms.kernel.text import cp932_form, to_cp932_problems

_PLAIN = re.compile(r"[0-9A-Za-z\-/]*")  # codes, numbers and days: most cells
_OWN_LETTERS = re.compile("[\ue000-\uf8ff]")  # CP932 has room for a computer's own letters; no printer knows them


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a parcel is held back and what to do, in words. `setting`: the place's contract lacks something."""

    text: str
    setting: bool = False


class Held(Exception):
    """This parcel does not go into the file."""

    def __init__(self, causes: Sequence[Cause]) -> None:
        super().__init__(*(cause.text for cause in causes))
        self.causes = causes


@dataclass(frozen=True, slots=True)
class Column:
    """`width`: the most half-width units (0: any number); with `full` every letter counts as a full-width one.
    `setting`: its text comes from the contract, so that is where a fault is mended."""

    name: str
    width: int = 0
    required: bool = False
    full: bool = False
    setting: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """The lines of one parcel; `notes` say what was written differently from what was wished."""

    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=tuple)


def clean(text: str, letters: Mapping[str, str]) -> str:
    """As it may stand in a cell, with every harmless replacement done."""
    if _PLAIN.fullmatch(text):
        return text
    return " ".join(cp932_form(re.sub(r'[,"\x00-\x1f\x7f-\x9f]', " ", text), letters).split())


def full_width(text: str) -> str:
    """ABC-1ｶﾞ → ＡＢＣ－１ガ: Sagawa's lines are counted so, and are therefore written so."""
    wide: str = jaconv.h2z(text, kana=True, ascii=True, digit=True)
    return wide


def row_of(columns: Sequence[Column], values: Mapping[str, str], letters: Mapping[str, str]) -> list[str]:
    """The cells in the columns' order. Raises Held with everything that is missing, too long or unprintable."""
    if strange := values.keys() - {column.name for column in columns}:
        raise ValueError(f"no such column: {strange}")
    row = [clean(text, letters) if (text := values.get(column.name)) else "" for column in columns]
    looked_at = ((column, text) for column, text in zip(columns, row, strict=True) if text or column.required)
    if causes := [cause for column, text in looked_at for cause in _faults(column, text)]:
        raise Held(causes)
    return row


def _faults(column: Column, text: str) -> Iterable[Cause]:
    if not text:
        yield Cause(_("「%(column)s」がありません。") % {"column": column.name}, column.setting)
        return
    if len(text) <= column.width // 2 and _PLAIN.fullmatch(text):
        return
    if letters := [*to_cp932_problems(text), *_OWN_LETTERS.findall(text)]:
        yield unprintable(column.name, letters, setting=column.setting)
    over = width(text, full=column.full) - column.width
    if column.width and over > 0:
        yield too_long(column.name, over, setting=column.setting)


def unprintable(part: str, letters: Iterable[str], *, setting: bool = False) -> Cause:
    text = _(
        "「%(part)s」に送り状で使えない文字があります: %(letters)s "
        "別の字に直すか、設定の「文字の置き換え」に加えてください。"
    )
    return Cause(text % {"part": part, "letters": " ".join(letters)}, setting)


def too_long(part: str, over: int, *, setting: bool = False) -> Cause:
    """`over` in half-width units."""
    text = _("「%(part)s」が送り状の欄より全角%(n)s文字分長いです。短く直してください。")
    return Cause(text % {"part": part, "n": (over + 1) // 2}, setting)


def file_of(rows: Iterable[Sequence[str]], *, quoted: bool = True) -> bytes:
    """The rows as a file. Cells hold neither quotation marks nor commas, so quoting needs no doubling."""
    mark = '"' if quoted else ""
    lines = (",".join(f"{mark}{cell}{mark}" for cell in row) + "\r\n" for row in rows)
    return "".join(lines).encode("cp932")
