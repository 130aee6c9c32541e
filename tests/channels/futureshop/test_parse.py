"""Reading one order: every field, odd values, missing ones, unknown ones."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from channels.connectors.contract import Unreadable
from channels.connectors.futureshop.parse import parse_order
from orders.channel_order import ChannelOrder, ChannelState, PaymentMethod, PaymentState, Totals
from tests.channels.futureshop.payloads import order, payload, product, shipment


def read(**changes: Any) -> ChannelOrder:
    return parse_order(payload(**changes))


def balanced(totals: Totals) -> bool:
    """The identity that intake checks."""
    due = totals.goods + totals.shipping + totals.fees + totals.gift_fees + totals.tax_excluded
    return due - totals.discount - totals.coupons_shop - totals.coupons_channel - totals.points == totals.total


def test_an_ordinary_order_is_read_whole():
    got = read()
    assert got.channel_order_no == "100000700007"
    assert got.ordered_at == datetime(2026, 11, 15, 14, 10, 5, tzinfo=UTC)
    assert got.updated_at == datetime(2026, 11, 15, 14, 10, 6, tzinfo=UTC)
    assert (got.channel_state, got.state) == ("AWAITING_PAYMENT", ChannelState.OPEN)
    assert (got.buyer.name, got.buyer.kana, got.buyer.email) == ("﨑山 渚", "サキヤマ ナギサ", "nagisa@example.jp")
    assert (got.buyer.phone, got.buyer.company) == ("075-111-1111", "鉾商店 仕入部")
    (home,) = got.recipients
    assert (home.name, home.postal_code, home.prefecture) == ("﨑山 湊", "600-8001", "京都府")
    assert home.address == "京都市下京区四条通9-8-7 鉾ビル5階"
    assert (got.wish_date, got.wish_slot) == (date(2026, 11, 20), "1618")
    assert got.delivery_method == "通常配送便"


def test_a_line_is_priced_with_tax_whatever_the_flag_says():
    (line,) = read().lines
    assert (line.line_id, line.channel_sku, line.jan) == ("1-1", "kb120nvL", "4900000000123")
    assert (line.quantity, line.unit_price, line.amount, line.tax_rate) == (2, 3300, 6600, 10)
    assert line.options == "L 紺"


def test_amounts_add_up():
    got = read(
        productCouponDiscountTotal=300,
        postageCouponDiscountTotal=50,
        volumeDiscountTotal=200,
        bundleDiscountTotal="150",
        giftWrappingChargeTotal=330,
        paymentChargeTotal=440,
        coolDeliveryChargeTotal=220,
        grandTotal=7340,
    )
    assert got.totals is not None
    assert (got.totals.coupons_shop, got.totals.discount, got.totals.fees) == (350, 350, 660)
    assert got.totals.goods == sum(line.amount for line in got.lines)
    assert balanced(got.totals)


def test_the_lists_names_are_understood_too():
    """A row of the search has nested shipping data, another name for the postal code and one discount."""
    row = order(discountTotal=200, grandTotal=6850, taxRate=10)
    for key in ("volumeDiscountTotal", "bundleDiscountTotal", "standardTaxRate"):
        del row[key]
    place = row["shipmentList"][0]
    place["addressInfo"]["postalCode"] = place["addressInfo"].pop("zipCode")
    keys = ("deliveryServiceName", "isCoolDelivery", "invoiceNo", "preferredDeliveryDate", "preferredDeliveryTime")
    place["shippingInfo"] = {key: place.pop(key) for key in keys}
    got = parse_order(json.dumps(row))
    assert got.recipients[0].postal_code == "600-8001"
    assert (got.wish_slot, got.delivery_method, got.lines[0].tax_rate) == ("1618", "通常配送便", 10)
    assert got.totals is not None and got.totals.discount == 200 and balanced(got.totals)


@pytest.mark.parametrize(("total", "unit"), [(7040, 3520), (6600, 3300), (9999, 3300)])
def test_the_sum_tells_whether_options_are_in_the_price(total: int, unit: int):
    priced = product(optionPriceList=[{"name": "名入れ", "selectionName": "あり", "price": 220}])
    got = read(productTotal=total, shipmentList=[shipment(products=[priced])])
    assert got.lines[0].unit_price == unit
    assert got.lines[0].options == "L 紺\n名入れ:あり"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("AWAITING_PAYMENT", ChannelState.OPEN),
        ("AWAITING_SHIPMENT", ChannelState.OPEN),
        ("ON_HOLD", ChannelState.PROVISIONAL),
        ("PREORDER", ChannelState.OPEN),
        ("COMPLETED", ChannelState.SHIPPED),
        ("CANCELLED", ChannelState.CANCELLED),
        ("REFUNDED", ChannelState.SHIPPED),
        ("SOMETHING_NEW", ChannelState.PROVISIONAL),
        ("", ChannelState.PROVISIONAL),
        (None, ChannelState.PROVISIONAL),
    ],
)
def test_each_status_has_its_meaning_and_an_unknown_one_never_ships(status: Any, state: ChannelState):
    got = read(status=status)
    assert got.state is state
    assert got.channel_state == (status or "")


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({"type": "SUBSCRIPTION"}, "subscription"),
        ({"type": "HANPUKAI"}, "hanpukai"),
        ({"shipmentList": [shipment(contactLater=True)]}, "contact_later"),
    ],
)
def test_orders_we_cannot_handle_are_held(changes: dict[str, Any], flag: str):
    got = read(**changes)
    assert got.state is ChannelState.PROVISIONAL
    assert flag in got.flags


@pytest.mark.parametrize(
    ("kind", "receipt", "method", "state"),
    [
        ("BANK_TRANSFER", "", PaymentMethod.BANK_TRANSFER, PaymentState.UNPAID),
        ("BANK_TRANSFER", "2026-11-16", PaymentMethod.BANK_TRANSFER, PaymentState.PAID),
        ("POSTAL_TRANSFER", "", PaymentMethod.BANK_TRANSFER, PaymentState.UNPAID),
        ("FREGI_CONVENI", "", PaymentMethod.CONVENIENCE, PaymentState.UNPAID),
        ("FREGI_CREDIT_CARD", "", PaymentMethod.CARD, PaymentState.AUTHORIZED),
        ("COD", "", PaymentMethod.COD, PaymentState.UNPAID),
        ("NP_DEFERRED", "", PaymentMethod.DEFERRED, PaymentState.AUTHORIZED),
        ("MYSTERY_PAY", "", PaymentMethod.OTHER, PaymentState.UNPAID),
        (None, "", PaymentMethod.OTHER, PaymentState.UNPAID),
    ],
)
def test_payment_is_told_by_type_and_receipt(kind: Any, receipt: str, method: PaymentMethod, state: PaymentState):
    got = read(paymentType=kind, receiptDate=receipt)
    assert (got.payment_method, got.payment_state) == (method, state)
    assert got.paid_at == (datetime(2026, 11, 15, 15, tzinfo=UTC) if receipt else None)
    assert got.payment_name == (kind or "")


def test_a_returned_order_is_refunded():
    got = read(status="REFUNDED")
    assert got.payment_state is PaymentState.REFUNDED
    assert "returned" in got.flags


def test_points_that_cover_everything_are_the_payment():
    got = read(grandTotal=0, usedPointPrice=7150)
    assert (got.payment_method, got.payment_state) == (PaymentMethod.POINTS, PaymentState.PAID)


def test_a_wish_to_cancel_comes_from_the_search():
    asked = json.dumps({"cancelRequested": True, "order": order()})
    settled = json.dumps({"cancelRequested": True, "order": order(status="CANCELLED")})
    assert parse_order(asked).cancel_requested
    assert not parse_order(settled).cancel_requested
    assert not read().cancel_requested


def test_two_shipments_keep_lines_and_numbers_apart():
    sent = shipment(1, invoiceNo="400000000001 400000000002", shippingDate="2026-11-17", shipped=True)
    got = read(
        shipmentList=[sent, shipment(2, [product(skuNo="b"), product(skuNo="c", count=1)])], multipleShipments=True
    )
    assert [(line.line_id, line.recipient, line.shipped_quantity) for line in got.lines] == [
        ("1-1", 0, 2),
        ("2-1", 1, 0),
        ("2-2", 1, 0),
    ]
    assert got.state is ChannelState.OPEN
    assert got.tracking_nos == ("400000000001", "400000000002")
    assert got.extra["shipment_nos"] == "1,2"


def test_when_everything_is_sent_the_order_is_shipped():
    assert read(shipmentList=[shipment(shippingDate="2026-11-17")]).state is ChannelState.SHIPPED


def test_remarks_are_what_the_buyer_wrote_and_not_the_shops_memo():
    got = read(
        communication="門は右側です", shopMemo="要確認", shipmentList=[shipment(instructions="玄関先へ"), shipment(2)]
    )
    assert got.remarks == "門は右側です\n玄関先へ"
    assert got.shop_memo == "要確認"


@pytest.mark.parametrize(
    ("words", "slot"),
    [
        ("午前中", "am"),
        ("14時～16時", "1416"),
        ("14時〜16時", "1416"),
        ("１９:００－２１:００", "1921"),
        ("18-20", "1820"),
        ("指定なし", ""),
        ("", ""),
    ],
)
def test_the_shops_words_for_hours_are_understood(words: str, slot: str):
    got = read(shipmentList=[shipment(preferredDeliveryTime=words)])
    assert (got.wish_slot, got.remarks) == (slot, "")


def test_hours_that_are_not_understood_are_shown():
    got = read(shipmentList=[shipment(preferredDeliveryTime="夕方ごろ")])
    assert got.wish_slot == ""
    assert got.remarks == "お届け希望時間：夕方ごろ"


@pytest.mark.parametrize(("prefecture", "expected"), [("OKINAWA", "沖縄県"), ("OTHER", ""), ("", ""), (None, "")])
def test_prefectures_are_written_in_kanji(prefecture: Any, expected: str):
    place = shipment()
    place["addressInfo"]["prefecture"] = prefecture
    assert read(shipmentList=[place]).recipients[0].prefecture == expected


def test_missing_and_empty_values_still_give_an_order():
    bare = {
        "orderNo": "1",
        "date": "2026-11-15T00:00:00",
        "shipmentList": [{"productList": [{"price": 1, "count": 1}]}],
    }
    got = parse_order(json.dumps(bare))
    assert got.totals is None
    assert got.state is ChannelState.PROVISIONAL
    assert got.lines[0].amount == 1
    nothing = {key: "" for key in order() if key not in ("orderNo", "date", "shipmentList", "buyerInfo")}
    assert read(**nothing).lines[0].quantity == 2


def test_a_key_that_comes_twice_is_no_trouble():
    text = payload().replace('"shopMemo": ""', '"sbpsTrackingId": "", "shopMemo": "", "sbpsTrackingId": ""')
    assert parse_order(text) == read()


def test_fields_we_do_not_know_change_nothing():
    assert read(futureThing={"a": [1]}) == read()


@pytest.mark.parametrize(
    "payload_text",
    [
        "",
        "<html>",
        "[]",
        "{}",
        payload(orderNo=""),
        payload(orderNo=700007),
        payload(date=""),
        payload(date="きのう"),
        payload(shipmentList=[]),
        payload(shipmentList="none"),
        payload(shipmentList=[shipment(products=[])]),
        payload(shipmentList=[shipment(products=[product(count="")])]),
        payload(shipmentList=[shipment(products=[product(count="二")])]),
        payload(shipmentList=[shipment(products=[product(price=None)])]),
        payload(buyerInfo="﨑山様"),
        payload(grandTotal="やすい"),
    ],
)
def test_what_cannot_be_understood_is_said_without_personal_data(payload_text: str):
    with pytest.raises(Unreadable) as refused:
        parse_order(payload_text)
    assert "futureshop" in refused.value.cause
    assert "﨑山" not in refused.value.cause + refused.value.detail
