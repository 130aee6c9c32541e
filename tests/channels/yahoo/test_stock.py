"""Listings and stock over HTTP."""

import pytest

from channels.connectors.contract import StockPush
from channels.connectors.yahoo import stock
from channels.sandbox.yahoo import wire


def push(mall, *pairs):
    return list(mall.connector().push_stock([StockPush(code, quantity) for code, quantity in pairs]))


def shown(mall, key):
    return mall.world.shown("yahoo", key).quantity


def test_a_pushed_quantity_is_shown_and_confirmed(mall):
    first, second = mall.keys[:2]
    results = push(mall, (first, 7), (second, 0))
    assert [(one.listing_code, one.ok, one.confirmed) for one in results] == [(first, True, 7), (second, True, 0)]
    assert (shown(mall, first), shown(mall, second)) == (7, 0)
    assert mall.connector().read_stock([first, second, "no-such-item"]) == {first: 7, second: 0}


def test_a_negative_quantity_is_nothing_and_takes_nothing_away(mall):
    (result,) = push(mall, (mall.keys[0], -3))
    assert (result.ok, shown(mall, mall.keys[0])) == (True, 0)


@pytest.mark.parametrize("applies", [True, False])
def test_one_bad_code_does_not_stop_the_batch(mall, applies):
    mall.simulator.partial_stock_applies = applies
    first, second = mall.keys[:2]
    results = push(mall, (first, 3), ("bad_code!", 5), (second, 4))
    assert [one.ok for one in results] == [True, False, True]
    assert "st-02101" in results[1].error
    assert (shown(mall, first), shown(mall, second)) == (3, 4)


def test_a_code_that_would_break_the_call_is_never_sent(mall):
    results = push(mall, ("a,b", 1), ("", 1), (mall.keys[0], 2))
    assert [(one.ok, one.listing_code) for one in results] == [(False, "a,b"), (False, ""), (True, mall.keys[0])]


def test_large_pushes_go_in_batches(mall, monkeypatch):
    monkeypatch.setattr(stock, "BATCH", 40)
    pairs = [(key, number % 9) for number, key in enumerate(mall.keys[:100])]
    results = push(mall, *pairs)
    assert [(one.listing_code, one.confirmed) for one in results] == pairs
    assert [shown(mall, key) for key, _ in pairs] == [quantity for _, quantity in pairs]


def test_a_lost_answer_is_pushed_again(mall):
    connector = mall.connector()
    connector.check()
    mall.breaks("yahoo:cut:1")
    (result,) = connector.push_stock([StockPush(mall.keys[0], 6)])
    assert (result.ok, result.confirmed, shown(mall, mall.keys[0])) == (True, 6, 6)


def test_refused_batches_are_halved(mall, monkeypatch):
    """A mall that answers 400 for the whole call because of one code."""
    real = mall.simulator._answer

    def answer(name, request):
        if name == "setStock" and "cursed" in request.form["item_code"]:
            return wire.error(400, "st-02101", "item_code")
        return real(name, request)

    monkeypatch.setattr(mall.simulator, "_answer", answer)
    keys = mall.keys[:5]
    results = push(mall, *[(key, 2) for key in keys[:3]], ("cursed", 1), *[(key, 2) for key in keys[3:]])
    assert [one.ok for one in results] == [True, True, True, False, True, True]
    assert {shown(mall, key) for key in keys} == {2}


def test_every_listing_is_found_with_its_variants(mall, monkeypatch):
    monkeypatch.setattr(stock, "ITEMS_PER_PAGE", 25)
    wanted = {one.key: one for one in mall.world.listings("yahoo") if one.codes["item_code"].startswith("app0")}
    monkeypatch.setattr(stock, "FIRST_CHARACTERS", "a")
    everything = [listing for page in mall.connector().list_listings() for listing in page]
    found = {listing.code: listing for listing in everything if listing.code.startswith("app0")}
    assert set(found) == set(wanted)
    assert len(everything) == len({listing.code for listing in everything})
    some = next(iter(wanted.values()))
    listing = found[some.key]
    assert (listing.channel_sku, listing.price, listing.quantity) == (some.key, some.price, shown(mall, some.key))
    assert listing.name.startswith(some.title)
