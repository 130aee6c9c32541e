"""What a merge does to money: discounts before payment, refunds after it, a task at the mall, and the way back."""

from contextlib import suppress
from datetime import time

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulfillment.models import Merge, ReleaseTime
from fulfillment.services import merge, merge_sweep, release
from oms.kernel.money import rate_totals
from orders.channel_order import PaymentMethod, PaymentState, RateSum, Totals
from orders.decide.payment_fees import FeeTable
from orders.models import Order, OrderTask, Refund
from orders.queries.papers import billable
from orders.services import change_lines, hold, payment, payment_fees, refunds, tasks
from orders.services.audit import violations as order_violations
from orders.services.audit_money import violations as money_violations
from orders.services.cancel import Ask, cancel_orders, cancel_pieces
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready, snapshot
from tests.orders.builders import make_line, make_shop, make_sku

pytestmark = pytest.mark.django_db
ACTOR = Actor()
OWN = {"mail": "free", "own_payments": True, "order_url": "https://shop.example.com/{no}"}
MALL = {"confirm": True, "cancel": True, "mail": "free", "order_url": "https://mall.example.com/{no}"}


def shop_of(capabilities):
    return make_shop(capabilities=capabilities, merge_refunds_shipping=True)


def pair(shop, **fields):
    chair = make_sku(stock_units=50)
    return ready(shop, skus=[chair], **fields), ready(shop, skus=[chair], **fields)


def fresh(order) -> Order:
    return Order.objects.get(pk=order.pk)


def all_is_well() -> bool:
    return not [*money_violations(), *order_violations()]


def by_transfer(shop):
    """Two transfers that have come: in our ledger."""
    fields = {"payment_method": PaymentMethod.ACCOUNT, "payment_state": PaymentState.UNPAID}
    one, two = pair(shop, **fields)
    payment.record_payments([one.pk, two.pk], actor=ACTOR)
    return fresh(one), fresh(two)


def test_paid_money_is_due_back_through_the_ledger_and_undoing_withdraws_it():
    one, two = by_transfer(shop_of(OWN))
    before = snapshot()
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    refund = Refund.objects.get()
    assert (refund.order_id, refund.amount, refund.state, refund.way) == (two.pk, 500, "due", "bank")
    assert (fresh(two).total, fresh(two).payment_state) == (1000, "refund_due") and all_is_well()
    merge.undo(done.pk, actor=ACTOR)
    assert snapshot() == before and Refund.objects.get().state == "withdrawn" and all_is_well()
    assert (fresh(two).payment_state, fresh(two).paid_amount) == ("paid", 1500)


def test_a_mall_that_has_the_money_pays_back_on_its_page():
    one, two = pair(shop_of(MALL))
    merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    task = OrderTask.objects.get()
    assert Refund.objects.get().way == "mall_page" and task.link == f"https://mall.example.com/{two.channel_order_no}"
    tasks.finish(task.pk, actor=ACTOR)
    assert (fresh(two).payment_state, fresh(two).paid_amount, fresh(two).total) == ("paid", 1000, 1000)
    assert all_is_well()


def test_after_the_refund_undoing_is_refused_with_what_to_do_and_the_parcels_may_still_part():
    one, two = by_transfer(shop_of(OWN))
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    refunds.complete([Refund.objects.get().pk], actor=ACTOR)
    with pytest.raises(merge.CannotMerge) as refused:
        merge.undo(done.pk, actor=ACTOR)
    assert "返金したあと" in refused.value.cause and "金額はそのままにする" in refused.value.cause
    assert merge.undo(done.pk, actor=ACTOR, whatever_was_given=True)
    assert (fresh(two).total, fresh(two).paid_amount, fresh(two).payment_state) == (1000, 1000, "paid")
    assert all_is_well()


def test_before_payment_the_discount_is_simply_charged_less_and_undone():
    shop = shop_of(OWN)
    one, two = pair(shop, payment_method=PaymentMethod.ACCOUNT, payment_state=PaymentState.UNPAID)
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    assert fresh(two).total == 1000 and not Refund.objects.exists() and not OrderTask.objects.exists()
    payment.record_payments([two.pk], actor=ACTOR)
    assert fresh(two).payment_state == "paid"
    merge.undo(done.pk, actor=ACTOR)
    after = fresh(two)
    assert (after.total, after.payment_state) == (1500, "partially_paid")
    assert after.reasons.get(code="paid_short").state == "open"


def test_cash_orders_of_our_own_shop_pay_one_fee_and_owe_nothing_back():
    cash = {
        "payment_method": PaymentMethod.COD,
        "payment_state": PaymentState.UNPAID,
        "totals": Totals(goods=1000, shipping=500, fees=330, total=1830),
    }
    one, two = pair(shop_of(OWN), **cash)
    before = snapshot()
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    assert (fresh(one).total, fresh(two).total) == (1830, 1000)
    assert not Refund.objects.exists() and not OrderTask.objects.exists()
    merge.undo(done.pk, actor=ACTOR)
    assert snapshot() == before


