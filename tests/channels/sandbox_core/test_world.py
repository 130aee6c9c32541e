"""The world by itself: what buyers do, what malls sell, what the shop may tell."""

import threading
from collections import Counter
from datetime import date, timedelta

import pytest

from channels.sandbox.codec import encode
from channels.sandbox.model import CHANNELS
from channels.sandbox.plan import JUDGEMENT
from channels.sandbox.world import SoldOut, UnknownListing, UnknownOrder, World, WrongState

from .builders import MORNING, Clock

TODAY = date(2026, 10, 5)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def world(clock):
    return World(1, clock)


def live_through(world, clock, *, hours, count=500):
    """A day in which the shop confirms at once and ships nothing."""
    world.generate(count, over=timedelta(hours=hours - 5))
    for _ in range(hours * 12):
        clock.forward(minutes=5)
        world.advance()
        for channel in ("rakuten", "qoo10"):
            for order in world.orders(channel, states=["placed"]):
                world.confirm(channel, order.number)


def test_a_seed_makes_the_same_day():
    days = []
    for seed in (7, 7, 8):
        clock = Clock()
        world = World(seed, clock)
        live_through(world, clock, hours=12, count=200)
        days.append([encode(order) for channel in CHANNELS for order in world.orders(channel)])
    assert days[0] == days[1]
    assert days[0] != days[2]


def test_the_day_keeps_its_shares_and_its_only_oversold_orders_are_the_labelled_ones(world, clock):
    live_through(world, clock, hours=16)
    truth = world.truth()
    orders = [order for orders in truth["orders"].values() for order in orders.values()]
    assert len(orders) == 500 and truth["orders_waiting"] == 0
    needed = Counter(order["needs_judgement"] for order in orders if order["needs_judgement"])
    assert needed.keys() == JUDGEMENT.keys() and sum(needed.values()) == 16
    short = [
        {"channel": channel, "number": number}
        for channel, some in truth["orders"].items()
        for number, order in some.items()
        if order["needs_judgement"] == "stock_short"
    ]
    assert truth["oversell_cases"] == short and truth["lost_sales"] == []


def test_traits_are_visible_in_the_orders(world, clock):
    live_through(world, clock, hours=16, count=1000)
    orders = [order for channel in CHANNELS for order in world.orders(channel)]

    def having(trait):
        return [order for order in orders if trait in order.truth.traits]

    assert all(order.payment.method == "cod" and order.fees.cod_fee for order in having("cod"))
    assert all(order.payment.method in ("konbini", "bank") for order in having("pay_later"))
    assert all(order.remarks for order in having("question") + having("remark_slip"))
    assert all(order.destination.recipient.address.island for order in having("island"))
    assert all(line.release_date for order in having("preorder") for line in order.lines)
    assert all(not order.lines[0].listing.mapped for order in having("unmapped_sku"))
    assert all(order.fees.misstated for order in having("amount_mismatch"))
    assert all(order.fulfilled_by_mall and order.channel == "amazon" for order in having("fba"))
    assert all(len(order.destinations) == 2 for order in having("several_recipients"))
    assert all(order.cancel_request for order in having("cancel_wish"))
    for first in having("merge"):
        pair = [order for order in having("merge") if order.truth.merge_group == first.truth.merge_group]
        assert len(pair) == 2 and pair[0].buyer == pair[1].buyer and pair[0].channel == pair[1].channel
    changed = having("buyer_change")
    assert all(order.version > 1 for order in changed) and any(order.cancelled_by == "buyer" for order in changed)


def test_money_adds_up_unless_the_mall_misstates_it(world, clock):
    world.generate(500)
    world.advance()
    for channel in CHANNELS:
        for order in world.orders(channel):
            lines = sum(line.unit_price * line.quantity - line.discount for line in order.lines)
            assert order.amount_due == lines + order.fees.added - order.fees.taken + order.fees.misstated
            assert order.amount_due > 0
            assert sum(order.tax_base().values()) == order.amount_due - order.fees.misstated
            assert order.fees.postage == sum(destination.postage for destination in order.destinations)


# ---- stock -----------------------------------------------------------------------------------------------------


def ordinary_listing(world, channel="yahoo"):
    return next(
        one
        for one in world.listings(channel)
        if one.sku.startswith("FOD") and world.shown(channel, one.key).quantity > 9
    )


def test_a_sale_lowers_what_this_mall_shows_and_nothing_else(world):
    listing = ordinary_listing(world)
    before = {channel: shown_of(world, listing.sku, channel) for channel in CHANNELS}
    world.place_order("yahoo", [(listing.key, 2)])
    after = {channel: shown_of(world, listing.sku, channel) for channel in CHANNELS}
    assert after.pop("yahoo")[listing.key] == before.pop("yahoo")[listing.key] - 2
    assert after == before


def shown_of(world, sku, channel):
    return {one.key: world.shown(channel, one.key).quantity for one in world.listings(channel) if one.sku == sku}


