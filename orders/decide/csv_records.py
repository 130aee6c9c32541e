"""Records out of the lines of a CSV file, where one broken line must not cost the others. Pure."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from oms.kernel.said import said

MOST_JOINED = 200  # lines of one record; more is a quotation mark that nobody closed
LOST = re.compile("[\udc80-\udcff]")  # bytes that are no letter, as `surrogateescape` keeps them
MOST_SHOWN = 2_000  # characters of a line that is no record
TOO_LONG = "field larger than field limit"
UNCLOSED = "unexpected end of data"  # what `csv` says in strict mode


@dataclass(frozen=True, slots=True)
class Record:
    """`fault` says why it cannot be read; its cells are then what there is to show."""

    cells: list[str]
    fault: str = ""


def records(lines: Iterable[str], delimiter: str) -> Iterator[Record]:
    """The head's record, then each further one, or its fault: lost letters, quotation marks, more cells than heads."""
    ahead, coming = deque[str](), iter(lines)
    width = 0
    while (line := ahead.popleft() if ahead else next(coming, None)) is not None:
        joined, cells, why = _joined(line, ahead, coming, delimiter, width)
        if cells is None:
            ahead.extendleft(reversed(joined[1:]))
            cells, fault = [_shown(line.rstrip("\r\n"))[:MOST_SHOWN]], _broken(why)
        else:
            fault = _fault_of(cells, width, delimiter)
            cells = [_shown(cell) for cell in cells]
        width = width or len(cells)
        yield Record(cells, fault)


def _joined(
    line: str, ahead: deque[str], coming: Iterator[str], delimiter: str, width: int
) -> tuple[list[str], list[str] | None, str]:
    """(lines of the record, its cells or None, what is wrong): a quoted cell may hold line ends."""
    joined = [line]
    whole_alone = len(line.split(delimiter)) == width
    while True:
        try:
            return joined, next(csv.reader(joined, delimiter=delimiter, strict=True), []), ""
        except csv.Error as broken:
            if UNCLOSED not in str(broken):
                return joined, None, str(broken)
        more = _up_to_a_mark(joined, ahead, coming)
        if not more or len(joined) > MOST_JOINED:
            return joined, None, UNCLOSED
        # A line that would be whole by itself, and another one: not one remark of two lines, but a mark left open.
        if whole_alone and any(len(one.split(delimiter)) == width for one in more):
            return joined, None, UNCLOSED


def _up_to_a_mark(joined: list[str], ahead: deque[str], coming: Iterator[str]) -> list[str]:
    """Add lines up to the next one that can close the cell; returns those added."""
    more: list[str] = []
    while len(joined) <= MOST_JOINED:
        line = ahead.popleft() if ahead else next(coming, None)
        if line is None:
            break
        joined.append(line)
        more.append(line)
        if '"' in line:
            break
    return more


def _broken(why: str) -> str:
    if UNCLOSED in why:
        return said('引用符（"）が閉じていません。この行の「"」を消すか、セルの終わりにも付けてください。')
    if TOO_LONG in why:
        return said("長すぎるセルがあります。13万文字までにしてください。")
    return said('引用符（"）の使い方を読み取れません。セルの中の「"」は「""」と書いてください。')


def _fault_of(cells: list[str], width: int, delimiter: str) -> str:
    if width and any(cell.strip() for cell in cells[width:]):
        return said(
            "セルが%(n)d個あり、見出しの%(most)d個より多い行です。"
            "「1,200」のように区切り文字（%(mark)s）を含むセルは、引用符（\"）で囲むか、区切り文字を取ってください。",
            n=len(cells), most=width, mark={"\t": "TAB"}.get(delimiter, delimiter),
        )  # fmt: skip
    if lost := next((cell for cell in cells if LOST.search(cell)), ""):
        return said("読み取れない文字があります: %(cell)s。その文字を打ち直してください。", cell=_shown(lost)[:60])
    return ""


def _shown(cell: str) -> str:
    return LOST.sub("\ufffd", cell)
