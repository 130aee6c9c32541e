"""The address fields of the carriers' labels, and how an address is laid into them.

Widths are half-width units: a full-width character counts two. Limits by the carriers' published file layouts:
Yamato B2 (prefecture and city 16, street 16, building 16 full-width characters), Sagawa e飛伝 III (3 × 16 full-width,
counted after conversion to full width), Japan Post ゆうプリR (3 × 25).
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

LABEL_LINES: dict[str, tuple[int, ...]] = {
    "yamato": (32, 32, 32),
    "sagawa": (32, 32, 32),
    "japanpost": (50, 50, 50),
    "other": (50, 50, 50),
}
COUNTS_FULL_WIDTH = {"sagawa"}

_NUMERIC = r"0-9０-９\-‐－−"
_BREAK = re.compile(
    r"(\s+)"  # a blank
    rf"|(?<=[0-9０-９号階])(?=[^\s{_NUMERIC}ーの番丁号階室条線FＦ])"  # after the number, before a building
    rf"|(?<=[^\s{_NUMERIC}ーの第])(?=[0-9０-９])"  # before a number
)
_LONGEST_NUMBER = 16  # units a line may stay empty because the number that follows is not cut
_HALF = re.compile("[\u0020-\u007e\uff61-\uff9f]")
_UNBREAKABLE = re.compile(f"[{_NUMERIC}]")


def width(text: str, *, full: bool = False) -> int:
    """Half-width units; with `full`, as if every character were converted to full width."""
    return 2 * len(text) if full else 2 * len(text) - len(_HALF.findall(text))


def fits_label(prefecture: str, city: str, rest: str, *, carrier: str) -> bool:
    """Whether `label_lines` finds a way. Short addresses are answered without laying them out."""
    limits, full = LABEL_LINES[carrier], carrier in COUNTS_FULL_WIDTH
    if width(prefecture + city, full=full) <= limits[0] and width(rest, full=full) <= sum(limits[1:]) - _LONGEST_NUMBER:
        return True
    return label_lines(prefecture, city, rest, carrier=carrier) is not None


def label_lines(prefecture: str, city: str, rest: str, *, carrier: str) -> list[str] | None:
    """The address in at most as many lines as the label has; None when it does not fit.

    Breaks after the city, at blanks, between number and building, before a number; inside a long word only when
    there is no other way, and never inside a number.
    """
    limits, full = LABEL_LINES[carrier], carrier in COUNTS_FULL_WIDTH
    head, rest = f"{prefecture}{city}".strip(), rest.strip()
    if head and rest and width(head, full=full) <= limits[0] and width(rest, full=full) <= limits[1]:
        return [head, rest]
    pieces = [head, *(piece for piece in _BREAK.split(rest) if piece)]
    return _fill(pieces, limits, full=full) or _fill(pieces, limits, full=full, cut=True)


def laid_out(text: str, limits: tuple[int, ...], *, full: bool = False) -> list[str] | None:
    """A text in at most as many lines as there are limits, broken like `label_lines`; None when it does not fit."""
    pieces = [piece for piece in _BREAK.split(text.strip()) if piece]
    return _fill(pieces, limits, full=full) or _fill(pieces, limits, full=full, cut=True)


@dataclass(frozen=True, slots=True)
class Meter:
    """One line of the label: what it carries, and how much of its room that takes, in full-width characters."""

    text: str
    used: float
    limit: int


def label_meters(prefecture: str, city: str, rest: str, *, carrier: str) -> list[Meter] | None:
    """The lines of the label with how full they are; None when the address does not fit."""
    lines = label_lines(prefecture, city, rest, carrier=carrier)
    if lines is None:
        return None
    limits, full = LABEL_LINES[carrier], carrier in COUNTS_FULL_WIDTH
    return [
        Meter(line, width(line, full=full) / 2, limit // 2) for line, limit in zip(lines, limits, strict=False) if line
    ]


def _fill(pieces: list[str], limits: tuple[int, ...], *, full: bool, cut: bool = False) -> list[str] | None:
    """Lay pieces into lines one after another; with `cut`, a piece that is too long is continued on the next line."""
    lines = [""]
    queue = list(reversed(pieces))
    while queue:
        piece = " " if queue[-1].isspace() else queue[-1]
        room = limits[len(lines) - 1] - width(lines[-1], full=full)
        if piece == " " and (not lines[-1] or room <= 0):
            queue.pop()
        elif width(piece, full=full) <= room:
            lines[-1] += piece
            queue.pop()
        elif len(lines) == len(limits) and not cut:
            return None
        elif cut and (place := _cut_place(piece, room, full=full)):
            lines[-1] += piece[:place]
            queue[-1] = piece[place:]
        elif len(lines) == len(limits) or not lines[-1]:
            return None
        else:
            lines.append("")
    return [line.rstrip() for line in lines]


def _cut_place(piece: str, room: int, *, full: bool) -> int:
    """The last place in the first `room` units where a word may be cut; 0 when there is none."""
    used, place = 0, 0
    for at, (char, following) in enumerate(pairwise(piece), start=1):
        used += width(char, full=full)
        if used > room:
            break
        inside_number = _UNBREAKABLE.match(char) and _UNBREAKABLE.match(following)
        if not inside_number and not unicodedata.combining(following):
            place = at
    return place
