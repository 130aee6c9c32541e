"""Lines of CSV that a spreadsheet opens without running anything."""

import csv
import io
from collections.abc import Sequence

# What a spreadsheet takes for the beginning of a formula; tabs and returns may hide one.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def harmless(value: object) -> object:
    """Text that would be a formula, with an apostrophe before it; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(DANGEROUS):
        return f"'{value}"
    return value


def harmless_text(text: str) -> str:
    """Like `harmless` where numbers come as text: they stay as they are, also below zero."""
    return text if text.removeprefix("-").isdigit() else str(harmless(text))


def csv_line(values: Sequence[object]) -> str:
    """One line with its end, quoted where it must be, formulas made harmless."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([harmless(value) for value in values])
    return text.getvalue()
