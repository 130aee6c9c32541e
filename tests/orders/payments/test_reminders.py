"""Terms at work: gates, reminders, expiry, authorisations."""

from datetime import timedelta

import pytest

from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState
from orders.decide.payments import Terms
from orders.models import Mail, MailTemplate, Order, OrderTask, Reminder, ReviewReason
from orders.services import authorisations, payment, payment_gates, reminders
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import changed, make_channel_order, make_sku, mapped
from tests.orders.payments.builders import own_shop, unpaid

pytestmark = pytest.mark.django_db


def aged(days: int, **fields) -> Order:
    ordered = clock.now() - timedelta(days=days)
    return unpaid(ordered_at=ordered, **fields)


def test_a_shop_that_trusts_lets_unpaid_orders_go_and_takes_it_back(aoi):
    shop = own_shop()
    order = unpaid(shop=shop)
    assert order.stage == "awaiting_payment"
    row = payment_gates.save_gate(shop, Terms("bank_transfer", "us", "at_once"), by=aoi)
    order.refresh_from_db()
    assert order.stage != "awaiting_payment"
    assert unpaid(shop=shop, number=2).stage == order.stage, "a new order goes by the same terms"
    payment_gates.forget_gate(row)
    order.refresh_from_db()
    assert order.stage == "awaiting_payment"


def test_a_payment_code_has_terms_of_its_own(aoi):
    shop = own_shop()
    terms = Terms("bank_transfer", "us", "paid", due_days=3, code="店舗振込")
    payment_gates.save_gate(shop, terms, by=aoi)
    other = make_channel_order(
        payment_method=PaymentMethod.OTHER, payment_state=PaymentState.AUTHORIZED, payment_name="店舗振込"
    )
    take_in(shop, [other], sku_of=mapped(make_sku()))
    assert Order.objects.get().stage == "awaiting_payment"


def test_a_name_that_one_shop_knows_is_unknown_in_another_until_it_says_what_it_means(aoi):
    one, other = own_shop(), own_shop("own-2")
    terms = Terms("bank_transfer", "us", "paid", code="店舗振込")
    payment_gates.save_gate(one, terms, by=aoi)

    def takes(shop) -> Order:
        told = make_channel_order(payment_method=PaymentMethod.OTHER, payment_name="店舗振込")
        take_in(shop, [told], sku_of=mapped(make_sku()))
        return Order.objects.get(channel_order_no=told.channel_order_no)

    def asks(order) -> bool:
        return order.reasons.filter(code="pay_method_unmapped", state="open").exists()

    known, unknown = takes(one), takes(other)
    assert not asks(known) and asks(unknown)
    row = payment_gates.save_gate(other, terms, by=aoi)
    assert not asks(unknown), "the reason closes with its cause"
    payment_gates.forget_gate(row)
    assert asks(unknown) and not asks(known)


def test_the_limit_is_given_at_intake(aoi):
    order = unpaid()
    assert clock.in_tokyo(order.pay_by).date() == clock.in_tokyo(order.ordered_at).date() + timedelta(days=7)


def test_reminders_go_once_each_and_stop_with_the_payment(aoi):
    MailTemplate.objects.create(event="payment_reminder", subject="お支払い", body="{{ order.number }}", shop=None)
    order = aged(4)
    assert reminders.send_due() == 1 and reminders.send_due() == 0
    assert Mail.objects.filter(order=order, event="payment_reminder").count() == 1
    Order.objects.update(ordered_at=clock.now() - timedelta(days=7))
    payment.record_payments([order.pk], actor=Actor(by=aoi))
    assert reminders.send_due() == 0
    assert list(Reminder.objects.values_list("step", flat=True)) == ["first"]


def test_a_beat_that_slept_sends_the_last_word_only():
    order = aged(7)
    assert reminders.send_due() == 1
    assert Reminder.objects.get(order=order).step == "final"


def test_expired_orders_are_cancelled_only_where_the_terms_say_so(aoi):
    shop = own_shop()
    order = aged(30, shop=shop)
    assert [case.order.pk for case in reminders.expired()] == [order.pk]
    assert reminders.cancel_expired() == 0
    terms = Terms("bank_transfer", "us", "paid", cancel_days=10, auto_cancel=True)
    payment_gates.save_gate(shop, terms, by=aoi)
    assert reminders.cancel_expired() == 1 and reminders.cancel_expired() == 0
    order.refresh_from_db()
    assert (order.stage, order.cancel_reason) == ("cancelled", "未入金")


def test_an_order_with_some_money_is_not_cancelled_by_itself(aoi):
    shop = own_shop()
    order = aged(30, shop=shop)
    payment_gates.save_gate(shop, Terms("bank_transfer", "us", "paid", cancel_days=10, auto_cancel=True), by=aoi)
    payment.record_payments([order.pk], actor=Actor(by=aoi), amount=100)
    assert reminders.cancel_expired() == 0


def test_scarce_goods_end_sooner(aoi):
    shop = own_shop()
    payment_gates.save_gate(shop, Terms("bank_transfer", "us", "paid", cancel_days=20, scarce_days=4), by=aoi)
    order = aged(5, shop=shop)  # the builder has one chair, and this order holds it
    (case,) = reminders.cases(reminders.waiting())
    assert case.scarce and case.step == "cancel" and case.order.pk == order.pk


def test_what_we_booked_is_not_undone_by_the_channels_older_word(aoi):
    shop, sku = own_shop(), make_sku(stock_units=1)
    told = make_channel_order(payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID)
    take_in(shop, [told], sku_of=mapped(sku))
    order = Order.objects.get()
    payment.record_payments([order.pk], actor=Actor(by=aoi))
    take_in(shop, [changed(told, payment_name="銀行振込（前払い）")], sku_of=mapped(sku))
    order.refresh_from_db()
    assert (order.payment_state, order.payment_name) == ("paid", "銀行振込（前払い）")


def test_an_authorisation_that_ends_before_the_goods_leave_is_warned_of():
    card = make_channel_order(
        payment_method=PaymentMethod.CARD,
        payment_state=PaymentState.AUTHORIZED,
        authorized_until=clock.now() + timedelta(days=4),
        ship_by=clock.now() + timedelta(days=6),
    )
    fine = changed(card, channel_order_no="F-1", ship_by=clock.now() + timedelta(days=1))
    take_in(own_shop(), [card, fine], sku_of=mapped(make_sku(stock_units=2)))
    authorisations.warn_of_ends()
    reason = ReviewReason.objects.get(code="auth_expiring")
    assert reason.order.channel_order_no == card.channel_order_no and reason.level == "warn"
    assert authorisations.warn_of_ends() == 1, "only the one without a reason is looked at again"


def test_shipping_asks_for_the_capture_where_nobody_takes_the_money():
    shop = own_shop()
    mall = own_shop("mall-1", capabilities={"captures": True})
    for one in (shop, mall):
        card = make_channel_order(payment_method=PaymentMethod.CARD, payment_state=PaymentState.AUTHORIZED)
        take_in(one, [card], sku_of=mapped(make_sku(stock_units=1)))
    Order.objects.update(shipped_at=clock.now())
    ids = list(Order.objects.values_list("pk", flat=True))
    assert authorisations.ask_capture(ids) == 1 and authorisations.ask_capture(ids) == 0
    task = OrderTask.objects.get()
    assert task.kind == "capture" and task.link.startswith("https://shop.example.com/") and task.order.shop == shop
