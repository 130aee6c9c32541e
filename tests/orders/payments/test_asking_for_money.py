"""Whoever has to transfer money is asked for it once, and nobody who has paid, or pays otherwise now."""

import pytest

from orders.channel_order import MOVED_IN, ChannelState, PaymentMethod, PaymentState
from orders.decide.payment_fees import FeeTable
from orders.models import Mail, Order, PaymentEntry
from orders.services import hold, mail, mail_stages, payment, payment_fees, payment_method, reminders
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.review import accept
from tests.orders.builders import changed, make_channel_order, make_sku, mapped
from tests.orders.payments.builders import own_shop, unpaid

pytestmark = pytest.mark.django_db
ACTOR = Actor(action="change-1")


@pytest.fixture(autouse=True)
def _templates():
    mail.ensure_standard_templates()


def states(order: Order, event: str) -> list[str]:
    return list(order.mails.filter(event=event).order_by("pk").values_list("state", flat=True))


def taken(**fields):
    """An order of a shop of one's own as its cart tells it, and as it is stored."""
    bought = make_channel_order(**fields)
    take_in(own_shop(), [bought], sku_of=mapped(make_sku(stock_units=9)))
    return bought, Order.objects.get(channel_order_no=bought.channel_order_no)


def told_again(bought, **fields) -> None:
    take_in(own_shop(), [changed(bought, **fields)], sku_of=mapped(make_sku()))


def test_who_has_paid_is_not_asked_by_what_still_waits_and_a_wrong_payment_leaves_it_to_a_person():
    order = unpaid()
    reminders.remind([order.pk], "first", actor=Actor())
    assert (states(order, "payment_request"), states(order, "payment_reminder")) == (["scheduled"], ["draft"])
    payment.record_payments([order.pk], actor=Actor())
    assert (states(order, "payment_request"), states(order, "payment_reminder")) == (["suppressed"], ["suppressed"])
    assert order.mails.get(event="payment_reminder").reason == "入金を確認したため送りません。"
    payment.undo_entry(order.pk, PaymentEntry.objects.get(order=order, amount__gt=0).pk, actor=Actor())
    assert (states(order, "payment_request"), states(order, "payment_reminder")) == (["draft"], ["draft"])


def test_an_order_that_is_paid_by_transfer_from_now_on_asks_for_it_and_back_it_asks_no_more():
    _bought, order = taken(payment_method=PaymentMethod.COD, payment_state=PaymentState.UNPAID)
    assert order.stage != "awaiting_payment" and states(order, "payment_request") == []
    before = payment_method.remembered([order.pk])
    payment_method.change([order.pk], "bank_transfer", actor=ACTOR)
    assert states(order, "payment_request") == ["scheduled"]
    payment_method.put_back(before, actor=Actor(), action=ACTOR.action)
    assert states(order, "payment_request") == ["suppressed"]


def test_the_request_waits_for_a_person_where_the_buyer_must_agree_to_a_dearer_way():
    payment_fees.save_table(own_shop(), "bank_transfer", FeeTable(((0, 330),)))
    _bought, order = taken(payment_method=PaymentMethod.COD, payment_state=PaymentState.UNPAID)
    payment_method.change([order.pk], "bank_transfer", actor=ACTOR)
    assert (states(order, "inquiry"), states(order, "payment_request")) == (["draft"], ["draft"])


def test_a_failed_card_that_becomes_a_transfer_is_asked_for_the_money_and_not_for_another_way():
    _bought, order = taken(payment_method=PaymentMethod.CARD, payment_state=PaymentState.FAILED)
    assert states(order, "payment_change_request") == ["draft"]
    before = payment_method.remembered([order.pk])
    payment_method.change([order.pk], "bank_transfer", actor=ACTOR)
    assert states(order, "payment_change_request") == ["suppressed"]
    assert states(order, "payment_request") == ["scheduled"]
    payment_method.put_back(before, actor=Actor(), action=ACTOR.action)
    assert (states(order, "payment_change_request"), states(order, "payment_request")) == (["draft"], ["suppressed"])


def test_an_order_that_waits_for_review_is_asked_once_when_it_has_passed():
    _bought, order = taken(
        payment_method=PaymentMethod.COD, payment_state=PaymentState.UNPAID, remarks="色を選べますか？"
    )
    payment_method.change([order.pk], "bank_transfer", actor=ACTOR)
    assert states(order, "payment_request") == []
    accept([order.pk], actor=Actor())
    assert Order.objects.get(pk=order.pk).stage == "awaiting_payment"
    assert states(order, "payment_request") == ["scheduled"]


def test_who_was_held_before_anybody_asked_is_asked_when_the_hold_ends_and_others_are_not_asked_twice():
    bought, order = taken(
        payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID, remarks="色を選べますか？"
    )
    hold.hold_orders([order.pk], reason="電話待ち", actor=Actor())
    accept([order.pk], actor=Actor())
    assert states(order, "payment_request") == []
    for _twice in range(2):
        hold.lift_holds([order.pk], actor=Actor())
        assert Order.objects.get(pk=order.pk).stage == "awaiting_payment"
        hold.hold_orders([order.pk], reason="電話待ち", actor=Actor())
    assert states(order, "payment_request") == ["scheduled"]
    told_again(bought, payment_state=PaymentState.PAID)
    assert states(order, "payment_received") == ["scheduled"], "thanked while it is held"
    assert states(order, "payment_request") == ["suppressed"]


def test_an_order_that_was_reviewed_while_it_was_held_is_confirmed_when_the_hold_ends():
    mail.MailTemplate.objects.filter(event="order_confirmed").update(active=True)
    _bought, reviewed = taken(remarks="色を選べますか？")
    _other, plain = taken()
    hold.hold_orders([reviewed.pk, plain.pk], reason="電話待ち", actor=Actor())
    accept([reviewed.pk], actor=Actor())
    hold.lift_holds([reviewed.pk, plain.pk], actor=Actor())
    assert (states(reviewed, "order_confirmed"), states(plain, "order_confirmed")) == (["scheduled"], [])


def test_the_cart_says_that_an_order_in_review_was_paid_or_is_paid_otherwise():
    unpaid_fields = {"payment_state": PaymentState.UNPAID, "remarks": "色を選べますか？"}
    paid, order = taken(payment_method=PaymentMethod.CONVENIENCE, **unpaid_fields)
    told_again(paid, payment_state=PaymentState.PAID)
    assert states(order, "payment_received") == ["scheduled"]
    accept([order.pk], actor=Actor())
    assert states(order, "payment_received") == ["scheduled"]
    bought, other = taken(payment_method=PaymentMethod.CARD, payment_state=PaymentState.FAILED)
    told_again(bought, payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID)
    assert states(other, "payment_change_request") == ["suppressed"]
    assert states(other, "payment_request") == ["scheduled"]


def test_who_was_moved_in_was_asked_by_the_system_before():
    fields = {"payment_method": PaymentMethod.BANK_TRANSFER, "payment_state": PaymentState.UNPAID}
    _bought, order = taken(flags=(MOVED_IN,), state=ChannelState.OPEN, **fields)
    assert order.stage == "awaiting_payment" and not Mail.objects.filter(order=order).exists()
    mail_stages.follow([(order.pk, "review", "awaiting_payment")])
    assert not Mail.objects.filter(order=order).exists()
