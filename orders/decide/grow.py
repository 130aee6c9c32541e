"""What an order comes to when pieces or goods are added to it. Pure; money in whole yen, tax-inclusive."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from oms.kernel.money import added_tax, included_tax
from orders.decide.cut import Cut, CutLine, Sums
from orders.decide.manual import Item
from orders.decide.refunds import rate_of


def grow(
    lines: Sequence[CutLine], prices: Mapping[int, int], sums: Sums, more: Mapping[int, int], items: Sequence[Item]
) -> Cut:
    """Add `more` pieces (line id → how many, at `prices` for one) and new `items` to these sums.

    Discounts, coupons, points and fees stay as they are. The tax follows where the order tells one; where prices are
    without tax it comes on top. `value` of the answer is negative: what the buyer owes more.
    """
    by_id = {line.id: line for line in lines}
    raised = [_more(by_id[id_], prices[id_], count) for id_, count in more.items() if count > 0]
    parts = [(by_id[line.id].tax_rate, line.amount - by_id[line.id].amount) for line in raised]
    parts += [(item.tax_rate, item.amount) for item in items]
    goods = sum(amount for _rate, amount in parts)
    on_top = sum(added_tax(amount, rate_of(rate or 10)) for rate, amount in parts) if sums.tax_excluded else 0
    inside = sum(included_tax(amount, rate_of(rate or 10)) for rate, amount in parts) if sums.tax else 0
    grown = goods + on_top
    after = replace(
        sums,
        goods=sums.goods + goods,
        tax_excluded=sums.tax_excluded + on_top,
        tax=sums.tax + (0 if sums.tax_excluded else inside) + on_top * bool(sums.tax),
        total=None if sums.total is None else sums.total + grown,
    )
    return Cut(raised, after, -grown)


def _more(line: CutLine, price: int, count: int) -> CutLine:
    return replace(line, quantity=line.quantity + count, amount=line.amount + price * count)
