"""From a taken-in order to a parcel on its way."""

import pytest

from fulfillment.models import Shipment, ShipmentLine
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Balance, BundleComponent
from inventory.services import stock
from inventory.services.audit import violations
from oms.kernel.models import Effect
from oms.kernel.search import matching
from oms.kernel.services.outbox import deliver_due
from orders.models import Mail, Order
from orders.services.cancel import cancel_orders
from orders.services.hold import hold_orders, lift_holds
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import (
    make_channel_order,
    make_line,
    make_location,
    make_shop,
    make_sku,
    mapped,
)

pytestmark = pytest.mark.django_db
ACTOR = Actor()


@pytest.fixture
def shop():
    return make_shop(capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True})


def take(shop, *lines, skus, **fields) -> Order:
    order = make_channel_order(*lines, **fields)
    take_in(shop, [order], sku_of=mapped(*skus))
    return Order.objects.get(channel_order_no=order.channel_order_no)


def balance(sku, location=None) -> tuple[int, int]:
    return Balance.objects.values_list("on_hand", "reserved").get(sku=sku, location=location, release="")


def test_an_order_goes_from_stock_to_shipped_and_everyone_is_told_once(shop):
    warehouse, chair = make_location(), make_sku(stock_units=5)
    order = take(shop, make_line("CHAIR", 2), skus=[chair])
    assert allocate_waiting() == 1
    order.refresh_from_db()
    assert (order.stage, order.allocation_state, order.location_label) == ("ready", "full", "東京倉庫")
    assert balance(chair) == (5, 2) and balance(chair, warehouse) == (5, 2)

    instructed = instruct_orders([order.pk], actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "in_fulfillment" and instructed.orders == [order.pk]
    assert instruct_orders([order.pk], actor=ACTOR).batch is None

    departure = Departure(instructed.shipments[0], "yamato", "471203984412")
    assert confirm_shipments([departure], actor=ACTOR).orders == [order.pk]
    again = confirm_shipments([departure], actor=ACTOR)
    assert not again.shipments and "すでに" in again.refused[departure.shipment_id]
    order.refresh_from_db()
    assert (order.stage, order.tracking_label) == ("shipped", "471203984412")
    assert matching(Order.objects.all(), "search", "984412").get() == order
    assert balance(chair) == (3, 0) and balance(chair, warehouse) == (3, 0)
    assert Effect.objects.filter(kind="channel_ship").count() == 1
    assert Mail.objects.filter(event="shipped").count() == 1
    assert violations() == []


def test_an_order_nobody_can_serve_whole_from_one_place_ships_from_two(shop):
    east, west = make_location("W1", priority=1), make_location("W2", name="大阪倉庫", priority=2)
    chair, desk = make_sku("CHAIR", stock_units=1, location=east), make_sku("DESK", stock_units=1, location=west)
    order = take(shop, make_line("CHAIR"), make_line("DESK"), skus=[chair, desk])
    allocate_waiting()
    instructed = instruct_orders([order.pk], actor=ACTOR)
    first, second = instructed.shipments
    confirm_shipments([Departure(first, "yamato", "1")], actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "partially_shipped"
    mails = set(Mail.objects.filter(order=order).values_list("event", flat=True))
    assert mails == {"order_received", "partially_shipped"}
    confirm_shipments([Departure(second, "yamato", "2")], actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "shipped" and Effect.objects.filter(kind="channel_ship").count() == 2


def test_one_place_that_has_everything_is_preferred_over_two(shop):
    near, full = make_location("W1", priority=1), make_location("W2", name="大阪倉庫", priority=2)
    chair, desk = make_sku("CHAIR", stock_units=1, location=near), make_sku("DESK", stock_units=1, location=full)
    stock.receive([stock.Fact(chair.pk, full.pk, 1, "test")])
    take(shop, make_line("CHAIR"), make_line("DESK"), skus=[chair, desk])
    allocate_waiting()
    assert Shipment.objects.get().location == full


def test_a_bundle_ships_its_components(shop):
    warehouse = make_location()
    chair, desk = make_sku("CHAIR", stock_units=4), make_sku("DESK", stock_units=1)
    bundle = make_sku("SET", is_bundle=True)
    BundleComponent.objects.create(bundle=bundle, component=chair, quantity=2)
    BundleComponent.objects.create(bundle=bundle, component=desk, quantity=1)
    order = take(shop, make_line("SET"), skus=[bundle])
    allocate_waiting()
    shipment = instruct_orders([order.pk], actor=ACTOR).shipments[0]
    assert dict(ShipmentLine.objects.values_list("sku__code", "quantity")) == {"CHAIR": 2, "DESK": 1}
    confirm_shipments([Departure(shipment, "yamato", "1")], actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "shipped" and balance(chair, warehouse) == (2, 0) and balance(desk) == (0, 0)


def test_stock_that_arrives_serves_the_waiting_order(shop):
    warehouse, chair = make_location(), make_sku()
    order = take(shop, skus=[chair])
    allocate_waiting()
    order.refresh_from_db()
    assert order.stage == "awaiting_stock" and not order.lines.get().reserved
    stock.receive([stock.Fact(chair.pk, warehouse.pk, 1, "arrival")])
    allocate_waiting()
    order.refresh_from_db()
    assert order.stage == "ready"


def test_cancelling_after_the_instruction_stops_the_shipment_and_returns_the_stock(shop):
    warehouse, chair = make_location(), make_sku(stock_units=1)
    order = take(shop, skus=[chair])
    allocate_waiting()
    shipment = instruct_orders([order.pk], actor=ACTOR).shipments[0]
    assert cancel_orders([order.pk], reason="顧客都合", actor=ACTOR).orders == [order.pk]
    order.refresh_from_db()
    assert order.stage == "cancelled" and Shipment.objects.get().state == "stopped"
    assert balance(chair) == (1, 0) and balance(chair, warehouse) == (1, 0)
    assert Effect.objects.filter(kind="channel_cancel").count() == 1
    refused = confirm_shipments([Departure(shipment, "yamato", "1")], actor=ACTOR).refused
    assert "この出荷は止めました" in refused[shipment]
    assert violations() == []


def test_a_held_order_does_not_leave(shop):
    chair = make_sku(stock_units=1)
    order = take(shop, skus=[chair])
    allocate_waiting()
    shipment = instruct_orders([order.pk], actor=ACTOR).shipments[0]
    hold_orders([order.pk], reason="確認中", actor=ACTOR)
    assert "保留中" in confirm_shipments([Departure(shipment, "yamato", "1")], actor=ACTOR).refused[shipment]
    lift_holds([order.pk], actor=ACTOR)
    assert confirm_shipments([Departure(shipment, "yamato", "1")], actor=ACTOR).shipments == [shipment]


def test_a_count_below_the_promises_sends_the_youngest_order_back_to_waiting(shop):
    warehouse, chair = make_location(), make_sku(stock_units=2)
    first, second = take(shop, skus=[chair]), take(shop, skus=[chair])
    allocate_waiting()
    stock.count([stock.Counted(chair.pk, warehouse.pk, 1, "count")])
    deliver_due()
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.stage, second.stage) == ("ready", "awaiting_stock")
    assert violations() == []
