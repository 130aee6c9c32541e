"""A small day's board for the desk's tests: orders in many stages, with every kind of mark."""

from dataclasses import replace
from datetime import timedelta

from oms.kernel import clock
from orders.channel_order import ChannelState, PaymentMethod, PaymentState
from orders.models import Order
from orders.models.order import ChannelSync
from orders.services.hold import hold_orders
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped


def fill_board() -> dict[str, Order]:
    """Orders by their number."""
    now = clock.now()
    shop = make_shop()
    other = make_shop("yahoo-1", name="Yahoo!店", channel="yahoo", channel_label="Yahoo!ショッピング", capabilities={})
    chair = make_sku("CHAIR", stock_units=50)
    osaka = replace(TOKYO_PARTY, name="山田 太郎", kana="ヤマダ タロウ", prefecture="大阪府", city="大阪市北区")
    take_in(
        shop,
        [
            make_channel_order(
                make_line("CHAIR", 2),
                number="R-0001",
                ordered_at=now - timedelta(hours=1),
                ship_by=now + timedelta(hours=3),
            ),
            make_channel_order(
                number="R-0002",
                ordered_at=now - timedelta(hours=2),
                ship_by=now - timedelta(hours=2),
                remarks="玄関の色は何色ですか？返事をください",
            ),
            make_channel_order(
                number="R-0003",
                ordered_at=now - timedelta(hours=3),
                ship_by=now + timedelta(days=3),
                gift="リボン",
                recipients=(osaka,),
            ),
            make_channel_order(
                make_line("DESK", name="昇降デスク 幅120cm ナチュラル"),
                number="R-0004",
                ordered_at=now - timedelta(hours=4),
            ),
            make_channel_order(
                number="R-0005",
                ordered_at=now - timedelta(hours=5),
                payment_method=PaymentMethod.BANK_TRANSFER,
                payment_state=PaymentState.UNPAID,
            ),
            make_channel_order(number="R-0006", ordered_at=now - timedelta(hours=6), state=ChannelState.CANCELLED),
            make_channel_order(
                make_line("CHAIR", 4),
                number="R-0007",
                ordered_at=now - timedelta(hours=7),
                payment_method=PaymentMethod.COD,
            ),
        ],
        sku_of=mapped(chair),
    )
    take_in(
        other,
        [
            make_channel_order(
                make_line("CHAIR", 3),
                number="Y-0001",
                ordered_at=now - timedelta(days=1),
                ship_by=now + timedelta(hours=20),
            ),
            make_channel_order(
                number="Y-0002",
                ordered_at=now - timedelta(days=2),
                remarks="青い椅子は来月入りますか？",
                cancel_requested=True,
            ),
        ],
        sku_of=mapped(chair),
    )
    orders = {order.channel_order_no: order for order in Order.objects.all()}
    hold_orders([orders["R-0007"].pk], reason="お客様へ電話で確認中", actor=Actor())
    Order.objects.filter(channel_order_no="R-0006").update(channel_sync=ChannelSync.FAILED)
    return {order.channel_order_no: order for order in Order.objects.all()}
