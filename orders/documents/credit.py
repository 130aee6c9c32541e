"""What a return or a later discount takes back from a sale, line by line and rate by rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from oms.kernel.money import TaxRate, distribute, spread_discount
from orders.documents.bill import Bill
from orders.documents.values import Line


class TooMuch(ValueError):
    """More is to be given back than was sold. `left` is what can still be given back, of `what`."""

    def __init__(self, what: str, left: int) -> None:
        super().__init__(what)
        self.what, self.left = what, left


@dataclass(frozen=True, slots=True)
class Wish:
    """Pieces per line (`Line.ref`), fees given back, and a discount granted afterwards on what remains."""

    pieces: Mapping[str, int]
    fees: int = 0
    reduction: int = 0


def net_amounts(sold: Bill) -> tuple[dict[str, int], list[int]]:
    """What each line (by ref) and each fee cost after the discounts given at the sale."""
    cut = sum(part.amount for part in sold.deductions if part.lowers_price)
    off_goods, off_fees = spread_discount([line.amount for line in sold.lines], [fee.amount for fee in sold.fees], cut)
    lines = {line.ref: line.amount - off for line, off in zip(sold.lines, off_goods, strict=True)}
    return lines, [fee.amount - off for fee, off in zip(sold.fees, off_fees, strict=True)]


def credit_lines(sold: Bill, earlier: Sequence[Bill], wish: Wish) -> tuple[Line, ...]:
    """The lines of the credit note. Raises TooMuch; empty when nothing is to be given back.

    Pieces of a line are shared so that giving back all of them in any steps gives back the line's net amount exactly.
    No rate is ever given back more than was sold in it.
    """
    net, net_fees = net_amounts(sold)
    given = _pieces_given(earlier)
    lines = []
    for line in sold.lines:
        count, before = wish.pieces.get(line.ref, 0), given.get(line.ref, 0)
        if count <= 0:
            continue
        if count > line.quantity - before:
            raise TooMuch(line.name, line.quantity - before)
        share = _share(net[line.ref], before, count, line.quantity)
        lines.append(replace(line, quantity=count, unit_price=share // count, amount=share, components=()))
    fees_left = sum(net_fees) - sum(line.amount for bill in earlier for line in bill.lines if line.ref == "fees")
    if wish.fees > fees_left:
        raise TooMuch("送料・手数料", fees_left)
    if wish.fees > 0:
        rates = {fee.rate: 0 for fee in sold.fees}
        for fee, amount in zip(sold.fees, net_fees, strict=True):
            rates[fee.rate] += amount
        lines += _spread("送料・手数料", "fees", wish.fees, rates)
    left = _left_per_rate(sold, net, net_fees, earlier, lines)
    if short := next((rate for rate, amount in left.items() if amount < 0), None):
        raise TooMuch(f"{short}対象", max(left[short] + sum(o.amount for o in lines if o.rate == short), 0))
    if wish.reduction > sum(left.values()):
        raise TooMuch("値引", sum(left.values()))
    if wish.reduction > 0:
        lines += _spread("値引", "reduction", wish.reduction, left)
    return tuple(lines)


def _share(net: int, before: int, count: int, whole: int) -> int:
    return net * (before + count) // whole - net * before // whole


def _pieces_given(earlier: Sequence[Bill]) -> dict[str, int]:
    given: dict[str, int] = {}
    for bill in earlier:
        for line in bill.lines:
            given[line.ref] = given.get(line.ref, 0) + line.quantity
    return given


def _left_per_rate(
    sold: Bill, net: Mapping[str, int], net_fees: Sequence[int], earlier: Sequence[Bill], now: Sequence[Line]
) -> dict[TaxRate, int]:
    left: dict[TaxRate, int] = {}
    for line in sold.lines:
        left[line.rate] = left.get(line.rate, 0) + net[line.ref]
    for fee, amount in zip(sold.fees, net_fees, strict=True):
        left[fee.rate] = left.get(fee.rate, 0) + amount
    for line in (*(line for bill in earlier for line in bill.lines), *now):
        left[line.rate] = left.get(line.rate, 0) - line.amount
    return left


def _spread(name: str, ref: str, amount: int, weights: Mapping[TaxRate, int]) -> list[Line]:
    """One line per rate, in proportion, the remainders to the largest."""
    shares = distribute(amount, list(weights.values()))
    return [
        Line(code="", name=f"{name}（{rate}対象）", quantity=1, unit_price=share, amount=share, rate=rate, ref=ref)
        for rate, share in zip(weights, shares, strict=True)
        if share
    ]
