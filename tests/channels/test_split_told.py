"""Split orders at every mall, over HTTP: which numbers the mall is told, and that each parcel's mail names its own."""

import pytest

from channels.connectors.registry import CONNECTORS
from channels.models import Connection
from fulfillment.models import Shipment
from fulfillment.services import split
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.models import Mail, Order
from orders.services import mail_texts
from orders.services.journal import Actor
from tests.channels.demo_shops import demo_company, mapped_listing, sandbox, settle, shop_of, time, world

__all__ = ["demo_company", "sandbox", "shop_of", "time", "world"]
pytestmark = pytest.mark.django_db
ACTOR = Actor()
NUMBERS = ("471203984412", "471203984423", "471203984434")

# What each mall shows in the end of three parcels with one piece each of one line.
TOLD = {
    "amazon": set(NUMBERS),
    "rakuten": set(NUMBERS),
    "yahoo": {*NUMBERS[:2], f"ヤマト運輸 {NUMBERS[2]}"},  # two fields, and a note for the others
    "qoo10": {NUMBERS[0]},  # one number a line: the first, unless the shop wants the last
    "futureshop": {" ".join(NUMBERS)},  # one field for all of them
}


def test_what_each_mall_is_told_is_known():
    assert set(TOLD) == set(CONNECTORS)


def in_three_parcels(world, connection) -> tuple[object, Order]:
    """An order of three pieces, imported, confirmed, and instructed as three parcels."""
    mail_texts.ensure_standard_templates()
    key, _sku = mapped_listing(world, connection.shop.channel)
    placed = world.place_order(connection.shop.channel, [(key, 3)], payment="card", remarks="", traits=())
    settle(connection)
    order = Order.objects.get(shop=connection.shop)
    assert order.stage == "ready", (order.stage, order.channel_state)
    line = order.lines.get().pk
    for _twice in range(2):
        whole = Shipment.objects.filter(recipient__order=order).order_by("reference").first()
        split.split_off(whole.pk, {line: 1}, actor=ACTOR)
    assert len(instruct_orders([order.pk], actor=ACTOR).shipments) == 3
    return placed, order


def leave(order: Order, *places: int) -> None:
    """These parcels leave, one after another, and the mall is told after each."""
    parcels = list(Shipment.objects.filter(recipient__order=order).order_by("reference").values_list("pk", flat=True))
    for place in places:
        confirm_shipments([Departure(parcels[place], "yamato", NUMBERS[place])], actor=ACTOR)
        outbox.deliver_due()


def told(world, connection, placed) -> set[str]:
    """The numbers that the mall shows, where it keeps them."""
    kept = world.order(connection.shop.channel, placed.number)
    if rows := kept.extra.get("shipping"):
        return {row["shippingNumber"] for row in rows}
    if fields := kept.extra.get("ship"):
        return {text for name, text in fields.items() if name.startswith(("ShipInvoiceNumber", "ShipNotes"))}
    return {parcel.tracking for parcel in kept.parcels if parcel.tracking}


def undelivered() -> list[tuple[str, str]]:
    rows = Effect.objects.filter(kind__startswith="channel_").exclude(state="done")
    return list(rows.values_list("kind", "last_error"))


@pytest.mark.parametrize("channel", sorted(CONNECTORS))
def test_three_parcels_of_one_line_reach_the_mall_and_the_buyer(channel, world, shop_of):
    connection = shop_of[channel]
    placed, order = in_three_parcels(world, connection)
    leave(order, 0, 1, 2)
    order.refresh_from_db()
    assert order.stage == "shipped" and not undelivered()
    assert world.order(channel, placed.number).state == "shipped"
    assert told(world, connection, placed) == TOLD[channel]
    mails = Mail.objects.filter(order=order, event__in=["shipped", "partially_shipped"]).order_by("pk")
    assert [mail.extra["shipment.tracking_no"] for mail in mails] == list(NUMBERS), "each parcel's mail names its own"
    assert [mail.event for mail in mails] == ["partially_shipped", "partially_shipped", "shipped"]


@pytest.mark.parametrize(("wanted", "last"), [("first", NUMBERS[0]), ("last", NUMBERS[2])])
def test_a_mall_with_one_number_a_line_is_told_the_one_the_shop_wants(wanted, last, world, shop_of):
    connection = shop_of["qoo10"]
    Connection.objects.filter(pk=connection.pk).update(told_number=wanted)
    placed, order = in_three_parcels(world, connection)
    leave(order, 0, 1)
    assert told(world, connection, placed) == ({NUMBERS[0]} if wanted == "first" else set())
    leave(order, 2)
    assert told(world, connection, placed) == {last} and not undelivered()
    assert set(Mail.objects.filter(order=order, event__contains="shipped").values_list("event", flat=True)) == {
        "shipped",
        "partially_shipped",
    }
