"""One stock call for lines whose goods changed: what they held goes back, what they ask now is promised."""

from collections.abc import Mapping, Sequence

from inventory.services import stock
from orders.services import set_parts

# Ranks of one call are compared with each other, also those of lines that ask for nothing.
LAST = (float("inf"), float("inf"))


def regrant(wants: Sequence[stock.Want], let_go: Sequence[int]) -> set[str]:
    """One stock call: give back what `let_go` lines hold, and promise what `wants` ask. Returns the refs granted."""
    return regrant_at(wants, let_go, {})[0]


def regrant_at(
    wants: Sequence[stock.Want], let_go: Sequence[int], places: Mapping[int, Mapping[int, int]]
) -> tuple[set[str], set[str]]:
    """The same, and sets' lines get these places (line → location → pieces) where they are free. Returns the refs
    granted, and those placed."""
    asked = set_parts.requests_for(wants)
    named = {request.ref for request in asked}
    empty = [stock.Request(ref, (), LAST) for line in let_go if (ref := f"line:{line}") not in named]
    return stock.regrant_at([*asked, *empty], _at_places(places, {request.ref: request.rank for request in asked}))


def _at_places(places: Mapping[int, Mapping[int, int]], ranks: Mapping[str, object]) -> list[stock.Request]:
    components = set_parts.parts_of(places) if places else {}
    balances = stock.place_ids(
        (part.sku_id, at) for line, own in components.items() for part in own for at in places[line]
    )
    found = []
    for line, own in components.items():
        units = {(part.sku_id, at): part.units * n for part in own for at, n in places[line].items()}
        if units.keys() <= balances.keys():
            parts = tuple((balances[key], count) for key, count in units.items())
            found.append(stock.Request(f"line:{line}", parts, ranks.get(f"line:{line}", LAST)))
    return found
