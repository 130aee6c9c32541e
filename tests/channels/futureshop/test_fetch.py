"""Fetching over HTTP: tokens, paging, what moves with and without a time of update, and what goes wrong."""

from datetime import timedelta
from typing import Any

import pytest

from channels.connectors import http
from channels.connectors.contract import (
    ChannelDown,
    ConnectorSettings,
    CredentialsRefused,
    RateLimited,
    Refused,
    Unreadable,
)
from channels.connectors.futureshop import FutureshopConnector
from channels.connectors.futureshop.tokens import token_url
from channels.sandbox.futureshop import orders as shop_orders
from orders.channel_order import ChannelState, PaymentState
from tests.channels.futureshop.conftest import Mall


def numbers(raw: list) -> list[str]:
    return [order.channel_order_no for order in raw]


def poll(mall: Mall, since: Any) -> tuple[list[str], Any]:
    raw, pages = mall.pull(since)
    return numbers(raw), pages[-1].cursor


def test_a_new_order_arrives_whole(mall: Mall):
    order = mall.sells((mall.keys[0], 2), (mall.keys[1], 1))
    raw, _ = mall.pull(mall.time.now() - timedelta(minutes=5))
    assert numbers(raw) == [order.number]
    got = mall.connector().parse(raw[0].payload)
    assert got.state is ChannelState.OPEN
    assert [line.quantity for line in got.lines] == [2, 1]
    assert got.totals is not None and got.totals.total == order.amount_due
    assert (got.buyer.name, got.buyer.email) == (order.buyer.name, order.buyer.email)
    assert got.recipients[0].prefecture == order.destination.recipient.address.prefecture


def test_amounts_of_a_whole_day_add_up(mall: Mall):
    mall.world.generate(300)
    mall.world.advance()
    raw, _ = mall.pull(mall.time.now() - timedelta(hours=1))
    misstated = {o.number for o in mall.world.orders("futureshop") if o.fees.misstated}
    assert len(raw) > 20
    for one in raw:
        got = mall.connector().parse(one.payload)
        totals = got.totals
        assert totals is not None
        due = totals.goods + totals.shipping + totals.fees + totals.gift_fees
        taken = totals.discount + totals.coupons_shop + totals.points
        assert (due - taken == totals.total) is (one.channel_order_no not in misstated)
        assert sum(line.amount for line in got.lines) == totals.goods


def test_all_pages_are_followed(mall: Mall):
    mall.simulator.order_page = 4
    placed = {mall.sells((mall.keys[n], 1)).number for n in range(11)}
    found, _ = poll(mall, mall.time.now() - timedelta(minutes=5))
    assert sorted(found) == sorted(placed)


def test_a_list_that_shifts_doubles_nothing(mall: Mall):
    mall.simulator.order_page = 4
    placed = {mall.sells((mall.keys[n], 1)).number for n in range(11)}
    mall.breaks("futureshop:duplicate")
    found, _ = poll(mall, mall.time.now() - timedelta(minutes=5))
    assert len(found) == len(set(found))
    assert set(found) == placed


