"""セットに戻す: a set that was taken apart is again what it was, to the yen and to the place."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulfillment.models import Shipment, ShipmentLine
from fulfillment.services import shortage
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as parcel_violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.stop import ask_for_change
from inventory.models import BundleComponent, Sku
from inventory.services import stock
from inventory.services.audit import violations as stock_violations
from orders.channel_order import Totals
from orders.models import LineComponent, Order, OrderEvent, OrderLine, SetApart
from orders.services import cancel_units, hold, take_apart
from orders.services.audit import violations as order_violations
from orders.services.cancel import Ask
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.put_together import CannotPutTogether, put_together
from orders.services.reservation import ref_of
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
ACTOR = Actor()
KEPT = ("pk", "sku", "quantity", "cancelled_quantity", "unit_price", "amount", "discount", "reserved",
        "allocated_quantity", "shipped_quantity", "apart")  # fmt: skip
CARRIED = ("shipment__reference", "shipment__location", "shipment__state", "order_line", "sku", "quantity",
           "line_quantity")  # fmt: skip
SUMS = ("goods", "discount", "total", "points", "quantity", "allocation_state", "location_label", "stage")


def make_set(*, cups=9, pots=9, pot_at=None, prices=(250, 500), counts=(2, 1)) -> Sku:
    cup = make_sku("CUP", stock_units=cups, price=prices[0])
    pot = make_sku("POT", stock_units=pots, location=pot_at, price=prices[1])
    tea = make_sku("TEASET", is_bundle=True, ships_apart=True)
    for part, count in ((cup, counts[0]), (pot, counts[1])):
        BundleComponent.objects.get_or_create(bundle=tea, component=part, defaults={"quantity": count})
    return tea


def ordered(bundle, pieces=1, price=999, **fields) -> Order:
    shop = make_shop(capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True})
    told = make_channel_order(make_line(bundle.code, pieces, price), **fields)
    take_in(shop, [told], sku_of=mapped(bundle))
    allocate_waiting()
    return Order.objects.get(channel_order_no=told.channel_order_no)


def state(order: Order) -> dict:
    """All that undoing has to bring back."""
    lines = list(order.lines.order_by("pk").values_list(*KEPT))
    held = stock.held_by(ref_of(line[0]) for line in lines)
    parcels = ShipmentLine.objects.filter(order_line__order=order).order_by("shipment__reference", "sku")
    return {
        "lines": lines,
        "order": Order.objects.filter(pk=order.pk).values_list(*SUMS).get(),
        "held": sorted((h.ref, h.sku_id, h.location_id or 0, h.quantity) for h in held),
        "parcels": list(parcels.values_list(*CARRIED)),
        "balances": {code: stock.available([pk])[pk] for pk, code in Sku.objects.values_list("pk", "code")},
    }


def all_is_well() -> bool:
    return [*parcel_violations(), *stock_violations(), *order_violations()] == []


def apart(order: Order, pieces: int) -> SetApart:
    take_apart.take_apart(order.pk, {order.lines.get(set_line=None).pk: pieces}, actor=ACTOR)
    return SetApart.objects.latest("pk")


@pytest.mark.parametrize("placed_between", [True, False])
@pytest.mark.parametrize("pieces", [1, 3])
def test_undoing_brings_back_lines_yen_promises_places_and_parcels(pieces, placed_between):
    order = ordered(make_set(), pieces=3, totals=Totals(goods=2997, shipping=500, discount=100, total=3397))
    before = state(order)
    assert before["parcels"] and before["order"][-2] == "東京倉庫"
    taking = apart(order, pieces)
    if placed_between:
        allocate_waiting()
    assert state(order)["lines"] != before["lines"] and all_is_well()
    assert put_together(taking.pk, actor=ACTOR)
    assert state(order) == before and all_is_well()
    assert not put_together(taking.pk, actor=ACTOR), "the second click finds it done"
    assert state(order) == before
    kinds = list(
        OrderEvent.objects.filter(order=order, kind__startswith="set_").order_by("pk").values_list("kind", flat=True)
    )
    assert kinds == ["set_apart", "set_whole"]


def test_takings_are_undone_each_for_itself():
    order = ordered(make_set(), pieces=3)
    before = state(order)
    first, second = apart(order, 1), apart(order, 1)
    allocate_waiting()
    put_together(first.pk, actor=ACTOR)
    assert order.lines.get(set_line=None).quantity == 2
    put_together(second.pk, actor=ACTOR)
    allocate_waiting()
    after = state(order)
    assert after["lines"] == before["lines"] and after["held"] == before["held"] and all_is_well()


def test_a_set_of_which_a_component_waits_waits_whole_again():
    order = ordered(make_set(pots=0))
    before = state(order)
    taking = apart(order, 1)
    allocate_waiting()
    assert order.lines.filter(reserved=True).get().sku.code == "CUP"
    put_together(taking.pk, actor=ACTOR)
    assert state(order) == before and before["held"] == [] and all_is_well()


def test_a_place_that_was_taken_meanwhile_is_looked_for_anew():
    osaka = make_location("W2", name="大阪倉庫", priority=200)
    bundle = make_set(cups=2, pots=1)
    order = ordered(bundle)
    make_sku("CUP", stock_units=2, location=osaka)
    make_sku("POT", stock_units=1, location=osaka)
    taking = apart(order, 1)
    other = ordered(bundle)
    assert other.lines.get().allocated_quantity == 1, "it got the place in Tokyo"
    allocate_waiting()
    put_together(taking.pk, actor=ACTOR)
    allocate_waiting()
    order.refresh_from_db()
    assert order.lines.get().allocated_quantity == 1 and order.stage == "ready" and all_is_well()


def test_what_has_changed_since_is_not_undone_and_says_why():
    order = ordered(make_set(), pieces=2)
    pot = LineComponent.objects.get(line__order=order, sku__code="POT")
    cancel_units.cancel_units(order.pk, {pot.pk: 1}, ask=Ask(reason="customer", key="k"), actor=ACTOR)
    with pytest.raises(CannotPutTogether, match="数が変わった"):
        put_together(SetApart.objects.get().pk, actor=ACTOR)
    left = apart(order, 1)
    allocate_waiting()
    instruct_orders([order.pk], actor=ACTOR)
    with pytest.raises(CannotPutTogether, match="出荷指示のあと"):
        put_together(left.pk, actor=ACTOR)
    assert all_is_well()


def test_a_parcel_that_was_stopped_keeps_its_contents():
    """The parcel's page still says what it was to carry, though the components are a set again."""
    order = ordered(make_set())
    taking = apart(order, 1)
    allocate_waiting()
    [parcel] = instruct_orders([order.pk], actor=ACTOR).shipments
    ask_for_change([order.pk], note="", actor=ACTOR)
    hold.lift_holds([order.pk], actor=ACTOR)
    assert Shipment.objects.get(pk=parcel).state == "stopped"
    put_together(taking.pk, actor=ACTOR)
    allocate_waiting()
    assert ShipmentLine.objects.filter(shipment=parcel).count() == 2
    assert list(order.lines.filter(quantity__gt=0).values_list("sku__code", "quantity")) == [("TEASET", 1)]
    assert sum(OrderLine.objects.filter(order=order).values_list("amount", flat=True)) == 999 and all_is_well()


