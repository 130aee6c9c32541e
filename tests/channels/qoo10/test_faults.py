"""Each fault of the sandbox: the connector survives it, and in the end everything has come and stands once."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.connectors import http
from channels.connectors.contract import ChannelDown, ChannelError, CredentialsRefused, RateLimited, StockPush
from channels.connectors.qoo10 import codes
from channels.sandbox import faults
from orders.channel_order import ChannelState
from tests.channels.qoo10.test_changes import parcel

COVERED = {
    *("429", "500", "503", "cut", "reset", "slow", "maintenance", "revoked", "expired_token"),
    *("duplicate", "late", "skew", "partial", "stale", "unapplied"),
}


def test_every_fault_has_a_test_here():
    assert faults.KINDS == COVERED


def poll_until_quiet(mall, since, *, rounds=8, minutes=5.0):
    """What a scheduler does: from the last good cursor, again and again. Returns the newest state by number, and how
    often each came."""
    connector, cursor = mall.connector(), since
    newest, times = {}, {}
    for _ in range(rounds):
        try:
            for page in connector.fetch_orders(cursor - timedelta(minutes=15), mall.time.now()):
                for raw in page.orders:
                    newest[raw.channel_order_no] = connector.parse(raw.payload)
                    times[raw.channel_order_no] = times.get(raw.channel_order_no, 0) + 1
                if page.cursor and not page.problems:
                    cursor = page.cursor
        except ChannelError as trouble:
            assert trouble.cause
        mall.time.skip(minutes=minutes)
    return newest, times


@pytest.mark.parametrize(
    "spec",
    ["429:3", "500:3", "503:3", "cut:3", "reset:3", "429:30%:900s", "500:20%:900s", "cut:20%:900s", "reset:20%:900s",
     "maintenance:600s", "expired_token", "revoked:600s"],
)  # fmt: skip
def test_baskets_come_once_and_whole_through(mall, spec):
    since = mall.time.now() - timedelta(minutes=1)
    placed = [mall.sells((mall.keys[0], 1), (mall.keys[1], 1), remarks=f"備考{number}") for number in range(3)]
    mall.breaks(f"qoo10:{spec}")
    newest, times = poll_until_quiet(mall, since)
    assert {no: order.remarks for no, order in newest.items()} == {one.number: one.remarks for one in placed}
    assert {len(order.lines) for order in newest.values()} == {2}
    assert set(times.values()) == {1}


def test_an_empty_list_in_trouble_cancels_nothing(mall):
    since = mall.time.now() - timedelta(minutes=1)
    placed = mall.sells()
    poll_until_quiet(mall, since, rounds=1)
    mall.breaks("qoo10:500:60%:900s")
    newest, _ = poll_until_quiet(mall, mall.time.now(), rounds=6)
    assert all(order.state is not ChannelState.CANCELLED for order in newest.values())
    assert mall.seen(placed.number).state is ChannelState.TO_CONFIRM


def test_a_lasting_block_is_told_as_such(mall):
    mall.breaks("qoo10:429")
    with pytest.raises(RateLimited):
        mall.connector().check()


def test_a_slow_answer_is_waited_for_and_a_too_slow_one_asked_for_again(mall, monkeypatch):
    placed = mall.sells()
    mall.breaks("qoo10:slow=0.05:2")
    assert [one.channel_order_no for one in mall.pull()[0]] == [placed.number]
    monkeypatch.setattr(http, "TIMEOUT_S", (1, 0.2))
    mall.breaks("qoo10:slow=0.5:1")
    assert mall.seen(placed.number).state is ChannelState.TO_CONFIRM


def test_a_revoked_key_stops_the_shop_and_a_new_one_lets_it_go_on(mall):
    placed = mall.sells()
    mall.breaks("qoo10:revoked")
    with pytest.raises(CredentialsRefused):
        mall.pull()
    mall.sandbox.clear_faults()
    assert [one.channel_order_no for one in mall.pull()[0]] == [placed.number]


def test_an_ended_key_is_replaced_once_and_kept(mall):
    placed = mall.sells()
    mall.breaks("qoo10:expired_token")
    assert [one.channel_order_no for one in mall.pull()[0]] == [placed.number]
    assert mall.saved["certification_key"] and mall.saved["certification_issued_at"]


def test_without_a_login_an_ended_key_is_told_to_be_renewed(mall):
    mall.breaks("qoo10:expired_token")
    with pytest.raises(CredentialsRefused) as caught:
        mall.connector(api_key="", user_id="", password="").check()
    assert "1年" in caught.value.cause


def test_a_basket_that_becomes_visible_late_is_found(mall):
    since = mall.time.now()
    mall.breaks("qoo10:late=1500:1")
    placed = mall.sells()
    newest, _ = poll_until_quiet(mall, since)
    assert newest[placed.number].state is ChannelState.TO_CONFIRM


@pytest.mark.parametrize("seconds", [-3600, -170, 170, 3600])
def test_with_another_clock_at_the_mall_no_basket_is_lost(mall, seconds):
    mall.breaks(f"qoo10:skew={seconds}")
    since = mall.time.now()
    placed = [mall.sells() for _ in range(2)]
    newest, _ = poll_until_quiet(mall, since, rounds=16)
    assert set(newest) == {one.number for one in placed}


def test_a_planned_day_that_is_today_by_qoo10s_clock_becomes_the_next(mall):
    placed = mall.sells(ordered_at=mall.time.now() - timedelta(days=5))
    mall.time.at = datetime(2026, 8, 3, 14, 58, tzinfo=UTC)  # two minutes before midnight in Japan
    mall.breaks("qoo10:skew=300")
    mall.connector().confirm(mall.for_connector(placed.number))
    order = mall.seen(placed.number)
    assert order.state is ChannelState.OPEN
    assert order.ship_by is not None and order.ship_by.date().isoformat() == "2026-08-05"


# ---- telling -------------------------------------------------------------------------------------------------------


def break_first(mall, monkeypatch, connector, method, fault):
    """The fault meets the first call of this method."""
    real, broken = connector.api.call, []

    def call(called, fields, **given):
        if called == method and not broken:
            broken.append(method)
            mall.breaks(f"qoo10:{fault}")
        return real(called, fields, **given)

    monkeypatch.setattr(connector.api, "call", call)


@pytest.mark.parametrize("fault", ["cut:1", "reset:1", "500:1", "429:1", "503:1", "unapplied:1"])
@pytest.mark.parametrize("verb", ["confirm", "ship", "cancel", "accept"])
def test_a_lost_or_forgotten_word_is_looked_up_and_stands_once(mall, monkeypatch, verb, fault):
    placed = mall.sells()
    order, connector = mall.for_connector(placed.number), mall.connector()
    if verb == "accept":
        mall.world.request_cancel("qoo10", placed.number, "不要になりました")
    calls = {
        "confirm": (codes.SELLER_CHECK, "confirm", lambda: connector.confirm(order)),
        "ship": (codes.SEND, "ship", lambda: connector.ship(order, [parcel(mall, placed)])),
        "cancel": (codes.CANCEL, "cancel", lambda: connector.cancel(order, "delay")),
        "accept": (codes.CLAIM_ACCEPT, "cancel", lambda: connector.answer_cancel(order, accept=True, message="")),
    }
    method, kind, run = calls[verb]
    break_first(mall, monkeypatch, connector, method, fault)
    run()
    expected = {"confirm": ChannelState.OPEN, "ship": ChannelState.SHIPPED}.get(verb, ChannelState.CANCELLED)
    assert mall.seen(placed.number).state is expected
    assert len(mall.told(kind)) == 1


def test_a_word_that_never_shows_says_so(mall):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    mall.breaks("qoo10:unapplied")
    for run in (
        lambda: mall.connector().confirm(order),
        lambda: mall.connector().ship(order, [parcel(mall, placed)]),
        lambda: mall.connector().cancel(order, "delay"),
    ):
        with pytest.raises(ChannelDown) as caught:
            run()
        assert caught.value.uncertain and "反映されていません" in caught.value.cause


def test_rows_that_fail_in_a_bulk_call_are_told_and_the_others_stand(mall):
    placed = mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    order = mall.for_connector(placed.number)
    mall.breaks("qoo10:partial:1")
    with pytest.raises(ChannelError) as caught:
        mall.connector().confirm(order)
    assert "-10010" in caught.value.cause
    mall.connector().confirm(order)
    assert mall.seen(placed.number).state is ChannelState.OPEN
    mall.breaks("qoo10:partial:1")
    with pytest.raises(ChannelError):
        mall.connector().ship(order, [parcel(mall, placed, lines=(1, 2))])
    mall.connector().ship(order, [parcel(mall, placed, lines=(1, 2))])
    assert mall.seen(placed.number).state is ChannelState.SHIPPED
    assert len(mall.told("ship")) == 2


# ---- stock and listings --------------------------------------------------------------------------------------------


def push_until_shown(mall, wanted, *, rounds=4):
    """What the publisher does: send, read back after the ten minutes, send again what differs."""
    left = dict(wanted)
    for _ in range(rounds):
        try:
            list(mall.connector().push_stock(StockPush(*pair) for pair in left.items()))
        except ChannelError as trouble:
            assert trouble.cause
        mall.time.skip(seconds=600)
        shown = mall.connector().read_stock(list(wanted))
        left = {code: quantity for code, quantity in wanted.items() if shown.get(code) != quantity}
        if not left:
            return shown
    return mall.connector().read_stock(list(wanted))


@pytest.mark.parametrize("spec", ["unapplied:1", "stale=300", "cut:2", "reset:2", "500:2", "429:2", "partial:2"])
def test_stock_stands_in_the_end(mall, spec):
    wanted = dict(zip(mall.keys[:4], (5, 0, 7, 9), strict=True))
    mall.breaks(f"qoo10:{spec}")
    assert push_until_shown(mall, wanted) == wanted


def test_pages_that_overlap_double_no_listing(mall):
    mall.simulator.items_per_page = 100
    mall.breaks("qoo10:duplicate")
    seen = []
    for page in mall.connector().list_listings():
        seen += [listing.code for listing in page]
        if len(seen) > 150:
            break
    assert len(seen) == len(set(seen)) > 150


# ---- changes that show late ----------------------------------------------------------------------------------------


def until_done(mall, run):
    """What the outbox does with a job that may be tried again."""
    for _ in range(8):
        try:
            return run()
        except ChannelDown:
            mall.time.skip(seconds=30)
    raise AssertionError("never done")


@pytest.mark.parametrize("seconds", [3, 90])
@pytest.mark.parametrize("verb", ["confirm", "ship", "cancel"])
def test_a_change_that_shows_late_is_done_once_and_never_called_a_failure(mall, verb, seconds):
    placed = mall.sells()
    order, connector = mall.for_connector(placed.number), mall.connector()
    mall.breaks(f"qoo10:stale={seconds}")
    runs = {
        "confirm": lambda: connector.confirm(order),
        "ship": lambda: connector.ship(order, [parcel(mall, placed)]),
        "cancel": lambda: connector.cancel(order, "delay"),
    }
    until_done(mall, runs[verb])
    mall.sandbox.clear_faults()
    expected = {"confirm": ChannelState.OPEN, "ship": ChannelState.SHIPPED, "cancel": ChannelState.CANCELLED}
    assert mall.seen(placed.number).state is expected[verb]
    assert len(mall.told(verb)) == 1
