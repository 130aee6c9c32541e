"""Each way in which Rakuten can misbehave: the connector says what is wrong, loses nothing, doubles nothing, and ends
where it would have ended without the fault."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from channels.connectors.contract import ChannelDown, ChannelError, CredentialsRefused, StockPush
from channels.connectors.rakuten import wire
from tests.channels.rakuten.conftest import Mall
from tests.channels.rakuten.test_changes import parcel, ref, rows

TRIES = 12


def until_done(mall: Mall, work: Callable[[], object]) -> int:
    """What the outbox does with passing trouble; returns how often it was tried."""
    for tried in range(1, TRIES + 1):
        try:
            work()
            return tried
        except ChannelError as error:
            assert error.retry or error.uncertain, error.cause
            mall.time.skip(seconds=error.retry_after_s or 60)
    raise AssertionError("it never came to an end")


def all_numbers(mall: Mall, since: object) -> list[str]:
    """One import after another until one is whole."""
    found: list[str] = []

    def work() -> None:
        raw, pages = mall.pull(since)  # type: ignore[arg-type]
        found.extend(order.channel_order_no for order in raw)
        for _, error in (problem for page in pages for problem in page.problems):
            raise ChannelDown(error.cause)

    until_done(mall, work)
    return found


PASSING = ["429:3", "500:2", "503:2", "slow=5:1", "cut:2", "reset:2", "maintenance:300s", "partial:1", "duplicate:1"]


@pytest.mark.parametrize("fault", PASSING)
def test_every_order_arrives_whatever_passes(mall: Mall, fault: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "SEARCH_PAGE", 2)
    monkeypatch.setattr("channels.sandbox.server.time.sleep", lambda _seconds: None)
    placed = [mall.sells().number for _ in range(5)]
    since = mall.time.now() - timedelta(minutes=10)
    mall.time.skip(minutes=1)
    mall.breaks(f"rakuten:{fault}")
    assert set(all_numbers(mall, since)) == set(placed)


@pytest.mark.parametrize("fault", PASSING)
def test_a_confirmation_is_given_once_whatever_passes(mall: Mall, fault: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("channels.sandbox.server.time.sleep", lambda _seconds: None)
    order = mall.sells()
    mall.breaks(f"rakuten:{fault}")
    until_done(mall, lambda: mall.connector().confirm(ref(order)))
    assert [told.accepted for told in mall.told("confirm")].count(True) == 1


@pytest.mark.parametrize("fault", PASSING)
def test_a_parcel_is_told_once_whatever_passes(mall: Mall, fault: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("channels.sandbox.server.time.sleep", lambda _seconds: None)
    order = mall.sells_ready()
    mall.breaks(f"rakuten:{fault}")
    told = [parcel("490123456789", order.lines[0].line_id)]
    until_done(mall, lambda: mall.connector().ship(ref(order), told))
    assert [row["shippingNumber"] for row in rows(mall, order)] == ["490123456789"]


@pytest.mark.parametrize("fault", [one for one in PASSING if not one.startswith("duplicate")])
def test_stock_ends_where_it_should_whatever_passes(mall: Mall, fault: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("channels.sandbox.server.time.sleep", lambda _seconds: None)
    keys = mall.keys[:4]
    mall.breaks(f"rakuten:{fault}")

    def push() -> None:
        results = list(mall.connector().push_stock([StockPush(key, 6) for key in keys]))
        if bad := [result for result in results if not result.ok]:
            assert len(bad) == 1 and bad[0].error  # its neighbours are done
            raise ChannelDown(bad[0].error)

    until_done(mall, push)
    assert set(mall.connector().read_stock(keys).values()) == {6}


# ---- done, and yet not done ------------------------------------------------------------------------------------------


def test_a_forgotten_confirmation_is_noticed_and_given_again(mall: Mall):
    order = mall.sells()
    mall.breaks("rakuten:unapplied:1")
    with pytest.raises(ChannelDown, match="反映") as down:
        mall.connector().confirm(ref(order))
    assert not down.value.uncertain
    mall.connector().confirm(ref(order))
    assert mall.read(order.number).confirmed_at is not None


def test_a_forgotten_parcel_is_noticed_and_told_again(mall: Mall):
    order = mall.sells_ready()
    mall.breaks("rakuten:unapplied:1")
    told = [parcel("490123456789", order.lines[0].line_id)]
    start = mall.time.now()
    until_done(mall, lambda: mall.connector().ship(ref(order), told))
    assert len(rows(mall, order)) == 1
    assert (mall.time.now() - start).total_seconds() < 300


def test_a_forgotten_cancellation_is_noticed_and_asked_again(mall: Mall):
    order = mall.sells()
    mall.breaks("rakuten:unapplied:1")
    assert until_done(mall, lambda: mall.connector().cancel(ref(order), "欠品")) == 2
    assert mall.world.order("rakuten", order.number).state == "cancelled"


def test_a_forgotten_quantity_is_seen_when_it_is_read_back(mall: Mall):
    key = mall.keys[0]
    before = mall.world.shown("rakuten", key).quantity
    mall.breaks("rakuten:unapplied:1")
    (result,) = mall.connector().push_stock([StockPush(key, before + 9)])
    assert result.ok and result.confirmed is None
    assert mall.connector().read_stock([key]) == {key: before}
    list(mall.connector().push_stock([StockPush(key, before + 9)]))
    assert mall.connector().read_stock([key]) == {key: before + 9}


# ---- late, and by another clock --------------------------------------------------------------------------------------


def test_an_order_shown_late_is_found_by_a_later_import(mall: Mall):
    since = mall.time.now() - timedelta(minutes=5)
    mall.breaks("rakuten:late=900:1")
    order = mall.sells()
    raw, pages = mall.pull(since)
    assert raw == []
    found: list[str] = []
    for _ in range(30):
        mall.time.skip(minutes=1)
        raw, pages = mall.pull(pages[-1].cursor)  # type: ignore[arg-type]
        found += [one.channel_order_no for one in raw]
    assert order.number in found


def test_a_quantity_shown_late_is_there_in_the_end(mall: Mall):
    key = mall.keys[0]
    mall.breaks("rakuten:stale=90:1")
    list(mall.connector().push_stock([StockPush(key, 3)]))
    mall.time.skip(seconds=100)
    assert mall.connector().read_stock([key]) == {key: 3}


def test_an_order_that_shows_its_changes_late_is_told_each_of_them_once(mall: Mall):
    order = mall.sells_ready()
    mall.time.skip(minutes=10)
    mall.breaks("rakuten:stale=90")
    told = [parcel("490123456789", order.lines[0].line_id)]
    assert until_done(mall, lambda: mall.connector().ship(ref(order), told)) > 1
    assert len(rows(mall, order)) == 1


@pytest.mark.parametrize("does", ["confirm", "cancel"])
def test_a_step_that_shows_late_ends_well(mall: Mall, does: str):
    order = mall.sells()
    mall.time.skip(minutes=10)
    mall.breaks("rakuten:stale=90")
    connector = mall.connector()
    step = {"confirm": lambda: connector.confirm(ref(order)), "cancel": lambda: connector.cancel(ref(order), "欠品")}
    until_done(mall, step[does])
    assert [one.accepted for one in mall.told(does)].count(True) == 1


@pytest.mark.parametrize("seconds", [-240, 240])
def test_a_mall_whose_clock_differs_by_minutes_loses_no_order(mall: Mall, seconds: int):
    mall.breaks(f"rakuten:skew={seconds}")
    cursor = mall.time.now() - timedelta(minutes=1)
    placed, found = [], set()
    for _ in range(8):
        placed.append(mall.sells().number)
        mall.time.skip(minutes=1)
        raw, pages = mall.pull(cursor)
        found |= {order.channel_order_no for order in raw}
        cursor = pages[-1].cursor  # type: ignore[assignment]
    for _ in range(6):
        mall.time.skip(minutes=1)
        raw, pages = mall.pull(cursor)
        found |= {order.channel_order_no for order in raw}
        cursor = pages[-1].cursor  # type: ignore[assignment]
    assert found == set(placed)


# ---- no longer let in ------------------------------------------------------------------------------------------------


def test_a_revoked_key_stops_at_once_and_says_what_to_do(mall: Mall):
    mall.breaks("rakuten:revoked")
    start = mall.time.now()
    with pytest.raises(CredentialsRefused, match="licenseKey") as refused:
        mall.pull(start - timedelta(minutes=5))
    assert not refused.value.retry
    assert (mall.time.now() - start).total_seconds() < 2
    mall.sandbox.clear_faults()
    assert mall.pull(start - timedelta(minutes=5))[1]


def test_rakuten_has_no_tokens_that_could_expire(mall: Mall):
    order = mall.sells()
    mall.breaks("rakuten:expired_token")
    assert mall.connector().fetch_order(order.number) is not None
