"""支払方法を変える: before money has moved, with the terms of the new way, and back again."""

import pytest

from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState
from orders.models import BulkRun, Order, OrderEvent
from orders.models.order import Stage
from orders.payment_actions import plan_method
from orders.services import bulk, bulk_undo, payment
from orders.services.journal import Actor
from tests.orders.builders import make_shop
from tests.orders.payments.builders import own_shop, unpaid

pytestmark = pytest.mark.django_db
BULK = "/orders/bulk/"


def run(by, *orders: Order, method: str) -> BulkRun:
    draft = bulk.draft("payment_method", [order.pk for order in orders], by=by)
    bulk.start(draft, {"method": method})
    return BulkRun.objects.get(pk=draft.pk)


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def test_an_order_that_waited_for_a_transfer_goes_on_as_cash_on_delivery_and_back(aoi):
    one = unpaid()
    before = (one.payment_method, one.payment_name, one.payment_state, one.pay_by, one.total)
    assert one.stage == Stage.AWAITING_PAYMENT and one.pay_by
    done = run(aoi, one, method="cod")
    after = fresh(one)
    assert (after.payment_method, after.payment_name, after.pay_by) == ("cod", "", None)
    assert after.stage != Stage.AWAITING_PAYMENT and after.total == one.total
    event = OrderEvent.objects.get(order=one, kind="edited")
    assert (event.fields, event.by, event.action) == (["payment_method"], aoi, done.key.hex)
    assert bulk_undo.start(done, by=aoi)
    back = fresh(one)
    assert (back.payment_method, back.payment_name, back.payment_state, back.pay_by, back.total) == before
    assert back.stage == Stage.AWAITING_PAYMENT


def test_a_card_that_failed_waits_for_a_transfer_with_a_day_to_pay_by(aoi):
    one = unpaid(payment_method=PaymentMethod.CARD, payment_state=PaymentState.FAILED, payment_name="カード")
    run(aoi, one, method="bank_transfer")
    after = fresh(one)
    assert (after.payment_state, after.payment_method) == ("unpaid", "bank_transfer")
    assert (clock.in_tokyo(after.pay_by).date() - clock.in_tokyo(after.ordered_at).date()).days == 7


def test_money_that_came_is_neither_moved_nor_undone_away(aoi):
    paid, authorised, open_ = unpaid(number=1), unpaid(number=2), unpaid(number=3)
    payment.record_payments([paid.pk], actor=Actor())
    Order.objects.filter(pk=authorised.pk).update(payment_state=PaymentState.AUTHORIZED)
    plan = plan_method([paid.pk, authorised.pk, open_.pk], {"method": "cod"})
    assert plan.will == [open_.pk]
    assert "返金してから" in plan.skipped[paid.pk] and "与信を取り消して" in plan.skipped[authorised.pk]
    assert plan_method([open_.pk], {"method": "bank_transfer"}).skipped == {open_.pk: "すでにその支払方法です。"}
    done = run(aoi, paid, open_, method="cod")
    assert done.done == [open_.pk] and fresh(paid).payment_method == "bank_transfer"
    payment.record_payments([open_.pk], actor=Actor())
    assert bulk_undo.start(done, by=aoi)
    assert fresh(open_).payment_method == "cod", "paid since: it stays"
    assert BulkRun.objects.get(pk=done.pk).undo_skipped


def test_the_preview_says_where_the_mall_must_be_told_by_hand():
    mall, own = unpaid(number=1, shop=make_shop()), unpaid(number=2, shop=own_shop())
    assert "手数料表がない" in plan_method([own.pk], {"method": "cod"}).effects[1]
    transfer = plan_method([own.pk], {"method": "convenience"}).effects
    assert "「メールを送る」から送ってください" in transfer[1], "nobody is asked for money unseen"
    effects = plan_method([mall.pk, own.pk], {"method": "cod"}).effects
    assert effects[1].startswith("1件はモールの合計金額がそのまま有効で") and "モールの画面で変更" in effects[1]


def test_who_may_only_look_may_not_change_it(client_of, ben, chie, aoi):
    one = unpaid()
    for person in (ben, chie):
        assert client_of(person).post(BULK, {"action": "payment_method", "ids": [one.pk]}).status_code == 403
    shown = client_of(aoi).post(BULK, {"action": "payment_method", "ids": [one.pk]}, follow=True)
    key = shown.context["run"].key
    wrong = client_of(aoi).post(f"{BULK}{key}/run/", {"method": "barter"})
    assert wrong.status_code == 200 and "field-error" in wrong.content.decode()
    assert fresh(one).payment_method == "bank_transfer"
