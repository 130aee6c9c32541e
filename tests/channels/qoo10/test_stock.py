"""Listings and stock over HTTP."""

from channels.connectors.contract import StockPush
from channels.connectors.qoo10 import stock
from channels.sandbox.qoo10.items import FIRST_END, sale_end


def push(mall, *pairs):
    return list(mall.connector().push_stock([StockPush(code, quantity) for code, quantity in pairs]))


def shown(mall, key):
    mall.time.skip(seconds=30)
    return mall.world.shown("qoo10", key).quantity


def items_and_options(mall):
    options = [key for key in mall.keys if "/" in key]
    return [key for key in mall.keys if "/" not in key], options


def test_options_and_items_are_pushed(mall):
    items, options = items_and_options(mall)
    results = push(mall, (options[0], 7), (items[0], 0), (options[1], 3))
    assert [(one.listing_code, one.ok, one.confirmed) for one in results] == [
        (options[0], True, None),
        (items[0], True, None),
        (options[1], True, None),
    ]
    assert [shown(mall, key) for key in (options[0], items[0], options[1])] == [7, 0, 3]
    assert mall.connector().read_stock([options[0], items[0], "1", "1/x"]) == {options[0]: 7, items[0]: 0}


def test_the_end_of_sale_is_left_as_it_is(mall):
    items, _ = items_and_options(mall)
    push(mall, (items[0], 4), (items[1], 5))
    push(mall, (items[0], 3))
    assert sale_end(mall.simulator, items[0]) == FIRST_END


def test_a_negative_quantity_is_nothing(mall):
    _, options = items_and_options(mall)
    (result,) = push(mall, (options[0], -2))
    assert (result.ok, shown(mall, options[0])) == (True, 0)


def test_unknown_codes_do_not_stop_the_batch(mall):
    items, options = items_and_options(mall)
    results = push(mall, (options[0], 1), ("999", 5), (options[0].split("/")[0] + "/NO", 5), (items[0], 2))
    assert [one.ok for one in results] == [True, False, False, True]
    assert "見つかりません" in results[1].error and "オプション" in results[2].error
    assert (shown(mall, options[0]), shown(mall, items[0])) == (1, 2)


def test_a_bulk_call_that_failed_in_part_is_repeated_one_by_one(mall, monkeypatch):
    _, options = items_and_options(mall)
    first, second, third = options[:3]
    push(mall, (first, 1), (second, 1), (third, 1))
    connector = mall.connector()
    known = stock._stored(connector.api, second)
    known[second]["OptionValue"] = "renamed at Qoo10"
    connector.api.redis.set(stock._name(connector.api, second), stock.json.dumps(known))
    results = push(mall, (first, 4), (second, 4), (third, 4))
    assert [one.ok for one in results] == [True, False, True]
    assert [shown(mall, key) for key in (first, second, third)] == [4, 1, 4]
    (again,) = push(mall, (second, 4))
    assert (again.ok, shown(mall, second)) == (True, 4), "the names are read anew after a refusal"


def test_a_lost_answer_is_pushed_again(mall):
    _, options = items_and_options(mall)
    push(mall, (options[0], 2))
    mall.breaks("qoo10:cut:1")
    (result,) = push(mall, (options[0], 6))
    assert (result.ok, shown(mall, options[0])) == (True, 6)


def test_large_pushes_go_in_batches(mall, monkeypatch):
    monkeypatch.setattr(stock, "BULK", 30)
    pairs = [(key, number % 9) for number, key in enumerate(mall.keys[:70])]
    assert all(one.ok for one in push(mall, *pairs))
    mall.time.skip(seconds=30)
    assert [mall.world.shown("qoo10", key).quantity for key, _ in pairs] == [quantity for _, quantity in pairs]


def test_every_listing_is_found_with_its_options(mall, monkeypatch):
    monkeypatch.setattr(mall.simulator, "items_per_page", 40)
    everything = [listing for page in mall.connector().list_listings() for listing in page]
    assert {listing.code for listing in everything} == {one.key for one in mall.world.listings("qoo10")}
    assert len(everything) == len({listing.code for listing in everything})
    one = next(one for one in mall.world.listings("qoo10") if "/" in one.key)
    listing = next(listing for listing in everything if listing.code == one.key)
    assert (listing.channel_sku, listing.price, listing.quantity) == (one.key, one.price, shown(mall, one.key))


def test_an_item_whose_sale_ended_is_refused_in_words_and_stops_no_other(mall):
    items, options = items_and_options(mall)
    mall.connector().api.call("ItemsBasic.EditGoodsStatus", {"ItemCode": items[0], "Status": "3"})
    results = push(mall, (items[0], 4), (options[0], 5))
    assert [one.ok for one in results] == [False, True]
    assert "-10009" in results[0].error and "販売中" in results[0].error
    listed = {listing.code for page in mall.connector().list_listings() for listing in page}
    assert items[0] not in listed and options[0] in listed


def test_the_shops_own_ways_of_sending_can_be_looked_up(mall):
    rows = mall.connector().api.call("ItemsLookup.GetSellerDeliveryGroupInfo", {}).rows
    assert "ヤマト宅急便" in [row["transcName"] for row in rows]
