"""Mapping must not promise goods nobody ships; the publisher must come to rest; notices must survive a long night."""

from datetime import timedelta

import pytest

from channels.connectors.contract import ChannelDown, RawOrder, Refused, StockResult
from channels.models import Listing
from channels.models import RawOrder as RawOrderRow
from channels.services import intake, mapping, publish, shops
from inventory.models import Balance
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.channel_order import ChannelState
from orders.models import Order
from orders.services import cancel
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.reservation import NO_RESERVE
from tests.channels.builders import make_connection, make_listing
from tests.orders.builders import changed, make_channel_order, make_line, make_location, make_sku, mapped


class Mall:
    """A mall that takes every quantity, and shows what `shows` says instead."""

    def __init__(self, shows=None):
        self.shows, self.pushed, self.told = shows or {}, [], []
        self.capabilities = type("C", (), {"stock_batch": 100})
        self.trouble = None

    def push_stock(self, items):
        self.pushed += items
        return [StockResult(item.listing_code, True) for item in items]

    def read_stock(self, codes):
        self.asked = list(codes)
        return {code: self.shows[code] for code in codes if code in self.shows}

    def cancel(self, order, reason):
        self.tell("cancel")

    def ship(self, order, parcels):
        self.tell("ship")

    def tell(self, word):
        self.told.append(word)
        if self.trouble:
            raise self.trouble


@pytest.fixture
def mall(monkeypatch) -> Mall:
    mall = Mall()
    monkeypatch.setattr(shops, "connector_of", lambda _connection: mall)
    return mall


def order_of(connection, **fields) -> Order:
    order = make_channel_order(make_line("UNKNOWN", 2), **fields)
    take_in(connection.shop, [order], sku_of={})
    return Order.objects.get(channel_order_no=order.channel_order_no)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [{"fulfilled_by_channel": True}, {"flags": (NO_RESERVE,)}, {"state": ChannelState.SHIPPED}],
    ids=["shipped by the channel", "unpaid pre-order", "shipped already"],
)
def test_mapping_a_code_promises_nothing_to_orders_we_do_not_ship(fields):
    connection, chair = make_connection(), make_sku(stock_units=9)
    order = order_of(connection, **fields)
    mapping.map_code(connection.shop, "UNKNOWN", chair, units=3)
    line = order.lines.get()
    assert (line.sku_id, line.units, line.reserved) == (chair.pk, 3, False)
    assert Balance.objects.get(sku=chair, location=None, release="").reserved == 0


@pytest.mark.django_db
def test_mapping_a_code_of_three_promises_three_for_each():
    connection, chair = make_connection(), make_sku(stock_units=9)
    order = order_of(connection)
    mapping.map_code(connection.shop, "UNKNOWN", chair, units=3)
    assert order.lines.get().reserved
    assert Balance.objects.get(sku=chair, location=None, release="").reserved == 6


@pytest.mark.django_db
def test_mapping_a_code_to_a_pre_order_lets_the_order_wait_for_its_release():
    connection = make_connection()
    day = clock.today() + timedelta(days=9)
    sofa = make_sku("SOFA", release_date=day, preorder_limit=9)
    order = order_of(connection)
    mapping.map_code(connection.shop, "UNKNOWN", sofa)
    order.refresh_from_db()
    assert (order.release_date, order.stage) == (day, "awaiting_release")


def settle(connection, rounds: int) -> None:
    """So many rounds of the publisher, each late enough to read back."""
    for _round in range(rounds):
        publish.push_shop(connection)
        Listing.objects.filter(sent_at__isnull=False).update(sent_at=clock.now() - timedelta(minutes=5))
        Listing.objects.filter(confirmed_at__isnull=False).update(confirmed_at=clock.now() - timedelta(minutes=9))
        publish.read_back(connection)
        connection.cursor = clock.now()  # an import has seen every order of that time
        publish.read_back(connection)


