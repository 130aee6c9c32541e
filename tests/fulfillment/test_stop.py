"""Stop requests: a parcel that shall not leave, and what its location answers."""

from dataclasses import replace

import pytest

from fulfillment.models import Shipment, StopRequest
from fulfillment.services import stop
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations as shipment_violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.printing import record_printed
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Balance, Location
from inventory.services.audit import violations as stock_violations
from oms.kernel.models import Effect
from orders.channel_order import ChannelState
from orders.models import Cancellation, Mail, Order, Refund, ReturnCase
from orders.services.audit import violations as order_violations
from orders.services.cancel import Ask, cancel_orders, cancel_pieces
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
ACTOR = Actor()
NUMBER = "471203984414"


@pytest.fixture
def shop():
    return make_shop(capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True})


def instructed(shop, *lines, skus, printed=True, **fields) -> tuple[Order, Shipment]:
    """An order whose parcel the warehouse has begun with (its papers are printed)."""
    told = make_channel_order(*lines, **fields)
    take_in(shop, [told], sku_of=mapped(*skus))
    allocate_waiting()
    order = Order.objects.get(channel_order_no=told.channel_order_no)
    shipment = Shipment.objects.get(pk=instruct_orders([order.pk], actor=ACTOR).shipments[0])
    if printed:
        record_printed([shipment.pk], "pick_printed", by=None)
    return order, shipment


def again(row):
    row.refresh_from_db()
    return row


def all_is_true():
    assert [*stock_violations(), *shipment_violations(), *order_violations()] == []


def balance(sku, location=None) -> tuple[int, int]:
    return Balance.objects.values_list("on_hand", "reserved").get(sku=sku, location=location, release="")


def test_story_11_cancel_after_release_and_the_warehouse_stops_the_parcel(shop):
    warehouse, chair = make_location(), make_sku(stock_units=3)
    order, shipment = instructed(shop, make_line("CHAIR", 2), skus=[chair])
    asked = cancel_orders([order.pk], ask=Ask(reason="customer", asked_by="customer"), actor=ACTOR)
    assert (asked.orders, asked.waiting) == ([], [order.pk])
    assert again(order).stage == "in_fulfillment" and order.stop_asked_at is not None
    assert again(shipment).state == "stop_requested" and balance(chair, warehouse) == (3, 2)
    assert not Effect.objects.filter(kind="channel_cancel").exists(), "the channel is told only what is sure"
    refused = confirm_shipments([Departure(shipment.pk, "yamato", NUMBER)], actor=ACTOR).refused
    assert "出荷停止を依頼されています" in refused[shipment.pk]
    all_is_true()

    assert stop.stopped(shipment.pk, actor=ACTOR).cancelled == [order.pk]
    assert again(order).stage == "cancelled" and order.stop_asked_at is None
    assert again(shipment).state == "stopped"
    assert balance(chair, warehouse) == (3, 0) and balance(chair) == (3, 0)
    assert Effect.objects.filter(kind="channel_cancel").count() == 1
    assert Mail.objects.filter(event="cancelled").count() == 1
    assert Refund.objects.get().amount == order.total
    assert stop.stopped(shipment.pk, actor=ACTOR).refused, "an answer is given once"
    assert Effect.objects.filter(kind="channel_cancel").count() == 1
    all_is_true()


def test_story_11_cancel_after_release_comes_too_late(shop):
    warehouse, chair = make_location(), make_sku(stock_units=3)
    order, shipment = instructed(shop, make_line("CHAIR", 2), skus=[chair])
    cancel_orders([order.pk], ask=Ask(reason="customer"), actor=ACTOR)
    assert "送り状番号" in stop.too_late(shipment.pk, carrier="yamato", tracking_no=" ", actor=ACTOR).refused
    answered = stop.too_late(shipment.pk, carrier="yamato", tracking_no=NUMBER, actor=ACTOR)
    assert again(order).stage == "shipped" and order.tracking_label == NUMBER and order.stop_asked_at is None
    assert order.cancelled_at is None and Cancellation.objects.get().state == "too_late"
    assert balance(chair, warehouse) == (1, 0) and balance(chair) == (1, 0)
    assert Effect.objects.filter(kind="channel_ship").count() == 1
    assert Mail.objects.filter(event="shipped").count() == 1 and not Mail.objects.filter(event="cancelled").exists()
    case = ReturnCase.objects.get(pk=answered.cases[0])
    assert (case.state, case.reason, case.lines.get().quantity) == ("requested", "too_late", 2)
    assert stop.too_late(shipment.pk, carrier="yamato", tracking_no=NUMBER, actor=ACTOR).refused
    assert ReturnCase.objects.count() == 1 and not Refund.objects.exists()
    all_is_true()


