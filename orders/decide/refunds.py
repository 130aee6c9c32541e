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
from orders.decide import set_shares
from orders.decide.set_shares import NOTHING, SetPart, Share

FEES = ("shipping", "fees", "gift_fees")


@dataclass(frozen=True, slots=True)
class BillLine:
    """A standing line: what it cost before discounts, and what earlier refunds have given back of it.

    `parts`: the components of a set. Then what was given back stands in them, and `refunded…` says nothing.
    """

    id: int
    quantity: int
    amount: int
    tax_rate: int = 10
    discount: int = 0  # the channel's own sharing of all its discounts and coupons; only its proportions count
    refunded: int = 0  # pieces
    refunded_price: int = 0
    refunded_points: int = 0
    refunded_coupon: int = 0
    parts: Sequence[SetPart] = ()

    @property
    def units_left(self) -> list[int]:
        """Of each component, the units that no refund has given back yet."""
        return [part.units * self.quantity - part.refunded for part in self.parts]

    @property
    def left(self) -> int:
        """Whole pieces that no refund has given back yet."""
        if self.parts:
            return max(0, set_shares.whole_sets(self.parts, self.units_left))
        return self.quantity - self.refunded


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
class PartShare:
    """What a component of a set gives back: `units` of it, of which `alone` belong to no whole set."""

    part_id: int
    units: int
    alone: int
    tax_rate: int
    share: Share


@dataclass(frozen=True, slots=True)
class LineShare:
    """`quantity` counts whole pieces; the share of a set is the sum of its `parts`."""

    line_id: int
    quantity: int
    tax_rate: int
    share: Share
    parts: Sequence[PartShare] = ()

    @property
    def taxed(self) -> list[tuple[int, int]]:
        """(rate, price) of what goes back."""
        if self.parts:
            return [(part.tax_rate, part.share.price) for part in self.parts]
        return [(self.tax_rate, self.share.price)]


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """`amount` is the money to pay back, after the cap; `capped` is what the cap took away."""

    lines: Sequence[LineShare]
    fees: Mapping[str, Share]
    deduction: int
    goodwill: int
    surplus: int
    difference: int
    amount: int
    points_back: int
    coupon_back: int
    rates: Sequence[RateTotal]
    capped: int = 0


def plan_refund(
    bill: Bill,
    quantities: Mapping[int, int],
    *,
    units: Mapping[int, int] | None = None,
    fees: Sequence[str] = (),
    deduction: int = 0,
    goodwill: int = 0,
    surplus: int = 0,
    difference: Mapping[int, int] | None = None,
    at_most: int,
) -> RefundPlan:
    """Give back so many pieces of lines and these fees whole; `at_most` is the buyer's money that is still with us.
    `units`: of single components of sets, by the id of their `SetPart`.

    Raises ValueError for more pieces or units than are left. A deduction never makes the refund negative. Goodwill,
    and a surplus that was paid beyond the total, are no part of any price: they bear no tax. `difference` (percent of
    tax → yen) is: so much less was sold, because cheaper goods were sent in exchange.
    """
    line_parts, fee_parts = shares_of(bill)
    lines = [
        share
        for line, part in zip(bill.lines, line_parts, strict=True)
        if (share := _line_share(line, part, quantities.get(line.id, 0), units or {}))
    ]
    chosen = {name: fee_parts[name] for name in fees if fee_parts.get(name) and not bill.refunded_fees.get(name)}
    parts = [*(line.share for line in lines), *chosen.values()]
    less = {rate: yen for rate, yen in (difference or {}).items() if yen}
    wanted = max(0, sum(part.money for part in parts) - deduction) + goodwill + surplus + sum(less.values())
    amount = min(wanted, max(0, at_most))
    taxed = [(rate_of(rate), price) for line in lines for rate, price in line.taxed]
    taxed += [(STANDARD, part.price) for part in chosen.values()]
    taxed += [(rate_of(rate), yen) for rate, yen in less.items()]
    return RefundPlan(
        lines=lines,
        fees=chosen,
        deduction=deduction,
        goodwill=goodwill,
        surplus=surplus,
        difference=sum(less.values()),
        amount=amount,
        points_back=sum(part.points for part in parts),
        coupon_back=sum(part.coupon for part in parts),
        rates=rate_totals(taxed),
        capped=wanted - amount,
    )


