"""Listings, pushing and reading stock."""

import pytest

from channels.connectors.contract import ChannelDown, StockPush
from tests.channels.futureshop.conftest import Mall


def product_of(key: str) -> str:
    return key.partition("/")[0]


def variants(mall: Mall, least: int) -> list[str]:
    """The keys of a product with several SKUs."""
    groups: dict[str, list[str]] = {}
    for one in mall.world.listings("futureshop"):
        groups.setdefault(product_of(one.key), []).append(one.key)
    return next(keys for keys in groups.values() if len(keys) >= least)


def test_every_sku_is_listed_under_the_code_that_orders_carry(mall: Mall):
    found = [listing for page in mall.connector().list_listings() for listing in page]
    assert sorted(listing.code for listing in found) == sorted(one.key for one in mall.world.listings("futureshop"))
    order = mall.sells((mall.keys[3], 1))
    sku = mall.read(order.number).lines[0].channel_sku
    assert [listing.code for listing in found if listing.channel_sku == sku] == [mall.keys[3]]
    quantities = {listing.code: listing.quantity for listing in found}
    assert quantities[mall.keys[5]] == mall.world.shown("futureshop", mall.keys[5]).quantity


def test_pushed_quantities_are_shown(mall: Mall):
    pushes = [StockPush(key, place) for place, key in enumerate(mall.keys[:60])]
    results = list(mall.connector().push_stock(pushes))
    assert [result.listing_code for result in results] == mall.keys[:60]
    assert all(result.ok and result.confirmed is None for result in results)
    assert mall.connector().read_stock(mall.keys[:60]) == {key: place for place, key in enumerate(mall.keys[:60])}


def test_a_big_push_goes_in_calls_of_a_hundred(mall: Mall):
    keys = [one.key for one in mall.world.listings("futureshop")][:250]
    results = list(mall.connector().push_stock(StockPush(key, 7) for key in keys))
    assert sum(result.ok for result in results) == 250
    assert set(mall.connector().read_stock(keys).values()) == {7}


def test_one_bad_code_does_not_stop_the_batch(mall: Mall):
    good, more = mall.keys[0], mall.keys[-1]
    pushes = [StockPush(good, 3), StockPush("no-such//", 1), StockPush("odd", 1), StockPush(more, 4)]
    results = {result.listing_code: result for result in mall.connector().push_stock(pushes)}
    assert results[good].ok and results[more].ok
    assert "商品番号がありません" in results["no-such//"].error
    assert not results["odd"].ok
    assert mall.connector().read_stock([good, more]) == {good: 3, more: 4}


def test_one_bad_sku_does_not_stop_the_others_of_its_product(mall: Mall):
    first, second, *_ = variants(mall, 3)
    unknown = f"{product_of(first)}/??/??"
    pushes = [StockPush(first, 11), StockPush(unknown, 1), StockPush(second, 12)]
    results = {result.listing_code: result for result in mall.connector().push_stock(pushes)}
    assert results[first].ok and results[second].ok
    assert "枝番号" in results[unknown].error
    assert mall.connector().read_stock([first, second]) == {first: 11, second: 12}


def test_a_product_without_stock_control_says_so(mall: Mall):
    mall.simulator.unmanaged = {product_of(mall.keys[0])}
    (result,) = mall.connector().push_stock([StockPush(mall.keys[0], 3)])
    assert not result.ok
    assert "在庫管理をしない" in result.error
    assert mall.connector().read_stock(mall.keys[:1]) == {}


def test_a_product_without_stock_control_is_found_as_one_that_is_never_pushed(mall: Mall):
    mall.simulator.unmanaged = {product_of(mall.keys[0])}
    found = [listing for page in mall.connector().list_listings() for listing in page]
    kept = {product_of(listing.code) for listing in found if listing.channel_keeps_stock}
    assert kept == mall.simulator.unmanaged and len(found) == len(mall.world.listings("futureshop"))


def test_quantities_are_absolute_and_never_negative(mall: Mall):
    list(mall.connector().push_stock([StockPush(mall.keys[0], 5)]))
    list(mall.connector().push_stock([StockPush(mall.keys[0], 5), StockPush(mall.keys[1], -3)]))
    assert mall.connector().read_stock(mall.keys[:2]) == {mall.keys[0]: 5, mall.keys[1]: 0}


def test_unknown_codes_are_left_out_when_reading(mall: Mall):
    assert mall.connector().read_stock(["no-such//", "odd", mall.keys[0]]).keys() == {mall.keys[0]}


@pytest.mark.parametrize("fault", ["429:2", "500:1", "503:1", "cut:1", "reset:1", "expired_token"])
def test_absolute_quantities_are_sent_again_after_passing_trouble(mall: Mall, fault: str):
    mall.connector().check()
    mall.breaks(f"futureshop:{fault}")
    (result,) = mall.connector().push_stock([StockPush(mall.keys[0], 8)])
    assert result.ok
    assert mall.connector().read_stock(mall.keys[:1]) == {mall.keys[0]: 8}


def test_a_shop_that_stays_down_is_told_as_such(mall: Mall):
    mall.connector().check()
    mall.breaks("futureshop:500")
    with pytest.raises(ChannelDown):
        list(mall.connector().push_stock([StockPush(mall.keys[0], 8)]))
