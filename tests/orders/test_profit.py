"""粗利: the goods without tax, less the shop's own discounts, costs and freight."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.decide.profit import Profit, Sold, gross_profit

yen = st.integers(0, 200_000)
many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
lines = st.lists(
    st.tuples(st.integers(1, 200_000), st.sampled_from([8, 10]), yen).map(lambda told: Sold(*told)),
    min_size=1,
    max_size=6,
)


def told(profit: Profit) -> tuple[int | None, list[str]]:
    return profit.yen, list(profit.lacking)


def test_tax_leaves_by_its_rate_and_costs_come_off():
    sold = [Sold(1080, 8, 600), Sold(2200, 10, 900)]
    assert told(gross_profit(sold, discount=0, freight=0)) == (1000 + 2000 - 1500, [])
    assert gross_profit(sold, discount=0, freight=0).net == 3000, "what was sold, without tax"
    assert told(gross_profit(sold, discount=0, freight=680)) == (1000 + 2000 - 1500 - 680, [])


def test_a_discount_takes_its_part_of_the_tax_along():
    assert told(gross_profit([Sold(1100, 10, 0)], discount=110, freight=0)) == (900, [])
    assert told(gross_profit([Sold(1080, 8, 0), Sold(1100, 10, 0)], discount=218, freight=0)) == (1800, [])


def test_amounts_without_tax_stay_as_they_are():
    assert told(gross_profit([Sold(1000, 10, 400)], discount=0, freight=0, tax_outside=True)) == (600, [])


def test_goods_without_cost_leave_it_open_and_are_named_once():
    sold = [Sold(1000, 10, None, ["A"]), Sold(1000, 10, 5), Sold(10, 10, None, ["A", "B"])]
    assert told(gross_profit(sold, discount=0, freight=0)) == (None, ["A", "B"])
    assert told(gross_profit([], discount=0, freight=0)) == (None, [])


def test_free_goods_are_a_loss():
    assert told(gross_profit([Sold(0, 10, 300)], discount=0, freight=50)) == (-350, [])


@many
@given(lines, yen, yen)
def test_more_discount_or_freight_never_earns_more(sold, discount, freight):
    least = gross_profit(sold, discount=discount + 1, freight=freight).yen
    some = gross_profit(sold, discount=discount, freight=freight).yen
    assert least is not None and some is not None and least <= some
    assert gross_profit(sold, discount=discount, freight=freight + 7).yen == some - 7


@many
@given(lines)
def test_it_lies_within_a_yen_of_the_sum_of_its_lines_and_never_above(sold):
    exact = sum(line.amount * 100 / (100 + line.rate) - line.cost for line in sold)
    found = gross_profit(sold, discount=0, freight=0).yen
    assert found is not None and -0.01 <= exact - found < 1.01


@many
@given(lines)
def test_a_discount_of_everything_leaves_the_costs(sold):
    whole = sum(line.amount for line in sold)
    assert gross_profit(sold, discount=whole, freight=0).yen == -sum(line.cost for line in sold)
