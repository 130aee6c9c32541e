"""Not one yen appears or disappears, and a document rounds its tax once per rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.kernel import money
from oms.kernel.money import REDUCED, STANDARD, Rounding, TaxRate

WEIGHTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=40)


@given(total=st.integers(-(10**9), 10**9), weights=WEIGHTS)
def test_shares_add_up_and_are_fair(total, weights):
    shares = money.distribute(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    if whole:
        assert all(abs(share * whole - total * weight) < whole for share, weight in zip(shares, weights, strict=True))


@given(weights=WEIGHTS, data=st.data())
def test_no_line_bears_more_than_its_amount(weights, data):
    total = data.draw(st.integers(0, sum(weights)))
    if sum(weights):
        shares = money.distribute(total, weights)
        assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (1, [1, 2], [0, 1]),
        (1, [5, 5], [1, 0]),
        (10, [0, 0], [5, 5]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (0, [], []),
    ],
)
def test_the_remainder_goes_to_the_largest_fraction(total, weights, shares):
    assert money.distribute(total, weights) == shares


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [2, -1])])
def test_what_cannot_be_shared_is_said(total, weights):
    with pytest.raises(ValueError):
        money.distribute(total, weights)


@given(
    goods=st.lists(st.integers(0, 10**6), max_size=9), fees=st.lists(st.integers(0, 3000), max_size=3), data=st.data()
)
def test_a_discount_spills_to_the_fees_only_when_the_goods_are_used_up(goods, fees, data):
    discount = data.draw(st.integers(0, sum(goods) + sum(fees)))
    on_goods, on_fees = money.spread_discount(goods, fees, discount)
    assert sum(on_goods) + sum(on_fees) == discount
    assert sum(on_fees) == max(0, discount - sum(goods))
    assert all(share <= amount for share, amount in zip(on_goods + on_fees, goods + fees, strict=True))


def test_a_discount_larger_than_everything_is_refused():
    with pytest.raises(ValueError):
        money.spread_discount([100], [50], 151)


def test_tax_is_rounded_once_per_rate_and_not_per_line():
    [total] = money.rate_totals([(STANDARD, 105)] * 3)
    assert total.tax == 28  # 315 × 10 / 110 = 28.6; per line it would be 9 × 3 = 27
    assert money.added_tax(345, STANDARD) == 34  # three lines of 115 without tax; per line it would be 33
    assert money.included_tax(2000, STANDARD) == 181


@pytest.mark.parametrize(("rounding", "tax"), [(Rounding.FLOOR, 9), (Rounding.CEIL, 10), (Rounding.HALF_UP, 10)])
def test_the_issuer_chooses_how_to_round(rounding, tax):
    assert money.included_tax(105, STANDARD, rounding) == tax  # 9.545…


def test_the_two_eight_percents_are_kept_apart():
    totals = money.rate_totals([(REDUCED, 108), (TaxRate(8), 108), (STANDARD, 110)])
    assert [(total.rate, total.base, total.tax) for total in totals] == [
        (STANDARD, 100, 10),
        (REDUCED, 100, 8),
        (TaxRate(8), 100, 8),
    ]


@given(amount=st.integers(-(10**9), 10**9), rounding=st.sampled_from(Rounding), percent=st.sampled_from([0, 8, 10]))
def test_tax_mirrors_and_stays_within_one_yen(amount, rounding, percent):
    tax = money.included_tax(amount, TaxRate(percent), rounding)
    assert tax == -money.included_tax(-amount, TaxRate(percent), rounding)
    assert abs(tax * (100 + percent) - amount * percent) < 100 + percent


def test_yen_reads_as_printed():
    assert [money.yen(amount) for amount in (0, 1234567, -500)] == ["¥0", "¥1,234,567", "-¥500"]
