"""Where the lines of an order could ship from. Pure: decides on a picture of the free stock, which the door re-checks.

One location that has everything comes first, in the locations' own order of preference; else each line takes what it
needs place by place. A line is placed whole or not at all; lines with one bond come from one place together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Free = dict[int, dict[int, int]]  # location → SKU → free units


@dataclass(frozen=True, slots=True)
class Line:
    """An order line that waits: one piece of it needs so many units of each SKU (a bundle needs several).

    Lines with the same `bond` (0: none) leave together; `only_at`: others of their bond are there already.
    """

    id: int
    order_id: int
    recipient_position: int
    quantity: int
    needs: Mapping[int, int]
    bond: int = 0
    only_at: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """So many pieces of a line from one location."""

    line: Line
    location_id: int
    quantity: int


@dataclass
class Picture:
    """Free stock as it would be after what was planned so far; locations in order of preference."""

    locations: Sequence[int]
    free: Free = field(default_factory=dict)

    def starting_with(self, first: int | None) -> Sequence[int]:
        if first is None or first not in self.locations:
            return self.locations
        return [first, *(location for location in self.locations if location != first)]

    def pieces(self, location_id: int, line: Line) -> int:
        """How many pieces of the line this location could serve now."""
        if line.only_at not in {None, location_id}:
            return 0
        here = self.free.get(location_id, {})
        return min((here.get(sku, 0) // units for sku, units in line.needs.items()), default=0)

    def take(self, placed: Placed) -> None:
        here = self.free[placed.location_id]
        for sku, units in placed.line.needs.items():
            here[sku] -= units * placed.quantity

    def give_back(self, placed: Placed) -> None:
        here = self.free[placed.location_id]
        for sku, units in placed.line.needs.items():
            here[sku] += units * placed.quantity


def place_order(lines: Sequence[Line], picture: Picture, *, first: int | None = None) -> list[Placed]:
    """Places for the lines of one order, taken off the picture; lines that fit nowhere are left out. `first` is the
    location that this order wants, where it has the goods."""
    locations = picture.starting_with(first)
    for location_id in locations:
        if whole := _all_from(location_id, lines, picture):
            return whole
    return [placed for bond in _bonds(lines) for placed in _placed_somewhere(bond, picture, locations)]


def _bonds(lines: Sequence[Line]) -> list[list[Line]]:
    found: dict[int, list[Line]] = {}
    for line in lines:
        found.setdefault(-line.bond or line.id, []).append(line)
    return list(found.values())


def _placed_somewhere(bond: Sequence[Line], picture: Picture, locations: Sequence[int]) -> list[Placed]:
    if not bond[0].bond:
        return _line_from_several(bond[0], picture, locations)
    return next((whole for location in locations if (whole := _all_from(location, bond, picture))), [])


def _all_from(location_id: int, lines: Sequence[Line], picture: Picture) -> list[Placed]:
    placed: list[Placed] = []
    for line in lines:
        if picture.pieces(location_id, line) < line.quantity:
            for earlier in placed:
                picture.give_back(earlier)
            return []
        placed.append(Placed(line, location_id, line.quantity))
        picture.take(placed[-1])
    return placed


def _line_from_several(line: Line, picture: Picture, locations: Sequence[int]) -> list[Placed]:
    placed: list[Placed] = []
    left = line.quantity
    for location_id in locations:
        if left and (pieces := min(left, picture.pieces(location_id, line))):
            placed.append(Placed(line, location_id, pieces))
            picture.take(placed[-1])
            left -= pieces
    if left:
        for earlier in placed:
            picture.give_back(earlier)
        return []
    return placed
