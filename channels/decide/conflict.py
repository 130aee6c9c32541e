"""A mall sold what was gone: what to propose. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WAIT, TRANSFER, SWAP, CANCEL = "wait", "transfer", "swap", "cancel"


@dataclass(frozen=True, slots=True)
class Contender:
    """An order that wants the unit. A smaller `rank` is served first; `under_way`: it can no longer give way."""

    order_id: int
    rank: tuple[float, float]
    under_way: bool = False


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Free units at a place that does not sell online."""

    place: str
    units: int


def propose(loser: Contender, rival: Contender | None, short: int, elsewhere: Sequence[Elsewhere], coming: int) -> str:
    """Who should have had it by rank gets it; else a store's stock, else what is coming in; else the order cannot be
    kept."""
    if rival is not None and not rival.under_way and loser.rank < rival.rank:
        return SWAP
    if any(place.units >= short for place in elsewhere):
        return TRANSFER
    return WAIT if coming >= short else CANCEL