def test_a_mall_never_sells_more_than_it_shows_under_thirty_two_buyers(world):
    listing = ordinary_listing(world)
    world.set_stock("yahoo", listing.key, 10)
    outcomes: list[str] = []

    def buy():
        try:
            outcomes.append(world.place_order("yahoo", [(listing.key, 1)]).number)
        except SoldOut:
            outcomes.append("sold out")

    buyers = [threading.Thread(target=buy) for _ in range(32)]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()
    assert outcomes.count("sold out") == 22
    assert len(set(outcomes)) == 11
    assert world.shown("yahoo", listing.key).quantity == 0
    assert len(world.truth()["lost_sales"]) == 22


def test_a_basket_is_sold_whole_or_not_at_all(world):
    first, second = [one for one in world.listings("yahoo") if one.sku.startswith("FOD")][:2]
    world.set_stock("yahoo", second.key, 0)
    before = world.shown("yahoo", first.key).quantity
    with pytest.raises(SoldOut):
        world.place_order("yahoo", [(first.key, 1), (second.key, 1)])
    assert world.shown("yahoo", first.key).quantity == before


def test_pushed_stock_may_show_late_and_sales_go_on_meanwhile(world, clock):
    listing = ordinary_listing(world, "amazon")
    world.set_stock("amazon", listing.key, 5)
    world.set_stock("amazon", listing.key, 9, shown_after_s=60)
    world.place_order("amazon", [(listing.key, 2)])
    assert world.shown("amazon", listing.key).quantity == 3
    clock.forward(seconds=60)
    assert world.shown("amazon", listing.key).quantity == 9


def test_relative_stock_and_its_limits(world):
    listing = ordinary_listing(world)
    world.set_stock("yahoo", listing.key, 5)
    assert world.set_stock("yahoo", listing.key, -2, relative=True).quantity == 3
    with pytest.raises(ValueError, match="between 0"):
        world.set_stock("yahoo", listing.key, -4, relative=True)
    with pytest.raises(UnknownListing):
        world.set_stock("yahoo", "no-such-thing", 1)
    assert [(told.kind, told.accepted) for told in world.journal()] == [
        ("stock", True),
        ("stock", True),
        ("stock", False),
        ("stock", False),
    ]


def test_a_cancelled_order_is_shown_again_and_may_be_kept_back(world):
    listing = ordinary_listing(world)
    before = world.shown("yahoo", listing.key).quantity
    kept_back = world.place_order("yahoo", [(listing.key, 1)])
    shown_again = world.place_order("yahoo", [(listing.key, 2)])
    world.cancel("yahoo", kept_back.number, restock=False)
    gone = world.cancel("yahoo", shown_again.number, reason="在庫なし")
    assert (gone.state, gone.cancelled_by, gone.cancel_reason) == ("cancelled", "shop", "在庫なし")
    assert world.shown("yahoo", listing.key).quantity == before - 1


# ---- the life of an order --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "payment", "states"),
    [
        ("amazon", "konbini", ["pending", "ready"]),
        ("qoo10", "konbini", ["pending", "placed"]),
        ("yahoo", "bank", ["pending", "ready"]),
        ("futureshop", "card", ["ready"]),
        ("yahoo", "cod", ["ready"]),
    ],
)
def test_money_comes_first_where_the_mall_wants_it_so(world, channel, payment, states):
    order = world.place_order(channel, payment=payment)
    seen = [order.state]
    if payment in ("konbini", "bank"):
        seen.append(world.pay(channel, order.number).state)
    assert seen == states


def test_rakuten_asks_for_money_after_the_shop_confirmed(world, clock):
    order = world.place_order("rakuten", payment="konbini")
    assert order.state == "placed"
    assert world.confirm("rakuten", order.number).state == "confirmed"
    with pytest.raises(WrongState):
        world.confirm("rakuten", order.number)
    clock.forward(hours=4)
    world.advance()
    assert world.order("rakuten", order.number).state == "ready"


def test_some_buyers_never_pay_and_the_mall_cancels(world, clock):
    listing = ordinary_listing(world, "amazon")
    before = world.shown("amazon", listing.key).quantity
    orders = [world.place_order("amazon", [(listing.key, 1)], payment="konbini") for _ in range(before)]
    clock.forward(hours=4)
    world.advance()
    unpaid = [one.number for one in orders if world.order("amazon", one.number).state == "pending"]
    assert 0 < len(unpaid) < before / 2
    clock.forward(days=3)
    world.advance()
    assert {world.order("amazon", number).cancelled_by for number in unpaid} == {"mall"}
    assert world.shown("amazon", listing.key).quantity == len(unpaid)


