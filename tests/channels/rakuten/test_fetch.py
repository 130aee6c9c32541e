"""Fetching over HTTP: paging, windows, overlap, what moves, and what goes wrong on the way."""

from datetime import timedelta

import pytest

from channels.connectors import http
from channels.connectors.contract import ChannelDown, CredentialsRefused, RateLimited, Unreadable
from channels.connectors.rakuten import orders, wire
from orders.channel_order import ChannelState, PaymentMethod, PaymentState
from tests.channels.rakuten.conftest import Mall


def numbers(raw: list) -> list[str]:
    return [order.channel_order_no for order in raw]


def test_a_new_order_arrives_whole(mall: Mall):
    order = mall.sells((mall.keys[0], 2), (mall.keys[1], 1))
    raw, pages = mall.pull(mall.time.now() - timedelta(minutes=5))
    assert numbers(raw) == [order.number]
    assert pages[-1].cursor == mall.time.now() or pages[-1].cursor is not None
    got = mall.connector().parse(raw[0].payload)
    assert got.state is ChannelState.TO_CONFIRM
    assert got.ordered_at == order.ordered_at.replace(microsecond=0)
    assert [line.quantity for line in got.lines] == [2, 1]
    assert got.totals is not None and got.totals.total == order.amount_due
    assert got.buyer.name == order.buyer.name
    assert got.buyer.email == mall.world.relay_address(order)
    assert got.recipients[0].prefecture == order.destination.recipient.address.prefecture


def test_nothing_new_is_no_error(mall: Mall):
    raw, pages = mall.pull(mall.time.now() - timedelta(minutes=5))
    assert raw == []
    assert [page.cursor is not None for page in pages] == [True]


def test_amounts_of_a_whole_day_add_up(mall: Mall):
    mall.world.generate(120)
    mall.world.advance()
    raw, _ = mall.pull(mall.time.now() - timedelta(hours=1))
    misstated = {o.number for o in mall.world.orders("rakuten") if o.fees.misstated}
    assert len(raw) > 30
    for one in raw:
        got = mall.connector().parse(one.payload)
        totals = got.totals
        assert totals is not None
        due = totals.goods + totals.shipping + totals.fees + totals.gift_fees
        paid = totals.discount + totals.coupons_shop + totals.coupons_channel + totals.points
        assert (due - paid == totals.total) is (one.channel_order_no not in misstated)
        assert sum(line.amount for line in got.lines) == totals.goods


def test_more_orders_than_one_page_and_one_getorder_call(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "SEARCH_PAGE", 7)
    monkeypatch.setattr(wire, "GET_ORDERS", 4)
    placed = {mall.sells((mall.keys[n % 40], 1)).number for n in range(23)}
    raw, pages = mall.pull(mall.time.now() - timedelta(minutes=5))
    assert sorted(numbers(raw)) == sorted(placed)
    assert max(len(page.orders) for page in pages) == 4


def test_more_hits_than_rakuten_shows_are_reached_by_narrower_windows(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "SEARCH_REACHABLE", 5)
    placed = set()
    for _ in range(18):
        placed.add(mall.sells().number)
        mall.time.skip(seconds=37)
    raw, _ = mall.pull(mall.time.now() - timedelta(minutes=15))
    assert set(numbers(raw)) == placed


def test_a_long_absence_is_searched_in_windows_rakuten_allows(mall: Mall):
    old = mall.sells(ordered_at=mall.time.now() - timedelta(days=150))
    new = mall.sells()
    raw, pages = mall.pull(mall.time.now() - timedelta(days=200))
    assert sorted(numbers(raw)) == sorted([old.number, new.number])
    assert not any(page.problems for page in pages)


def test_overlapping_polls_lose_and_double_nothing(mall: Mall):
    connector, since, seen = mall.connector(), mall.time.now(), []
    placed = []
    for _ in range(6):
        placed.append(mall.sells((mall.keys[1], 1)).number)
        mall.time.skip(seconds=61)
        pages = list(connector.fetch_orders(since, mall.time.now()))
        batch = [order.channel_order_no for page in pages for order in page.orders]
        assert len(batch) == len(set(batch))
        seen += batch
        since = pages[-1].cursor
    assert set(seen) == set(placed)


