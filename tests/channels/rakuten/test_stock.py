"""Listings, pushing and reading stock."""

import pytest

from channels.connectors.contract import ChannelDown, StockPush
from channels.connectors.rakuten import stock, wire
from tests.channels.rakuten.conftest import Mall


def test_every_variant_is_listed_once_under_the_code_that_orders_carry(mall: Mall):
    found = [listing for page in mall.connector().list_listings() for listing in page]
    assert sorted(listing.code for listing in found) == sorted(one.key for one in mall.world.listings("rakuten"))
    order = mall.sells((mall.keys[3], 1))
    sku = mall.read(order.number).lines[0].channel_sku
    assert [listing.code for listing in found if listing.channel_sku == sku] == [mall.keys[3]]
    listing = next(listing for listing in found if listing.code == mall.keys[3])
    assert listing.price == mall.world.listing("rakuten", mall.keys[3]).price
    assert listing.jan


def test_beyond_the_reach_of_offsets_the_cursor_is_used(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "ITEM_OFFSET_REACH", 50)
    found = [listing for page in mall.connector().list_listings() for listing in page]
    assert sorted(listing.code for listing in found) == sorted(one.key for one in mall.world.listings("rakuten"))


def test_pushed_quantities_are_shown(mall: Mall):
    pushes = [StockPush(key, place) for place, key in enumerate(mall.keys[:30])]
    results = list(mall.connector().push_stock(pushes))
    assert [result.listing_code for result in results] == mall.keys[:30]
    assert all(result.ok and result.confirmed is None for result in results)
    assert [mall.world.shown("rakuten", key).quantity for key in mall.keys[:30]] == list(range(30))
    assert mall.connector().read_stock(mall.keys[:30]) == {key: place for place, key in enumerate(mall.keys[:30])}


def test_a_big_push_goes_in_calls_of_four_hundred(mall: Mall):
    keys = [one.key for one in mall.world.listings("rakuten")][:950]
    start = mall.time.now()
    results = list(mall.connector().push_stock(StockPush(key, 7) for key in keys))
    assert sum(result.ok for result in results) == 950
    assert (mall.time.now() - start).total_seconds() < 5
    assert set(mall.connector().read_stock(keys).values()) == {7}


def test_one_bad_code_does_not_stop_the_batch(mall: Mall):
    good, more = mall.keys[:2]
    pushes = [StockPush(good, 3), StockPush("お茶/x", 1), StockPush("no-variant", 1), StockPush(more, 4)]
    results = {result.listing_code: result for result in mall.connector().push_stock(pushes)}
    assert (results[good].ok, results[more].ok) == (True, True)
    assert not results["お茶/x"].ok and "IE0002" in results["お茶/x"].error
    assert not results["no-variant"].ok
    assert mall.connector().read_stock([good, more]) == {good: 3, more: 4}


def test_the_last_of_two_values_for_one_listing_wins(mall: Mall):
    results = list(mall.connector().push_stock([StockPush(mall.keys[0], 9), StockPush(mall.keys[0], 2)]))
    assert [result.ok for result in results] == [True, True]
    assert mall.connector().read_stock(mall.keys[:1]) == {mall.keys[0]: 2}


def test_quantities_are_kept_in_rakutens_range(mall: Mall):
    list(mall.connector().push_stock([StockPush(mall.keys[0], 250_000), StockPush(mall.keys[1], -4)]))
    assert mall.connector().read_stock(mall.keys[:2]) == {mall.keys[0]: 99_999, mall.keys[1]: 0}


def test_unknown_codes_are_left_out_when_reading(mall: Mall):
    assert mall.connector().read_stock(["nothing/here", mall.keys[0], "odd"]).keys() == {mall.keys[0]}


def test_lead_times_survive_a_push(mall: Mall):
    key = mall.keys[0]
    mall.world.remember("rakuten", f"held:{key}", {"operationLeadTime": {"normalDeliveryTimeId": 2}})
    list(mall.connector().push_stock([StockPush(key, 5)]))
    assert mall.world.recall("rakuten", f"held:{key}") == {"operationLeadTime": {"normalDeliveryTimeId": 2}}


def test_lead_times_survive_where_only_the_newer_call_exists(mall: Mall):
    key = mall.keys[0]
    mall.simulator.stock_version = "2.1"
    mall.world.remember("rakuten", f"held:{key}", {"operationLeadTime": {"normalDeliveryTimeId": 2}})
    (result,) = mall.connector().push_stock([StockPush(key, 5)])
    assert result.ok
    assert mall.world.recall("rakuten", f"held:{key}") == {"operationLeadTime": {"normalDeliveryTimeId": 2}}
    assert mall.world.shown("rakuten", key).quantity == 5


def test_a_variant_with_capitals_keeps_them(mall: Mall):
    code = "some-item/Variant-A"
    (result,) = mall.connector().push_stock([StockPush(code, 6)])
    assert result.ok
    assert mall.world.recall("rakuten", f"orphan:{code}") == 6
    assert mall.connector().read_stock([code]) == {code: 6}


@pytest.mark.parametrize("fault", ["429:2", "500:1", "503:1", "cut:1", "reset:1"])
def test_absolute_quantities_are_sent_again_after_passing_trouble(mall: Mall, fault: str):
    mall.breaks(f"rakuten:{fault}")
    (result,) = mall.connector().push_stock([StockPush(mall.keys[0], 8)])
    assert result.ok
    assert mall.connector().read_stock(mall.keys[:1]) == {mall.keys[0]: 8}


def test_a_mall_that_stays_down_is_told_as_such(mall: Mall):
    mall.breaks("rakuten:500")
    with pytest.raises(ChannelDown):
        list(mall.connector().push_stock([StockPush(mall.keys[0], 8)]))


def test_an_item_with_unlimited_stock_is_found_as_one_that_is_never_pushed(mall: Mall):
    mall.simulator.unlimited = {mall.keys[0].partition("/")[0]}
    found = [listing for page in mall.connector().list_listings() for listing in page]
    kept = {listing.code.partition("/")[0] for listing in found if listing.channel_keeps_stock}
    assert kept == mall.simulator.unlimited


def test_listings_without_a_price_including_tax_have_none():
    item = {
        "manageNumber": "Tea-1",
        "itemNumber": "TEA",
        "title": "煎茶",
        "payment": {"taxIncluded": False, "taxRate": "0.08"},
        "variants": {
            "V-1": {"standardPrice": "1000", "selectorValues": {"容量": "100g"}, "merchantDefinedSkuId": None}
        },
    }
    (listing,) = stock.variants(item)
    assert (listing.code, listing.channel_sku, listing.name, listing.price) == (
        "tea-1/V-1",
        "tea-1/V-1",
        "煎茶 100g",
        None,
    )
