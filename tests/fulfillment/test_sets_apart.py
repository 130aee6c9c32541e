"""Sets and parcels: whole by default; where the product allows it, components leave apart and are told as one set."""

from dataclasses import replace

import pytest

from channels.connectors.contract import Parcel
from channels.models import Connection
from channels.services.notices import parcels_of
from fulfillment.models import Shipment, ShipmentLine
from fulfillment.services import shortage, split
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as parcel_violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import BundleComponent, Sku
from inventory.services import stock
from inventory.services.audit import violations as stock_violations
from oms.kernel import clock
from orders.channel_order import Totals
from orders.models import Cancellation, LineComponent, Order, OrderTask, Refund
from orders.services import cancel_units, take_apart
from orders.services.audit import violations as order_violations
from orders.services.cancel import Ask
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.take_apart import ApartLine, CannotTakeApart, sets_standing, sets_told
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
ACTOR = Actor()


@pytest.fixture
def shop():
    return make_shop(capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True})


def make_set(*, cups=9, pots=9, ships_apart=False, pot_at=None) -> Sku:
    """Two cups of 250 yen and a pot of 500."""
    cup = make_sku("CUP", stock_units=cups, price=250)
    pot = make_sku("POT", stock_units=pots, location=pot_at, price=500)
    tea = make_sku("TEASET", is_bundle=True, ships_apart=ships_apart)
    BundleComponent.objects.create(bundle=tea, component=cup, quantity=2)
    BundleComponent.objects.create(bundle=tea, component=pot, quantity=1)
    return tea


def ordered(shop, bundle, pieces=1, price=999, **fields) -> Order:
    told = make_channel_order(make_line(bundle.code, pieces, price), **fields)
    take_in(shop, [told], sku_of=mapped(bundle))
    allocate_waiting()
    return Order.objects.get(channel_order_no=told.channel_order_no)


def all_is_well() -> bool:
    return [*parcel_violations(), *stock_violations(), *order_violations()] == []


def standing(order) -> dict[str, tuple[int, int]]:
    """SKU code → pieces and yen of the lines that stand."""
    rows = order.lines.filter(quantity__gt=0).values_list("sku__code", "quantity", "amount")
    return {code: (quantity, amount) for code, quantity, amount in rows}


def ship_all(order, number="1") -> None:
    parcels = instruct_orders([order.pk], actor=ACTOR).shipments
    confirm_shipments([Departure(pk, "yamato", f"{number}{pk}") for pk in parcels], actor=ACTOR)
    order.refresh_from_db()


def test_one_short_component_makes_the_whole_set_short(shop):
    order = ordered(shop, make_set(pots=0))
    line = order.lines.get()
    assert order.stage == "awaiting_stock" and not line.reserved and not line.allocated_quantity
    assert stock.available([line.sku_id]) == {line.sku_id: 0}
    assert not stock.held_by([f"line:{line.pk}"]), "the cups that are there wait for nobody"
    with pytest.raises(split.CannotSplit, match="先に出荷できるものがありません"):
        split.send_rest_later(order.pk, actor=ACTOR)
    assert "先に出荷できるもの" in shortage.why_not_partly([order.pk])[order.pk]
    with pytest.raises(CannotTakeApart, match="セットの一部出荷を許可"):
        take_apart.take_apart(order.pk, {line.pk: 1}, actor=ACTOR)
    assert all_is_well()


def test_a_set_is_split_by_hand_as_a_whole_only(shop):
    order = ordered(shop, make_set(), pieces=2)
    parcel, line = Shipment.objects.get(), order.lines.get()
    split.split_off(parcel.pk, {line.pk: 1}, actor=ACTOR)
    for each in Shipment.objects.all():
        assert dict(each.lines.values_list("sku__code", "quantity")) == {"CUP": 2, "POT": 1}
    assert all_is_well()


def test_components_in_two_places_are_no_set_unless_they_may_part(shop):
    make_location()
    osaka = make_location("W2", name="大阪倉庫", priority=20)
    order = ordered(shop, make_set(pot_at=osaka))
    assert not order.lines.get().allocated_quantity and not Shipment.objects.exists()
    Sku.objects.filter(code="TEASET").update(ships_apart=True)
    allocate_waiting()
    order.refresh_from_db()
    places = ShipmentLine.objects.values_list("shipment__location__name", "sku__code", "quantity")
    assert sorted(places) == [("大阪倉庫", "POT", 1), ("東京倉庫", "CUP", 2)]
    assert order.stage == "ready" and all_is_well()


@pytest.mark.parametrize(("rule", "told"), [("first", [1, 1]), ("last", [0, 1])])
def test_what_is_there_leaves_and_the_set_is_shipped_with_its_last_component(shop, rule, told):
    Connection.objects.create(shop=shop, told_number=rule)
    order = ordered(shop, make_set(pots=0, ships_apart=True))
    whole = order.lines.get()
    assert shortage.why_not_partly([order.pk]) == {}
    [follows] = split.send_rest_later(order.pk, actor=ACTOR)
    assert standing(order) == {"CUP": (2, 500), "POT": (1, 499)}, "the odd yen is the first of the largest's"
    allocate_waiting()
    ship_all(order)
    assert order.stage == "partially_shipped" and order.lines.get(pk=follows).apart
    pot = Sku.objects.get(code="POT")
    assert [dict(parcel.lines) for parcel in parcels_of(order)] == [{whole.channel_line_id: 1}] * told[0]
    stock.receive([stock.Fact(pot.pk, make_location().pk, 1, "arrival")])
    allocate_waiting()
    ship_all(order, "2")
    assert order.stage == "shipped" and order.lines.filter(quantity__gt=0, shipped_quantity=0).count() == 0
    [parcel] = parcels_of(order)
    assert dict(parcel.lines) == {whole.channel_line_id: 1}, "the channel hears of one set, once"
    assert (parcel.reference == 1) == (rule == "first")
    assert all_is_well()