@pytest.mark.django_db
def test_a_mall_that_shows_another_number_is_told_three_times_and_then_said_to_be_wrong(mall):
    connection, chair = make_connection(), make_sku(stock_units=5)
    listing = make_listing(connection.shop, "CHAIR", sku=chair)
    mall.shows = {"CHAIR": 4}
    publish.consume_marks()
    settle(connection, 8)
    assert [item.quantity for item in mall.pushed] == [5, 5, 5]
    listing.refresh_from_db()
    assert "モール" in listing.error and listing.confirmed == 4
    chair.refresh_from_db()
    stock.receive([stock.Fact(chair.pk, make_location().pk, 2, "arrival")])
    publish.consume_marks()
    publish.push_shop(connection)
    assert mall.pushed[-1].quantity == 7


@pytest.mark.django_db
def test_a_listing_that_vanished_from_the_mall_does_not_hold_back_the_others(mall, monkeypatch):
    monkeypatch.setattr(publish, "READ_BACK_BATCH", 1)
    connection, chair = make_connection(), make_sku(stock_units=5)
    long_ago = clock.now() - timedelta(hours=1)
    gone = make_listing(connection.shop, "GONE", sku=chair, sent=5, desired=5, sent_at=long_ago)
    make_listing(connection.shop, "HERE", sku=chair, sent=5, desired=5, sent_at=long_ago + timedelta(minutes=1))
    mall.shows = {"HERE": 5}
    assert [publish.read_back(connection) for _ in range(3)] == [0, 1, 0]
    gone.refresh_from_db()
    assert gone.confirmed is None and "見つかりません" in gone.error


@pytest.mark.django_db
def test_cancelling_what_the_channel_has_cancelled_meanwhile_asks_it_nothing(mall):
    connection, chair = make_connection(), make_sku(stock_units=5)
    channel_order = make_channel_order()
    take_in(connection.shop, [channel_order], sku_of=mapped(chair))
    order = Order.objects.get()
    mall.trouble = Refused("キャンセル済みの注文です。")
    cancel.cancel_orders([order.pk], reason="お客様のご希望", actor=Actor())
    cancelled = changed(channel_order, state=ChannelState.CANCELLED, channel_state="900")
    take_in(connection.shop, [cancelled], sku_of=mapped(chair))
    outbox.deliver_subject(f"order:{order.pk}:channel")
    assert mall.told == [] and Effect.objects.get(kind="channel_cancel").state == "done"


@pytest.mark.django_db
def test_a_mall_that_is_down_all_night_is_told_in_the_morning(mall):
    connection, chair = make_connection(), make_sku(stock_units=5)
    take_in(connection.shop, [make_channel_order()], sku_of=mapped(chair))
    order = Order.objects.get()
    cancel.cancel_orders([order.pk], reason="お客様のご希望", actor=Actor())
    mall.trouble = ChannelDown("モールがメンテナンス中です。")
    for _try in range(30):
        Effect.objects.update(next_try_at=clock.now())
        outbox.deliver_subject(f"order:{order.pk}:channel")
    assert Effect.objects.get(kind="channel_cancel").state == "waiting"
    mall.trouble = None
    Effect.objects.update(next_try_at=clock.now())
    outbox.deliver_subject(f"order:{order.pk}:channel")
    assert Effect.objects.get(kind="channel_cancel").state == "done"


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_archive_one_order_at_once_both_succeed(race):
    connection = make_connection()
    outcomes = race(
        6, lambda n: intake.archive(connection, [RawOrder("N-1", f'{{"version": {n}}}', "application/json")])
    )
    assert all(isinstance(outcome, dict) for outcome in outcomes), outcomes
    assert RawOrderRow.objects.filter(is_current=True).count() == 1 and RawOrderRow.objects.count() == 6


@pytest.mark.django_db
def test_an_import_that_our_program_breaks_says_so_on_the_shop(monkeypatch):
    connection = make_connection()
    monkeypatch.setattr(shops, "connector_of", lambda _connection: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        intake.pull(connection)
    connection.refresh_from_db()
    assert "プログラムのエラー" in connection.import_error and "ZeroDivisionError" in connection.import_error