def test_undoing_what_is_sent_ahead_puts_the_set_together():
    order = ordered(make_set(pots=0))
    before = state(order)
    assert shortage.send_what_is_there([order.pk], actor=ACTOR) == ([order.pk], {})
    allocate_waiting()
    assert shortage.send_together({order.pk: []}, actor=ACTOR) == [order.pk]
    assert state(order) == before and all_is_well()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    prices=st.tuples(st.integers(0, 5000), st.integers(0, 5000)),
    counts=st.tuples(st.integers(1, 4), st.integers(1, 3)),
    sold=st.tuples(st.integers(1, 5), st.integers(0, 9999), st.integers(0, 3000)),
    steps=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    backwards=st.booleans(),
)
def test_however_often_it_is_taken_apart_the_yen_come_back(prices, counts, sold, steps, backwards):
    pieces, price, discount = sold
    Sku.objects.filter(code__in=["CUP", "POT"]).update(price=0)
    BundleComponent.objects.all().delete()
    bundle = make_set(cups=40, pots=40, prices=prices, counts=counts)
    for code, own in zip(("CUP", "POT"), prices, strict=True):
        Sku.objects.filter(code=code).update(price=own)
    goods = price * pieces
    off = min(discount, goods)
    order = ordered(bundle, pieces, price, totals=Totals(goods=goods, shipping=0, discount=off, total=goods - off))
    OrderLine.objects.filter(order=order).update(discount=off)
    before = list(order.lines.values_list(*KEPT[:7]))
    takings = []
    for step in steps:
        if step <= order.lines.get(set_line=None).quantity:
            takings.append(apart(order, step).pk)
        sums = list(order.lines.values_list("amount", "discount"))
        assert [sum(column) for column in zip(*sums, strict=True)] == [goods, off]
    for taking in reversed(takings) if backwards else takings:
        put_together(taking, actor=ACTOR)
    assert list(order.lines.values_list(*KEPT[:7])) == before
