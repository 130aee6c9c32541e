"""Refunds: the calculator as properties, the service with its ledger."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.decide.refunds import FEES, Bill, BillLine, everything_left, plan_refund, shares_of
from orders.models import Mail, Order, OrderTask, PaymentEntry, Refund
from orders.services import audit, payment, refunds, tasks
from orders.services.cancel import cancel_orders
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_sku, mapped
from tests.orders.payments.builders import own_shop, unpaid


@st.composite
def bills(draw) -> Bill:
    lines = [
        BillLine(at, draw(st.integers(1, 5)), draw(st.integers(0, 20_000)), draw(st.sampled_from([8, 10])))
        for at in range(draw(st.integers(1, 5)))
    ]
    fees = {name: draw(st.integers(0, 1500)) for name in FEES}
    price = sum(line.amount for line in lines) + sum(fees.values())
    discount = draw(st.integers(0, price))
    points = draw(st.integers(0, price - discount))
    coupon = draw(st.integers(0, price - discount - points))
    return Bill(lines, fees, discount, coupon, points)


def total_of(bill: Bill) -> int:
    price = sum(line.amount for line in bill.lines) + sum(bill.fees.values()) + bill.tax_excluded
    return price - bill.shop_discount - bill.points - bill.coupons_channel


@given(bills())
def test_all_shares_together_are_the_order(bill):
    lines, fees = shares_of(bill)
    parts = [*lines, *fees.values()]
    assert sum(part.money for part in parts) == total_of(bill)
    assert sum(part.points for part in parts) == bill.points
    assert sum(part.coupon for part in parts) == bill.coupons_channel
    assert all(min(part.price, part.points, part.coupon, part.money) >= 0 for part in parts)


@given(bills())
def test_a_full_refund_is_the_total(bill):
    plan = plan_refund(bill, everything_left(bill), fees=FEES, at_most=10**9)
    assert (plan.amount, plan.points_back, plan.coupon_back) == (total_of(bill), bill.points, bill.coupons_channel)
    assert sum(rate.amount for rate in plan.rates) == total_of(bill) + bill.points + bill.coupons_channel
    assert all(0 <= rate.tax <= rate.amount for rate in plan.rates)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(bills(), st.data())
def test_refunding_piece_by_piece_gives_back_exactly_the_total_and_never_more(bill, data):
    left, given_back, points, fees_left = total_of(bill), 0, 0, list(FEES)
    while pieces := everything_left(bill):
        line_id = data.draw(st.sampled_from(sorted(pieces)))
        count = data.draw(st.integers(1, pieces[line_id]))
        fee = [fees_left.pop()] if fees_left and data.draw(st.booleans()) else []
        plan = plan_refund(bill, {line_id: count}, fees=fee, at_most=left)
        assert plan.capped == 0 and 0 <= plan.amount <= left
        left, given_back, points = left - plan.amount, given_back + plan.amount, points + plan.points_back
        bill = after(bill, plan)
    rest = plan_refund(bill, {}, fees=fees_left, at_most=left)
    assert given_back + rest.amount == total_of(bill) and points + rest.points_back == bill.points


def after(bill: Bill, plan) -> Bill:
    shares = {line.line_id: line for line in plan.lines}
    lines = [
        BillLine(
            line.id, line.quantity, line.amount, line.tax_rate, line.discount,
            line.refunded + shares[line.id].quantity,
            line.refunded_price + shares[line.id].share.price,
            line.refunded_points + shares[line.id].share.points,
            line.refunded_coupon + shares[line.id].share.coupon,
        )
        if line.id in shares
        else line
        for line in bill.lines
    ]  # fmt: skip
    back = {**bill.refunded_fees, **{name: share.price for name, share in plan.fees.items()}}
    return Bill(lines, bill.fees, bill.shop_discount, bill.coupons_channel, bill.points, bill.tax_excluded, back)


@given(bills(), st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 30_000))
def test_whatever_is_added_or_taken_off_no_more_goes_back_than_is_there(bill, deduction, goodwill, held):
    plan = plan_refund(bill, everything_left(bill), fees=FEES, deduction=deduction, goodwill=goodwill, at_most=held)
    assert 0 <= plan.amount <= held


def test_more_pieces_than_are_left_are_refused():
    with pytest.raises(ValueError, match="3 of 2"):
        plan_refund(Bill([BillLine(1, 2, 1000)]), {1: 3}, at_most=1000)


def test_a_channels_own_sharing_of_its_discount_is_kept():
    bill = Bill([BillLine(1, 1, 1000, discount=300), BillLine(2, 1, 1000)], shop_discount=300)
    lines, _fees = shares_of(bill)
    assert [part.price for part in lines] == [700, 1000]


# ---- the service

pytestmark = pytest.mark.django_db


def paid(aoi, price: int = 1000) -> Order:
    order = unpaid(price=price)
    payment.record_payments([order.pk], actor=Actor(by=aoi))
    order.refresh_from_db()
    return order


def test_a_cancelled_order_gives_everything_back_by_a_persons_hand(aoi):
    order, actor = paid(aoi), Actor(by=aoi, action="x")
    cancel_orders([order.pk], reason="顧客都合", actor=actor)
    refund = Refund.objects.get(order=order)
    again = refunds.open_refund(order.pk, key=refund.key, wish=refunds.Wish(), reason="顧客都合", actor=actor)
    assert refund.pk == again.pk and (refund.amount, refund.shipping, refund.way) == (1500, 500, "bank")
    order.refresh_from_db()
    assert order.payment_state == "refund_due"
    pay_back = OrderTask.objects.get(order=order, kind="refund")
    tasks.finish(pay_back.pk, actor=actor)
    tasks.finish(pay_back.pk, actor=actor)
    order.refresh_from_db()
    refund.refresh_from_db()
    assert (refund.state, refund.done_by, order.payment_state, order.paid_amount) == ("done", aoi, "refunded", 0)
    assert PaymentEntry.objects.filter(kind="refund").count() == 1
    assert audit.violations() == []


def test_a_line_goes_back_with_its_share_and_no_line_twice(aoi):
    shop = own_shop()
    bought = make_channel_order(
        make_line(price=1000, quantity=3),
        make_line(sku="TEA", price=500, tax_rate=8),
        shipping=0,
        totals=Totals(goods=3500, total=2800, discount=350, points=350),
        payment_method=PaymentMethod.CARD,
        payment_state=PaymentState.PAID,
    )
    take_in(shop, [bought], sku_of=mapped(make_sku(), make_sku("TEA")))
    order = Order.objects.get()
    chairs, tea = order.lines.order_by("position")
    one = refunds.open_refund(
        order.pk, key="a", wish=refunds.Wish({chairs.pk: 1}), reason="初期不良", actor=Actor(by=aoi)
    )
    assert (one.amount, one.points_back, one.goods, one.way) == (800, 100, 900, "provider")
    assert one.tax_by_rate == [[10, 900, 81]]
    with pytest.raises(refunds.NothingToRefund):
        refunds.open_refund(order.pk, key="b", wish=refunds.Wish({chairs.pk: 3}), reason="x", actor=Actor(by=aoi))
    rest = refunds.open_refund(order.pk, key="c", wish=refunds.Wish(), reason="残り", actor=Actor(by=aoi))
    assert one.amount + rest.amount == 2800 and one.points_back + rest.points_back == 350
    refunds.complete([one.pk, rest.pk], actor=Actor(by=aoi))
    order.refresh_from_db()
    assert order.payment_state == "refunded" and audit.violations() == []
    assert tea.pk in {line.line_id for line in rest.lines.all()}


def test_an_unpaid_order_has_nothing_to_give_back(aoi):
    order = unpaid()
    assert refunds.open_refund(order.pk, key="x", wish=refunds.Wish(), reason="x", actor=Actor(by=aoi)) is None


def test_an_authorisation_is_voided_and_leaves_no_money_in_the_ledger(aoi):
    shop = own_shop()
    card = make_channel_order(payment_method=PaymentMethod.CARD, payment_state=PaymentState.AUTHORIZED)
    take_in(shop, [card], sku_of=mapped(make_sku()))
    order = Order.objects.get()
    cancel_orders([order.pk], reason="顧客都合", actor=Actor(by=aoi))
    refund = Refund.objects.get(order=order)
    assert refund.way == "void" and OrderTask.objects.filter(order=order, kind="void").count() == 1
    refunds.complete([refund.pk], actor=Actor(by=aoi))
    order.refresh_from_db()
    assert order.payment_state == "refunded" and not PaymentEntry.objects.exists() and audit.violations() == []


def test_a_refund_that_the_channel_pays_closes_when_the_channel_says_cancelled(aoi):
    take_in(own_shop(), [make_channel_order()], sku_of=mapped(make_sku()))
    order = Order.objects.get()
    refund = refunds.open_refund(
        order.pk, key="m", wish=refunds.Wish(), reason="x", actor=Actor(by=aoi), by_channel=True
    )
    assert not OrderTask.objects.exists() and refunds.settle_by_channel() == 0
    Order.objects.update(phase="cancelled")
    assert refunds.settle_by_channel() == 1
    refund.refresh_from_db()
    assert refund.state == "done"


@pytest.mark.parametrize("by_channel", [True, False])
def test_an_authorisation_that_the_channel_ends_was_never_money_either(aoi, by_channel):
    """A card order ends before it was captured; with `by_channel` off a person ends it on the mall's page."""
    authorised = make_channel_order(payment_state=PaymentState.AUTHORIZED)
    take_in(own_shop(), [authorised], sku_of=mapped(make_sku()))
    order = Order.objects.get()
    refund = refunds.open_refund(
        order.pk, key="m", wish=refunds.Wish(), reason="x", actor=Actor(by=aoi), by_channel=by_channel
    )
    assert refund.way == ("channel" if by_channel else "mall_page")
    Order.objects.update(phase="cancelled", cancelled_at=clock.now())
    refunds.complete([refund.pk], actor=Actor(by=aoi))
    order.refresh_from_db(), refund.refresh_from_db()
    assert order.payment_state == "refunded" and not PaymentEntry.objects.exists() and audit.violations() == []
    assert (refund.state, refund.way) == ("done", "void") and not Mail.objects.filter(event="refund_done").exists()


def test_a_withdrawn_refund_leaves_the_order_paid(aoi):
    order = paid(aoi)
    refund = refunds.open_refund(order.pk, key="w", wish=refunds.Wish(), reason="x", actor=Actor(by=aoi))
    refunds.withdraw([refund.pk], actor=Actor(by=aoi))
    order.refresh_from_db()
    assert order.payment_state == "paid" and OrderTask.objects.get(kind="refund").done_at is not None
    assert Refund.objects.get().state == "withdrawn" and refunds.money_left(order) == 1500
