"""A parcel with goods of several orders that does not leave after all: nothing is sent twice, and nobody waits for
another in a circle."""

import pytest

from fulfillment.models import Merge, Shipment, ShipmentLine
from fulfillment.services import merge, stop
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.audit import violations
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel.services.outbox import deliver_due
from orders.models import Order
from orders.services import cancel
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_shop, make_sku

ACTOR = Actor()


@pytest.fixture
def goods(db):
    return make_shop(merge_policy="ask"), make_sku(stock_units=20)


def merged(goods) -> tuple[Order, Order, int]:
    """Two orders, and the instructed parcel that carries both."""
    shop, chair = goods
    one, two = (ready(shop, skus=[chair]) for _ in range(2))
    merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    (parcel,) = instruct_orders([one.pk], actor=ACTOR).shipments
    return one, two, parcel


def settle() -> None:
    allocate_waiting()
    deliver_due()
    allocate_waiting()


def parcels_of(order: Order) -> list[Shipment]:
    rows = ShipmentLine.objects.filter(order_line__order=order).exclude(shipment__state__in=["stopped", "cancelled"])
    return [row.shipment for row in rows.select_related("shipment")]


@pytest.mark.django_db
@pytest.mark.parametrize("which", [0, 1])
def test_what_is_left_of_a_merge_after_its_parcel_was_stopped_leaves_once(goods, which):
    *orders, _parcel = merged(goods)
    cancel.cancel_orders([orders[which].pk], reason="顧客都合", actor=ACTOR)
    settle()
    left = Order.objects.get(pk=orders[1 - which].pk)
    assert [one.state for one in parcels_of(left)] == ["planned"] and left.stage == "ready"
    assert violations() == [] and Merge.objects.get().undone_at
    (parcel,) = instruct_orders([left.pk], actor=ACTOR).shipments
    assert confirm_shipments([Departure(parcel, "yamato", "471203984414")], actor=ACTOR).shipments == [parcel]
    assert violations() == []


@pytest.mark.django_db
def test_an_instruction_of_merged_orders_that_is_taken_back_leaves_them_free_to_meet_again(goods):
    one, two, _parcel = merged(goods)
    stop.take_back([one.pk], note="取り消し", actor=ACTOR)
    settle()
    assert violations() == []
    assert [len(parcels_of(order)) for order in (one, two)] == [1, 1]
    merge.merge_orders([one.pk, two.pk], actor=ACTOR)
    assert parcels_of(one) == parcels_of(two) and violations() == []


@pytest.mark.django_db
def test_a_merge_is_not_taken_apart_while_its_location_is_asked_to_stop_the_parcel(goods):
    _one, _two, parcel = merged(goods)
    Shipment.objects.filter(pk=parcel).update(state="stop_requested")
    with pytest.raises(merge.CannotMerge):
        merge.undo(Merge.objects.get().pk, actor=ACTOR)


@pytest.mark.django_db(transaction=True)
def test_cancelling_both_orders_of_a_parcel_while_it_leaves_never_stands_in_a_circle(race, goods):
    for _round in range(3):
        one, two, parcel = merged(goods)
        verbs = (
            lambda pk=one.pk: cancel.cancel_orders([pk], reason="顧客都合", actor=ACTOR),
            lambda pk=two.pk: cancel.cancel_orders([pk], reason="顧客都合", actor=ACTOR),
            lambda pk=parcel: confirm_shipments([Departure(pk, "yamato", "471203984414")], actor=ACTOR),
        )
        outcomes = race(6, lambda number, verbs=verbs: verbs[number % 3]())
        assert [one for one in outcomes if isinstance(one, Exception)] == []
        assert violations() == []
