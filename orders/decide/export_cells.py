"""One value as a cell of a file: nothing a spreadsheet would run, no digit lost, what Shift_JIS lacks made visible.

Pure. CSV cells are texts and whole numbers; in a workbook the type says what a cell is.
"""

import re
from datetime import date, datetime
from typing import Any

from oms.kernel.clock import in_tokyo
from oms.kernel.csv_text import DANGEROUS
from oms.kernel.text import cp932_form
from orders.decide.export_columns import Kind

GETA = "〓"  # printers' sign for a type that is missing
# What may stand inside ="…": nothing that could end the text, nor be anything but text.
_PLAIN_CODE = re.compile(r"[0-9A-Za-z_./:+ -]{1,200}")
# What a spreadsheet reads as a number, a day or a time, and writes differently.
_LIKE_NUMBER = re.compile(r"[0-9+.-][0-9+./:, -]*([Ee][0-9+-]+)?")


def written(value: Any, kind: Kind) -> str | int:
    """The value as text or whole number: times and days as on a Tokyo calendar."""
    if value is None or value == "":
        return ""
    if kind is Kind.NUMBER:
        return int(value)
    if isinstance(value, datetime):
        return f"{in_tokyo(value):%Y/%m/%d %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%Y/%m/%d}"
    return str(value)


def csv_cell(value: Any, kind: Kind, *, keep_zeros: bool) -> str | int:
    """For a CSV file. `keep_zeros` writes codes as ="…", which a spreadsheet shows as they are; other programs
    read them with the signs around."""
    return _guarded(written(value, kind), kind, keep_zeros=keep_zeros)


def cp932_cell(value: Any, kind: Kind, *, keep_zeros: bool) -> tuple[str | int, str]:
    """As `csv_cell`, every character one that Shift_JIS holds; and those that were not, in order."""
    cell = written(value, kind)
    if isinstance(cell, int) or cell.isascii():
        return _guarded(cell, kind, keep_zeros=keep_zeros), ""
    text, lost = cp932_text(cell)
    return _guarded(text, kind, keep_zeros=keep_zeros), lost


def cp932_text(text: str) -> tuple[str, str]:
    """The text with 〓 for what Shift_JIS cannot hold, and what that was."""
    text = cp932_form(text)
    try:
        text.encode("cp932")
    except UnicodeEncodeError:
        pairs = [(char, char if _encodes(char) else GETA) for char in text]
        return "".join(to for _from, to in pairs), "".join(char for char, to in pairs if char != to)
    return text, ""


def _encodes(char: str) -> bool:
    try:
        char.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def _guarded(cell: str | int, kind: Kind, *, keep_zeros: bool) -> str | int:
    if isinstance(cell, int):
        return cell
    if kind is Kind.CODE and keep_zeros and _PLAIN_CODE.fullmatch(cell) and _LIKE_NUMBER.fullmatch(cell):
        return f'="{cell}"'
    # Spaces and line ends before a sign do not keep every spreadsheet from reading a formula.
    return f"'{cell}" if cell.lstrip().startswith(DANGEROUS) or cell.startswith(DANGEROUS) else cell