def test_next_pages_on_another_host_are_refused(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    mall.simulator.order_page = 1
    mall.sells()
    mall.sells()
    monkeypatch.setattr(shop_orders, "next_url", lambda *_: "http://127.0.0.2:1/admin-api/v1/shipping?cursor=MQ==")
    with pytest.raises(Refused, match="別のホスト"):
        mall.pull(mall.time.now() - timedelta(minutes=5))


def test_overlapping_polls_lose_and_double_nothing(mall: Mall):
    since, seen, placed = mall.time.now(), [], []
    for _ in range(5):
        placed.append(mall.sells((mall.keys[1], 1)).number)
        mall.time.skip(minutes=3)
        found, since = poll(mall, since)
        seen += found
    assert sorted(seen) == sorted(placed)


def test_what_did_not_change_is_not_read_again(mall: Mall):
    for place in range(12):
        mall.sells((mall.keys[place], 1))
    mall.time.skip(minutes=4)
    _, cursor = poll(mall, mall.time.now() - timedelta(minutes=5))
    mall.time.skip(minutes=10)
    start = mall.time.now()
    found, _ = poll(mall, cursor - timedelta(minutes=15))
    assert found == []
    assert (mall.time.now() - start).total_seconds() < 8


def test_a_page_that_was_not_taken_is_told_again(mall: Mall):
    order = mall.sells()
    pages = mall.connector().fetch_orders(mall.time.now() - timedelta(minutes=5), mall.time.now())
    assert numbers(list(next(iter(pages)).orders)) == [order.number]
    pages.close()  # the caller died before it came back
    found, _ = poll(mall, mall.time.now() - timedelta(minutes=5))
    assert found == [order.number]


def test_a_change_with_a_time_of_update_is_found(mall: Mall):
    order = mall.sells()
    _, cursor = poll(mall, mall.time.now() - timedelta(minutes=5))
    mall.time.skip(minutes=30)
    mall.world.annotate("futureshop", order.number, memo="電話済み")
    mall.time.skip(minutes=1)
    raw, _ = mall.pull(cursor)
    assert mall.connector().parse(raw[0].payload).shop_memo == "電話済み"


def test_a_payment_that_moves_no_time_is_found(mall: Mall):
    order = mall.sells(payment="bank")
    _, cursor = poll(mall, mall.time.now() - timedelta(minutes=5))
    mall.time.skip(hours=26)
    mall.world.annotate("futureshop", order.number, touch=False, receipt="2026-08-04")
    raw, _ = mall.pull(cursor)
    states = {one.channel_order_no: mall.connector().parse(one.payload).payment_state for one in raw}
    assert states == {order.number: PaymentState.PAID}


def test_a_change_only_the_detail_shows_is_found_within_a_day(mall: Mall):
    order = mall.sells()
    mall.time.skip(minutes=4)
    _, cursor = poll(mall, mall.time.now() - timedelta(minutes=5))
    mall.time.skip(hours=5)
    mall.world.annotate("futureshop", order.number, touch=False, memo="急ぎ")
    found, cursor = poll(mall, cursor)
    assert found == []
    mall.time.skip(hours=20)
    found, _ = poll(mall, cursor)
    assert found == [order.number]


def test_a_cancellation_is_found(mall: Mall):
    order = mall.sells()
    _, cursor = poll(mall, mall.time.now() - timedelta(minutes=5))
    mall.time.skip(hours=3)
    mall.world.cancel("futureshop", order.number, by="buyer")
    mall.time.skip(minutes=1)
    raw, _ = mall.pull(cursor)
    assert [mall.connector().parse(one.payload).state for one in raw] == [ChannelState.CANCELLED]


def test_a_wish_to_cancel_is_found_once_and_stays_on_the_order(mall: Mall):
    order = mall.sells()
    _, cursor = poll(mall, mall.time.now() - timedelta(minutes=5))
    mall.time.skip(hours=3)
    mall.world.request_cancel("futureshop", order.number, "間違えました")
    mall.time.skip(minutes=1)
    raw, pages = mall.pull(cursor)
    assert [mall.connector().parse(one.payload).cancel_requested for one in raw] == [True]
    mall.time.skip(hours=1)
    assert mall.pull(pages[-1].cursor)[0] == []
    assert mall.read(order.number).cancel_requested


def test_an_order_futureshop_does_not_know_is_none(mall: Mall):
    assert mall.connector().fetch_order("999999999999") is None


def test_one_malformed_order_does_not_stop_the_rest(mall: Mall):
    good, bad, lost = (mall.sells((mall.keys[n], 1)) for n in range(3))
    mall.world.annotate("futureshop", bad.number, wire={"date": "きのう"})
    mall.world.annotate("futureshop", lost.number, wire={"orderNo": None})
    raw, pages = mall.pull(mall.time.now() - timedelta(minutes=5))
    payloads = {one.channel_order_no: one.payload for one in raw}
    assert set(payloads) == {good.number, bad.number}
    assert mall.connector().parse(payloads[good.number])
    with pytest.raises(Unreadable):
        mall.connector().parse(payloads[bad.number])
    assert [no for page in pages for no, _ in page.problems] == [lost.number]


def test_an_order_that_failed_is_asked_for_again(mall: Mall):
    order = mall.sells()
    mall.world.annotate("futureshop", order.number, touch=False, wire={"orderNo": None})
    _, cursor = poll(mall, mall.time.now() - timedelta(minutes=5))
    mall.world.annotate("futureshop", order.number, touch=False, wire={})
    found, _ = poll(mall, cursor)
    assert found == [order.number]


# ---- trouble ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"client_secret": "no"}, {"shop_key": "another"}, {"client_id": ""}])
def test_wrong_credentials_say_what_to_do(mall: Mall, wrong: dict[str, str]):
    with pytest.raises(CredentialsRefused) as refused:
        mall.connector(**wrong).check()
    assert "店舗KEY" in refused.value.cause


def test_a_missing_domain_is_asked_for():
    connector = FutureshopConnector(ConnectorSettings("f", "", "https://api.example.jp", {"client_id": "x"}))
    with pytest.raises(CredentialsRefused, match="APIドメイン"):
        connector._api._url("/admin-api/v1/shipping")


@pytest.mark.parametrize(
    ("base", "auth", "url"),
    [
        ("https://a.example", "", "https://a.example/oauth/token"),
        ("https://a.example", "https://b.example/", "https://b.example/oauth/token"),
        ("https://a.example", "https://b.example/oauth/token", "https://b.example/oauth/token"),
        ("http://127.0.0.1:9100/futureshop", "", "http://127.0.0.1:9100/futureshop/oauth/token"),
    ],
)
def test_the_token_url_may_be_given_in_any_form(base: str, auth: str, url: str):
    assert token_url(ConnectorSettings("f", base, auth, {})) == url


def test_one_token_serves_all_connectors_until_shortly_before_its_end(mall: Mall):
    issued = mall.simulator.tokens.issue
    tokens = []
    mall.simulator.tokens.issue = lambda **given: tokens.append(1) or issued(**given)
    for _ in range(3):
        mall.connector().check()
    mall.time.skip(minutes=49)
    mall.connector().check()
    assert len(tokens) == 1
    mall.time.skip(minutes=2)
    mall.connector().check()
    assert len(tokens) == 2


def test_an_expired_token_is_replaced_without_anybody_noticing(mall: Mall):
    order = mall.sells()
    connector = mall.connector()
    connector.check()
    mall.breaks("futureshop:expired_token")
    found, _ = poll(mall, mall.time.now() - timedelta(minutes=5))
    assert found == [order.number]


def test_revoked_access_stops_after_one_new_token(mall: Mall):
    mall.connector().check()
    mall.breaks("futureshop:revoked")
    with pytest.raises(CredentialsRefused):
        mall.connector().check()


def test_a_missing_permission_names_the_operation(mall: Mall):
    mall.simulator.denied = {"inventory"}
    with pytest.raises(CredentialsRefused) as refused:
        mall.connector().read_stock(mall.keys[:1])
    assert "inventory" in refused.value.cause
    assert "接続できました" in mall.connector().check()


@pytest.mark.parametrize("fault", ["429:2", "503:2", "500:2", "cut:2", "reset:2"])
def test_passing_trouble_loses_no_order(mall: Mall, fault: str):
    placed = {mall.sells((mall.keys[n], 1)).number for n in range(3)}
    mall.breaks(f"futureshop:{fault}")
    found, _ = poll(mall, mall.time.now() - timedelta(minutes=5))
    assert set(found) == placed


@pytest.mark.parametrize(("fault", "kind"), [("429", RateLimited), ("503", ChannelDown), ("maintenance", ChannelDown)])
def test_lasting_trouble_is_said_and_can_be_tried_again(mall: Mall, fault: str, kind: type[Exception]):
    mall.connector().check()
    mall.breaks(f"futureshop:{fault}")
    with pytest.raises(kind) as told:
        mall.pull(mall.time.now() - timedelta(minutes=5))
    assert told.value.retry
    assert "futureshop" in told.value.cause


def test_a_slow_shop_is_given_up_and_tried_again(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    order = mall.sells()
    mall.connector().check()
    monkeypatch.setattr(http, "TIMEOUT_S", (1, 0.3))
    mall.breaks("futureshop:slow=1:1")
    found, _ = poll(mall, mall.time.now() - timedelta(minutes=5))
    assert found == [order.number]
