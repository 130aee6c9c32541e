"""How fast something sells, from sums that decay, and how much may be sold before we hear of it. Pure."""

import math

MEMORY_S = 240.0  # what was sold this long ago counts for a third
ENOUGH_SALES = 3.0  # fewer recent sales say nothing about a speed
NEGLIGIBLE = 0.05  # expected unseen units below this are not worth keeping a unit back
CALM, CAREFUL = 2.0, 3.0  # standard deviations to cover: usual, hot


def decayed(amount: float, age_s: float) -> float:
    """What is left of a sum after so many seconds."""
    return amount * math.exp(-max(0.0, age_s) / MEMORY_S)


def per_minute(units: float, sales: float) -> float:
    """Units a minute, from decayed sums; 0 while there were too few sales to call it a speed."""
    return units / MEMORY_S * 60 if sales >= ENOUGH_SALES else 0.0


def likely_at_most(expected: float, deviations: float = CALM) -> int:
    """A bound that a random count with this mean rarely exceeds (Poisson, normal approximation)."""
    if expected < NEGLIGIBLE:
        return 0
    return math.ceil(expected + deviations * math.sqrt(expected))


def smoothed(before: float | None, value: float, weight: float = 0.2) -> float:
    """A running mean of a measured delay."""
    return value if before is None else before + weight * (value - before)
