"""粗利 of one order: what its goods bring in without tax, less what they cost. Pure.

Counted: the standing lines, less the discounts that the shop bears (値引 and its own coupons; a channel's coupons and
points are paid to us like money), less the goods' costs, less the freight we pay, where it is known. Left out on both
sides: the shipping fee and other fees the buyer pays, the channel's commission, material and work.
"""

from collections.abc import Sequence
from dataclasses import dataclass

STANDARD_RATE = 10
SCALE = 108 * 110  # fractions of this keep what each rate leaves until the one rounding


@dataclass(frozen=True, slots=True)
class Sold:
    """A standing line. `amount` yen as the line says it; `rate` percent; `cost` yen without tax of the whole line, None
    where a cost is missing, and then `lacking` names what."""

    amount: int
    rate: int
    cost: int | None
    lacking: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Profit:
    """`yen` is None where a cost is missing; `lacking` names the goods, each once. `net` is what the goods bring in."""

    yen: int | None
    lacking: Sequence[str] = ()
    net: int = 0


def gross_profit(lines: Sequence[Sold], *, discount: int, freight: int, tax_outside: bool = False) -> Profit:
    """`discount` as the buyer saw it, `freight` without tax. `tax_outside`: the amounts have no tax inside.

    The discount takes part of each rate's tax with it, in proportion to the goods. Rounding is down, once.
    """
    lacking = list(dict.fromkeys(name for line in lines for name in line.lacking))
    if lacking or not lines:
        return Profit(None, lacking)
    gross = sum(line.amount for line in lines)
    net = sum(line.amount * SCALE if tax_outside else line.amount * SCALE * 100 // (100 + line.rate) for line in lines)
    kept = net * (gross - discount) // (gross * SCALE) if gross else 0
    return Profit(kept - sum(line.cost or 0 for line in lines) - freight, net=kept)
