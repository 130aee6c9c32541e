"""Why an order line has no stock yet, from the queue in front of it. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    UNMAPPED = "unmapped"  # nobody knows which goods these are
    EMPTY_SET = "empty_set"  # a set without components
    SHORT = "short"  # there is too little, even for those before
    BEHIND = "behind"  # there would be enough, but others come first
    NEXT = "next"  # the next allocation gives it
    PLACING = "placing"  # promised, a place is being chosen
    NO_PLACE = "no_place"  # promised, but what is left at the places is another parcel's


@dataclass(frozen=True, slots=True)
class Need:
    """`units` of a SKU that a line asks for; `ahead` are asked for by lines served earlier; `free` may be promised."""

    sku_id: int
    units: int
    ahead: int
    ahead_orders: int
    free: int

    @property
    def missing(self) -> int:
        """Units that have to come before this line is served."""
        return max(0, self.ahead + self.units - max(self.free, 0))

    @property
    def why(self) -> Why:
        if not self.missing:
            return Why.NEXT
        return Why.BEHIND if self.units <= self.free else Why.SHORT


def decisive(needs: list[Need]) -> Need | None:
    """The component that a line waits for: the one that lacks most; None when nothing lacks."""
    lacking = [need for need in needs if need.missing]
    return max(lacking, key=lambda need: (need.missing, need.sku_id)) if lacking else None