def everything_left(bill: Bill) -> dict[int, int]:
    """Every whole piece that no refund has given back yet."""
    return {line.id: line.left for line in bill.lines if line.left > 0}


def units_beside(bill: Bill, pieces: Mapping[int, int]) -> dict[int, int]:
    """Component → units that are left beside so many whole pieces of their lines; those with none are left out."""
    return {
        part.id: count
        for line in bill.lines
        for part, left in zip(line.parts, line.units_left, strict=True)
        if (count := left - part.units * pieces.get(line.id, 0)) > 0
    }


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


def prices_by_rate(bill: Bill) -> dict[TaxRate, int]:
    """What everything that stands costs after the shop's discounts, by tax rate; fees bear the standard one."""
    lines, fees = shares_of(bill)
    sums: dict[TaxRate, int] = {STANDARD: sum(share.price for share in fees.values())}
    for line, whole in zip(bill.lines, lines, strict=True):
        own = [(part.tax_rate, share.price) for part, share in zip(line.parts, parts_shares(line, whole), strict=True)]
        for rate, price in own or [(line.tax_rate, whole.price)]:
            sums[rate_of(rate)] = sums.get(rate_of(rate), 0) + price
    return sums


def parts_shares(line: BillLine, whole: Share) -> list[Share]:
    """What each component of a set's line cost, of all its pieces; empty for plain goods."""
    amount = max(line.amount, whole.price)  # tax on top of the line is part of its price
    return set_shares.shares_of(line.parts, amount, whole) if line.parts else []


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


def _line_share(line: BillLine, whole: Share, quantity: int, units: Mapping[int, int]) -> LineShare | None:
    if line.parts:
        return _set_share(line, whole, quantity, units)
    if not quantity:
        return None
    left = line.quantity - line.refunded
    if not 0 < quantity <= left:
        raise ValueError(f"line {line.id}: {quantity} of {left} pieces")
    given = Share(line.refunded_price, line.refunded_points, line.refunded_coupon)
    share = _portion(whole, given, line.refunded + quantity, line.quantity)
    return LineShare(line.id, quantity, line.tax_rate, share)


def _set_share(line: BillLine, whole: Share, quantity: int, units: Mapping[int, int]) -> LineShare | None:
    """Whole sets are all their components; single ones come beside them."""
    shares = parts_shares(line, whole)
    parts, sum_ = [], NOTHING
    for part, own, left in zip(line.parts, shares, line.units_left, strict=True):
        alone = units.get(part.id, 0)
        count = part.units * quantity + alone
        if quantity < 0 or alone < 0 or count > left:
            raise ValueError(f"line {line.id}, component {part.id}: {count} of {left} units")
        if not count:
            continue
        given = Share(part.refunded_price, part.refunded_points, part.refunded_coupon)
        share = _portion(own, given, part.refunded + count, part.units * line.quantity)
        parts.append(PartShare(part.id, count, alone, part.tax_rate, share))
        sum_ += share
    return LineShare(line.id, quantity, line.tax_rate, sum_, parts) if parts else None


def _portion(whole: Share, given: Share, upto: int, of: int) -> Share:
    """What comes to `given` when `upto` of `of` pieces have gone back. Each sum is taken of the one above it, so that
    no piece gives back more otherwise than it cost."""
    otherwise = whole.points + whole.coupon
    price_upto = whole.price * upto // of
    otherwise_upto = otherwise * price_upto // whole.price if whole.price else 0
    points_upto = whole.points * otherwise_upto // otherwise if otherwise else 0
    price = max(0, price_upto - given.price)
    points = min(price, max(0, points_upto - given.points))
    coupon = min(price - points, max(0, otherwise_upto - points_upto - given.coupon))
    return Share(price, points, coupon)
