"""Everything futureshop tells beside people, goods and sums finds its place."""

from datetime import date

import pytest

from channels.connectors.futureshop.parse import parse_order
from orders.channel_order import ChannelOrder, ChannelState, Coupon, Delivery
from tests.channels.futureshop.payloads import order, payload, product, shipment


def read(**changes: object) -> ChannelOrder:
    return parse_order(payload(**changes))


def test_each_destination_keeps_its_own_wish_gift_and_fees():
    first = shipment(
        giftWrappingLabel="包装紙（花柄）", paymentCharge=330, coolDeliveryCharge=220, instructions="玄関へ"
    )
    second = shipment(
        2,
        preferredDeliveryDate="2026-11-25",
        preferredDeliveryTime="午前中",
        deliveryServiceName="クール便",
        giftWrappingLabel="紅白蝶結び 御祝 﨑山",
        postage=0,
    )
    got = read(shipmentList=[first, second], communication="よろしく")
    assert got.deliveries == (
        Delivery(date(2026, 11, 20), "1618", "通常配送便", gift="包装紙（花柄）", shipping=550, fees=550),
        Delivery(date(2026, 11, 25), "am", "クール便", noshi="紅白蝶結び 御祝 﨑山"),
    )
    assert (got.gift, got.noshi) == ("お届け先1：包装紙（花柄）", "お届け先2：紅白蝶結び 御祝 﨑山")
    assert (got.wish_date, got.wish_slot) == (date(2026, 11, 20), "1618")
    assert got.remarks == "よろしく\n玄関へ"
    assert "several_recipients" in got.flags


def test_hours_nobody_understands_appear_in_the_remarks_of_any_destination():
    got = read(shipmentList=[shipment(), shipment(2, preferredDeliveryTime="夕方ごろ")])
    assert got.remarks == "お届け希望時間：夕方ごろ"


def test_gift_options_of_a_product_are_the_lines_and_the_destinations():
    options = [
        {"name": "のし", "selectionItem": "内祝"},
        {"name": "メッセージカード", "selectionItem": "おめでとう"},
        {"name": "ラッピング", "selectionItem": "なし"},
        {"name": "色の確認", "selectionItem": "了承"},
    ]
    priced = [{"name": "名入れ", "selectionName": "あり", "price": 0}]
    got = read(shipmentList=[shipment(products=[product(optionList=options, optionPriceList=priced)])])
    assert got.lines[0].gift == "のし:内祝、メッセージカード:おめでとう、名入れ:あり"
    assert (got.noshi, got.message_card, got.gift) == ("内祝", "おめでとう", "名入れ:あり")
    assert "色の確認:了承" in got.lines[0].options


def test_coupons_are_the_shops_own_and_named():
    got = read(
        productCouponDiscountName="夏の300円OFF",
        productCouponDiscountTotal=300,
        postageCouponDiscountName="",
        postageCouponDiscountTotal=-50,
        couponList=[{"id": 31, "name": "夏"}, {"id": 32, "name": "送料"}],
    )
    assert got.coupons == (Coupon("夏の300円OFF", 300, "shop"), Coupon("夏、送料", 50, "shop"))
    assert got.totals is not None and got.totals.coupons_shop == 350
    assert read(productCouponDiscountTotal=300).coupons == (Coupon("", 300, "shop"),)


def test_the_shops_memo_and_the_payments_ids_are_kept_apart_from_the_buyers_words():
    got = read(
        shopMemo="入金確認の電話",
        customerContact="お待たせしました",
        fregiOrderNo="FR1",
        amazonOrderReferenceId="P01",
        conveniType="LAWSON",
        conveniPayoutNo="0123",
        sbpsAlert="YES",
    )
    assert (got.shop_memo, got.remarks) == ("入金確認の電話", "")
    extra = got.extra
    assert (extra["customer_contact"], extra["payment_order"], extra["payment_amazon"]) == (
        "お待たせしました",
        "FR1",
        "P01",
    )
    assert (extra["payment_chain"], extra["payment_receipt"]) == ("LAWSON", "0123")
    assert "payment_alert" in got.flags


def test_members_subscriptions_and_promised_days_are_kept():
    buyer = {**order()["buyerInfo"], "memberStageName": "ゴールド", "orderCount": "12", "additionalItem3": "法人"}
    got = read(
        type="SUBSCRIPTION",
        subscriptionNo="T001",
        subscriptionPeriodNo=3,
        buyerInfo=buyer,
        shipmentList=[shipment(products=[product(nextShippingDate="2026-12-01", shippingDateLabel="12月上旬")])],
    )
    extra = got.extra
    assert (extra["member_stage"], extra["order_count"], extra["buyer_items"]) == ("ゴールド", "12", "法人")
    assert (extra["subscription"], extra["subscription_period"], extra["next_shipping"]) == ("T001", "3", "2026-12-01")
    assert extra["ship_words"] == "12月上旬"
    assert got.state is ChannelState.PROVISIONAL and "subscription" in got.flags


@pytest.mark.parametrize("value", ["", None, "yesterday", 20261120])
def test_a_day_that_is_none_is_no_wish_and_breaks_nothing(value: object):
    assert read(shipmentList=[shipment(preferredDeliveryDate=value)]).wish_date is None