def test_a_parcel_nobody_has_begun_with_stops_by_itself(shop):
    chair = make_sku(stock_units=1)
    order, shipment = instructed(shop, skus=[chair], printed=False)
    assert cancel_orders([order.pk], reason="顧客都合", actor=ACTOR).orders == [order.pk]
    assert again(order).stage == "cancelled" and again(shipment).state == "stopped"
    assert StopRequest.objects.get().state == "stopped" and balance(chair) == (1, 0)
    all_is_true()


def test_a_location_that_wants_to_be_asked_is_asked_and_a_store_always_is(shop):
    warehouse, chair = make_location(), make_sku(stock_units=2)
    stop.set_policy(warehouse.pk, automatic=False)
    order, _shipment = instructed(shop, skus=[chair], printed=False)
    assert cancel_orders([order.pk], reason="顧客都合", actor=ACTOR).waiting == [order.pk]
    Location.objects.update(kind="store")
    stop.StopPolicy.objects.all().delete()
    other, _shipment = instructed(shop, skus=[chair], printed=False)
    assert cancel_orders([other.pk], reason="顧客都合", actor=ACTOR).waiting == [other.pk]


def test_asking_twice_is_one_request(shop):
    order, _shipment = instructed(shop, skus=[make_sku(stock_units=1)])
    cancel_orders([order.pk], ask=Ask(key="click"), actor=ACTOR)
    cancel_orders([order.pk], ask=Ask(key="click"), actor=ACTOR)
    refused = cancel_orders([order.pk], ask=Ask(key="another"), actor=ACTOR).refused
    assert "出荷停止を依頼中" in refused[order.pk]
    assert StopRequest.objects.count() == 1 and Cancellation.objects.count() == 1


def test_a_stop_for_a_change_holds_the_order_until_it_is_changed(shop):
    chair = make_sku(stock_units=1)
    order, shipment = instructed(shop, skus=[chair])
    assert stop.ask_for_change([order.pk], note="住所変更", actor=ACTOR).waiting == [order.pk]
    assert stop.stopped(shipment.pk, actor=ACTOR).to_change == [order.pk]
    assert again(order).stage == "on_hold" and order.fulfillment_state == "none" and balance(chair) == (1, 1)
    allocate_waiting()
    all_is_true()


def test_a_withdrawn_request_lets_the_parcel_go_on(shop):
    order, shipment = instructed(shop, skus=[make_sku(stock_units=1)])
    cancel_orders([order.pk], reason="顧客都合", actor=ACTOR)
    assert stop.withdraw(order.pk, actor=ACTOR) == 1
    assert again(shipment).state == "instructed" and again(order).stop_asked_at is None
    assert Cancellation.objects.get().state == "withdrawn"
    assert confirm_shipments([Departure(shipment.pk, "yamato", NUMBER)], actor=ACTOR).shipments == [shipment.pk]
    all_is_true()


def test_pieces_of_a_parcel_under_way_wait_for_the_answer_and_the_rest_goes_back_to_ready(shop):
    chair = make_sku(stock_units=3)
    order, shipment = instructed(shop, make_line("CHAIR", 3), skus=[chair])
    line = order.lines.get()
    asked = cancel_pieces(order.pk, {line.pk: 1}, ask=Ask(reason="customer"), actor=ACTOR)
    assert asked.waiting == [order.pk] and again(line).quantity == 3
    stop.stopped(shipment.pk, actor=ACTOR)
    assert (again(line).quantity, line.cancelled_quantity, line.amount) == (2, 1, 2000)
    allocate_waiting()
    assert again(order).stage == "ready" and balance(chair) == (3, 2) and order.total == 2500
    assert Refund.objects.get().amount == 1000
    all_is_true()


def test_the_channel_cancels_while_the_warehouse_works_and_nobody_asks_twice(shop):
    told = make_channel_order()
    chair = make_sku(stock_units=1)
    take_in(shop, [told], sku_of=mapped(chair))
    allocate_waiting()
    order = Order.objects.get()
    shipment = instruct_orders([order.pk], actor=ACTOR).shipments[0]
    record_printed([shipment], "pick_printed", by=None)
    for extra in ("900", "910"):
        gone = replace(told, state=ChannelState.CANCELLED, channel_state=extra)
        take_in(shop, [gone], sku_of=mapped(chair))
    assert again(order).stage == "in_fulfillment" and StopRequest.objects.count() == 1
    stop.stopped(shipment, actor=ACTOR)
    assert again(order).stage == "cancelled" and not Effect.objects.filter(kind="channel_cancel").exists()
    all_is_true()