def test_a_mall_order_that_nobody_paid_is_lowered_by_a_task_which_undoing_takes_back():
    cash = {
        "payment_method": PaymentMethod.COD,
        "payment_state": PaymentState.UNPAID,
        "totals": Totals(goods=1000, shipping=500, fees=330, total=1830),
    }
    one, two = pair(shop_of(MALL), **cash)
    before = snapshot()
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    task = OrderTask.objects.get()
    assert task.link.endswith(two.channel_order_no) and "¥1,000 に下げる" in task.text
    merge.undo(done.pk, actor=ACTOR)
    assert snapshot() == before
    again = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    tasks.finish(OrderTask.objects.get(done_at=None).pk, actor=ACTOR)
    with pytest.raises(merge.CannotMerge):
        merge.undo(again.pk, actor=ACTOR)


def test_an_order_paid_with_points_is_never_lowered_below_nothing():
    fields = {"totals": Totals(goods=1000, shipping=500, points=1300, total=200)}
    one, two = pair(shop_of(MALL), **fields)
    merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    assert (fresh(two).total, fresh(two).shipping_fee, Refund.objects.get().amount) == (0, 300, 200)


def test_a_cancelled_companion_parts_the_parcels_though_the_shipping_went_back():
    one, two = by_transfer(shop_of(OWN))
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    refunds.complete([Refund.objects.get().pk], actor=ACTOR)
    cancel_orders([one.pk], reason="お客様のご希望", actor=ACTOR)
    merge.undo(done.pk, actor=ACTOR, whatever_was_given=True)
    assert fresh(two).total == 1000 and all_is_well()


def test_the_page_says_that_money_went_back_and_parts_only_the_parcels(client, aoi):
    one, two = by_transfer(shop_of(OWN))
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    client.force_login(aoi)
    url = reverse("fulfillment:merge", args=[one.pk])
    assert "keep_money" not in client.get(url).content.decode()
    refunds.complete([Refund.objects.get().pk], actor=ACTOR)
    assert "keep_money" in client.get(url).content.decode()
    undo = reverse("fulfillment:merge-undo", args=[done.pk])
    refused = client.post(undo, {"order": one.pk}, follow=True).content.decode()
    assert "金額は元に戻せません" in refused
    kept = client.post(undo, {"order": one.pk, "keep_money": "on"}, follow=True).content.decode()
    assert "そのままです" in kept and fresh(two).total == 1000


STEPS = st.lists(st.sampled_from(["pay one", "pay two", "merge", "undo", "part", "refund", "withdraw"]), max_size=9)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, shipping=st.integers(0, 900))
def test_whatever_is_done_the_ledger_is_what_came_less_what_went_back(steps, shipping):
    shop = shop_of(OWN)
    chair = make_sku(stock_units=80)
    fields = {"payment_method": PaymentMethod.ACCOUNT, "payment_state": PaymentState.UNPAID, "shipping": shipping}
    orders = [ready(shop, make_line("CHAIR", 2), skus=[chair], **fields) for _ in range(2)]
    standing, paid, back = None, {order.pk: 0 for order in orders}, {order.pk: 0 for order in orders}
    whole = 2000 + shipping

    def open_refunds():
        return list(Refund.objects.filter(order__in=orders, state="due"))

    for step in steps:
        if step.startswith("pay"):
            order = fresh(orders[step == "pay two"])
            owed = (order.total or 0) - order.paid_amount
            if payment.record_payments([order.pk], actor=ACTOR):
                paid[order.pk] += max(0, owed)
        elif step == "merge" and standing is None:
            with suppress(merge.CannotMerge):  # one that owes again after an undo waits for its money first
                standing = merge.merge_orders([order.pk for order in orders], actor=ACTOR)
        elif step in {"undo", "part"} and standing is not None:
            try:
                merge.undo(standing.pk, actor=ACTOR, whatever_was_given=step == "part")
                standing = None
            except merge.CannotMerge:
                assert Refund.objects.filter(order__in=orders, state="done").exists()
        elif step == "refund":
            for refund in open_refunds():
                refunds.complete([refund.pk], actor=ACTOR)
                back[refund.order_id] += refund.amount
        elif step == "withdraw":
            refunds.withdraw([refund.pk for refund in open_refunds()], actor=ACTOR)
        for order in map(fresh, orders):
            assert (
                order.paid_amount
                == paid[order.pk] - back[order.pk]
                == sum(order.payments.values_list("amount", flat=True))
            )
            assert 0 <= order.total <= whole and order.total == order.goods + order.shipping_fee - order.discount
            over = order.paid_amount - order.total
            if over > 0:
                due = sum(refund.amount for refund in open_refunds() if refund.order_id == order.pk)
                said = order.reasons.filter(code="paid_over", state="open").exists()
                assert due == over or said, (step, due, over)
        assert not money_violations()


# ---- tax


