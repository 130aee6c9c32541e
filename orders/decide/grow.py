"""What an order comes to when pieces or goods are added to it. Pure; money in whole yen, tax-inclusive."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from oms.kernel.money import TaxRate, added_tax, tax_moved
from orders.decide.cut import Cut, CutLine, Sums
from orders.decide.manual import Item
from orders.decide.refunds import rate_of

Rates = Mapping[TaxRate, int]


def grow(
    lines: Sequence[CutLine],
    prices: Mapping[int, int],
    sums: Sums,
    more: Mapping[int, int],
    items: Sequence[Item],
    *,
    rates: Rates,
) -> Cut:
    """Add `more` pieces (line id → how many, at `prices` for one) and new `items` to these sums. `rates`: what stands
    before, by tax rate.

    Discounts, coupons, points and fees stay as they are. The tax follows where the order tells one, rounded once a
    rate; where prices are without tax it comes on top. `value` of the answer is negative: what the buyer owes more.
    """
    by_id = {line.id: line for line in lines}
    raised = [_more(by_id[id_], prices[id_], count) for id_, count in more.items() if count > 0]
    parts = [(by_id[line.id].tax_rate, line.amount - by_id[line.id].amount) for line in raised]
    added = _by_rate([*parts, *((item.tax_rate, item.amount) for item in items)])
    goods = sum(added.values())
    on_top = _on_top(_by_rate((line.tax_rate, line.amount) for line in lines), added) if sums.tax_excluded else {}
    beside = sum(on_top.values())
    after_rates = _plus(_plus(rates, added), on_top)
    inside = beside if on_top else tax_moved(rates, after_rates)
    after = replace(
        sums,
        goods=sums.goods + goods,
        tax_excluded=sums.tax_excluded + beside,
        tax=sums.tax + inside if sums.tax else 0,
        total=None if sums.total is None else sums.total + goods + beside,
    )
    return Cut(raised, after, -(goods + beside), after_rates)


def _more(line: CutLine, price: int, count: int) -> CutLine:
    return replace(line, quantity=line.quantity + count, amount=line.amount + price * count)


def _by_rate(parts: Iterable[tuple[int | None, int]]) -> dict[TaxRate, int]:
    sums: dict[TaxRate, int] = {}
    for rate, amount in parts:
        sums[rate_of(rate or 10)] = sums.get(rate_of(rate or 10), 0) + amount
    return sums


def _plus(one: Rates, other: Rates) -> dict[TaxRate, int]:
    return {rate: one.get(rate, 0) + other.get(rate, 0) for rate in one.keys() | other.keys()}


def _on_top(before: Rates, added: Rates) -> dict[TaxRate, int]:
    """The tax that comes on top of what is added, rounded once a rate over what stands then."""
    after = _plus(before, added)
    return {rate: added_tax(after[rate], rate) - added_tax(before.get(rate, 0), rate) for rate in added}
