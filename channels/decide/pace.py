"""How fast something sells, from sums that decay, and how much may be sold before we hear of it. Pure."""

import math

MEMORY_S = 240.0  # what was sold this long ago counts for a third
ENOUGH_SALES = 3.0  # fewer recent sales say nothing about a speed
CALM, CAREFUL = 0.02, 0.002  # the chance that more was sold than we keep back: usual, hot
MANY = 100.0  # from here on the normal approximation is near enough


def decayed(amount: float, age_s: float) -> float:
    """What is left of a sum after so many seconds."""
    return amount * math.exp(-max(0.0, age_s) / MEMORY_S)


def per_minute(units: float) -> float:
    """Units a minute, from a decayed sum."""
    return units / MEMORY_S * 60


def likely_at_most(expected: float, risk: float = CALM) -> int:
    """The smallest number that a random count with this mean (Poisson) exceeds with at most this chance."""
    if expected > MANY:
        return math.ceil(expected + 3.1 * math.sqrt(expected))
    chance = math.exp(-expected)
    below, number = chance, 0
    while 1 - below > risk:
        number += 1
        chance *= expected / number
        below += chance
    return number


def smoothed(before: float | None, value: float, weight: float = 0.2) -> float:
    """A running mean of a measured delay."""
    return value if before is None else before + weight * (value - before)
