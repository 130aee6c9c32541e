"""What is said to Rakuten arrives there, comes back with the next import, and is said again when Rakuten forgot it."""

import pytest

from channels.services import intake
from oms.kernel.models import Effect
from orders.models import Order
from orders.models.order import ChannelSync
from orders.services import channel_words, confirm
from orders.services.journal import Actor
from tests.channels.rakuten.conftest import Mall
from tests.channels.stored import connect, deliver, pulled

pytestmark = pytest.mark.django_db


def test_a_memo_written_here_stands_at_the_mall_and_comes_back_unchanged(mall: Mall):
    placed = mall.sells()
    connection = connect("rakuten", mall)
    mall.time.skip(minutes=1)
    pulled(connection, placed.number)
    order = intake.order_of(connection, placed.number)
    channel_words.write_memo(order.pk, "電話確認済み", actor=Actor())
    deliver(order, mall, "channel_memo")
    assert mall.world.order("rakuten", placed.number).extra["memo"] == "電話確認済み"
    mall.time.skip(minutes=11)
    assert pulled(connection, placed.number)["shop_memo"] == "電話確認済み"


def test_a_granted_wish_to_cancel_cancels_here_when_the_mall_says_so(mall: Mall):
    placed = mall.sells()
    mall.world.request_cancel("rakuten", placed.number)
    connection = connect("rakuten", mall)
    mall.time.skip(minutes=1)
    assert pulled(connection, placed.number)["cancel_requested"]
    order = intake.order_of(connection, placed.number)
    channel_words.answer_cancel(order.pk, accept=True, actor=Actor())
    deliver(order, mall, "channel_cancel_answer")
    mall.time.skip(minutes=11)
    shown = pulled(connection, placed.number)
    assert (shown["stage"], shown["channel_state"]) == ("cancelled", "900")


def test_a_confirmation_the_mall_forgot_is_given_again_by_the_worker(mall: Mall):
    placed = mall.sells()
    connection = connect("rakuten", mall)
    mall.time.skip(minutes=1)
    pulled(connection, placed.number)
    order = intake.order_of(connection, placed.number)
    Order.objects.filter(pk=order.pk).update(blocking_reasons=0)
    Effect.objects.filter(kind="channel_confirm").delete()
    mall.breaks("rakuten:unapplied:1")
    assert confirm.confirm_orders([order.pk], actor=Actor()) == [order.pk]
    assert deliver(order, mall, "channel_confirm") > 1
    order.refresh_from_db()
    assert order.channel_sync == ChannelSync.IN_SYNC and order.confirmed_at is not None
    assert mall.world.order("rakuten", placed.number).state in ("ready", "confirmed")
