"""How much of an order goes back, true to lines and tax rates. Pure; whole yen.

An order's price has parts: its lines, and its fees (shipping, handling, wrapping). The shop's own discounts and coupons
lower the prices; they are shared over the parts first. Points and the channel's coupons are means of payment: the shop
gets that money from the channel, so they lower what the buyer gets back, but not the price that is taken back.

Shares are taken as differences of running sums: however an order is refunded piece by piece, all pieces together give
back exactly what was paid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from oms.kernel.money import REDUCED, STANDARD, RateTotal, TaxRate, distribute, rate_totals, spread_discount

FEES = ("shipping", "fees", "gift_fees")


@dataclass(frozen=True, slots=True)
class BillLine:
    """A standing line: what it cost before discounts, and what earlier refunds have given back of it."""

    id: int
    quantity: int
    amount: int
    tax_rate: int = 10
    discount: int = 0  # the channel's own sharing of all its discounts and coupons; only its proportions count
    refunded: int = 0  # pieces
    refunded_price: int = 0
    refunded_points: int = 0
    refunded_coupon: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """An order's figures. `tax_excluded` comes on top of the lines. `refunded_fees`: what went back of each fee."""

    lines: Sequence[BillLine]
    fees: Mapping[str, int] = field(default_factory=dict)
    shop_discount: int = 0  # the shop pays: discounts and its own coupons
    coupons_channel: int = 0
    points: int = 0
    tax_excluded: int = 0
    refunded_fees: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the price, and who had paid it. `price = points + coupon + money`."""

    price: int
    points: int
    coupon: int

    @property
    def money(self) -> int:
        return self.price - self.points - self.coupon


@dataclass(frozen=True, slots=True)
class LineShare:
    line_id: int
    quantity: int
    tax_rate: int
    share: Share


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """`amount` is the money to pay back, after the cap; `capped` is what the cap took away."""

    lines: Sequence[LineShare]
    fees: Mapping[str, Share]
    deduction: int
    goodwill: int
    surplus: int
    amount: int
    points_back: int
    coupon_back: int
    rates: Sequence[RateTotal]
    capped: int = 0


def plan_refund(
    bill: Bill,
    quantities: Mapping[int, int],
    *,
    fees: Sequence[str] = (),
    deduction: int = 0,
    goodwill: int = 0,
    surplus: int = 0,
    at_most: int,
) -> RefundPlan:
    """Give back so many pieces of lines and these fees whole; `at_most` is the buyer's money that is still with us.

    Raises ValueError for more pieces than are left. A deduction never makes the refund negative. Goodwill, and a
    surplus that was paid beyond the total, are no part of any price: they bear no tax.
    """
    line_parts, fee_parts = shares_of(bill)
    lines = [
        _line_share(line, part, quantities[line.id])
        for line, part in zip(bill.lines, line_parts, strict=True)
        if quantities.get(line.id, 0)
    ]
    chosen = {name: fee_parts[name] for name in fees if fee_parts.get(name) and not bill.refunded_fees.get(name)}
    parts = [*(line.share for line in lines), *chosen.values()]
    wanted = max(0, sum(part.money for part in parts) - deduction) + goodwill + surplus
    amount = min(wanted, max(0, at_most))
    taxed = [(rate_of(line.tax_rate), line.share.price) for line in lines]
    taxed += [(STANDARD, part.price) for part in chosen.values()]
    return RefundPlan(
        lines=lines,
        fees=chosen,
        deduction=deduction,
        goodwill=goodwill,
        surplus=surplus,
        amount=amount,
        points_back=sum(part.points for part in parts),
        coupon_back=sum(part.coupon for part in parts),
        rates=rate_totals(taxed),
        capped=wanted - amount,
    )


def everything_left(bill: Bill) -> dict[int, int]:
    """Every piece that no refund has given back yet."""
    return {line.id: line.quantity - line.refunded for line in bill.lines if line.quantity > line.refunded}


def shares_of(bill: Bill) -> tuple[list[Share], dict[str, Share]]:
    """What each line and each fee cost, and who paid it. All shares together are the order's figures exactly."""
    goods = [line.amount + tax for line, tax in zip(bill.lines, taxes_of(bill), strict=True)]
    names = [name for name in FEES if bill.fees.get(name)]
    costs = [bill.fees[name] for name in names]
    told = [line.discount for line in bill.lines]
    off_goods, off_fees = _discounts(goods, costs, told, bill.shop_discount)
    prices = [cost - off for cost, off in zip([*goods, *costs], [*off_goods, *off_fees], strict=True)]
    paid_otherwise = min(bill.points + bill.coupons_channel, sum(prices))
    others = distribute(paid_otherwise, prices) if prices else []
    points = distribute(min(bill.points, paid_otherwise), others) if others else []
    shares = [Share(price, point, other - point) for price, other, point in zip(prices, others, points, strict=True)]
    return shares[: len(goods)], dict(zip(names, shares[len(goods) :], strict=True))


def taxes_of(bill: Bill) -> list[int]:
    """Each line's part of the tax that comes on top of the lines."""
    return distribute(bill.tax_excluded, [line.amount * line.tax_rate for line in bill.lines]) if bill.lines else []


def rate_of(percent: int) -> TaxRate:
    return REDUCED if percent == REDUCED.percent else TaxRate(percent)


def _discounts(
    goods: Sequence[int], costs: Sequence[int], told: Sequence[int], discount: int
) -> tuple[list[int], list[int]]:
    """The channel's own sharing where it tells one and it fits, else in proportion to the amounts."""
    discount = min(discount, sum(goods) + sum(costs))
    if sum(told) and discount:
        off = distribute(discount, [max(0, share) for share in told])
        if all(share <= amount for share, amount in zip(off, goods, strict=True)):
            return off, [0] * len(costs)
    return spread_discount(goods, costs, discount)


def _line_share(line: BillLine, whole: Share, quantity: int) -> LineShare:
    left = line.quantity - line.refunded
    if not 0 < quantity <= left:
        raise ValueError(f"line {line.id}: {quantity} of {left} pieces")
    # Each sum is taken of the one above it, so that no piece gives back more otherwise than it cost.
    otherwise = whole.points + whole.coupon
    price_upto = whole.price * (line.refunded + quantity) // line.quantity
    otherwise_upto = otherwise * price_upto // whole.price if whole.price else 0
    points_upto = whole.points * otherwise_upto // otherwise if otherwise else 0
    price = max(0, price_upto - line.refunded_price)
    points = min(price, max(0, points_upto - line.refunded_points))
    coupon = min(price - points, max(0, otherwise_upto - points_upto - line.refunded_coupon))
    return LineShare(line.id, quantity, line.tax_rate, Share(price, points, coupon))
