"""Listings and quantities over real HTTP: patches, feeds, read back."""

import json
from typing import Any

import pytest

from channels.connectors.amazon import stock
from channels.connectors.amazon.listings import FBA_MARK, PATH
from channels.connectors.contract import ChannelDown, StockPush, StockResult
from channels.sandbox.amazon.feeds import LISTINGS
from tests.channels.amazon.conftest import Shop


def push(shop: Shop, quantities: dict[str, int]) -> dict[str, StockResult]:
    items = [StockPush(code, quantity) for code, quantity in quantities.items()]
    return {result.listing_code: result for result in shop.connect().push_stock(items)}


def feeds_sent(shop: Shop) -> int:
    return len([call for call in shop.mall.calls("POST", "/feeds") if call.path.endswith("/feeds")])


@pytest.fixture
def small_feeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "PATCH_MOST", 3)


# ---- listings ------------------------------------------------------------------------------------------------------


def test_every_listing_comes_once_though_a_search_ends_early(shop: Shop) -> None:
    pages = list(shop.connect().list_listings())
    found = [listing for page in pages for listing in page]
    truth = {one.key: one for one in shop.world.listings("amazon")}
    assert len(truth) > shop.mall.listings.search_cap
    assert sorted(listing.channel_sku for listing in found) == sorted(truth)
    for listing in found:
        one = truth[listing.channel_sku]
        fba = one.fulfilled_by == "amazon"
        assert listing.channel_keeps_stock == fba
        assert listing.code == (FBA_MARK + one.key if fba else one.key)
        assert (listing.name, listing.price) == (one.title, one.price)
        assert listing.jan == shop.world.catalogue.skus[one.sku].jan
        assert listing.quantity == shop.world.shown("amazon", one.key).quantity


def test_a_page_token_that_amazon_forgets_for_a_moment_is_tried_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, refused = shop.mall.listings._start, []

    def forgetful(args: Any) -> int:
        if "pageToken" in args and len(refused) < 2:
            refused.append(args["pageToken"])
            return start({**args, "sortBy": "sku"})
        return start(args)

    monkeypatch.setattr(shop.mall.listings, "_start", forgetful)
    found = sum(len(page) for page in shop.connect().list_listings())
    assert found == len(shop.world.listings("amazon")) and len(refused) == 2


# ---- patches -------------------------------------------------------------------------------------------------------


def test_a_pushed_quantity_shows_after_a_while(shop: Shop) -> None:
    code = shop.stocked(1)[0]
    before = shop.world.shown("amazon", code).quantity
    assert push(shop, {code: 4}) == {code: StockResult(code, ok=True)}
    assert shop.connect().read_stock([code]) == {code: before}
    shop.time.pass_minutes(2)
    assert shop.connect().read_stock([code]) == {code: 4}


def test_a_bad_sku_stops_nothing(shop: Shop) -> None:
    one, two = shop.stocked(2)
    results = push(shop, {one: 5, "棚/白 1,特": 3, "GONE-1": 1, FBA_MARK + "X-FBA": 2, two: -1, "ZZ": 10**6})
    assert results[one].ok
    assert [code for code, result in results.items() if not result.ok] == [
        FBA_MARK + "X-FBA",
        two,
        "棚/白 1,特",
        "GONE-1",
        "ZZ",
    ]
    assert "棚/白 1,特" in results["棚/白 1,特"].error, "a slash in a SKU must not become a path"
    assert "FBA" in results[FBA_MARK + "X-FBA"].error


def test_an_fba_sku_is_refused_by_amazon_in_words(shop: Shop) -> None:
    fba = next(one.key for one in shop.world.listings("amazon") if one.fulfilled_by == "amazon")
    result = push(shop, {fba: 5})[fba]
    assert not result.ok and "DEFAULT" in result.error


def test_a_patch_that_was_cut_off_is_repeated(shop: Shop) -> None:
    code = shop.stocked(1)[0]
    shop.connect().check()
    shop.fault("cut:1")
    assert push(shop, {code: 6})[code].ok
    shop.time.pass_minutes(2)
    assert shop.connect().read_stock([code]) == {code: 6}


def test_when_amazon_is_down_the_push_ends(shop: Shop) -> None:
    shop.connect().check()
    shop.fault("500")
    results: list[StockResult] = []
    with pytest.raises(ChannelDown):
        results.extend(shop.connect().push_stock([StockPush(code, 1) for code in shop.stocked(9)]))


def test_patches_keep_to_amazons_pace(shop: Shop) -> None:
    push(shop, dict.fromkeys(shop.stocked(25), 7))
    assert shop.time.waited_s > 3.5
    assert not [one for one in shop.mall.exchanges if one.status == 429]


def test_reading_leaves_out_what_is_unknown(shop: Shop) -> None:
    codes = shop.stocked(45)
    found = shop.connect().read_stock([*codes, "GONE-1", "A,B", FBA_MARK + "X"])
    assert found == {code: shop.world.shown("amazon", code).quantity for code in codes}
    assert len(shop.mall.calls("GET", PATH)) == 4, "20 at once, and one alone for the comma"


