"""次の注文で知らせる: left on one order, told on the buyer's next ones, until somebody ticks it off."""

import pytest
from django.urls import reverse

from orders.models import NextOrderNote, Order, ReviewReason
from orders.services import next_notes, review
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
WORDS = "次回はサンプルを同梱する"


def take(**fields) -> Order:
    order = make_channel_order(**fields)
    take_in(make_shop(), [order], sku_of=mapped(make_sku(stock_units=50)))
    return Order.objects.get(channel_order_no=order.channel_order_no)


def told(order: Order) -> ReviewReason | None:
    return order.reasons.filter(code="next_order_note", state=ReviewReason.State.OPEN).first()


def test_the_next_order_of_the_buyer_says_it_and_does_not_stop(aoi):
    first = take()
    assert next_notes.add(first.pk, WORDS, actor=Actor(aoi))
    assert not next_notes.add(first.pk, WORDS, actor=Actor(aoi)), "left once"
    second = take()
    assert WORDS in str(told(second).evidence) and told(second).level == "warn" and second.stage != "review"
    assert told(first) is None


def test_an_order_that_waits_already_is_told_too_and_ticking_off_closes_it(aoi):
    first, second = take(), take()
    next_notes.add(first.pk, WORDS, actor=Actor(aoi))
    assert told(second)
    note = NextOrderNote.objects.get()
    assert next_notes.done(note.pk, actor=Actor(aoi)) and not next_notes.done(note.pk, actor=Actor(aoi))
    assert told(second) is None and told(take()) is None


def test_who_has_read_it_on_one_order_is_told_again_on_the_next(aoi):
    next_notes.add(take().pk, WORDS, actor=Actor(aoi))
    second = take()
    review.accept([second.pk], codes=["next_order_note"], actor=Actor(aoi))
    assert told(second) is None and told(take())


def test_it_is_left_and_ticked_off_on_the_orders_page(client_of, aoi, ben):
    first, second, client = take(), take(), client_of(aoi)
    client.post(reverse("orders:next-note", args=[first.pk]), {"text": WORDS})
    page = client.get(reverse("orders:detail", args=[second.pk])).content.decode()
    assert WORDS in page and reverse("orders:detail", args=[first.pk]) in page
    note = NextOrderNote.objects.get()
    for name, args in (("next-note", [first.pk]), ("next-note-done", [first.pk, note.pk])):
        assert client_of(ben).post(reverse(f"orders:{name}", args=args), {"text": "x"}).status_code == 403
    client.post(reverse("orders:next-note-done", args=[second.pk, note.pk]))
    note.refresh_from_db()
    assert note.done_by == aoi


def test_without_a_known_buyer_nothing_is_left(client_of, aoi):
    order = take()
    Order.objects.filter(pk=order.pk).update(member=None)
    client_of(aoi).post(reverse("orders:next-note", args=[order.pk]), {"text": WORDS})
    assert not NextOrderNote.objects.exists()