def test_the_notice_of_a_set_goes_to_its_first_or_last_parcel():
    cup, pot = ApartLine(1, 2, 4), ApartLine(2, 1, 2)
    parcels = [{1: 2}, {1: 2, 2: 1}, {2: 1}]
    assert sets_told([cup, pot], parcels, last=False) == [1, 1, 0]
    assert sets_told([cup, pot], parcels, last=True) == [0, 1, 1]
    assert sets_told([cup, ApartLine(2, 1, 0)], [{1: 4}], last=True) == [2], "a cancelled component holds nothing up"
    assert sets_standing([ApartLine(1, 2, 3)]) == 2 and sets_standing([]) == 0


def test_one_component_is_cancelled_and_the_others_go_on(shop):
    order = ordered(shop, make_set(), pieces=2, price=999)
    before = order.total
    cup = LineComponent.objects.get(line__order=order, sku__code="CUP")
    ask = Ask(reason="customer", key="k")
    for _again in range(2):
        cancel_units.cancel_units(order.pk, {cup.pk: 1}, ask=ask, actor=ACTOR)
    order.refresh_from_db()
    assert Cancellation.objects.count() == 1
    assert standing(order) == {"TEASET": (1, 1000), "CUP": (1, 250), "POT": (1, 499)}, "a yen stays with what stands"
    assert order.total == before - 249 and Refund.objects.get().amount == 249
    assert stock.available([cup.sku_id]) == {cup.sku_id: 9 - 3}
    assert "モールの画面" in OrderTask.objects.get(key__startswith="cancel:").text
    allocate_waiting()
    ship_all(order)
    assert order.stage == "shipped" and all_is_well()
    line = order.lines.get(sku__code="TEASET")
    assert [dict(parcel.lines) for parcel in parcels_of(order)] == [{line.channel_line_id: 2}]


def test_components_cancelled_one_by_one_give_back_the_order_to_the_yen(shop):
    order = ordered(shop, make_set(), price=1_003, totals=Totals(goods=1_003, shipping=500, points=301, total=1_202))
    paid = order.total
    for code in ("CUP", "POT"):
        for line in order.lines.filter(quantity__gt=0):
            part = LineComponent.objects.filter(line=line, sku__code=code).first()
            if part:
                cancel_units.cancel_units(order.pk, {part.pk: 1}, ask=Ask(), actor=ACTOR)
    order.refresh_from_db()
    rest = sum(line.amount for line in order.lines.all()) + order.shipping_fee - order.points
    given = sum(Refund.objects.values_list("amount", flat=True))
    assert order.total == rest == paid - given and all_is_well()


def test_what_cannot_be_cancelled_alone_is_refused_in_words(shop):
    order = ordered(shop, make_set())
    parts = dict(LineComponent.objects.values_list("sku__code", "pk"))
    everything = {parts["CUP"]: 2, parts["POT"]: 1}

    def refusal(units):
        return cancel_units.cancel_units(order.pk, units, ask=Ask(), actor=ACTOR).refused[order.pk]

    assert "注文全体" in refusal(everything)
    assert "まだ出荷していない数" in refusal({parts["CUP"]: 3})
    assert "数を入れて" in refusal({}) and "開き直して" in refusal({-1: 1})
    assert standing(order) == {"TEASET": (1, 999)}, "a refusal leaves nothing behind"
    instruct_orders([order.pk], actor=ACTOR)
    assert "出荷指示のあと" in refusal({parts["CUP"]: 1})
    assert all_is_well()


def test_the_channel_naming_the_order_again_leaves_the_components_alone(shop):
    bundle = make_set()
    told = make_channel_order(make_line(bundle.code, 1, 999))
    take_in(shop, [told], sku_of=mapped(bundle))
    order = Order.objects.get()
    Sku.objects.filter(pk=bundle.pk).update(ships_apart=True)
    take_apart.take_apart(order.pk, {order.lines.get().pk: 1}, actor=ACTOR)
    [line] = told.lines
    renamed = replace(told, lines=(replace(line, options="色: 赤"),), updated_at=clock.now())
    take_in(shop, [renamed], sku_of=mapped(bundle))
    assert standing(order) == {"CUP": (2, 500), "POT": (1, 499)} and all_is_well()
    more = replace(
        told, lines=(replace(line, quantity=2, amount=1998),), updated_at=clock.now(),
        totals=replace(told.totals, goods=1998, total=1998 + told.totals.shipping),
    )  # fmt: skip
    take_in(shop, [more], sku_of=mapped(bundle))
    assert standing(order) == {"TEASET": (2, 1998)} and all_is_well()


def test_parcels_without_taken_apart_sets_are_told_as_they_are(shop, django_assert_num_queries):
    order = ordered(shop, make_set())
    ship_all(order)
    order = Order.objects.select_related("shop").get()
    with django_assert_num_queries(1):
        [parcel] = parcels_of(order)
    assert isinstance(parcel, Parcel) and dict(parcel.lines) == {order.lines.get().channel_line_id: 1}
