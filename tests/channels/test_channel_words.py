"""Memos, payments, cancelled lines and answers to cancel wishes reach the channel once, or a person gets its page."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db.models import QuerySet

from channels.connectors.contract import ChannelDown, Refused
from channels.models import Connection
from channels.services import shops
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.channel_order import ChannelState, PaymentState
from orders.models import Order, OrderEvent, Shop
from orders.models.order import ChannelSync
from orders.services import channel_words, payment
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.channels.builders import make_connection
from tests.orders.builders import changed, make_channel_order, make_line

pytestmark = pytest.mark.django_db
ABLE = {
    "memo": True,
    "payment_report": True,
    "partial_cancel": True,
    "cancel_answer": "both",
    "order_url": "https://mall.example/{no}",
}


class Mall:
    """Remembers what it is told; `trouble` is raised instead."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.trouble: Exception | None = None

    def write_memo(self, order: Any, text: str) -> None:
        self._hear("memo", text)

    def report_payment(self, order: Any, paid_at: datetime) -> None:
        self._hear("payment", paid_at)

    def cancel_lines(self, order: Any, quantities: Any, reason: str) -> None:
        self._hear("cancel_lines", dict(quantities), reason)

    def answer_cancel(self, order: Any, *, accept: bool, message: str) -> None:
        self._hear("answer", accept, message)

    def _hear(self, *words: Any) -> None:
        if self.trouble:
            raise self.trouble
        self.told.append(words)


@pytest.fixture
def mall(monkeypatch: pytest.MonkeyPatch) -> Mall:
    found = Mall()
    monkeypatch.setattr(shops, "connector_of", lambda _connection: found)
    return found


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = make_connection()
    able(made.shop, **ABLE)
    yield made


def able(shop: Shop, **capabilities: Any) -> None:
    Shop.objects.filter(pk=shop.pk).update(capabilities={**shop.capabilities, **capabilities})


def taken(connection: Connection, **fields: Any) -> Order:
    lines = (make_line("A", 2), make_line("B", 1))
    order = make_channel_order(*lines, **fields)
    take_in(connection.shop, [order], sku_of={})
    return Order.objects.get(channel_order_no=order.channel_order_no)


def deliver(order: Order) -> None:
    Effect.objects.update(next_try_at=clock.now())
    outbox.deliver_subject(f"order:{order.pk}:channel")
    order.refresh_from_db()


def effects() -> QuerySet[Effect]:
    return Effect.objects.filter(kind__startswith="channel_")


def kinds(order: Order) -> list[str]:
    return list(OrderEvent.objects.filter(order=order).order_by("pk").values_list("kind", flat=True))


# ---- memo ------------------------------------------------------------------------------------------------------------


def test_a_memo_is_kept_here_and_told_once(mall: Mall, connection: Connection):
    order = taken(connection)
    assert channel_words.write_memo(order.pk, " 電話済み ", actor=Actor()).orders == [order.pk]
    assert channel_words.write_memo(order.pk, "電話済み", actor=Actor()).orders == []
    order.refresh_from_db()
    assert (order.shop_memo, order.channel_sync) == ("電話済み", ChannelSync.PENDING)
    deliver(order)
    assert mall.told == [("memo", "電話済み")]
    assert order.channel_sync == ChannelSync.IN_SYNC and "memo_asked" in kinds(order)


def test_two_memos_in_a_row_end_with_the_second(mall: Mall, connection: Connection):
    order = taken(connection)
    for text in ("一", "二"):
        channel_words.write_memo(order.pk, text, actor=Actor())
    deliver(order)
    assert mall.told[-1] == ("memo", "二")


def test_where_no_memo_can_be_written_a_person_gets_the_page(mall: Mall, connection: Connection):
    able(connection.shop, **{**ABLE, "memo": False})
    order = taken(connection)
    said = channel_words.write_memo(order.pk, "x", actor=Actor())
    assert said.by_hand == {order.pk: f"https://mall.example/{order.channel_order_no}"}
    order.refresh_from_db()
    assert order.shop_memo == "" and not effects().exists()


def test_a_memo_beyond_all_bounds_is_refused(connection: Connection):
    order = taken(connection)
    assert "4000" in channel_words.write_memo(order.pk, "あ" * 4001, actor=Actor()).refused[order.pk]


# ---- payments --------------------------------------------------------------------------------------------------------


def test_money_recorded_here_is_told_to_the_channel_once(mall: Mall, connection: Connection):
    order = taken(connection, payment_state=PaymentState.UNPAID)
    payment.record_payments([order.pk], actor=Actor())
    channel_words.report_payments([order.pk], actor=Actor())
    order.refresh_from_db()
    deliver(order)
    assert mall.told == [("payment", order.paid_at)]
    assert kinds(order).count("payment_told") == 1


