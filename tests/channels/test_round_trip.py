"""Every channel, over HTTP: an order comes in, is confirmed, shipped and told; a sale lowers the other channels."""

from datetime import UTC, datetime

import pytest

from channels.connectors.registry import CONNECTORS
from channels.models import ApiCall, Listing, QuarantinedOrder, RawOrder
from channels.services import intake, publish, shops
from fulfillment.models import Shipment
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.models import Order
from orders.services.journal import Actor
from tests.channels.demo_shops import demo_company, mapped_listing, sandbox, settle, shop_of, time, world

__all__ = ["demo_company", "sandbox", "shop_of", "time", "world"]
pytestmark = pytest.mark.django_db

CHANNELS = sorted(CONNECTORS)
EVERYDAY_SKU = "FOD001"


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_order_is_imported_confirmed_shipped_and_told(channel, world, shop_of):
    key, sku = mapped_listing(world, channel)
    placed = world.place_order(channel, [(key, 2)], remarks="", traits=())
    connection = shop_of[channel]
    settle(connection)
    if placed.payment.state == "unpaid":
        world.pay(channel, placed.number)
        settle(connection)
    order = Order.objects.get(shop=connection.shop)
    assert order.channel_order_no == placed.number
    assert order.lines.get().sku.code == sku and order.total == placed.amount_due
    assert not list(order.reasons.filter(state="open", level="block").values_list("code", "evidence"))
    assert order.stage == "ready", (order.channel_state, order.phase, order.payment_state)
    assert RawOrder.objects.filter(shop=connection.shop, is_current=True).count() == 1

    instructed = instruct_orders([order.pk], actor=Actor())
    confirm_shipments([Departure(instructed.shipments[0], "yamato", "471203984412")], actor=Actor())
    outbox.deliver_due()
    order.refresh_from_db()
    failed = Effect.objects.filter(state__in=["failed", "waiting"]).values_list("kind", "last_error")
    assert order.stage == "shipped" and not failed, list(failed)
    told = world.order(channel, placed.number)
    assert told.state == "shipped" and [parcel.tracking for parcel in told.parcels] == ["471203984412"]
    again = intake.pull(connection)
    assert again.created == 0 and Order.objects.count() == 1 and not QuarantinedOrder.objects.exists()


def test_all_five_shops_in_one_run_without_one_refused_request(world, shop_of):
    """Pulled, confirmed, shipped and pushed; the malls' own rules would have said so."""
    placed = {}
    for channel in CHANNELS:
        key, _sku = mapped_listing(world, channel)
        placed[channel] = world.place_order(channel, [(key, 2)], payment="card", remarks="", traits=())
    for connection in shop_of.values():
        settle(connection)
    orders = {order.shop.channel: order for order in Order.objects.select_related("shop")}
    assert {channel: order.stage for channel, order in orders.items()} == dict.fromkeys(CHANNELS, "ready")
    parcels = instruct_orders([order.pk for order in orders.values()], actor=Actor()).shipments
    numbers = [f"47120398441{place}" for place in range(len(parcels))]
    confirm_shipments(
        [Departure(parcel, "yamato", no) for parcel, no in zip(parcels, numbers, strict=True)], actor=Actor()
    )
    outbox.deliver_due()
    for channel, connection in shop_of.items():
        Listing.objects.filter(shop=connection.shop).exclude(sku__in=orders[channel].lines.values("sku")).update(
            desired_at=None
        )
        publish.consume_marks()
        assert not publish.push_shop(connection).failed
        clock.sleep(900)
        publish.read_back(
            connection,
            list(
                Listing.objects.filter(shop=connection.shop, sent_at__isnull=False)[:5].values_list("code", flat=True)
            ),
        )
        settle(connection)
    told = {channel: world.order(channel, one.number) for channel, one in placed.items()}
    assert {one.state for one in told.values()} == {"shipped"}
    assert sorted(parcel.tracking for one in told.values() for parcel in one.parcels) == numbers
    assert not Effect.objects.exclude(state="done").filter(kind__startswith="channel_").exists()
    refused = ApiCall.objects.filter(ok=False).values_list("shop__channel", "operation", "status", "error")
    assert not list(refused)
    assert set(ApiCall.objects.values_list("shop__channel", flat=True)) == set(CHANNELS)
    assert all(one.accepted for one in world.journal())


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_demo_listings_carry_the_codes_that_the_channel_itself_names(channel, shop_of):
    connection = shop_of[channel]
    ours = dict(Listing.objects.filter(shop=connection.shop).values_list("code", "channel_sku"))
    seen = 0
    for page in shops.connector_of(connection).list_listings():
        for info in page:
            if info.code in ours:
                assert ours[info.code] == info.channel_sku
                seen += 1
        if seen >= 40:
            break
    assert seen >= 20


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_changed_stock_reaches_the_channel_and_is_confirmed(channel, world, shop_of):
    _key, sku = mapped_listing(world, channel)
    connection = shop_of[channel]
    Listing.objects.exclude(sku__code=sku).update(desired_at=None)
    pushed = publish.push_all(connection, sku_codes=[sku])
    assert pushed.pushed == 1 and not pushed.failed
    listing = Listing.objects.exclude(mode="stopped").get(shop=connection.shop, sku__code=sku)
    clock.sleep(300)
    publish.read_back(connection, [listing.code])
    listing.refresh_from_db()
    assert listing.sent == listing.confirmed == listing.desired == world.catalogue.online_stock(sku)


def test_a_sale_on_one_channel_lowers_what_the_others_show(world, shop_of):
    key, sku = mapped_listing(world, "rakuten")
    publish.consume_marks()
    Listing.objects.update(desired_at=None, sent=0)
    world.place_order("rakuten", [(key, 3)], remarks="")
    settle(shop_of["rakuten"])
    publish.consume_marks()
    waiting = Listing.objects.filter(desired_at__isnull=False).exclude(shop__channel="rakuten")
    left = world.catalogue.online_stock(sku) - 3
    assert waiting.exists()
    assert {(listing.sku.code, listing.desired) for listing in waiting} == {(sku, left)}
    for listing in waiting.exclude(shop__channel="amazon"):
        publish.push_shop(shop_of[listing.shop.channel])
        listing.refresh_from_db()
        assert listing.sent == left and listing.sent_at > datetime(2020, 1, 1, tzinfo=UTC)


def test_shipments_are_told_once_even_when_the_outbox_runs_twice(world, shop_of):
    key, _sku = mapped_listing(world, "rakuten")
    placed = world.place_order("rakuten", [(key, 1)], remarks="", payment="card")
    settle(shop_of["rakuten"])
    order = Order.objects.get()
    shipment = instruct_orders([order.pk], actor=Actor()).shipments[0]
    confirm_shipments([Departure(shipment, "sagawa", "300000000001")], actor=Actor())
    outbox.deliver_due()
    Effect.objects.filter(kind="channel_ship").update(state="waiting")
    outbox.deliver_due()
    assert len(world.order("rakuten", placed.number).parcels) == 1
    assert Shipment.objects.get().state == "shipped"
