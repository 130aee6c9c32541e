"""What a card proposes to put a reason right by one key: a printable spelling, the first possible day, near hours."""

from dataclasses import replace
from datetime import timedelta

import pytest

from oms.kernel import clock
from orders.models import Order, ReviewReason, ShippingPlan
from orders.queries import card as cards
from orders.services import decide_card
from orders.services.decide_card import Refused, Wanted
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db


def take(**fields) -> Order:
    order = make_channel_order(make_line(), ordered_at=clock.now(), **fields)
    take_in(make_shop(), [order], sku_of=mapped(make_sku(stock_units=9)))
    return Order.objects.get(channel_order_no=order.channel_order_no)


def offered(order: Order, code: str):
    reason = order.reasons.get(code=code, state=ReviewReason.State.OPEN)
    return reason, [choice for choice, _pieces in cards.card_context(order, reason, personal=True)["choices"]]


def press(reason, choice, who) -> None:
    decide_card.decide([reason.pk], Wanted(choice.verb, choice.value), actor=Actor(who, "press"))


def test_a_spelling_that_labels_can_print_is_proposed_written_and_taken_back(aoi):
    order = take(recipients=(replace(TOKYO_PARTY, name="𠮷田 恵", address="三軒茶屋2-14-3 🏠メゾン402"),))
    reason, choices = offered(order, "bad_characters")
    [one] = [choice for choice in choices if choice.verb == "spelling"]
    assert one.detail == "吉田 恵 三軒茶屋2-14-3 メゾン402"
    press(reason, one, aoi)
    order.refresh_from_db()
    recipient = order.recipients.get()
    assert (recipient.name, recipient.address, order.recipient_name) == (
        "吉田 恵", "三軒茶屋2-14-3 メゾン402", "吉田 恵",
    )  # fmt: skip
    assert order.reasons.get(code="bad_characters").state == ReviewReason.State.AUTO_RESOLVED
    decide_card.undo_last(actor=Actor(aoi, "undo"))
    order.refresh_from_db()
    assert order.recipients.get().name == order.recipient_name == "𠮷田 恵"


def test_without_another_spelling_nothing_is_proposed_and_nothing_written(aoi):
    order = take(recipients=(replace(TOKYO_PARTY, name="田\U0002a6b2"),))
    reason, choices = offered(order, "bad_characters")
    assert not choices
    done = decide_card.decide([reason.pk], Wanted("spelling"), actor=Actor(aoi, "press"))
    assert order.pk in done.left and order.recipients.get().name == "田\U0002a6b2"


def test_the_first_possible_day_by_the_shops_calendar_is_proposed(aoi):
    today = clock.today()
    ShippingPlan.objects.create(closed_days=[str(today + timedelta(days=n)) for n in range(2)])
    order = take(wish_date=today + timedelta(days=1))
    reason, choices = offered(order, "date_too_soon")
    [one] = [choice for choice in choices if choice.verb == "wish"]
    assert one.value == str(today + timedelta(days=3))
    press(reason, one, aoi)
    order.refresh_from_db()
    assert order.wish_date == today + timedelta(days=3)
    assert order.planned_ship_date == today + timedelta(days=2)
    assert not order.reasons.filter(code="date_too_soon", state=ReviewReason.State.OPEN).exists()


def test_the_nearest_hours_are_proposed(aoi):
    order = take(wish_slot="1214")
    reason, choices = offered(order, "time_slot_unavailable")
    assert [(choice.verb, choice.value) for choice in choices] == [("slot", "1416"), ("drop_wish", "")]
    press(reason, choices[0], aoi)
    order.refresh_from_db()
    assert order.wish_slot == "1416" and order.reasons.get(code="time_slot_unavailable").state != "open"


def test_hours_that_the_carrier_does_not_have_are_refused(aoi):
    order = take(wish_slot="1214")
    reason, _choices = offered(order, "time_slot_unavailable")
    done = decide_card.decide([reason.pk], Wanted("slot", "0607"), actor=Actor(aoi, "press"))
    assert order.pk in done.left and issubclass(Refused, Exception)
