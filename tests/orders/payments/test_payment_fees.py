"""The fee follows the way to pay: tables by steps of the amount, totals, taxes, consent, refunds, and back again."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.kernel import clock
from oms.kernel.money import STANDARD, included_tax
from orders.channel_order import PaymentMethod, PaymentState
from orders.decide.payment_fees import Charges, FeeTable, with_fee
from orders.models import BulkRun, Mail, Order, OrderTask, PaymentFee, Refund
from orders.payment_actions import plan_method
from orders.services import bulk, bulk_undo, payment, payment_fees, payment_method, refunds
from orders.services.journal import Actor
from tests.orders.builders import make_shop
from tests.orders.payments.builders import own_shop, unpaid

COD = FeeTable(((0, 330), (10_000, 440), (30_000, 660)))
ACTOR = Actor()


def tables(shop=None, **by_method):
    for method, table in by_method.items():
        payment_fees.save_table(shop or own_shop(), method, table)


def run(by, *orders: Order, method: str) -> BulkRun:
    draft = bulk.draft("payment_method", [order.pk for order in orders], by=by)
    bulk.start(draft, {"method": method})
    return BulkRun.objects.get(pk=draft.pk)


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def money(order: Order):
    now = fresh(order)
    columns = (*payment_method.COLUMNS, "paid_amount")
    return {name: getattr(now, name) for name in columns} | {"ledger": list(now.payments.values_list("amount"))}


def sum_is_right(order: Order) -> bool:
    now = fresh(order)
    taken = now.discount + now.coupons_shop + now.coupons_channel + now.points
    return now.total == now.goods + now.shipping_fee + now.fees + now.gift_fees + now.tax_excluded - taken


# ---- the sums


@pytest.mark.parametrize(
    ("amount", "fee"), [(0, 330), (9_999, 330), (10_000, 440), (29_999, 440), (30_000, 660), (900_000, 660)]
)
def test_the_step_that_the_amount_reaches_decides(amount, fee):
    assert COD.fee(amount) == fee
    assert FeeTable(((1, 300),), plus_tax=True).fee(5) == 330
    assert FeeTable(((5_000, 300),)).fee(4_999) == 0


amounts = st.integers(0, 500_000)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault of the sums
@given(goods=amounts, fee=st.integers(0, 3_000), new=st.integers(0, 3_000), off=amounts, reduced=amounts)
def test_total_and_tax_follow_the_fee_and_going_back_restores_them(goods, fee, new, off, reduced):
    total = max(0, goods + fee - off)
    at_ten = max(total, fee)
    rates = ((10, at_ten, included_tax(at_ten, STANDARD)), (8, reduced, reduced * 8 // 108))
    before = Charges(fee, total, sum(tax for _p, _a, tax in rates), rates)
    after = with_fee(before, new)
    assert after.total >= 0 and after.total - after.fees == before.total - before.fees
    if after != before:
        assert after.by_rate[0][2] == included_tax(after.by_rate[0][1], STANDARD)
        assert after.by_rate[1] == before.by_rate[1]
        assert (before.tax == 0) or after.tax == sum(tax for _p, _a, tax in after.by_rate)
    assert with_fee(after, fee) == before or before.tax == 0 or after.tax == 0


# ---- orders that nobody has paid


@pytest.mark.django_db
def test_cash_on_delivery_adds_its_fee_asks_the_buyer_and_comes_back_exactly(aoi):
    one = unpaid(price=12_000)
    tables(cod=COD)
    before = money(one)
    plan = plan_method([one.pk], {"method": "cod"})
    assert plan.notes[one.pk] == "手数料 ¥0 → ¥440、合計 ¥12,500 → ¥12,940、確認メールを下書き"
    done = run(aoi, one, method="cod")
    after = fresh(one)
    assert (after.fees, after.total) == (440, 12_940) and sum_is_right(one)
    assert after.reasons.filter(code="amount_increased").count() == 0, "nothing was taken yet"
    draft = Mail.objects.get(order=one, event="inquiry")
    assert draft.state == Mail.State.DRAFT and "¥440" in draft.extra["mail.message"]
    task = OrderTask.objects.get(order=one)
    assert task.link == f"https://shop.example.com/orders/{one.channel_order_no}" and "¥12,940" in task.text
    assert bulk_undo.start(done, by=aoi)
    assert money(one) == before
    assert Mail.objects.get(pk=draft.pk).state == Mail.State.SUPPRESSED
    assert OrderTask.objects.get(pk=task.pk).done_at


@pytest.mark.django_db
def test_from_cash_to_a_transfer_the_fee_falls_and_nobody_is_asked(aoi):
    tables(cod=COD, bank_transfer=FeeTable(((0, 0),)))
    one = unpaid(price=12_000)
    run(aoi, one, method="cod")
    run(aoi, one, method="bank_transfer")
    assert (fresh(one).fees, fresh(one).total, fresh(one).stage) == (0, 12_500, "awaiting_payment")
    assert Mail.objects.filter(order=one, event="inquiry").count() == 1


@pytest.mark.django_db
def test_without_a_table_and_on_a_mall_the_amounts_stay(aoi):
    mall, own = unpaid(number=1, shop=make_shop()), unpaid(number=2)
    PaymentFee.objects.create(shop=make_shop(), method="cod", steps=[[0, 330]])
    run(aoi, mall, own, method="cod")
    assert [(fresh(o).fees, fresh(o).total) for o in (mall, own)] == [(0, 1_500)] * 2


@pytest.mark.django_db
def test_an_amount_that_the_channel_withholds_is_not_made_up(aoi):
    tables(cod=COD)
    one = unpaid()
    Order.objects.update(total=None)
    run(aoi, one, method="cod")
    assert fresh(one).total is None and fresh(one).fees == 0


# ---- orders with money


@pytest.mark.django_db
def test_money_in_our_ledger_stays_and_a_dearer_order_waits_for_the_rest(aoi):
    one = unpaid()
    tables(convenience=FeeTable(((0, 220),)))
    payment.record_payments([one.pk], actor=ACTOR)
    before = money(one)
    done = run(aoi, one, method="convenience")
    after = fresh(one)
    assert (after.total, after.paid_amount, after.payment_state) == (1_720, 1_500, "partially_paid")
    assert {"amount_increased", "paid_short"} <= set(after.reasons.filter(state="open").values_list("code", flat=True))
    assert bulk_undo.start(done, by=aoi)
    assert money(one) == before
    assert not fresh(one).reasons.filter(state="open").exists()


@pytest.mark.django_db
def test_a_cheaper_order_gives_the_difference_back_once_and_undoing_withdraws_it(aoi):
    tables(convenience=FeeTable(((0, 220),)), account=FeeTable(((0, 0),)))
    one = unpaid()
    run(aoi, one, method="convenience")
    payment.record_payments([one.pk], actor=ACTOR)
    before = money(one)
    assert "¥220 を返金" in plan_method([one.pk], {"method": "account"}).notes[one.pk]
    done = run(aoi, one, method="account")
    refund = Refund.objects.get()
    assert (refund.amount, refund.state, fresh(one).payment_state) == (220, "due", "refund_due")
    assert bulk_undo.start(done, by=aoi)
    assert money(one) == before and Refund.objects.get().state == "withdrawn"


@pytest.mark.django_db
def test_after_the_difference_went_back_undoing_says_why_not(aoi):
    tables(convenience=FeeTable(((0, 220),)), account=FeeTable(((0, 0),)))
    one = unpaid()
    run(aoi, one, method="convenience")
    payment.record_payments([one.pk], actor=ACTOR)
    done = run(aoi, one, method="account")
    refunds.complete([Refund.objects.get().pk], actor=ACTOR)
    assert bulk_undo.start(done, by=aoi)
    why = BulkRun.objects.get(pk=done.pk).undo_skipped[str(one.pk)]
    assert "差額を返金したあと" in why and "お客様に案内" in why
    assert (fresh(one).payment_method, fresh(one).payment_state) == ("account", "paid")


@pytest.mark.django_db
def test_an_authorisation_of_our_provider_is_ended_by_a_task_and_undone_only_before(aoi):
    tables(cod=COD)
    until = clock.now() + timedelta(days=20)
    fields = {"payment_method": PaymentMethod.CARD, "payment_state": PaymentState.AUTHORIZED, "authorized_until": until}
    one, other = unpaid(number=1, **fields), unpaid(number=2, **fields)
    before = money(one)
    done = run(aoi, one, other, method="cod")
    after = fresh(one)
    assert (after.payment_state, after.authorized_until, after.total) == ("unpaid", None, 1_830)
    assert after.reasons.get(code="amount_increased").state == "open" and after.stage == "review"
    OrderTask.objects.filter(order=other, kind="void").update(done_at=clock.now())
    assert bulk_undo.start(done, by=aoi)
    assert money(one) == before and fresh(one).payment_state == "authorized"
    assert "もう一度決済" in BulkRun.objects.get(pk=done.pk).undo_skipped[str(other.pk)]


@pytest.mark.django_db
def test_paid_money_does_not_turn_into_cash_at_the_door_nor_a_label_change_under_way(aoi):
    paid, under_way = unpaid(number=1), unpaid(number=2)
    payment.record_payments([paid.pk], actor=ACTOR)
    Order.objects.filter(pk=under_way.pk).update(fulfillment_state="instructed")
    skipped = plan_method([paid.pk, under_way.pk], {"method": "cod"}).skipped
    assert "返金してから" in skipped[paid.pk] and "出荷停止を依頼" in skipped[under_way.pk]


@pytest.mark.django_db
def test_many_orders_cost_a_fixed_number_of_queries(aoi):
    tables(cod=COD)
    orders = [unpaid(number=at) for at in range(9)]

    def cost(batch):
        with CaptureQueriesContext(connection) as queries:
            assert len(payment_method.change([o.pk for o in batch], "cod", actor=Actor(by=aoi, action="x"))) == len(
                batch
            )
        return len(queries)

    few = cost(orders[:2])
    assert cost(orders[2:]) <= few + 2
    with CaptureQueriesContext(connection) as queries:
        plan_method([o.pk for o in orders], {"method": "bank_transfer"})
    assert len(queries) <= 4


# ---- screens


@pytest.mark.django_db
def test_the_table_is_kept_by_who_may_and_shown_among_the_terms(client, aoi, ben, chie):
    own_shop()
    url = "/orders/payments/terms/own-1/fees/cod/"
    for person in (ben, chie):
        client.force_login(person)
        assert client.get(url).status_code == client.post(f"{url}reset/").status_code == 403
    client.force_login(aoi)
    assert client.get("/orders/payments/terms/own-1/fees/barter/").status_code == 404
    assert "1段目に金額 0" in client.post(url, {}).content.decode()
    both = client.post(url, {"at_least_0": "0", "fee_0": ""}).content.decode()
    assert "金額と手数料の両方" in both
    wrong = {"at_least_0": "10000", "fee_0": "440", "at_least_1": "0", "fee_1": "330"}
    assert "金額の小さい段から" in client.post(url, wrong).content.decode()
    twice = {"at_least_0": "0", "fee_0": "440", "at_least_1": "0", "fee_1": "330"}
    assert "同じ金額の段" in client.post(url, twice).content.decode()
    right = {"at_least_0": "0", "fee_0": "300", "at_least_1": "10000", "fee_1": "400", "plus_tax": "on"}
    assert client.post(url, right).status_code == 302
    assert payment_fees.table_of(PaymentFee.objects.get()) == FeeTable(((0, 300), (10_000, 400)), plus_tax=True)
    assert "¥330–¥440" in client.get("/orders/payments/terms/").content.decode()
    assert 'value="10000"' in client.get(url).content.decode()
    assert client.post(f"{url}reset/").status_code == 302 and not PaymentFee.objects.exists()


@pytest.mark.django_db
def test_one_order_is_changed_from_its_page_after_a_look(client, aoi, ben):
    tables(cod=COD)
    one = unpaid()
    client.force_login(ben)
    assert "支払方法を変える" not in client.get(f"/orders/{one.pk}/").content.decode()
    client.force_login(aoi)
    assert "支払方法を変える" in client.get(f"/orders/{one.pk}/").content.decode()
    shown = client.post("/orders/bulk/", {"action": "payment_method", "ids": [one.pk]}, follow=True)
    key = shown.context["run"].key
    page = client.get(f"/orders/bulk/{key}/", {"method": "cod"}).content.decode()
    assert "手数料 ¥0 → ¥330、合計 ¥1,500 → ¥1,830" in page and "受注ごとの変化" in page
    listed = b"".join(client.get(f"/orders/bulk/{key}/list.csv", {"method": "cod"}).streaming_content).decode()
    assert "¥1,830" in listed
