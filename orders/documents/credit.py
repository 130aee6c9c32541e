"""What a return or a later discount takes back from a sale, line by line and rate by rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from oms.kernel.money import TaxRate, distribute, spread_discount
from orders.decide.set_shares import SetPart, Share, shares_of
from orders.documents.bill import Bill
from orders.documents.values import Line


class TooMuch(ValueError):
    """More is to be given back than was sold. `left` is what can still be given back, of `what`."""

    def __init__(self, what: str, left: int) -> None:
        super().__init__(what)
        self.what, self.left = what, left


@dataclass(frozen=True, slots=True)
class Wish:
    """Pieces per line (`Line.ref`), fees given back, and a discount granted afterwards on what remains. `units`: of
    single components of sets, by `part_ref`."""

    pieces: Mapping[str, int]
    fees: int = 0
    reduction: int = 0
    units: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetItem:
    """A component of a set's line, as it was sold."""

    part: SetPart
    code: str
    name: str


Sets = Mapping[str, Sequence[SetItem]]  # the line (`line_ref`) → its components


def line_ref(ref: str) -> str:
    """The order line behind a printed line: a set of goods at two rates is printed as two (`123%8`, `123%10`)."""
    return ref.partition("%")[0]


def part_ref(line: str, item: SetItem) -> str:
    return f"{line}/{item.part.id}"


def items_of(line: Line, sets: Sets) -> list[SetItem]:
    """The components that a printed line stands for; empty for plain goods."""
    base, _sign, rate = line.ref.partition("%")
    return [item for item in sets.get(base, ()) if not rate or item.part.tax_rate == int(rate)]


def left(sold: Bill, given: Mapping[str, int], sets: Sets) -> tuple[dict[str, int], dict[str, int]]:
    """What earlier notes leave: whole pieces by line, and units by component (`part_ref`), those in whole sets too."""
    pieces: dict[str, int] = {}
    units: dict[str, int] = {}
    for line in sold.lines:
        base, items = line_ref(line.ref), items_of(line, sets)
        whole = line.quantity - given.get(line.ref, 0)
        for item in items:
            ref = part_ref(base, item)
            units[ref] = whole * item.part.units - given.get(ref, 0)
            whole_of_it = units[ref] // item.part.units
            pieces[base] = min(pieces.get(base, whole), whole_of_it)
        if not items:
            pieces[base] = whole
    return pieces, units


def net_amounts(sold: Bill) -> tuple[dict[str, int], list[int]]:
    """What each line (by ref) and each fee cost after the discounts given at the sale."""
    cut = sum(part.amount for part in sold.deductions if part.lowers_price)
    off_goods, off_fees = spread_discount([line.amount for line in sold.lines], [fee.amount for fee in sold.fees], cut)
    lines = {line.ref: line.amount - off for line, off in zip(sold.lines, off_goods, strict=True)}
    return lines, [fee.amount - off for fee, off in zip(sold.fees, off_fees, strict=True)]


def credit_lines(sold: Bill, earlier: Sequence[Bill], wish: Wish, sets: Sets | None = None) -> tuple[Line, ...]:
    """The lines of the credit note. Raises TooMuch; empty when nothing is to be given back.

    Pieces of a line are shared so that giving back all of them in any steps gives back the line's net amount exactly.
    No rate is ever given back more than was sold in it. A component of a set is a line of its own with the set's name.
    """
    net, net_fees = net_amounts(sold)
    given = _pieces_given(earlier)
    lines: list[Line] = []
    for line in sold.lines:
        if items := items_of(line, sets or {}):
            lines += _set_lines(line, items, net[line.ref], given, wish)
            continue
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
    rest = _left_per_rate(sold, net, net_fees, earlier, lines)
    if short := next((rate for rate, amount in rest.items() if amount < 0), None):
        raise TooMuch(f"{short}対象", max(rest[short] + sum(o.amount for o in lines if o.rate == short), 0))
    if wish.reduction > sum(rest.values()):
        raise TooMuch("値引", sum(rest.values()))
    if wish.reduction > 0:
        lines += _spread("値引", "reduction", wish.reduction, rest)
    return tuple(lines)


def _set_lines(line: Line, items: Sequence[SetItem], net: int, given: Mapping[str, int], wish: Wish) -> list[Line]:
    """Whole sets are the sum of their components; single ones stand beside them."""
    base = line_ref(line.ref)
    sets = wish.pieces.get(base, 0)
    shares = shares_of([item.part for item in items], max(line.amount, net), Share(net, 0, 0))
    whole, alone = 0, []
    for item, share in zip(items, shares, strict=True):
        ref, each = part_ref(base, item), item.part.units
        before, count = given.get(line.ref, 0) * each + given.get(ref, 0), wish.units.get(ref, 0)
        if sets * each + count > line.quantity * each - before:
            raise TooMuch(f"{line.name}（{item.name}）", line.quantity * each - before - sets * each)
        whole += _share(share.price, before, sets * each, line.quantity * each)
        if count > 0:
            amount = _share(share.price, before + sets * each, count, line.quantity * each)
            name = f"{line.name}（{item.name}）"
            alone.append(
                Line(code=item.code, name=name, quantity=count, unit_price=amount // count, amount=amount,
                     rate=line.rate, ref=ref)
            )  # fmt: skip
    if sets <= 0:
        return alone
    return [replace(line, quantity=sets, unit_price=whole // sets, amount=whole, components=()), *alone]


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
