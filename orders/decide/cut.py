"""What an order comes to when pieces of it are taken off. Pure; money in whole yen, tax-inclusive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from oms.kernel.money import TaxRate, tax_moved
from orders.decide import set_shares
from orders.decide.refunds import Bill, BillLine, plan_refund, prices_by_rate, taxes_of


@dataclass(frozen=True, slots=True)
class CutLine:
    """A line as it stands. `amount` is what the line costs, `discount` its told share of the order's discounts."""

    id: int
    quantity: int
    cancelled: int
    amount: int
    discount: int = 0
    tax_rate: int | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """The order's sums; `total` is None while the channel withholds it."""

    goods: int
    tax_excluded: int
    discount: int
    coupons_shop: int
    coupons_channel: int
    points: int
    tax: int
    total: int | None
    fees: int = 0  # of the payment method; a cut leaves them


@dataclass(frozen=True, slots=True)
class Cut:
    """The lines that changed and the sums, as they are afterwards; `value`: yen that the buyer owes less; `rates`: what
    stands then, by tax rate."""

    lines: Sequence[CutLine]
    sums: Sums
    value: int
    rates: Mapping[TaxRate, int] = field(default_factory=dict)


def cut(lines: Sequence[CutLine], sums: Sums, bill: Bill, pieces: Mapping[int, int]) -> Cut:
    """Take `pieces` (line id → how many) off. Raises ValueError beyond what stands.

    Discounts, coupons and points shrink by the pieces' own shares, which are those that a refund gives back, so that
    what was paid less the refund is what the order costs then. Shipping and fees stay.
    """
    by_id = {line.id: line for line in lines}
    if any(not 0 < count <= by_id[id_].quantity for id_, count in pieces.items() if count):
        raise ValueError("more pieces than stand")
    bill = replace(bill, lines=[_whole(line, pieces.get(line.id, 0)) for line in bill.lines])
    plan = plan_refund(bill, pieces, at_most=0)
    sold = {line.id: line for line in bill.lines}
    changed = [_less(by_id[id_], sold[id_], count) for id_, count in pieces.items() if count]
    goods = sum(by_id[line.id].amount - line.amount for line in changed)
    price = sum(part.share.price for part in plan.lines)
    outside = _outside(bill, pieces, at_least=price - goods)
    off = goods + outside - price
    standing = prices_by_rate(bill)
    left = standing | {rate.rate: standing.get(rate.rate, 0) - rate.amount for rate in plan.rates}
    from_coupons = min(off, sums.coupons_shop)
    after = replace(
        sums,
        goods=sums.goods - goods,
        tax_excluded=sums.tax_excluded - outside,
        coupons_shop=sums.coupons_shop - from_coupons,
        discount=max(0, sums.discount - (off - from_coupons)),
        coupons_channel=max(0, sums.coupons_channel - sum(part.share.coupon for part in plan.lines)),
        points=max(0, sums.points - sum(part.share.points for part in plan.lines)),
        tax=max(0, sums.tax + tax_moved(standing, left)) if sums.tax else 0,
    )
    fell = _net(sums) - _net(after)
    return Cut(changed, replace(after, total=None if sums.total is None else sums.total - fell), fell, left)


def _whole(line: BillLine, taken: int) -> BillLine:
    """Pieces whose money went back earlier are taken off like others: at their share of the line."""
    if taken <= line.left:
        return line
    fresh = [replace(part, refunded=0, refunded_price=0, refunded_points=0, refunded_coupon=0) for part in line.parts]
    return replace(line, parts=fresh, refunded=0, refunded_price=0, refunded_points=0, refunded_coupon=0)


def _less(line: CutLine, sold: BillLine, taken: int) -> CutLine:
    """A yen that cannot be shared stays with the pieces that stand, as in a refund."""
    kept = line.quantity - taken
    if sold.parts:
        amount = line.amount - set_shares.taken(sold.parts, line.amount, taken, line.quantity)
    else:
        amount = line.amount - line.amount * taken // line.quantity
    discount = line.discount * kept // line.quantity
    return replace(line, quantity=kept, cancelled=line.cancelled + taken, amount=amount, discount=discount)


def _outside(bill: Bill, pieces: Mapping[int, int], *, at_least: int) -> int:
    """What falls of the tax that comes on top of the lines."""
    shares = zip(bill.lines, taxes_of(bill), strict=True)
    return max(at_least, sum(tax * pieces.get(line.id, 0) // line.quantity for line, tax in shares))


def _net(sums: Sums) -> int:
    taken = sums.discount + sums.coupons_shop + sums.coupons_channel + sums.points
    return sums.goods + sums.tax_excluded - taken
