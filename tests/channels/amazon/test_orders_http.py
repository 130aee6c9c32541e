"""Fetching orders over real HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from channels.connectors import http
from channels.connectors.contract import ChannelDown, CredentialsRefused
from orders.channel_order import ChannelState, PaymentState
from tests.channels.amazon.conftest import START, Shop


def sell(shop: Shop, count: int) -> list[str]:
    keys = shop.stocked(40, units=count // 20 + 2)
    placed = [shop.world.place_order("amazon", [(keys[n % len(keys)], 1)]).number for n in range(count)]
    shop.time.pass_minutes(3)
    return placed


def test_every_page_is_read_and_the_cursor_comes_last(shop: Shop) -> None:
    placed = sell(shop, 230)
    pages = list(shop.connect().fetch_orders(START, shop.time.now()))
    assert [len(page.orders) for page in pages] == [100, 100, 30]
    assert sorted(order.channel_order_no for page in pages for order in page.orders) == sorted(placed)
    assert [page.cursor is None for page in pages] == [True, True, False]
    assert pages[-1].cursor is not None and pages[-1].cursor <= shop.time.now() - timedelta(minutes=2)


def test_overlapping_polls_lose_nothing_and_see_every_change(shop: Shop) -> None:
    seen: dict[str, str] = {}
    cursor = START
    placed: list[str] = []
    for round_no in range(6):
        placed += [shop.world.place_order("amazon").number for _ in range(7)]
        shop.time.pass_minutes(0.7)
        if round_no == 3:
            shop.world.cancel("amazon", placed[0], by="buyer", reason="不要になった")
        for page in shop.connect().fetch_orders(cursor, shop.time.now()):
            seen.update({order.channel_order_no: order.payload for order in page.orders})
            cursor = page.cursor or cursor
    assert set(seen) < set(placed), "what is younger than two minutes does not show yet"
    shop.time.pass_minutes(3)
    for page in shop.connect().fetch_orders(cursor, shop.time.now()):
        seen.update({order.channel_order_no: order.payload for order in page.orders})
    assert set(seen) == set(placed)
    assert shop.connect().parse(seen[placed[0]]).state is ChannelState.CANCELLED


def test_a_window_of_the_past_has_an_end(shop: Shop) -> None:
    early = shop.place().number
    middle = shop.time.now()
    shop.time.pass_minutes(30)
    late = shop.place().number
    (page,) = shop.connect().fetch_orders(START, middle)
    assert [order.channel_order_no for order in page.orders] == [early]
    assert page.cursor is not None and page.cursor <= middle
    (page,) = shop.connect().fetch_orders(middle, shop.time.now())
    assert late in [order.channel_order_no for order in page.orders]


def test_an_empty_time_still_moves_the_cursor(shop: Shop) -> None:
    shop.time.pass_minutes(60)
    (page,) = shop.connect().fetch_orders(START, shop.time.now())
    assert page.orders == [] and page.cursor == shop.time.now() - timedelta(minutes=2)


def test_pages_that_overlap_double_nothing(shop: Shop) -> None:
    placed = sell(shop, 120)
    shop.fault("duplicate:3")
    assert sorted(order.channel_order_no for order in shop.fetch()) == sorted(placed)


def test_orders_that_move_between_pages_are_not_lost(shop: Shop) -> None:
    placed = sell(shop, 120)
    pages = shop.connect().fetch_orders(START, shop.time.now())
    found = {order.channel_order_no for order in next(pages).orders}
    for number in sorted(found)[:5]:
        shop.world.request_cancel("amazon", number, "不要")
    found |= {order.channel_order_no for page in pages for order in page.orders}
    assert found == set(placed)


def test_the_same_page_for_ever_ends(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.place()
    search = shop.mall.orders.search
    monkeypatch.setattr(
        shop.mall.orders, "search", lambda args: {**search(_first(args)), "pagination": {"nextToken": "same"}}
    )
    pages = shop.connect().fetch_orders(START, shop.time.now())
    assert [next(pages).cursor, next(pages).cursor] == [None, None]
    with pytest.raises(ChannelDown):
        next(pages)
    assert len(shop.mall.calls("GET", "/orders")) == 2


def _first(args: Any) -> dict[str, str]:
    return {name: text for name, text in args.items() if name != "paginationToken"}


def test_a_malformed_order_stops_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad, worse = shop.place().number, shop.place().number, shop.place().number
    wire = shop.mall.orders._wire

    def broken(order: Any, blocks: Any) -> Any:
        made = wire(order, blocks)
        if order.number == bad:
            del made["orderId"]
        if order.number == worse:
            made["orderItems"] = "none"
        return made

    monkeypatch.setattr(shop.mall.orders, "_wire", broken)
    (page,) = shop.connect().fetch_orders(START, shop.time.now())
    assert [order.channel_order_no for order in page.orders] == [good, worse]
    assert [type(error).__name__ for _, error in page.problems] == ["Unreadable"]
    shop.mall.exchanges.clear()  # broken on purpose


def test_one_order_by_its_number(shop: Shop) -> None:
    placed = shop.place()
    raw = shop.connect().fetch_order(placed.number)
    assert raw is not None and raw.updated_at is not None
    found = shop.connect().parse(raw.payload)
    assert found.recipients[0].name == placed.destination.recipient.name
    assert found.buyer.email == shop.world.relay_address(placed)
    assert shop.connect().fetch_order("503-9999999-9999999") is None


def test_unpaid_orders_hide_people_until_they_are_paid(shop: Shop) -> None:
    number = shop.place(payment="konbini").number
    pending = shop.connect().parse(shop.fetch()[0].payload)
    assert (pending.state, pending.payment_state) == (ChannelState.PROVISIONAL, PaymentState.UNPAID)
    assert pending.recipients[0].name == "" and pending.buyer.name == ""
    shop.world.pay("amazon", number)
    shop.time.pass_minutes(3)
    paid = shop.connect().parse(shop.fetch()[-1].payload)
    assert (paid.state, paid.payment_state) == (ChannelState.OPEN, PaymentState.PAID)
    assert paid.recipients[0].name


def test_a_missing_role_hides_people_without_an_error(shop: Shop) -> None:
    shop.mall.orders.roles = set()
    shop.place()
    found = shop.connect().parse(shop.fetch()[0].payload)
    assert found.state is ChannelState.OPEN and found.recipients[0].name == found.buyer.name == ""


def test_a_day_of_orders_is_readable_and_adds_up(shop: Shop) -> None:
    shop.world.generate(300)
    shop.world.advance()
    shop.time.pass_minutes(3)
    truth = {order.number: order for order in shop.world.orders("amazon")}
    connector = shop.connect()
    found = [connector.parse(raw.payload) for raw in shop.fetch()]
    assert {order.channel_order_no for order in found} == set(truth) and len(found) > 50
    for order in found:
        placed, totals = truth[order.channel_order_no], order.totals
        assert totals is not None and totals.total == placed.amount_due
        sums = totals.goods + totals.shipping + totals.fees + totals.gift_fees - totals.discount - totals.coupons_shop
        assert sums + placed.fees.misstated == totals.total
        assert order.fulfilled_by_channel == placed.fulfilled_by_mall
        assert [(line.channel_sku, line.quantity) for line in order.lines] == [
            (line.listing.key, line.quantity) for line in placed.lines
        ]
        if placed.state != "pending" and not placed.fulfilled_by_mall:
            assert order.remarks == placed.remarks
            address = placed.destination.recipient.address
            assert order.recipients[0].address.startswith(f"{address.city}{address.town}")
        wish = placed.destination.wish
        if wish.day:
            assert (order.wish_date, order.wish_slot) == (wish.day, wish.slot.replace("-", ""))


# ---- troubles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["500:2", "503:2", "maintenance:1", "cut:1", "reset:2", "429:1"])
def test_passing_troubles_are_sat_out(shop: Shop, spec: str) -> None:
    number = shop.place().number
    shop.connect().check()
    shop.fault(spec)
    assert [order.channel_order_no for order in shop.fetch()] == [number]
    assert shop.time.waited_s > 0


def test_a_slow_answer_is_given_up_and_asked_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    number = shop.place().number
    shop.connect().check()
    monkeypatch.setattr(http, "TIMEOUT_S", (1, 0.3))
    shop.fault("slow=0.8:1")
    assert [order.channel_order_no for order in shop.fetch()] == [number]


def test_a_lasting_outage_is_told_in_plain_words(shop: Shop) -> None:
    shop.place()
    shop.fault("503")
    with pytest.raises(ChannelDown) as down:
        shop.fetch()
    assert down.value.retry and "Amazon" in down.value.cause


def test_a_failed_page_leaves_the_cursor_where_it_was(shop: Shop) -> None:
    sell(shop, 120)
    pages = shop.connect().fetch_orders(START, shop.time.now())
    assert next(pages).cursor is None
    shop.fault("500")
    with pytest.raises(ChannelDown):
        next(pages)


def test_a_token_that_ends_between_two_pages_is_renewed(shop: Shop) -> None:
    placed = sell(shop, 120)
    pages = shop.connect().fetch_orders(START, shop.time.now())
    found = [order.channel_order_no for order in next(pages).orders]
    shop.fault("expired_token")
    found += [order.channel_order_no for page in pages for order in page.orders]
    assert sorted(found) == sorted(placed) and shop.mall.token_calls == 2


def test_one_token_serves_many_connectors_until_it_ends(shop: Shop) -> None:
    for _ in range(3):
        shop.connect().check()
    assert shop.mall.token_calls == 1
    shop.time.pass_minutes(59.5)
    shop.connect().check()
    assert shop.mall.token_calls == 2


@pytest.mark.parametrize("wrong", ["client_id", "client_secret", "refresh_token"])
def test_wrong_credentials_are_named_and_not_tried_again(shop: Shop, wrong: str) -> None:
    with pytest.raises(CredentialsRefused) as refused:
        shop.fetch(**{wrong: "himitsu-machigai"})
    assert shop.mall.token_calls == 1 and not refused.value.retry
    assert "himitsu" not in refused.value.cause + refused.value.detail


def test_a_revoked_permission_stops_the_loop(shop: Shop) -> None:
    shop.connect().check()
    shop.fault("revoked")
    with pytest.raises(CredentialsRefused):
        shop.fetch()


def test_a_burst_is_followed_by_the_slow_plan(shop: Shop) -> None:
    shop.place()
    for _ in range(20):
        shop.fetch()
    assert shop.time.waited_s < 1
    shop.fetch()
    shop.fetch()
    assert 300 < shop.time.waited_s < 400
    assert not [one for one in shop.mall.exchanges if one.status == 429]


def test_the_rate_that_amazon_names_is_followed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = shop.mall.handle

    def generous(request: Any) -> Any:
        response = handle(request)
        response.headers["x-amzn-RateLimit-Limit"] = "0.5"
        return response

    monkeypatch.setattr(shop.mall, "handle", generous)
    shop.mall.limited = False
    for _ in range(24):  # by the published plan the last ones would wait for three minutes each
        shop.fetch()
    assert 1 < shop.time.waited_s < 20


def test_one_refused_search_is_a_hiccup_and_two_are_a_limit(shop: Shop) -> None:
    shop.place()
    shop.connect().check()
    shop.fault("429:1")
    shop.fetch()
    assert shop.time.waited_s < 5
    shop.fault("429:2")
    shop.fetch()
    assert 170 < shop.time.waited_s < 200


def test_the_check_says_what_it_saw(shop: Shop) -> None:
    assert "Amazon.co.jp" in shop.connect().check()
    with pytest.raises(CredentialsRefused):
        shop.connect(marketplace_id="ATVPDKIKX0DER").check()