def test_money_for_a_channel_without_such_a_word_tells_nothing(mall: Mall, connection: Connection):
    able(connection.shop, **{**ABLE, "payment_report": False})
    order = taken(connection, payment_state=PaymentState.UNPAID)
    assert payment.record_payments([order.pk], actor=Actor()) == [order.pk]
    assert not Effect.objects.filter(kind="channel_payment").exists()


def test_only_paid_orders_are_told_as_paid(connection: Connection):
    order = taken(connection, payment_state=PaymentState.UNPAID)
    assert order.pk in channel_words.report_payments([order.pk], actor=Actor()).refused


# ---- lines -----------------------------------------------------------------------------------------------------------


def test_cancelled_pieces_are_told_by_the_channels_line(mall: Mall, connection: Connection):
    order = taken(connection)
    line = order.lines.get(channel_sku="A")
    said = channel_words.cancel_lines(order.pk, {line.pk: 1}, reason="欠品", actor=Actor())
    assert said.orders == [order.pk]
    deliver(order)
    assert mall.told == [("cancel_lines", {line.channel_line_id: 1}, "欠品")]


@pytest.mark.parametrize(("a", "b"), [(3, 0), (0, 0), (2, 1)])
def test_more_than_what_is_open_nothing_at_all_and_everything_are_refused(connection: Connection, a: int, b: int):
    order = taken(connection)
    first, second = order.lines.get(channel_sku="A"), order.lines.get(channel_sku="B")
    said = channel_words.cancel_lines(order.pk, {first.pk: a, second.pk: b}, reason="欠品", actor=Actor())
    assert order.pk in said.refused and not effects().exists()


def test_a_line_of_another_order_is_refused(connection: Connection):
    order, other = taken(connection), taken(connection)
    line = other.lines.get(channel_sku="A")
    assert order.pk in channel_words.cancel_lines(order.pk, {line.pk: 1}, reason="", actor=Actor()).refused


def test_where_lines_cannot_be_cancelled_a_person_gets_the_page(connection: Connection):
    able(connection.shop, **{**ABLE, "partial_cancel": False})
    order = taken(connection)
    said = channel_words.cancel_lines(order.pk, {order.lines.all()[0].pk: 1}, reason="", actor=Actor())
    assert order.pk in said.by_hand


# ---- the buyer's wish to cancel --------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", [True, False])
def test_an_answer_to_a_wish_is_told(mall: Mall, connection: Connection, accept: bool):
    order = taken(connection, cancel_requested=True)
    assert channel_words.answer_cancel(order.pk, accept=accept, message="発送前です", actor=Actor()).orders
    deliver(order)
    assert mall.told == [("answer", accept, "発送前です")]
    assert ("cancel_accepted" if accept else "cancel_declined") in kinds(order)


def test_a_channel_that_only_takes_a_yes_sends_the_no_to_its_page(connection: Connection):
    able(connection.shop, **{**ABLE, "cancel_answer": "accept"})
    order = taken(connection, cancel_requested=True)
    assert order.pk in channel_words.answer_cancel(order.pk, accept=False, actor=Actor()).by_hand
    able(connection.shop, **{**ABLE, "cancel_answer": "none"})
    assert order.pk in channel_words.answer_cancel(order.pk, accept=True, actor=Actor()).by_hand


def test_there_is_no_answer_without_a_wish(connection: Connection):
    assert channel_words.answer_cancel(taken(connection).pk, accept=True, actor=Actor()).refused


def test_an_order_cancelled_meanwhile_needs_no_answer(mall: Mall, connection: Connection):
    channel_order = make_channel_order(make_line("A", 2), cancel_requested=True)
    take_in(connection.shop, [channel_order], sku_of={})
    order = Order.objects.get()
    channel_words.answer_cancel(order.pk, accept=True, actor=Actor())
    gone = changed(channel_order, state=ChannelState.CANCELLED, channel_state="900")
    take_in(connection.shop, [gone], sku_of={})
    deliver(order)
    assert mall.told == [] and effects().get().state == Effect.State.DONE


# ---- trouble ---------------------------------------------------------------------------------------------------------


def test_a_mall_that_is_down_hears_it_later_and_one_that_refuses_shows_on_the_order(mall: Mall, connection: Connection):
    order = taken(connection)
    channel_words.write_memo(order.pk, "電話済み", actor=Actor())
    mall.trouble = ChannelDown("つながりません。")
    deliver(order)
    assert effects().get().state == Effect.State.WAITING and order.channel_sync == ChannelSync.PENDING
    mall.trouble = Refused("メモは書けません。")
    deliver(order)
    assert order.channel_sync == ChannelSync.FAILED
    assert effects().get().last_error == "メモは書けません。"
