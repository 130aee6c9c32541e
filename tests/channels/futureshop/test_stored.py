"""Every field survives the way from the wire over the archive and the store to the printed order."""

from typing import Any

import pytest

from orders.models import ReviewReason
from tests.channels.futureshop.conftest import Mall
from tests.channels.futureshop.payloads import order, product, shipment
from tests.channels.stored import connect, pulled

pytestmark = pytest.mark.django_db

FULL = order(
    communication="配達前に電話してください",
    shopMemo="常連のお客様",
    paymentType="BANK_TRANSFER",
    receiptDate="2026-08-02",
    paymentStatus="RECEIVED",
    productCouponDiscountName="夏の300円OFF",
    productCouponDiscountTotal=300,
    postageCouponDiscountName="送料200円OFF",
    postageCouponDiscountTotal=200,
    volumeDiscountTotal=400,
    giftWrappingChargeTotal=330,
    productTotal=9900,
    postage=1100,
    paymentChargeTotal=110,
    coolDeliveryChargeTotal=220,
    taxTotal=833,
    usedPointPrice=100,
    grandTotal=10660,
    multipleShipments=True,
    shipmentList=[
        shipment(
            products=[product(optionList=[{"name": "メッセージカード", "selectionItem": "おめでとう"}])],
            giftWrappingLabel="包装紙（花柄）",
            paymentCharge=110,
            coolDeliveryCharge=220,
        ),
        shipment(
            2,
            [product(skuNo="kb120nvS", count=1, taxRateCode="REDUCED", verticalVariationName="S")],
            preferredDeliveryDate="2026-11-25",
            preferredDeliveryTime="午前中",
            deliveryServiceName="クール便",
            isCoolDelivery=True,
            giftWrappingLabel="紅白蝶結び 御祝 﨑山",
            instructions="守衛室へ",
        ),
    ],
)


@pytest.fixture
def shown(mall: Mall) -> dict[str, Any]:
    placed = mall.sells()
    mall.world.annotate(
        "futureshop", placed.number, wire={key: value for key, value in FULL.items() if key not in ("orderNo", "date")}
    )
    mall.time.skip(minutes=1)
    return pulled(connect("futureshop", mall), placed.number)


def test_states_people_and_payment(shown: dict[str, Any]):
    assert (shown["channel_state"], shown["shop_memo"]) == ("AWAITING_PAYMENT", "常連のお客様")
    assert (shown["buyer"]["name"], shown["buyer"]["company"]) == ("﨑山 渚", "鉾商店 仕入部")
    assert (shown["payment"]["method"], shown["payment"]["state"]) == ("bank_transfer", "paid")
    assert shown["payment"]["paid_at"].startswith("2026-08-01T15:00:00")
    assert shown["remarks"] == "配達前に電話してください\n守衛室へ"
    assert {"cool", "several_recipients"} <= set(shown["flags"])
    assert shown["delivery"] == {"date": "2026-11-20", "slot": "1618", "method": "通常配送便"}


def test_recipients_with_their_own_wishes_lines_and_fees(shown: dict[str, Any]):
    first, second = shown["recipients"]
    assert (first["lines"], second["lines"]) == (["kb120nvL"], ["kb120nvS"])
    assert second["delivery"] == {
        "date": "2026-11-25", "slot": "am", "method": "クール便", "sender": "", "shipping": 550, "fees": 0,
    }  # fmt: skip
    assert (first["delivery"]["shipping"], first["delivery"]["fees"]) == (550, 330)
    assert first["gift"] == {"wrapping": "包装紙（花柄）", "noshi": "", "message_card": "おめでとう"}
    assert second["gift"] == {"wrapping": "", "noshi": "紅白蝶結び 御祝 﨑山", "message_card": ""}
    assert shown["gift"]["noshi"] == "お届け先2：紅白蝶結び 御祝 﨑山"


def test_lines_sums_and_coupons(shown: dict[str, Any]):
    first, second = shown["lines"]
    assert (first["tax_rate"], second["tax_rate"], first["amount"], second["quantity"]) == (10, 8, 6600, 1)
    assert first["gift"] == "メッセージカード:おめでとう"
    assert first["options"] == "L 紺\nメッセージカード:おめでとう"
    totals = shown["totals"]
    assert (totals["goods"], totals["shipping"], totals["fees"]) == (9900, 1100, 660)
    assert (totals["discount"], totals["coupons"], totals["points"], totals["total"]) == (400, 500, 100, 10660)
    assert totals["coupon_list"] == [
        {"name": "夏の300円OFF", "amount": 300, "by": "shop"},
        {"name": "送料200円OFF", "amount": 200, "by": "shop"},
    ]
    assert "amount_mismatch" not in shown["reasons"]


def test_a_whole_day_of_the_sandbox_is_stored_and_stops_only_what_a_person_must_see(mall: Mall):
    mall.world.generate(150)
    mall.world.advance()
    mall.time.skip(minutes=1)
    orders = mall.world.orders("futureshop")
    connection = connect("futureshop", mall)
    shown = pulled(connection, orders[0].number)
    assert shown["number"] == orders[0].number
    assert connection.shop.order_set.count() == len(orders) > 5
    wrong = {order.number for order in orders if order.truth.needs_judgement == "amount_mismatch"}
    stopped = ReviewReason.objects.filter(level="block", code__in=["amount_mismatch", "noshi", "gift_wrap"])
    assert set(stopped.values_list("order__channel_order_no", flat=True)) == wrong