def test_an_order_that_is_shown_late_is_still_found(mall: Mall):
    since = mall.time.now()
    mall.breaks("rakuten:late=120:1")
    late = mall.sells()
    mall.time.skip(seconds=60)
    raw, pages = mall.pull(since)
    assert raw == []
    mall.time.skip(seconds=180)
    raw, _ = mall.pull(pages[-1].cursor)
    assert numbers(raw) == [late.number]


def test_a_page_that_shifts_while_it_is_read_doubles_nothing(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "SEARCH_PAGE", 5)
    placed = {mall.sells((mall.keys[n], 1)).number for n in range(14)}
    mall.breaks("rakuten:duplicate")
    raw, _ = mall.pull(mall.time.now() - timedelta(minutes=5))
    assert len(raw) == len(set(numbers(raw)))
    assert set(numbers(raw)) >= placed - {sorted(placed)[-1]}


def test_a_cancellation_of_an_older_order_is_found(mall: Mall):
    order = mall.sells_ready()
    mall.time.skip(hours=30)
    mall.world.cancel("rakuten", order.number, by="buyer", reason="不要")
    since = mall.time.now() - timedelta(seconds=30)
    mall.time.skip(seconds=60)
    raw, _ = mall.pull(since)
    got = {one.channel_order_no: mall.connector().parse(one.payload) for one in raw}[order.number]
    assert got.state is ChannelState.CANCELLED
    assert got.cancel_reason == "キャンセル"


def test_a_wish_to_cancel_is_found(mall: Mall):
    order = mall.sells_ready()
    mall.time.skip(hours=20)
    mall.world.request_cancel("rakuten", order.number, "間違えました")
    raw, _ = mall.pull(mall.time.now() - timedelta(seconds=60))
    got = next(mall.connector().parse(one.payload) for one in raw if one.channel_order_no == order.number)
    assert got.cancel_requested