@pytest.mark.parametrize("told", [True, False])
def test_the_tax_of_each_rate_follows_what_is_saved_and_comes_back(told):
    """Tea at 8 % and shipping at 10 %: what is saved lowers the tax of 10 % alone."""
    rates = (RateSum(10, 500, 45), RateSum(8, 1080, 80))
    fields = {
        "totals": Totals(goods=1080, shipping=500, total=1580, tax=125),
        "by_rate": rates if told else (),
        "payment_method": PaymentMethod.ACCOUNT,
        "payment_state": PaymentState.UNPAID,
    }
    shop, tea = shop_of(OWN), make_sku("TEA", stock_units=50, tax_rate=8)
    one, two = (ready(shop, make_line("TEA", price=1080, tax_rate=8), skus=[tea], **fields) for _ in range(2))
    before = snapshot()
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    after = fresh(two)
    assert (after.shipping_fee, after.total, after.tax) == (0, 1080, 80)
    assert after.tax_by_rate == ([[10, 0, 0], [8, 1080, 80]] if told else [])
    assert not after.reasons.filter(code__in=["tax_mismatch", "amount_mismatch"], state="open").exists()
    paper = figures(billable([two.pk])[two.pk])
    assert [(rate.rate.percent, rate.tax) for rate in paper] == [(8, 80)], "papers say the same"
    merge.undo(done.pk, actor=ACTOR)
    assert snapshot() == before


def figures(bill):
    taxed = [*((line.rate, line.amount) for line in bill.lines), *((fee.rate, fee.amount) for fee in bill.fees)]
    assert not bill.deductions
    return rate_totals(taxed)


def test_pieces_cancelled_meanwhile_stay_away_and_the_shipping_comes_back_whole():
    shop, chair = shop_of(OWN), make_sku(stock_units=50)
    fields = {"payment_method": PaymentMethod.ACCOUNT, "payment_state": PaymentState.UNPAID}
    one, two = (ready(shop, make_line("CHAIR", 2), skus=[chair], **fields) for _ in range(2))
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    cancel_pieces(two.pk, {two.lines.get().pk: 1}, ask=Ask(key="k"), actor=ACTOR)
    assert fresh(two).total == 1000
    merge.undo(done.pk, actor=ACTOR)
    assert (fresh(two).shipping_fee, fresh(two).total) == (500, 1500) and all_is_well()


def test_a_channel_that_told_the_shipping_anew_has_the_last_word():
    one, two = pair(shop_of(OWN), payment_method=PaymentMethod.ACCOUNT, payment_state=PaymentState.UNPAID)
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    Order.objects.filter(pk=two.pk).update(shipping_fee=700, total=1700)
    merge.undo(done.pk, actor=ACTOR)
    assert (fresh(two).shipping_fee, fresh(two).total) == (700, 1700)


def test_the_second_cash_order_of_a_parcel_is_charged_no_fee_again_when_its_goods_change():
    shop = shop_of(OWN)
    payment_fees.save_table(shop, "cod", FeeTable(((0, 330), (1_500, 440))))
    cash = {
        "payment_method": PaymentMethod.COD,
        "payment_state": PaymentState.UNPAID,
        "totals": Totals(goods=1000, shipping=500, fees=330, total=1830),
    }
    one, two = pair(shop, **cash)
    done = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    more(two)
    assert (fresh(two).fees, fresh(two).total) == (0, 2000)
    merge.undo(done.pk, actor=ACTOR)
    assert (fresh(two).fees, fresh(two).total) == (330, 2830)
    more(two, 3)
    assert (fresh(two).fees, fresh(two).total) == (440, 3940), "by itself it follows the table again"


def more(order, pieces=2):
    now = Order.objects.select_related("shop").get(pk=order.pk)
    change_lines.change(now.pk, change_lines.Wanted(now.version, {now.lines.get().pk: pieces}), actor=ACTOR)


def stuck_after_the_money_went_back() -> tuple[Order, Order]:
    """A merge whose shipping the mall has taken off by hand; one of its orders is held since."""
    cash = {"payment_method": PaymentMethod.COD, "payment_state": PaymentState.UNPAID}
    one, two = pair(shop_of(MALL), **cash, totals=Totals(goods=1000, shipping=500, fees=330, total=1830))
    merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    tasks.finish(OrderTask.objects.get(done_at=None).pk, actor=ACTOR)
    hold.hold_orders([two.pk], reason="確認", actor=ACTOR)
    return one, two


def test_a_merge_that_cannot_be_put_back_stops_neither_the_sweep_nor_the_times_of_release():
    stuck_after_the_money_went_back()
    other = ready(make_shop("own-9"), make_line("DESK"), skus=[make_sku("DESK", stock_units=1)])
    merge_sweep.sweep()
    ReleaseTime.objects.create(at=time(0, 0))
    release.release_due()
    assert fresh(other).stage == "in_fulfillment"
    assert Merge.objects.get().undone_at is None, "a person parts them, or lifts the hold"


def test_a_sweep_of_merges_that_fails_keeps_nothing_from_leaving(monkeypatch):
    order = ready(shop_of(OWN), skus=[make_sku(stock_units=1)])
    ReleaseTime.objects.create(at=time(0, 0))
    monkeypatch.setattr(merge_sweep, "sweep", lambda: 1 / 0)
    assert release.release_due() == 1 and fresh(order).stage == "in_fulfillment"
