"""A few days of work in which every number has something to count."""

from datetime import timedelta
from uuid import uuid4

from channels.models import Listing, OversellCase, PushLog
from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel import clock
from oms.kernel.models import User
from oms.pages.services import figures
from orders.models import Order
from orders.services import bulk, review
from orders.services.cancel import cancel_orders
from orders.services.hold import hold_orders, lift_holds
from orders.services.intake import take_in
from orders.services.journal import SYSTEM, Actor
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped


def click(person: User) -> Actor:
    return Actor(by=person, action=uuid4().hex)


def some_days(person: User) -> dict[str, Order]:
    """Orders by number: A left by itself, B by one bulk click, C after a hold, late; D we cancelled, E is open with
    a question, F is oversold, G at another shop."""
    now = clock.now()
    shop = make_shop()
    other = make_shop("yahoo-1", name="Yahoo!店", channel="yahoo", channel_label="Yahoo!ショッピング", capabilities={})
    chair = make_sku("CHAIR", stock_units=50)
    late = {"ship_by": now - timedelta(hours=1)}
    plain = [
        make_channel_order(
            make_line("CHAIR"), number=no, ordered_at=now - timedelta(minutes=20 + i), **(late if no == "C" else {})
        )
        for i, no in enumerate("ABCDF")
    ]
    asks = make_channel_order(number="E", ordered_at=now - timedelta(hours=1), remarks="色は何色ですか？返事をください")
    take_in(shop, [*plain, asks], sku_of=mapped(chair))
    take_in(
        other,
        [make_channel_order(make_line("CHAIR"), number="G", ordered_at=now - timedelta(hours=2))],
        sku_of=mapped(chair),
    )
    orders = {order.channel_order_no: order for order in Order.objects.all()}
    hold_orders([orders["C"].pk], reason="電話で確認", actor=click(person))
    lift_holds([orders["C"].pk], actor=click(person))
    allocate_waiting()
    instruct_orders([orders["A"].pk], actor=SYSTEM)
    run = bulk.draft("instruct", [orders["B"].pk, orders["C"].pk], by=person)
    bulk.start(run, {})
    confirm_shipments(
        [
            Departure(shipment.pk, "yamato", f"40000000000{shipment.pk % 10}")
            for shipment in Shipment.objects.filter(state="instructed")
        ],
        actor=click(person),
    )
    review.accept([orders["E"].pk], actor=click(person))
    cancel_orders([orders["D"].pk], reason="欠品", actor=click(person))
    line = orders["F"].lines.get()
    OversellCase.objects.create(line=line, order=orders["F"], sku=chair, short=1, opened_at=now)
    listing = Listing.objects.create(shop=shop, code="CHAIR", sku=chair, channel_sku="CHAIR", name="椅子")
    for seconds in (1, 2, 30):
        PushLog.objects.create(listing=listing, quantity=5, changed_at=now - timedelta(seconds=seconds), sent_at=now)
    figures.refresh()
    return {order.channel_order_no: order for order in Order.objects.all()}