def test_many_open_orders_are_not_all_read_again_on_every_poll(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(orders, "FEW", 3)
    for _ in range(5):
        mall.sells((mall.keys[2], 1))
    first, _ = mall.pull(mall.time.now())
    mall.time.skip(minutes=9)
    quiet, _ = mall.pull(mall.time.now() - timedelta(seconds=60))
    mall.time.skip(minutes=2)
    deep, _ = mall.pull(mall.time.now() - timedelta(seconds=60))
    assert (len(first), len(quiet), len(deep)) == (5, 0, 5)


def test_a_convenience_store_order_is_held_until_the_money_is_there(mall: Mall):
    order = mall.sells(payment="konbini")
    mall.world.confirm("rakuten", order.number)
    before = mall.read(order.number)
    mall.world.pay("rakuten", order.number)
    after = mall.read(order.number)
    assert (before.state, before.payment_state) == (ChannelState.PROVISIONAL, PaymentState.UNPAID)
    assert (after.state, after.payment_state) == (ChannelState.OPEN, PaymentState.PAID)
    assert after.payment_method is PaymentMethod.MALL


def test_an_order_rakuten_does_not_know_is_none(mall: Mall):
    assert mall.connector().fetch_order("401122-20260803-0000000001") is None


def test_one_malformed_order_does_not_stop_the_rest(mall: Mall):
    good, bad = mall.sells(), mall.sells((mall.keys[1], 1))
    mall.world.annotate("rakuten", bad.number, wire={"orderDatetime": "昨日"})
    raw, _ = mall.pull(mall.time.now() - timedelta(minutes=5))
    by_number = {one.channel_order_no: one.payload for one in raw}
    assert set(by_number) == {good.number, bad.number}
    assert mall.connector().parse(by_number[good.number]).channel_order_no == good.number
    with pytest.raises(Unreadable):
        mall.connector().parse(by_number[bad.number])


def test_an_order_that_cannot_be_read_is_a_problem_of_its_own(mall: Mall):
    good, lost = mall.sells(), mall.sells((mall.keys[1], 1))
    mall.world.annotate("rakuten", lost.number, wire={"orderNumber": None})
    raw, pages = mall.pull(mall.time.now() - timedelta(minutes=5))
    assert numbers(raw) == [good.number]
    problems = [problem for page in pages for problem in page.problems]
    assert [number for number, _ in problems] == [lost.number]
    assert lost.number in problems[0][1].cause


def test_payloads_are_kept_as_they_came(mall: Mall):
    order = mall.sells()
    mall.world.annotate("rakuten", order.number, wire={"newThing": {"b": 1.50, "a": "𠮷"}})
    raw = mall.connector().fetch_order(order.number)
    assert raw is not None and '"newThing": {"b": 1.5, "a": "𠮷"}' in raw.payload


# ---- trouble ---------------------------------------------------------------------------------------------------------


def test_wrong_credentials_say_what_to_do(mall: Mall):
    with pytest.raises(CredentialsRefused) as refused:
        mall.pull(mall.time.now() - timedelta(minutes=5), mall.connector(license_key="SL000000_wrong"))
    assert "licenseKey" in refused.value.cause
    assert "SL000000_wrong" not in refused.value.cause + refused.value.detail


def test_a_reissued_key_ends_the_old_one(mall: Mall):
    old = mall.connector()
    mall.simulator.license_key = "SL401122_renewed0002"
    with pytest.raises(CredentialsRefused):
        old.check()
    assert "接続できました" in mall.connector().check()


def test_a_right_that_was_not_granted_names_the_api(mall: Mall):
    mall.simulator.closed = {"inventories"}
    with pytest.raises(CredentialsRefused) as refused:
        mall.connector().read_stock(mall.keys[:1])
    assert "在庫API" in refused.value.cause
    assert mall.pull(mall.time.now() - timedelta(minutes=5))[0] == []


def test_the_check_tells_when_the_key_ends(mall: Mall):
    mall.sells()
    words = mall.connector().check()
    assert "1件" in words
    assert "2026-10-17" in words


def test_the_check_lives_without_the_licence_api(mall: Mall):
    mall.simulator.closed = {"license-management"}
    assert "期限は確認できませんでした" in mall.connector().check()


@pytest.mark.parametrize("fault", ["429:2", "503:2", "500:2", "cut:2", "reset:2"])
def test_passing_trouble_loses_no_order(mall: Mall, fault: str):
    placed = {mall.sells((mall.keys[n], 1)).number for n in range(3)}
    mall.breaks(f"rakuten:{fault}")
    raw, _ = mall.pull(mall.time.now() - timedelta(minutes=5))
    assert set(numbers(raw)) == placed


@pytest.mark.parametrize(("fault", "kind"), [("429", RateLimited), ("503", ChannelDown), ("maintenance", ChannelDown)])
def test_lasting_trouble_is_said_and_can_be_tried_again(mall: Mall, fault: str, kind: type[Exception]):
    mall.breaks(f"rakuten:{fault}")
    with pytest.raises(kind) as told:
        mall.pull(mall.time.now() - timedelta(minutes=5))
    assert told.value.retry
    assert "楽天" in told.value.cause


def test_a_slow_mall_is_given_up_and_tried_again(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    order = mall.sells()
    monkeypatch.setattr(http, "TIMEOUT_S", (1, 0.3))
    mall.breaks("rakuten:slow=1:1")
    raw, _ = mall.pull(mall.time.now() - timedelta(minutes=5))
    assert numbers(raw) == [order.number]


def test_calls_keep_a_second_apart(mall: Mall):
    """The simulator refuses a burst; nothing of it shows here, because the connector waits by itself."""
    start, connector = mall.time.now(), mall.connector()
    for _ in range(8):
        connector.fetch_order("401122-20260803-0000000001")
    assert mall.time.now() - start >= timedelta(seconds=7)
