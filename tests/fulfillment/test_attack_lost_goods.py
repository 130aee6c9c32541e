"""Goods that go missing between the instruction and the parcel must neither double nor strand an order."""

import pytest

from fulfillment.actions import plan_instruct
from fulfillment.models import ReleaseTime, Shipment
from fulfillment.services import allocate, release
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Balance
from inventory.services import stock
from inventory.services.audit import violations
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services.outbox import deliver_due
from orders.models import Mail
from orders.services.journal import Actor
from tests.fulfillment.test_flow import take
from tests.orders.builders import make_line, make_location, make_shop, make_sku

pytestmark = pytest.mark.django_db
ACTOR = Actor()


@pytest.fixture
def shop():
    return make_shop(capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True})


def lose(sku, location, units: int) -> None:
    """So many were found broken; the lines concerned are told."""
    stock.correct([stock.Fact(sku.pk, location.pk, -units, "damage")])
    deliver_due()


def test_an_instructed_order_that_lost_its_goods_waits_and_is_served_again(shop):
    warehouse, chair = make_location(), make_sku(stock_units=1)
    order = take(shop, skus=[chair])
    allocate_waiting()
    instruct_orders([order.pk], actor=ACTOR)
    lose(chair, warehouse, 1)
    order.refresh_from_db()
    assert Shipment.objects.get().state == "cancelled"
    assert (order.fulfillment_state, order.stage) == ("none", "awaiting_stock")
    stock.receive([stock.Fact(chair.pk, warehouse.pk, 1, "arrival")])
    allocate_waiting()
    order.refresh_from_db()
    assert order.stage == "ready" and violations() == []


def test_the_rest_of_a_half_shipped_line_is_shipped_once_and_no_more(shop):
    east, west = make_location("W1", priority=1), make_location("W2", name="大阪倉庫", priority=2)
    chair = make_sku(stock_units=3, location=east)
    stock.receive([stock.Fact(chair.pk, west.pk, 2, "test")])
    order = take(shop, make_line("CHAIR", 5), skus=[chair])
    allocate_waiting()
    instruct_orders([order.pk], actor=ACTOR)
    confirm_shipments([Departure(Shipment.objects.get(location=east).pk, "yamato", "1")], actor=ACTOR)
    lose(chair, west, 2)
    order.refresh_from_db()
    assert order.stage == "partially_shipped"

    stock.receive([stock.Fact(chair.pk, west.pk, 20, "arrival")])
    allocate_waiting()
    line = order.lines.get()
    assert (line.allocated_quantity, line.shipped_quantity) == (5, 3)
    assert Balance.objects.get(sku=chair, location=None, release="").reserved == 2
    assert plan_instruct([order.pk], {}).will == [order.pk]
    again = instruct_orders([order.pk], actor=ACTOR)
    assert len(again.shipments) == 1
    assert plan_instruct([order.pk], {}).will == []
    confirm_shipments([Departure(again.shipments[0], "yamato", "2")], actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "shipped" and order.lines.get().shipped_quantity == 5
    assert Balance.objects.get(sku=chair, location=west).on_hand == 18 and violations() == []


def test_the_clock_releases_the_rest_of_a_half_shipped_order_too(shop):
    east, west = make_location("W1", priority=1), make_location("W2", name="大阪倉庫", priority=2)
    chair, desk = make_sku("CHAIR", stock_units=1, location=east), make_sku("DESK", stock_units=1, location=west)
    order = take(shop, make_line("CHAIR"), make_line("DESK"), skus=[chair, desk])
    allocate_waiting()
    instruct_orders([order.pk], actor=ACTOR)
    confirm_shipments([Departure(Shipment.objects.get(location=east).pk, "yamato", "1")], actor=ACTOR)
    lose(desk, west, 1)
    stock.receive([stock.Fact(desk.pk, west.pk, 1, "arrival")])
    allocate_waiting()
    assert release.release_ready() == 1 and release.release_ready() == 0
    assert Shipment.objects.filter(state="instructed").count() == 1


def test_parcels_that_leave_together_are_told_in_one_mail_and_one_notice(shop):
    east, west = make_location("W1", priority=1), make_location("W2", name="大阪倉庫", priority=2)
    chair, desk = make_sku("CHAIR", stock_units=1, location=east), make_sku("DESK", stock_units=1, location=west)
    order = take(shop, make_line("CHAIR"), make_line("DESK"), skus=[chair, desk])
    allocate_waiting()
    both = instruct_orders([order.pk], actor=ACTOR).shipments
    confirm_shipments([Departure(pk, "yamato", f"{n}") for n, pk in enumerate(both, 1)], actor=ACTOR)
    assert Mail.objects.filter(event="shipped").count() == 1
    assert Effect.objects.filter(kind="channel_ship").count() == 1


def test_a_worker_killed_in_the_middle_of_a_release_leaves_it_due(shop, monkeypatch):
    chair = make_sku(stock_units=1)
    order = take(shop, skus=[chair])
    allocate_waiting()
    ReleaseTime.objects.create(at=clock.in_tokyo(clock.now()).time().replace(hour=0, minute=0), active=True)

    def killed():
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(release, "release_ready", killed)
        with pytest.raises(SystemExit):
            release.release_due()
    assert release.release_due() == 1
    order.refresh_from_db()
    assert order.stage == "in_fulfillment"
    assert release.release_due() == 0


def test_an_order_that_cannot_be_placed_keeps_no_other_from_its_place(shop, monkeypatch):
    chair = make_sku(stock_units=3)
    orders = [take(shop, skus=[chair]) for _ in range(3)]
    lines_waiting = allocate._lines_waiting

    def stumble(order_ids):
        if orders[1].pk in order_ids:
            raise KeyError("a fault of ours")
        return lines_waiting(order_ids)

    monkeypatch.setattr(allocate, "_lines_waiting", stumble)
    assert allocate_waiting() == 2
    for order in orders:
        order.refresh_from_db()
    assert [order.stage for order in orders] == ["ready", "awaiting_stock", "ready"]
