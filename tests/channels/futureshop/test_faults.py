"""Each way in which futureshop can misbehave: the connector says what is wrong, loses nothing, doubles nothing, and
ends where it would have ended without the fault."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from channels.connectors.contract import ChannelDown, ChannelError, CredentialsRefused, StockPush
from channels.services.intake import OVERLAP
from tests.channels.futureshop.conftest import Mall
from tests.channels.futureshop.test_changes import held, parcel, ref
from tests.channels.futureshop.test_words import PAID

TRIES = 12
PASSING = [
    "429:3", "500:2", "503:2", "slow=5:1", "cut:2", "reset:2", "maintenance:300s", "partial:1", "duplicate:1",
    "expired_token",
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.sandbox.server.time.sleep", lambda _seconds: None)


def until_done(mall: Mall, work: Callable[[], object]) -> int:
    """What the outbox does with passing trouble; returns how often it was tried."""
    for tried in range(1, TRIES + 1):
        try:
            work()
            return tried
        except ChannelError as error:
            assert error.retry or error.uncertain, error.cause
            mall.time.skip(seconds=max(error.retry_after_s or 0, 60))
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("fault", PASSING)
def test_every_order_arrives_whatever_passes(mall: Mall, fault: str):
    mall.simulator.order_page = 2
    placed = [mall.sells().number for _ in range(5)]
    since = mall.time.now() - timedelta(minutes=10)
    mall.time.skip(minutes=1)
    mall.connector().check()
    mall.breaks(f"futureshop:{fault}")
    found: list[str] = []

    def work() -> None:
        raw, pages = mall.pull(since)
        found.extend(order.channel_order_no for order in raw)
        for _, error in (problem for page in pages for problem in page.problems):
            raise ChannelDown(error.cause)

    until_done(mall, work)
    assert set(found) == set(placed)


@pytest.mark.parametrize("fault", PASSING)
def test_a_parcel_is_told_whatever_passes(mall: Mall, fault: str):
    order = mall.sells()
    mall.connector().check()
    mall.breaks(f"futureshop:{fault}")
    until_done(mall, lambda: mall.connector().ship(ref(order), [parcel("400000000001")]))
    assert held(mall, order)["invoiceNo"] == "400000000001"
    assert [told.accepted for told in mall.told("ship")].count(True) == 1


@pytest.mark.parametrize("fault", PASSING)
def test_a_payment_is_marked_once_whatever_passes(mall: Mall, fault: str):
    order = mall.sells(payment="bank")
    mall.connector().check()
    mall.breaks(f"futureshop:{fault}")
    until_done(mall, lambda: mall.connector().report_payment(ref(order), PAID))
    assert mall.read(order.number).payment_state.value == "paid"
    assert [told.accepted for told in mall.told("payment")].count(True) == 1


@pytest.mark.parametrize("fault", PASSING)
def test_stock_ends_where_it_should_whatever_passes(mall: Mall, fault: str):
    keys = mall.keys[:4]
    mall.connector().check()
    mall.breaks(f"futureshop:{fault}")

    def push() -> None:
        results = list(mall.connector().push_stock([StockPush(key, 6) for key in keys]))
        if bad := [result for result in results if not result.ok]:
            raise ChannelDown(bad[0].error)

    until_done(mall, push)
    assert set(mall.connector().read_stock(keys).values()) == {6}


def test_a_product_that_fails_leaves_the_others_done_and_is_named(mall: Mall):
    keys = [key for key in mall.keys if key.endswith("//")][:4]
    mall.breaks("futureshop:partial:1")
    results = list(mall.connector().push_stock([StockPush(key, 6) for key in keys]))
    assert [result.ok for result in results].count(False) == 1
    assert all(result.error for result in results if not result.ok)
    assert list(mall.connector().read_stock(keys).values()).count(6) == 3


# ---- done, and yet not done ------------------------------------------------------------------------------------------


def test_a_forgotten_parcel_is_noticed_and_told_again(mall: Mall):
    order = mall.sells()
    mall.breaks("futureshop:unapplied:1")
    with pytest.raises(ChannelDown, match="反映") as down:
        mall.connector().ship(ref(order), [parcel("400000000001")])
    assert down.value.retry and held(mall, order) == {}
    mall.connector().ship(ref(order), [parcel("400000000001")])
    assert held(mall, order)["invoiceNo"] == "400000000001"


def test_a_forgotten_payment_is_noticed_and_marked_again(mall: Mall):
    order = mall.sells(payment="bank")
    mall.breaks("futureshop:unapplied:1")
    assert until_done(mall, lambda: mall.connector().report_payment(ref(order), PAID)) == 2
    assert mall.read(order.number).payment_state.value == "paid"


def test_a_forgotten_quantity_is_seen_when_it_is_read_back(mall: Mall):
    key = mall.keys[0]
    before = mall.world.shown("futureshop", key).quantity
    mall.breaks("futureshop:unapplied:1")
    (result,) = mall.connector().push_stock([StockPush(key, before + 9)])
    assert result.ok and result.confirmed is None
    assert mall.connector().read_stock([key]) == {key: before}
    list(mall.connector().push_stock([StockPush(key, before + 9)]))
    assert mall.connector().read_stock([key]) == {key: before + 9}


# ---- late, and by another clock --------------------------------------------------------------------------------------


def follow(mall: Mall, cursor: datetime, minutes: int, *, sells: int = 0) -> tuple[set[str], set[str]]:
    """(numbers placed, numbers found) over so many imports a minute apart."""
    placed, found = set(), set()
    for minute in range(minutes):
        if minute < sells:
            placed.add(mall.sells().number)
        mall.time.skip(minutes=1)
        raw, pages = mall.pull(cursor - OVERLAP)
        found |= {order.channel_order_no for order in raw}
        cursor = pages[-1].cursor or cursor
    return placed, found


def test_an_order_shown_late_is_found_by_a_later_import(mall: Mall):
    cursor = mall.time.now() - timedelta(minutes=5)
    mall.breaks("futureshop:late=900:1")
    order = mall.sells()
    assert order.number not in follow(mall, cursor, 10)[1]
    assert order.number in follow(mall, mall.time.now() - timedelta(minutes=1), 10)[1]


def test_a_quantity_shown_late_is_there_in_the_end(mall: Mall):
    key = mall.keys[0]
    mall.breaks("futureshop:stale=90:1")
    list(mall.connector().push_stock([StockPush(key, 3)]))
    mall.time.skip(seconds=100)
    assert mall.connector().read_stock([key]) == {key: 3}


def test_an_order_that_shows_its_changes_late_ends_well(mall: Mall):
    order = mall.sells(payment="bank")
    mall.time.skip(minutes=10)
    mall.breaks("futureshop:stale=90")
    until_done(mall, lambda: mall.connector().report_payment(ref(order), PAID))
    until_done(mall, lambda: mall.connector().ship(ref(order), [parcel("400000000001")]))
    mall.time.skip(minutes=5)
    got = mall.read(order.number)
    assert (got.tracking_nos, got.payment_state.value) == (("400000000001",), "paid")


@pytest.mark.parametrize("seconds", [-240, 240])
def test_a_mall_whose_clock_differs_by_minutes_loses_no_order(mall: Mall, seconds: int):
    mall.breaks(f"futureshop:skew={seconds}")
    placed, found = follow(mall, mall.time.now() - timedelta(minutes=1), 14, sells=8)
    assert len(placed) == 8 and found == placed


@pytest.mark.parametrize("seconds", [-90, 90])
def test_a_change_is_found_when_the_clocks_differ(mall: Mall, seconds: int):
    order = mall.sells()
    mall.breaks(f"futureshop:skew={seconds}")
    follow(mall, mall.time.now() - timedelta(minutes=5), 6)
    mall.world.annotate("futureshop", order.number, memo="電話済み")
    assert order.number in follow(mall, mall.time.now() - timedelta(minutes=1), 35)[1]


# ---- no longer let in ------------------------------------------------------------------------------------------------


def test_revoked_access_stops_and_says_what_to_do(mall: Mall):
    mall.breaks("futureshop:revoked")
    with pytest.raises(CredentialsRefused, match="APIキー") as refused:
        mall.pull(mall.time.now() - timedelta(minutes=5))
    assert not refused.value.retry
    mall.sandbox.clear_faults()
    assert mall.pull(mall.time.now() - timedelta(minutes=5))[1]
