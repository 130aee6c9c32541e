"""The sheets that papers are printed on: A4, A5, a receipt printer's roll, a label printer's label."""

from enum import StrEnum

from oms.kernel.pdf.page import A4, Sheet

LONGEST = 3000.0  # millimetres of roll; what is longer goes on on a second piece


class PaperSize(StrEnum):
    A4 = "a4"
    A5 = "a5"
    ROLL = "roll"
    LABEL = "label"


# A5 takes the drawing of A4 at three quarters: its 176 mm between the margins become 134.
_SCALE = 134 / 176
SHEETS: dict[str, Sheet] = {
    PaperSize.A4: Sheet(A4),
    PaperSize.A5: Sheet((148.0, 210.0), _SCALE, 7.0 - 17.0 * _SCALE),
    PaperSize.ROLL: Sheet((80.0, LONGEST)),
    PaperSize.LABEL: Sheet((100.0, 150.0)),
}
NARROW = {PaperSize.ROLL, PaperSize.LABEL}


def bottom_of(paper: str) -> float:
    """Where the content of a wide sheet ends; the line of small print stands below."""
    return SHEETS[paper].height - 19.0
