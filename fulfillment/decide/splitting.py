"""分割: how the pieces of one planned parcel go into several. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

COLDEST_LAST = ("ambient", "chilled", "frozen")


@dataclass(frozen=True, slots=True)
class Held:
    """So many pieces of an order line in a parcel; `temperatures` of its goods (a set of products has several)."""

    order_line: int
    pieces: int
    temperatures: frozenset[str]


def by_temperature(lines: Sequence[Held]) -> list[dict[int, int]]:
    """Line → pieces for each further parcel: one per temperature, the warmest stays where it is.

    A set travels whole, at its coldest part's temperature.
    """
    parcels: dict[str, dict[int, int]] = defaultdict(dict)
    for line in lines:
        parcels[coldest(line.temperatures)][line.order_line] = line.pieces
    ordered = sorted(parcels, key=COLDEST_LAST.index)
    return [parcels[name] for name in ordered[1:]]


def by_line(lines: Sequence[Held]) -> list[dict[int, int]]:
    """Line → pieces for each further parcel: one per line, the first stays where it is."""
    return [{line.order_line: line.pieces} for line in lines[1:]]


def by_pieces(lines: Sequence[Held], most: int) -> list[dict[int, int]]:
    """Line → pieces for each further parcel, so that none holds more than `most` pieces. Lines are filled in as they
    stand; one that does not fit goes on in the next parcel."""
    parcels: list[dict[int, int]] = [{}]
    room = most
    for line in lines:
        left = line.pieces
        while left:
            if not room:
                parcels.append({})
                room = most
            taken = min(left, room)
            parcels[-1][line.order_line] = taken
            left, room = left - taken, room - taken
    return parcels[1:]


def coldest(temperatures: frozenset[str]) -> str:
    return max(temperatures, key=COLDEST_LAST.index, default="ambient")


def fault(lines: Sequence[Held], wanted: Mapping[int, int]) -> str:
    """What is wrong with a wish to take these pieces into a parcel of their own: "unknown", "too_many", "nothing",
    "everything", or empty."""
    held = {line.order_line: line.pieces for line in lines}
    taken = {line: pieces for line, pieces in wanted.items() if pieces}
    if taken.keys() - held.keys():
        return "unknown"
    if any(pieces < 0 or pieces > held[line] for line, pieces in taken.items()):
        return "too_many"
    if not taken:
        return "nothing"
    return "everything" if taken == held else ""
