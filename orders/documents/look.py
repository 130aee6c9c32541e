"""The hand of all papers: ink, letters, quiet lines, and the small parts they share."""

import re
from datetime import date

from oms.kernel.pdf.flow import Flow, Look, Paragraph, Table
from oms.kernel.pdf.fonts import Weight
from oms.kernel.pdf.page import Page, Style, rgb
from orders.documents.barcode import code128

INK, SOFT, LINE = rgb("#1f2933"), rgb("#5b6772"), rgb("#b9c1c9")
BAND, ACCENT, WARM, WHITE = rgb("#f1f4f6"), rgb("#2b4a66"), rgb("#9a3412"), rgb("#ffffff")

LEFT, RIGHT, TOP, BOTTOM = 17.0, 193.0, 18.0, 278.0

BODY = Style(8.8, color=INK)
BODY_BOLD = Style(8.8, Weight.BOLD, INK)
CODE = Style(7.8, color=INK)
SMALL = Style(7.2, color=SOFT)
LABEL = Style(7.4, color=SOFT)
FOOT = Style(7.4, color=SOFT)
MARK = Style(8.8, Weight.BOLD, WARM)
COLUMN = Style(7.6, Weight.BOLD, ACCENT)
BADGE = Style(9, Weight.BOLD, WARM, tracking=0.15)
HEADING = Style(10.5, Weight.BOLD, ACCENT)
BIG = Style(12, Weight.BOLD, INK)

TITLE = Style(17, Weight.BOLD, ACCENT, tracking=0.32)  # letters apart, as on Japanese forms

TABLE = Look(head=COLUMN, head_fill=BAND, head_line=ACCENT, row_line=LINE)


def badge(page: Page, x: float, y: float, text: str) -> None:
    """A framed word, its upper left corner at (x, y)."""
    width = BADGE.width(text) + 5
    page.frame(x, y, width, 6.4, color=WARM, points=0.9)
    page.text(x + width / 2, y + 4.35, text, BADGE, "center")


def foot(page: Page, left: str, middle: str, right: str, *, at: float = BOTTOM) -> None:
    """The line of small print at the lower edge of the content, which ends `at`."""
    page.line(LEFT, at + 4, RIGHT, LINE)
    for x, text, align in ((LEFT, left, "left"), ((LEFT + RIGHT) / 2, middle, "center"), (RIGHT, right, "right")):
        page.text(x, at + 8, text, FOOT, align)  # type: ignore[arg-type]


def barcode(page: Page, x: float, y: float, text: str, *, width: float, height: float = 8.0) -> None:
    """Code 128; nothing for an empty text."""
    if text:
        bars, modules = code128(text)
        page.bars(x, y, width, height, bars=bars, modules=modules)


def day(value: date | None) -> str:
    """2026年7月3日, empty for no day."""
    return f"{value.year}年{value.month}月{value.day}日" if value else ""


def postal(code: str) -> str:
    """〒106-0032; what is no seven-digit code is shown as typed."""
    digits = code.removeprefix("〒").strip()
    return f"〒{digits[:3]}-{digits[3:]}" if re.fullmatch(r"\d{7}", digits) else f"〒{digits}" if digits else ""


def titled(name: str, honorific: str) -> str:
    """The title that still has to be set behind a name: none when it already ends with one."""
    return "" if name.endswith(("様", "御中", "殿")) else honorific


def paragraphs(*parts: tuple[str, Style]) -> list[Paragraph]:
    """The parts that say something."""
    return [part for part in parts if part[0]]


def line_under(flow: Flow, table: Table) -> None:
    """The upper edge of a table without a head."""
    flow.page.line(flow.left, flow.y, flow.left + sum(column.width for column in table.columns), LINE)


def middle_line(page: Page, x: float, y: float, text: str, style: Style) -> None:
    """A line of text whose upper edge is at y."""
    page.text(x, y + style.baseline, text, style)
