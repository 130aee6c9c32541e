"""What each component of a set costs of its line. Pure; whole yen.

A line's price is spread over its components by list value, what cannot be divided goes to the largest. Discounts,
coupons and points lower the components in the same proportions, and none below zero. Units of a component are shared
as differences of running sums, so that all units of all components together are the line exactly, in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from oms.kernel.money import distribute, spread_to_largest


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the price, and who had paid it. `price = points + coupon + money`."""

    price: int
    points: int
    coupon: int

    @property
    def money(self) -> int:
        return self.price - self.points - self.coupon

    def __add__(self, other: "Share") -> "Share":
        return Share(self.price + other.price, self.points + other.points, self.coupon + other.coupon)


NOTHING = Share(0, 0, 0)


@dataclass(frozen=True, slots=True)
class SetPart:
    """`units` of a component in one piece of a line, their list value, and what earlier refunds gave back of it."""

    id: int
    units: int
    list_value: int
    tax_rate: int = 10
    refunded: int = 0  # units
    refunded_price: int = 0
    refunded_points: int = 0
    refunded_coupon: int = 0


def weights_of(parts: Sequence[SetPart]) -> list[int]:
    """List values; where the set has none at all, a unit weighs as much as any other."""
    values = [part.list_value for part in parts]
    return values if sum(values) else [part.units for part in parts]


def prices_of(parts: Sequence[SetPart], amount: int) -> list[int]:
    """What each component costs of a line's amount before discounts."""
    if amount < 0:
        return [-price for price in prices_of(parts, -amount)]
    return spread_to_largest(amount, weights_of(parts))


def shares_of(parts: Sequence[SetPart], amount: int, whole: Share) -> list[Share]:
    """What each component costs of a line that cost `amount` and comes to `whole` after discounts; the shares add up
    to it. No component costs more than before discounts."""
    if not 0 <= whole.price <= amount:  # no discount: a line below zero, or one that got dearer
        prices = prices_of(parts, whole.price)
    else:
        prices = spread_to_largest(whole.price, weights_of(parts), most=prices_of(parts, amount))
    others = distribute(whole.points + whole.coupon, [max(0, price) for price in prices])
    points = distribute(whole.points, others)
    return [Share(price, point, other - point) for price, other, point in zip(prices, others, points, strict=True)]


def taken(parts: Sequence[SetPart], amount: int, pieces: int, quantity: int) -> int:
    """Yen of a line's amount that so many of its `quantity` whole sets cost."""
    return sum(price * pieces // quantity for price in prices_of(parts, amount))


def whole_sets(parts: Sequence[SetPart], left: Sequence[int]) -> int:
    """How many whole sets these units of each component still make."""
    return min((units // part.units for part, units in zip(parts, left, strict=True)), default=0)