# ---- feeds ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_feeds")
@pytest.mark.parametrize("zipped", [True, False])
def test_many_quantities_go_in_one_feed_and_one_bad_sku_stops_nothing(shop: Shop, zipped: bool) -> None:
    shop.mall.feeds.zipped = zipped
    codes = shop.stocked(8)
    results = push(shop, {**dict.fromkeys(codes, 9), "GONE-1": 5})
    assert feeds_sent(shop) == 1 and shop.mall.calls("PATCH", PATH) == []
    assert [code for code, result in results.items() if not result.ok] == ["GONE-1"]
    assert "GONE-1" in results["GONE-1"].error
    shop.time.pass_minutes(2)
    assert shop.connect().read_stock(codes) == dict.fromkeys(codes, 9)


@pytest.mark.usefixtures("small_feeds")
def test_the_next_many_within_the_pace_are_patched(shop: Shop) -> None:
    codes = shop.stocked(5)
    push(shop, dict.fromkeys(codes, 9))
    push(shop, dict.fromkeys(codes, 8))
    assert feeds_sent(shop) == 1 and len(shop.mall.calls("PATCH", PATH)) == 5
    shop.time.pass_minutes(21)
    push(shop, dict.fromkeys(codes, 7))
    assert feeds_sent(shop) == 2


@pytest.mark.usefixtures("small_feeds")
def test_a_sku_in_a_running_feed_waits(shop: Shop) -> None:
    shop.mall.feeds.work_s = 900
    codes, other = shop.stocked(6)[:5], shop.stocked(6)[5]
    assert all(result.ok for result in push(shop, dict.fromkeys(codes, 9)).values()), "accepted, to be read back"
    results = push(shop, {codes[0]: 3, other: 4})
    assert not results[codes[0]].ok and results[other].ok
    shop.time.pass_minutes(15)
    assert push(shop, {codes[0]: 3})[codes[0]].ok


@pytest.mark.usefixtures("small_feeds")
def test_a_feed_that_hangs_for_hours_is_given_up(shop: Shop) -> None:
    shop.mall.feeds.work_s = 10**6
    codes = shop.stocked(5)
    push(shop, dict.fromkeys(codes, 9))
    shop.time.pass_minutes(121)
    assert push(shop, {codes[0]: 3})[codes[0]].ok


@pytest.mark.usefixtures("small_feeds")
def test_a_feed_whose_answer_got_lost_is_not_doubled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    create = shop.mall.feeds.create

    def create_and_cut(body: Any) -> Any:
        shop.fault("cut:1")
        return create(body)

    monkeypatch.setattr(shop.mall.feeds, "create", create_and_cut)
    codes = shop.stocked(5)
    assert all(result.ok for result in push(shop, dict.fromkeys(codes, 9)).values())
    assert feeds_sent(shop) == 1
    shop.time.pass_minutes(2)
    assert shop.connect().read_stock(codes) == dict.fromkeys(codes, 9)


@pytest.mark.usefixtures("small_feeds")
def test_a_feed_that_never_started_is_sent_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    create, calls = shop.mall.feeds.create, []

    def lose_the_first(body: Any) -> Any:
        calls.append(body)
        if len(calls) == 1:
            shop.fault("cut:1")
            return {"feedId": "never-made"}
        return create(body)

    monkeypatch.setattr(shop.mall.feeds, "create", lose_the_first)
    assert all(result.ok for result in push(shop, dict.fromkeys(shop.stocked(5), 9)).values())
    assert len(calls) == 2


@pytest.mark.usefixtures("small_feeds")
def test_a_fatal_feed_fails_every_quantity(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    fatal = shop.mall.feeds.workers[LISTINGS]("1", b"no json")
    monkeypatch.setitem(shop.mall.feeds.workers, LISTINGS, lambda *_: fatal)  # type: ignore[arg-type]
    results = push(shop, dict.fromkeys(shop.stocked(5), 9))
    assert len(results) == 5 and not any(result.ok for result in results.values())


@pytest.mark.parametrize(
    ("issues", "accepted", "failed"),
    [
        ([], 3, []),
        ([{"messageId": 2, "sku": "B", "severity": "ERROR", "message": "bad"}], 2, ["B"]),
        ([{"messageId": 2, "sku": "B", "severity": "WARNING", "message": "hm"}], 3, []),
        ([{"sku": "C", "severity": "ERROR", "message": "bad"}], 2, ["C"]),
        ([{"severity": "ERROR", "message": "bad"}], 0, ["A", "B", "C"]),
        ([{"severity": "ERROR", "message": "bad"}], 3, []),
        ([{"messageId": 99, "severity": "ERROR"}], 3, []),
    ],
)
def test_each_message_has_its_own_result(issues: list[Any], accepted: int, failed: list[str]) -> None:
    report = {"issues": issues, "summary": {"messagesAccepted": accepted}}
    results = stock.feed_results(["A", "B", "C"], report)
    assert [result.listing_code for result in results if not result.ok] == failed
    assert json.dumps([result.error for result in results if result.ok]).count("bad") == 0
