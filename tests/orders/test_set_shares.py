"""How a set's line is spread over its components: to the yen, and whole again however it is taken back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.kernel.money import spread_to_largest
from orders.decide import refunds, set_shares
from orders.decide.cut import CutLine, Sums, cut
from orders.decide.refunds import Bill, BillLine, plan_refund
from orders.decide.set_shares import SetPart, Share


def test_the_price_is_spread_by_list_value_and_the_remainder_goes_to_the_largest():
    assert spread_to_largest(999, [500, 300, 200]) == [501, 299, 199]
    assert spread_to_largest(1000, [1, 1, 1]) == [334, 333, 333], "the first of equals is the largest"
    assert spread_to_largest(1000, [700, 0, 300]) == [700, 0, 300], "what costs nothing bears nothing"
    assert spread_to_largest(7, [0, 0]) == [4, 3] and spread_to_largest(0, [3, 4]) == [0, 0]
    assert spread_to_largest(5, [3, 2], most=[2, 9]) == [2, 3], "what the largest cannot bear goes to the next"
    for bad in [(-1, [1], None), (3, [1, 1], [1, 1]), (1, [-1, 2], None)]:
        with pytest.raises(ValueError):
            spread_to_largest(bad[0], bad[1], most=bad[2])


def test_a_set_without_list_prices_is_spread_by_units():
    parts = [SetPart(1, 3, 0), SetPart(2, 1, 0)]
    assert set_shares.prices_of(parts, 1000) == [750, 250]


PARTS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5000), st.sampled_from([8, 10])), min_size=1, max_size=4)


@st.composite
def bills(draw):
    """One set beside a plain line, with every kind of discount."""
    sold = draw(PARTS)
    parts = [SetPart(at, units, value, rate) for at, (units, value, rate) in enumerate(sold, 1)]
    line = BillLine(1, draw(st.integers(1, 3)), draw(st.integers(0, 30_000)), parts=parts)
    other = BillLine(2, draw(st.integers(1, 3)), draw(st.integers(0, 9_000)), tax_rate=8)
    sums = line.amount + other.amount
    if draw(st.booleans()):
        line = replace(line, discount=draw(st.integers(0, line.amount)))
    discount = draw(st.integers(0, sums))
    return Bill(
        [line, other],
        shop_discount=discount,
        coupons_channel=draw(st.integers(0, sums)),
        points=draw(st.integers(0, sums)),
        tax_excluded=draw(st.integers(0, 900)),
    )


def given_back(bill: Bill, plan: refunds.RefundPlan) -> Bill:
    """The bill with what this plan gives back of the set."""
    told = {part.part_id: part for line in plan.lines for part in line.parts}
    parts = [
        replace(
            part,
            refunded=part.refunded + told[part.id].units,
            refunded_price=part.refunded_price + told[part.id].share.price,
            refunded_points=part.refunded_points + told[part.id].share.points,
            refunded_coupon=part.refunded_coupon + told[part.id].share.coupon,
        )
        if part.id in told
        else part
        for part in bill.lines[0].parts
    ]
    return replace(bill, lines=[replace(bill.lines[0], parts=parts), bill.lines[1]])


STEPS = st.lists(st.lists(st.integers(0, 5), min_size=5, max_size=5), max_size=4)


@given(bill=bills(), steps=STEPS)
def test_taken_back_in_any_order_a_set_gives_back_exactly_what_it_cost(bill, steps):
    whole = refunds.shares_of(bill)[0][0]
    back = Share(0, 0, 0)
    for sets, *units in [*steps, [9, 99, 99, 99, 99]]:
        line = bill.lines[0]
        sets = min(sets, line.left)  # noqa: PLW2901 - what is left of it
        beside = [left - sets * part.units for part, left in zip(line.parts, line.units_left, strict=True)]
        single = {part.id: min(units[at], beside[at]) for at, part in enumerate(line.parts)}
        plan = plan_refund(bill, {1: sets} if sets else {}, units=single, at_most=10**9)
        for one in plan.lines:
            assert min(one.share.price, one.share.points, one.share.coupon, one.share.money) >= 0
            assert one.share == sum((part.share for part in one.parts), Share(0, 0, 0))
            back += one.share
        assert sum(rate.amount for rate in plan.rates) == sum(one.share.price for one in plan.lines)
        bill = given_back(bill, plan)
        with pytest.raises(ValueError):
            plan_refund(bill, {1: bill.lines[0].left + 1}, at_most=10**9)
    assert back == whole


@given(bill=bills())
def test_all_components_one_by_one_are_the_set_to_the_yen(bill):
    at_once = plan_refund(bill, {1: 1}, at_most=10**9).lines[0].share
    one_by_one, left = Share(0, 0, 0), bill
    for part in bill.lines[0].parts:
        for _unit in range(part.units):
            plan = plan_refund(left, {}, units={part.id: 1}, at_most=10**9)
            one_by_one += plan.lines[0].share
            left = given_back(left, plan)
    assert one_by_one == at_once


@given(bill=bills())
def test_a_component_never_costs_more_after_discounts_than_before(bill):
    line, whole = bill.lines[0], refunds.shares_of(bill)[0][0]
    before = set_shares.prices_of(line.parts, max(line.amount, whole.price))
    after = refunds.parts_shares(line, whole)
    assert all(0 <= share.price <= price for share, price in zip(after, before, strict=True))
    assert sum(before) == max(line.amount, whole.price) and sum(share.price for share in after) == whole.price


@given(bill=bills(), data=st.data())
def test_sets_cancelled_before_they_leave_lower_the_order_by_what_their_refund_gives_back(bill, data):
    bill = replace(bill, tax_excluded=0)
    line, other = bill.lines
    taken = bill.points + bill.coupons_channel
    room = max(0, line.amount + other.amount - bill.shop_discount)
    if taken > room:
        bill = replace(bill, points=room, coupons_channel=0)
    goods = line.amount + other.amount
    before = Sums(goods, 0, bill.shop_discount, 0, bill.coupons_channel, bill.points, 0,
                  goods - bill.shop_discount - bill.coupons_channel - bill.points)  # fmt: skip
    count = data.draw(st.integers(1, line.quantity))
    lines = [CutLine(one.id, one.quantity, 0, one.amount, one.discount, one.tax_rate) for one in bill.lines]
    result = cut(lines, before, bill, {1: count})
    money = plan_refund(bill, {1: count}, at_most=10**9).lines
    assert result.value == sum(one.share.money for one in money)
    assert result.sums.total == before.total - result.value >= 0
    assert result.lines[0].amount == (0 if count == line.quantity else result.lines[0].amount) >= 0


def test_a_component_is_taxed_at_its_own_rate():
    parts = [SetPart(1, 1, 600, tax_rate=8), SetPart(2, 1, 400, tax_rate=10)]
    bill = Bill([BillLine(1, 1, 2000, parts=parts)])
    plan = plan_refund(bill, {1: 1}, at_most=2000)
    assert [(rate.rate.percent, rate.amount) for rate in plan.rates] == [(10, 800), (8, 1200)]
    assert [(r.rate.percent, r.amount) for r in plan_refund(bill, {}, units={2: 1}, at_most=2000).rates] == [(10, 800)]
