"""Whole yen: sharing an amount exactly, and consumption tax rounded once per rate.

All amounts are tax-inclusive integers unless the name says otherwise. Nothing here touches a float.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Rounding(StrEnum):
    """How an issuer rounds a fraction of a yen. The choice is free but must stay the same."""

    FLOOR = "floor"
    CEIL = "ceil"
    HALF_UP = "half_up"


@dataclass(frozen=True, order=True, slots=True)
class TaxRate:
    """A rate in whole percent. The old 8 % and the reduced 8 % are two rates."""

    percent: int
    reduced: bool = False

    def __str__(self) -> str:
        return f"{self.percent}%"


STANDARD = TaxRate(10)
REDUCED = TaxRate(8, reduced=True)


@dataclass(frozen=True, slots=True)
class RateTotal:
    """What one document says about one rate. `amount = base + tax`."""

    rate: TaxRate
    amount: int
    tax: int

    @property
    def base(self) -> int:
        """The amount without tax."""
        return self.amount - self.tax


def yen(amount: int) -> str:
    """¥1,234, and -¥1,234 below zero."""
    return f"{'-' if amount < 0 else ''}¥{abs(amount):,}"


def divided(numerator: int, denominator: int, rounding: Rounding) -> int:
    """numerator ÷ denominator in whole yen. A negative amount is rounded like its positive twin."""
    size, rest = divmod(abs(numerator), denominator)
    up = {Rounding.FLOOR: False, Rounding.CEIL: rest > 0, Rounding.HALF_UP: 2 * rest >= denominator}[rounding]
    return (size + up) * (-1 if numerator < 0 else 1)


def included_tax(amount: int, rate: TaxRate, rounding: Rounding = Rounding.FLOOR) -> int:
    """The tax inside a tax-inclusive amount."""
    return divided(amount * rate.percent, 100 + rate.percent, rounding)


def added_tax(amount_excl: int, rate: TaxRate, rounding: Rounding = Rounding.FLOOR) -> int:
    """The tax on top of an amount without tax."""
    return divided(amount_excl * rate.percent, 100, rounding)


def distribute(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` in proportion to `weights`; the shares always add up to it.

    Largest remainder; ties go to the larger weight, then to the earlier place. Weights are never negative; when all
    are zero every place weighs the same. A share is never larger than its weight while |total| ≤ Σ weights.
    Raises ValueError when there is something to share and no place for it.
    """
    if not weights:
        if total:
            raise ValueError("nothing to share the amount over")
        return []
    if min(weights) < 0:
        raise ValueError("a weight is negative")
    whole = sum(weights)
    if whole == 0:
        return distribute(total, [1] * len(weights))
    size = abs(total)
    shares = [size * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(size * weights[at] % whole), -weights[at], at))
    for at in by_remainder[: size - sum(shares)]:
        shares[at] += 1
    return shares if total >= 0 else [-share for share in shares]


def spread_to_largest(total: int, weights: Sequence[int], *, most: Sequence[int] | None = None) -> list[int]:
    """Share `total` (not negative) in proportion to `weights`, fractions cut off; what remains goes to the largest.

    `most` limits each place: what the largest cannot bear goes to the next one. All weights zero weigh the same. The
    earliest of equals is the largest. Raises ValueError when there is no room for the total.
    """
    if total < 0 or min(weights, default=0) < 0:
        raise ValueError("negative amounts cannot be spread")
    if not sum(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    room = list(most) if most is not None else [total] * len(weights)
    shares = [min(total * weight // whole, limit) for weight, limit in zip(weights, room, strict=True)]
    for at in sorted(range(len(weights)), key=lambda at: (-weights[at], at)):
        shares[at] += min(total - sum(shares), room[at] - shares[at])
    if sum(shares) != total:
        raise ValueError("no room for the amount")
    return shares


def spread_discount(goods: Sequence[int], fees: Sequence[int], discount: int) -> tuple[list[int], list[int]]:
    """The share of a discount (a positive number) that each line and each fee bears.

    The goods bear it in proportion to their amounts; what exceeds them goes to the fees. No place bears more than
    its amount. Raises ValueError when the discount is larger than everything.
    """
    if not 0 <= discount <= sum(goods) + sum(fees):
        raise ValueError("the discount exceeds the amounts")
    on_goods = min(discount, sum(goods))
    return distribute(on_goods, goods), distribute(discount - on_goods, fees)


def tax_moved(before: Mapping[TaxRate, int], after: Mapping[TaxRate, int]) -> int:
    """By how much the tax inside moves when the sums by rate do, rounded once for each rate on both sides."""
    return sum(
        included_tax(after.get(rate, 0), rate) - included_tax(before.get(rate, 0), rate)
        for rate in before.keys() | after.keys()
    )


def rate_totals(amounts: Iterable[tuple[TaxRate, int]], rounding: Rounding = Rounding.FLOOR) -> list[RateTotal]:
    """Totals per rate, highest rate first, tax rounded once for each."""
    sums: defaultdict[TaxRate, int] = defaultdict(int)
    for rate, amount in amounts:
        sums[rate] += amount
    return [
        RateTotal(rate, sums[rate], included_tax(sums[rate], rate, rounding)) for rate in sorted(sums, reverse=True)
    ]
