"""What a payment method costs the buyer, by steps of the amount, and what an order comes to with another fee. Pure;
whole yen. Japanese handling fees (代引手数料 above all) rise by steps of the amount that is collected.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from oms.kernel.money import STANDARD, added_tax, included_tax

MOST_STEPS = 8


@dataclass(frozen=True, slots=True)
class FeeTable:
    """`steps` are (from this amount on, fee), rising; before the first one nothing is charged. `plus_tax`: the fees
    are without consumption tax, which comes on top. The amount is what the buyer pays without the fee itself."""

    steps: tuple[tuple[int, int], ...]
    plus_tax: bool = False

    def fee(self, amount: int) -> int:
        """With tax."""
        found = next((fee for at_least, fee in reversed(self.steps) if amount >= at_least), 0)
        return found + (added_tax(found, STANDARD) if self.plus_tax else 0)


@dataclass(frozen=True, slots=True)
class Charges:
    """An order's fee and the sums that it is part of. `by_rate` are the channel's (percent, yen, tax inside) where it
    told any; `tax` is 0 where the order tells none."""

    fees: int
    total: int
    tax: int = 0
    by_rate: tuple[tuple[int, int, int], ...] = ()


def with_fee(charges: Charges, fee: int, *, standard: int | None = None) -> Charges:
    """The same order with this fee: the total follows, and the tax of the standard rate, rounded once for the rate.

    A fee that would make the total negative (points cover the order) changes nothing. `standard`: see `charged_more`.
    """
    more = fee - charges.fees
    if not more or charges.total + more < 0:
        return charges
    part = charges.fees if standard is None else standard
    return replace(charged_more(charges, more, standard=part), fees=fee)


def charged_more(charges: Charges, more: int, *, standard: int) -> Charges:
    """Total and tax when what is charged at the standard rate beside the goods (shipping, fees) moves by `more` yen.

    Where the channel told no sums by rate, `standard` yen of the order are taxed at the standard rate before.
    """
    rows = [list(row) for row in charges.by_rate]
    row = next((row for row in rows if row[0] == STANDARD.percent), None)
    before = standard if row is None else row[1]
    taxed = included_tax(before + more, STANDARD) - included_tax(before, STANDARD)
    if row is not None:
        row[1], row[2] = row[1] + more, row[2] + taxed
    return replace(
        charges,
        total=charges.total + more,
        tax=max(0, charges.tax + taxed) if charges.tax else 0,
        by_rate=tuple((percent, amount, tax) for percent, amount, tax in rows),
    )


def problem_of(steps: Sequence[tuple[int, int]]) -> str:
    """The first thing wrong with steps as typed: "order", "twice" or ""."""
    starts = [at_least for at_least, _fee in steps]
    if len(set(starts)) < len(starts):
        return "twice"
    return "" if starts == sorted(starts) else "order"
