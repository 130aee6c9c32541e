"""Each fault of the sandbox: the connector survives it, and in the end everything has come and stands once."""

from datetime import timedelta

import pytest

from channels.connectors import http
from channels.connectors.contract import ChannelDown, ChannelError, CredentialsRefused, RateLimited, StockPush
from channels.sandbox import faults
from orders.channel_order import ChannelState
from tests.channels.yahoo.test_changes import now_at_mall, order_of, parcel

COVERED = {
    *("429", "500", "503", "cut", "reset", "slow", "maintenance", "revoked", "expired_token"),
    *("duplicate", "late", "skew", "partial", "stale", "unapplied"),
}


def test_every_fault_has_a_test_here():
    assert faults.KINDS == COVERED


def poll_until_quiet(mall, since, *, rounds=8, minutes=5.0):
    """What a scheduler does: from the last good cursor, again and again. Returns the newest payload by number, and how
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
    ["429:3", "500:3", "503:3", "cut:3", "reset:3", "429:40%:900s", "500:30%:900s", "cut:30%:900s", "reset:30%:900s",
     "maintenance:600s", "expired_token", "revoked:600s", "duplicate:900s"],
)  # fmt: skip
def test_orders_come_once_and_whole_through(mall, spec):
    since = mall.time.now() - timedelta(minutes=1)
    placed = [mall.sells(remarks=f"備考{number}") for number in range(3)]
    mall.connector().check()  # a token is there before the trouble
    mall.breaks(f"yahoo:{spec}")
    newest, times = poll_until_quiet(mall, since)
    assert {no: order.remarks for no, order in newest.items()} == {one.number: one.remarks for one in placed}
    assert set(times.values()) == {1}


def test_too_fast_is_waited_out_within_the_call(mall):
    mall.simulator.burst = 1  # as strict as the real one
    placed = [mall.sells(settled=False) for _ in range(4)]
    mall.time.skip(minutes=11)
    orders, pages = mall.pull(mall.time.now() - timedelta(hours=1))
    assert len(orders) == len(placed) and not [page.problems for page in pages if page.problems]


def test_a_lasting_block_is_told_as_such(mall):
    mall.breaks("yahoo:429")
    with pytest.raises((RateLimited, ChannelDown)):
        mall.connector().check()


def test_a_slow_answer_is_waited_for_and_a_too_slow_one_asked_for_again(mall, monkeypatch):
    placed = mall.sells()
    mall.breaks("yahoo:slow=0.05:2")
    assert [one.channel_order_no for one in mall.pull(mall.time.now() - timedelta(hours=1))[0]] == [placed.number]
    monkeypatch.setattr(http, "TIMEOUT_S", (1, 0.2))
    mall.breaks("yahoo:slow=0.5:1")
    assert mall.connector().fetch_order(placed.number) is not None


def test_a_shipment_whose_answer_came_too_late_is_told_once(mall, monkeypatch):
    placed = mall.sells()
    connector = mall.connector()
    connector.check()
    monkeypatch.setattr(http, "TIMEOUT_S", (1, 0.2))
    real, slowed = connector.api.order_call, []

    def call(name, request, *, idempotent):
        if name == "orderShipStatusChange" and not slowed:
            slowed.append(name)
            mall.breaks("yahoo:slow=0.4:1")
        return real(name, request, idempotent=idempotent)

    monkeypatch.setattr(connector.api, "order_call", call)
    connector.ship(order_of(placed), [parcel()])
    assert now_at_mall(mall, placed).channel_state == "5/3/1"
    assert len(mall.told("ship")) == 1


def test_revoked_credentials_stop_the_shop_at_once(mall):
    mall.sells()
    mall.breaks("yahoo:revoked")
    with pytest.raises(CredentialsRefused):
        mall.pull(mall.time.now() - timedelta(hours=1))


def test_an_order_that_becomes_visible_late_is_found(mall):
    since = mall.time.now()
    mall.breaks("yahoo:late=1500:1")
    placed = mall.sells()
    newest, _ = poll_until_quiet(mall, since)
    assert newest[placed.number].state is ChannelState.OPEN


@pytest.mark.parametrize("seconds", [-3600, -170, 170, 3600])
def test_with_another_clock_at_the_mall_no_order_is_lost(mall, seconds):
    mall.breaks(f"yahoo:skew={seconds}")
    since = mall.time.now()
    placed = [mall.sells() for _ in range(2)]
    newest, _ = poll_until_quiet(mall, since, rounds=16)
    assert set(newest) == {one.number for one in placed}
    assert all(order.state is ChannelState.OPEN for order in newest.values())


def test_a_clock_that_is_far_off_breaks_the_proof_and_the_check_says_so(mall):
    mall.breaks("yahoo:skew=900")
    with pytest.raises(CredentialsRefused) as caught:
        mall.connector().check()
    assert "公開鍵" in caught.value.cause
    mall.sandbox.clear_faults()
    assert mall.connector().check()


# ---- stock ---------------------------------------------------------------------------------------------------------


def push(mall, wanted):
    return {one.listing_code: one for one in mall.connector().push_stock(StockPush(*pair) for pair in wanted.items())}


def push_until_shown(mall, wanted, *, rounds=4):
    """What the publisher does: send, read back, send again what differs."""
    left = dict(wanted)
    for _ in range(rounds):
        try:
            push(mall, left)
        except ChannelError as trouble:
            assert trouble.cause
        mall.time.skip(seconds=90)
        shown = mall.connector().read_stock(list(wanted))
        left = {code: quantity for code, quantity in wanted.items() if shown.get(code) != quantity}
        if not left:
            return shown
    return mall.connector().read_stock(list(wanted))


@pytest.mark.parametrize("applies", [True, False])
def test_of_a_batch_that_failed_in_part_the_rest_stands_and_the_failed_row_says_why(mall, applies):
    mall.simulator.partial_stock_applies = applies
    wanted = dict(zip(mall.keys[:3], (5, 6, 7), strict=True))
    mall.breaks("yahoo:partial:1")
    results = push(mall, wanted)
    assert [results[code].ok for code in wanted] == [False, True, True]
    assert "在庫数" in results[mall.keys[0]].error
    assert push_until_shown(mall, wanted) == wanted


@pytest.mark.parametrize("spec", ["unapplied:1", "stale=60", "cut:2", "reset:2", "500:2", "429:2", "partial:2"])
def test_stock_stands_in_the_end(mall, spec):
    wanted = dict(zip(mall.keys[:3], (5, 0, 7), strict=True))
    mall.breaks(f"yahoo:{spec}")
    assert push_until_shown(mall, wanted) == wanted


# ---- changes that show late ----------------------------------------------------------------------------------------


def until_done(mall, run):
    """What the outbox does with a job that may be tried again. Returns how often it took."""
    for attempt in range(1, 8):
        try:
            run()
            return attempt
        except ChannelDown:
            mall.time.skip(seconds=30)
    raise AssertionError("never done")


@pytest.mark.parametrize("seconds", [4, 90])
@pytest.mark.parametrize("verb", ["ship", "cancel", "payment", "memo"])
def test_a_change_that_shows_late_is_done_once_and_never_called_a_failure(mall, verb, seconds):
    placed = mall.sells(payment="bank" if verb == "payment" else "card")
    order, connector = order_of(placed), mall.connector()
    mall.breaks(f"yahoo:stale={seconds}")
    runs = {
        "ship": lambda: connector.ship(order, [parcel()]),
        "cancel": lambda: connector.cancel(order, "buyer"),
        "payment": lambda: connector.report_payment(order, mall.time.now()),
        "memo": lambda: connector.write_memo(order, "済"),
    }
    until_done(mall, runs[verb])
    mall.sandbox.clear_faults()
    if verb in ("ship", "cancel"):  # the others set a value, and may set it again
        assert len([told for told in mall.told(verb) if told.accepted]) == 1
    now = now_at_mall(mall, placed)
    expected = {"ship": "5/3/1", "cancel": "4/1/0", "payment": "2/1/1", "memo": "2/1/0"}
    assert now.channel_state == expected[verb]
