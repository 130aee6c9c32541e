"""One stock call for lines whose goods changed: what they held goes back, what they ask now is promised."""

from collections.abc import Sequence

from inventory.services import stock
from orders.services import set_parts

# Ranks of one call are compared with each other, also those of lines that ask for nothing.
LAST = (float("inf"), float("inf"))


def regrant(wants: Sequence[stock.Want], let_go: Sequence[int]) -> set[str]:
    """One stock call: give back what `let_go` lines hold, and promise what `wants` ask. Returns the refs granted."""
    asked = set_parts.requests_for(wants)
    named = {request.ref for request in asked}
    empty = [stock.Request(ref, (), LAST) for line in let_go if (ref := f"line:{line}") not in named]
    return stock.regrant([*asked, *empty])
