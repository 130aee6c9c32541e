"""Text that wraps, pages that follow each other, tables that repeat their heads."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from oms.kernel.pdf.page import Align, Color, Document, Page, Sheet, Style

_TOKEN = re.compile(r"[!-~]+|.", re.DOTALL)
_NOT_FIRST = frozenset(
    "、。，．,.・：；:;？！?!゛゜ヽヾゝゞ々ー）)」』】〕］〉》｝’”ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ％℃"
)
_NOT_LAST = frozenset("（(「『【〔［〈《｛‘“¥￥＃")

Paragraph = tuple[str, Style]


@lru_cache(maxsize=4_096)
def wrap(text: str, style: Style, width: float, *, max_lines: int = 60) -> tuple[str, ...]:
    """Lines no wider than `width` millimetres. What exceeds `max_lines` ends in ….

    Breaks between Japanese letters and at blanks, and inside a Latin word only when it is wider than a line; keeps
    、。」 off a line's beginning and 「 off its end.
    """
    lines: list[str] = []
    for paragraph in text.splitlines():
        if style.width(paragraph) <= width:
            lines.append(paragraph)
        else:
            lines += _wrapped(paragraph, style, width)
    if len(lines) > max_lines:
        lines = [*lines[: max_lines - 1], lines[max_lines - 1][:-1] + "…"]
    return tuple(lines)


def _wrapped(text: str, style: Style, width: float) -> list[str]:
    lines: list[str] = []
    line: list[str] = []
    room = width
    for token in _tokens(text, style, width):
        wide = style.width(token)
        if wide > room and line:
            carried = _carried(line, token)
            lines.append("".join(line).rstrip())
            line, room = carried, width - style.width("".join(carried))
        if line or not token.isspace():
            line.append(token)
            room -= wide
    return [*lines, "".join(line).rstrip()]


def _tokens(text: str, style: Style, width: float) -> list[str]:
    """Latin words whole, unless they are wider than a line; every other character alone."""
    tokens = []
    for token in _TOKEN.findall(text):
        tokens += list(token) if len(token) > 1 and style.width(token) > width else [token]
    return tokens


def _carried(line: list[str], token: str) -> list[str]:
    """What goes down with the token, taken off the line's end."""
    carried: list[str] = []
    head = token[:1]
    while len(line) > 2 and len(carried) < 4 and (head in _NOT_FIRST or line[-1][-1:] in _NOT_LAST):
        head = line.pop()
        carried.insert(0, head)
    return carried


@dataclass(slots=True)
class Flow:
    """A column of content over as many pages as it takes. `y` is the next free place on the last page."""

    document: Document
    left: float
    right: float
    top: float
    bottom: float
    on_page: Callable[[Page, int], None]  # draws the head of page n (from 1) of this flow
    pages: list[Page] = field(default_factory=list)
    y: float = 0.0
    sheet: Sheet | None = None  # of its pages, where it is not the document's

    @property
    def page(self) -> Page:
        """The page that is being filled."""
        return self.pages[-1]

    @property
    def width(self) -> float:
        """Between the margins."""
        return self.right - self.left

    def turn(self) -> None:
        """Begin a new page."""
        self.pages.append(self.document.page(self.sheet))
        self.y = self.top
        self.on_page(self.page, len(self.pages))

    def needs(self, height: float) -> bool:
        """Turn the page when `height` does not fit any more; whether it turned."""
        if self.y + height <= self.bottom:
            return False
        self.turn()
        return True

    def write(self, text: str, style: Style, *, indent: float = 0.0) -> None:
        """A wrapped paragraph over the whole width."""
        for line in wrap(text, style, self.width - indent, max_lines=400):
            self.needs(style.line)
            self.page.text(self.left + indent, self.y + style.baseline, line, style)
            self.y += style.line


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; `width` in millimetres."""

    title: str
    width: float
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Look:
    """The lines and the head of a table."""

    head: Style
    head_fill: Color
    head_line: Color
    row_line: Color
    pad_x: float = 1.6
    pad_y: float = 1.5


@dataclass(slots=True)
class Table:
    """Rows in a flow. A row is never broken over pages; the head stands again on every page."""

    flow: Flow
    columns: Sequence[Column]
    look: Look
    has_head: bool = True

    def begin(self, first_row: float = 8.0) -> None:
        """Draw the head, on a page that also has room for a first row."""
        if self.has_head:
            height = self._head_height
            self.flow.needs(height + first_row)
            self._head()

    def row(self, cells: Sequence[Sequence[Paragraph]], fill: Color | None = None, *, least: float = 0.0) -> float:
        """One row, at least so high; a cell is its paragraphs from top to bottom. Returns the y of the row's upper
        edge."""
        laid = [
            [(line, style) for text, style in cell for line in wrap(text, style, column.width - 2 * self.look.pad_x)]
            for column, cell in zip(self.columns, cells, strict=True)
        ]
        heights = [sum(style.line for _, style in lines) for lines in laid]
        height = max(max(heights) + 2 * self.look.pad_y, least)
        if self.flow.needs(height) and self.has_head:
            self._head()
        top, page = self.flow.y, self.flow.page
        if fill:
            page.area(self.flow.left, top, self.flow.width, height, fill)
        x, pad = self.flow.left, self.look.pad_x
        for column, lines, own in zip(self.columns, laid, heights, strict=True):
            place = {"left": x + pad, "center": x + column.width / 2, "right": x + column.width - pad}[column.align]
            _cell(page, place, top + (height - own) / 2, lines, column.align)
            x += column.width
        page.line(self.flow.left, top + height, x, self.look.row_line)
        self.flow.y = top + height
        return top

    @property
    def _head_height(self) -> float:
        return self.look.head.line + 2 * self.look.pad_y * 0.8

    def _head(self) -> None:
        page, top, height = self.flow.page, self.flow.y, self._head_height
        whole = sum(column.width for column in self.columns)
        page.area(self.flow.left, top, whole, height, self.look.head_fill)
        x = self.flow.left
        for column in self.columns:
            middle = top + (height - self.look.head.line) / 2
            page.text(x + column.width / 2, middle + self.look.head.baseline, column.title, self.look.head, "center")
            x += column.width
        for y in (top, top + height):
            page.line(self.flow.left, y, x, self.look.head_line, 0.6)
        self.flow.y = top + height


def _cell(page: Page, x: float, y: float, lines: list[Paragraph], align: Align) -> None:
    for line, style in lines:
        page.text(x, y + style.baseline, line, style, align)
        y += style.line
