"""A set inside a set, from the mall's code to one component that comes back."""

from dataclasses import replace

import pytest

from channels.services import intake, publish, shops
from channels.services.mapping import Decision, map_codes
from fulfillment import documents
from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Balance
from inventory.services.catalogue import ComponentRow, set_components
from orders.documents.render import render_delivery_notes, render_pick_lists
from orders.models import LineComponent, Order, Refund, Shop
from orders.services import returns
from orders.services.journal import Actor
from orders.services.returns import Settlement
from tests.channels.builders import make_listing
from tests.channels.imports.mall import Mall as SellingMall
from tests.channels.imports.mall import ago
from tests.channels.publishing.malls import Mall, connect
from tests.orders.builders import make_channel_order, make_line, make_location, make_sku
from tests.orders.returns.test_returns import all_is_true
from tests.orders.test_order_sets import text_of

pytestmark = pytest.mark.django_db
ACTOR = Actor()


class BothMall(SellingMall, Mall):
    """Sells, and shows what it is told."""

    def __init__(self) -> None:
        SellingMall.__init__(self)
        Mall.__init__(self)


@pytest.fixture
def malls(monkeypatch):
    found: dict[str, BothMall] = {}
    monkeypatch.setattr(shops, "connector_of", lambda connection: found.setdefault(connection.shop.code, BothMall()))
    return found


def told(malls, *connections) -> list[dict[str, int]]:
    publish.consume_marks()
    for connection in connections:
        publish.push_shop(connection)
    return [malls[connection.shop.code].shows for connection in connections]


def pool(code: str) -> tuple[int, int]:
    return Balance.objects.filter(sku__code=code, location=None).values_list("on_hand", "reserved").get()


def gift_box() -> None:
    """A tea set (two cups of 250 yen, a pot of 500) at 1,000 yen, with tea of 1,000 yen in a box."""
    make_sku("CUP", stock_units=7, price=250, shelf="A-1")
    make_sku("POT", stock_units=4, price=500, shelf="A-2")
    make_sku("TEA", stock_units=4, price=1000, shelf="B-1")
    make_sku("TEASET", is_bundle=True, price=1000)
    make_sku("BOX", is_bundle=True, price=3000)
    set_components(
        [
            ComponentRow("TEASET", "CUP", 2), ComponentRow("TEASET", "POT", 1),
            ComponentRow("BOX", "TEASET", 1), ComponentRow("BOX", "TEA", 1),
        ]
    )  # fmt: skip


def map_listings(shop: Shop) -> None:
    """The mall's own codes: the box, a pair of tea sets, a single cup."""
    codes = {"gift-box": ("BOX", 1), "tea-pair": ("TEASET", 2), "cup": ("CUP", 1)}
    for code in codes:
        make_listing(shop, code)
    map_codes([Decision(shop.pk, code, make_sku(sku).pk, n) for code, (sku, n) in codes.items()], how="person")


def test_a_set_inside_a_set_goes_from_the_malls_code_to_one_component_that_comes_back(malls):
    gift_box()
    rakuten, yahoo = connect("rakuten-1", cursor=ago(minutes=9)), connect("yahoo-1", cursor=ago(minutes=9))
    for connection in (rakuten, yahoo):
        map_listings(connection.shop)
    shown = {"gift-box": 3, "tea-pair": 1, "cup": 7}
    assert told(malls, rakuten, yahoo) == [shown, shown]

    # sold: two boxes
    mall = malls["rakuten-1"]
    line = make_line("gift-box", 2, 3000, name="ギフトボックス")
    mall.template = replace(make_channel_order(line), recipients=mall.template.recipients)
    mall.sells("N-1", ago(minutes=5))
    intake.pull(rakuten)
    order = Order.objects.get(channel_order_no="N-1")
    parts = list(LineComponent.objects.filter(line__order=order).order_by("position"))
    kept = {part.sku.code: (part.units, part.set_name, part.list_value) for part in parts}
    assert kept == {"TEA": (1, "", 1000), "CUP": (2, "TEASET の品", 500), "POT": (1, "TEASET の品", 500)}
    assert (pool("CUP"), pool("POT"), pool("TEA")) == ((7, 4), (4, 2), (4, 2))
    left = {"gift-box": 1, "tea-pair": 0, "cup": 3}
    assert told(malls, rakuten, yahoo) == [left, left], "every level is told to every channel"

    # picked and packed
    allocate_waiting()
    [parcel] = instruct_orders([order.pk], actor=ACTOR).shipments
    picks = documents.pick_lists([parcel], by="渡辺")
    picked = {item.code: (item.quantity, item.set_name) for item in picks[0].orders[0].items}
    assert picked == {"CUP": (4, "BOX の品"), "POT": (2, "BOX の品"), "TEA": (2, "BOX の品")}
    assert "BOX の品" in text_of(render_pick_lists(picks))
    note = text_of(render_delivery_notes(documents.delivery_notes([parcel]).notes))
    assert "ギフトボックス" in note and "TEASET の品 / CUP の品" in note and "¥6,000" in note
    assert confirm_shipments([Departure(parcel, "yamato", "471203984414")], actor=ACTOR).shipments == [parcel]
    assert (pool("CUP"), pool("POT"), pool("TEA")) == ((3, 0), (2, 0), (2, 0))
    assert told(malls, rakuten, yahoo) == [left, left], "what left was promised already"

    # one cup of the inner set comes back
    cup = next(part for part in parts if part.sku.code == "CUP")
    case = returns.open_case(order.pk, {}, units={cup.pk: 1}, reason="customer", key="k", actor=ACTOR)
    returns.approve(case.pk, actor=ACTOR)
    returns.on_its_way(case.pk, carrier="yamato", tracking_no="1", actor=ACTOR)
    case = returns.receive(case.pk, {case.lines.get().pk: 1}, actor=ACTOR)
    assert returns.received_units(case) == {cup.sku_id: 1} and pool("CUP") == (3, 0)
    returns.inspect(case.pk, {(cup.sku_id, "good"): 1}, location_id=make_location().pk, actor=ACTOR)
    returns.settle(case.pk, Settlement({}, units={cup.pk: 1}), actor=ACTOR)
    assert Refund.objects.get().amount == 375, "6,000 yen × 500 of 2,000, for one of four cups"
    assert pool("CUP") == (4, 0) and Shipment.objects.get().state == "shipped"
    again = {"gift-box": 2, "tea-pair": 1, "cup": 4}
    assert told(malls, rakuten, yahoo) == [again, again]
    all_is_true()


def test_selling_the_inner_component_closes_both_levels_everywhere(malls):
    gift_box()
    rakuten, yahoo = connect("rakuten-1", cursor=ago(minutes=9)), connect("yahoo-1", cursor=ago(minutes=9))
    for connection in (rakuten, yahoo):
        map_listings(connection.shop)
    told(malls, rakuten, yahoo)
    mall = malls["yahoo-1"]
    mall.template = replace(make_channel_order(make_line("cup", 6)), recipients=mall.template.recipients)
    mall.sells("N-2", ago(minutes=5))
    intake.pull(yahoo)
    closed = {"gift-box": 0, "tea-pair": 0, "cup": 1}
    assert told(malls, rakuten, yahoo) == [closed, closed]
    all_is_true()