def test_shipping_in_two_parcels_captures_the_card_with_the_last(world):
    listing = ordinary_listing(world)
    order = world.place_order("yahoo", [(listing.key, 3)], payment="card")
    parcel = {"carrier": "yamato", "shipped_on": TODAY}
    part = world.ship("yahoo", order.number, tracking="4000-0000-0001", quantities={1: 1}, **parcel)
    assert (part.state, part.payment.state) == ("partially_shipped", "authorized")
    with pytest.raises(WrongState):
        world.ship("yahoo", order.number, tracking="4000-0000-0002", quantities={1: 3}, **parcel)
    whole = world.ship("yahoo", order.number, tracking="4000-0000-0002", **parcel)
    assert (whole.state, whole.payment.state, len(whole.parcels)) == ("shipped", "paid", 2)
    with pytest.raises(WrongState):
        world.ship("yahoo", order.number, tracking="4000-0000-0003", **parcel)
    assert [told.accepted for told in world.journal(kind="ship")] == [True, False, True, False]
    fixed = world.correct_parcel("yahoo", order.number, whole.parcels[0].parcel_id, tracking="4000-0000-0009")
    assert fixed.parcels[0].tracking == "4000-0000-0009"


def test_the_shop_cannot_touch_what_amazon_ships(world, clock):
    order = world.place_order("amazon", traits=["fba"])
    with pytest.raises(WrongState):
        world.ship("amazon", order.number, carrier="yamato", tracking="1", shipped_on=TODAY)
    clock.forward(hours=7)
    world.advance()
    assert world.order("amazon", order.number).state == "shipped"


def test_a_cancel_wish_needs_a_person_from_the_moment_it_is_made(world, clock):
    order = world.place_order("amazon", traits=["cancel_wish"])
    assert order.truth.needs_judgement is None
    assert world.fire("cancel_wish", [order.number]) == 1
    asked = world.order("amazon", order.number)
    assert asked.state == "ready" and asked.cancel_request is not None and asked.version == 2
    assert asked.truth.needs_judgement == "cancel_wish" and asked.truth.needed_since == clock()
    refused = world.refuse_cancel_request("amazon", order.number)
    assert refused.cancel_request.settled_at == clock()


def test_a_wish_that_comes_after_shipping_is_none(world):
    order = world.place_order("amazon", traits=["cancel_wish"])
    world.ship("amazon", order.number, carrier="yamato", tracking="1", shipped_on=TODAY)
    world.fire("cancel_wish")
    assert world.order("amazon", order.number).truth.needs_judgement is None


def test_an_order_is_hidden_until_it_is_visible_and_its_update_time_says_so(world, clock):
    world.life.late_s = lambda channel: 600
    order = world.place_order("rakuten")
    with pytest.raises(UnknownOrder):
        world.order("rakuten", order.number)
    assert world.orders("rakuten") == []
    clock.forward(minutes=10)
    found = world.orders("rakuten", updated_from=MORNING + timedelta(minutes=9))
    assert [one.number for one in found] == [order.number]
    assert found[0].ordered_at == MORNING


def test_orders_are_found_by_either_time_and_sorted_by_it(world, clock):
    first = world.place_order("yahoo")
    clock.forward(minutes=1)
    second = world.place_order("yahoo")
    clock.forward(minutes=1)
    world.annotate("yahoo", first.number, seen=True)
    assert [one.number for one in world.orders("yahoo")] == [first.number, second.number]
    newest = world.orders("yahoo", updated_from=MORNING)
    assert [one.number for one in newest] == [second.number, first.number]
    assert world.orders("yahoo", ordered_to=MORNING) == []
    assert world.order("yahoo", first.number).extra == {"seen": True}


def test_restocked_goods_are_not_oversold(world, clock):
    listing = next(one for one in world.listings("yahoo") if one.sku == "ONE001")
    other = next(one for one in world.listings("rakuten") if one.sku == "ONE001")
    world.place_order("yahoo", [(listing.key, 3)])
    clock.forward(seconds=1)
    second = world.place_order("rakuten", [(other.key, 1)])
    assert world.truth()["oversell_cases"] == [{"channel": "rakuten", "number": second.number}]
    world.restock("ONE001", 1)
    assert world.truth()["oversell_cases"] == []


def test_a_flash_sale_empties_what_the_malls_show_and_counts_the_sales_they_lose(world, clock):
    world.flash_sale("ONE002", 40, over=timedelta(minutes=2))
    clock.forward(minutes=3)
    world.advance()
    orders = [order for channel in CHANNELS for order in world.orders(channel)]
    assert len(orders) + len(world.truth()["lost_sales"]) == 40
    assert {sum(line.quantity for line in one.lines) for one in orders} == {1}
    shown = {channel: sum(shown_of(world, "ONE002", channel).values()) for channel in CHANNELS}
    assert all(quantity >= 0 for quantity in shown.values()) and sum(shown.values()) == 15 - len(orders)
    assert len(world.truth()["oversell_cases"]) == len(orders) - 3
    with pytest.raises(UnknownListing):
        world.flash_sale("NOTHING", 1, over=timedelta(0))
