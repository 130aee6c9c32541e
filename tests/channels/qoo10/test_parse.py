"""Baskets, written after the channel's guide in both spellings, become one `ChannelOrder` each."""

import json
from datetime import UTC, date, datetime

import pytest

from channels.connectors.contract import Unreadable
from channels.connectors.qoo10.parse import parse_order, split_prefecture
from channels.connectors.qoo10.rows import status_number
from orders.channel_order import ChannelState, PaymentMethod, PaymentState

ROW = {
    "ShippingStatus": "On request(2)",
    "SellerID": "natsumikan",
    "PackNo": 845670011,
    "OrderDate": "2026-08-01 21:40:09",
    "PaymentDate": "2026-08-01 21:41:00",
    "EstimatedShippingDate": "",
    "Buyer": "髙﨑 恵子",
    "BuyerKana": "ﾀｶｻｷ ｹｲｺ",
    "BuyerTel": "",
    "BuyerMobile": "+81-90-0000-0001",
    "BuyerEmail": "keiko@example.jp",
    "OrderNo": 3147483650,
    "ItemNo": "900000777",
    "SellerItemCode": "cup",
    "ItemTitle": "湯呑み　（藍）",
    "Option": "サイズ:大 / 色:藍(+300円)",
    "OptionCode": "CUP-L-AI",
    "OrderPrice": 1980.0,
    "OrderQty": 2,
    "Discount": 400.0,
    "Total": 3560.0,
    "Receiver": "松田 一郎",
    "ReceiverKana": "マツダ イチロウ",
    "ZipCode": "1000005",
    "ShippingAddress": "東京都千代田区丸の内 9-9-9 架空ビル3F",
    "Address1": "東京都千代田区丸の内",
    "Address2": "9-9-9 架空ビル3F",
    "ReceiverTel": "03-0000-1234",
    "ReceiverMobile": "",
    "DesiredDeliveryDate": "2026-08-06",
    "ShippingWay": "宅配",
    "ShippingMessage": "不在時は宅配ボックスへ😊",
    "PaymentMethod": "クレジットカード",
    "SellerDiscount": 100.0,
    "Currency": "JPY",
    "ShippingRate": 500.0,
    "RelatedOrder": "3147483650, 3147483651",
    "ShippingRateType": "Charge",
    "TrackingNo": "",
    "CartDiscountSeller": 50.0,
    "CartDiscountQoo10": 0.0,
    "SettlePrice": 3200.0,
    "AvailableSendType": "0",
    "AvailableShippingDate": "",
}
SECOND = {**ROW, "OrderNo": 3147483651, "OptionCode": "", "Option": "", "ItemNo": "900000778", "OrderPrice": "500.00",
          "OrderQty": "1", "Discount": None, "SellerDiscount": "", "Total": "500.00", "CartDiscountSeller": 0,
          "ShippingMessage": ""}  # fmt: skip


def payload(*rows, claims=()):
    return json.dumps({"PackNo": "845670011", "Rows": list(rows or (ROW, SECOND)), "Claims": list(claims)})


def claim(order_no, status, **given):
    return {
        "orderNo": order_no,
        "packNo": 845670011,
        "claimStatus": status,
        "requestDate": "2026-08-02 10:00:00",
        **given,
    }


def test_every_field_of_a_basket_is_read():
    order = parse_order(payload())
    assert order.channel_order_no == "845670011"
    assert order.ordered_at == datetime(2026, 8, 1, 12, 40, 9, tzinfo=UTC)
    assert order.paid_at == datetime(2026, 8, 1, 12, 41, tzinfo=UTC)
    assert (order.state, order.channel_state) == (ChannelState.TO_CONFIRM, "On request(2)")
    assert (order.payment_method, order.payment_state) == (PaymentMethod.MALL, PaymentState.PAID)
    assert order.payment_name == "クレジットカード"
    assert (order.buyer.name, order.buyer.phone, order.buyer.email) == (
        "髙﨑 恵子",
        "090-0000-0001",
        "keiko@example.jp",
    )
    (recipient,) = order.recipients
    assert (recipient.name, recipient.postal_code, recipient.prefecture) == ("松田 一郎", "1000005", "東京都")
    assert (recipient.address, recipient.phone) == ("千代田区丸の内 9-9-9 架空ビル3F", "03-0000-1234")
    assert (order.remarks, order.wish_date) == ("不在時は宅配ボックスへ😊", date(2026, 8, 6))
    assert order.extra["order_nos"] == "3147483650,3147483651"
    assert order.extra["paid_on"] == "2026-08-01"


def test_lines_are_qoo10s_orders():
    first, second = parse_order(payload()).lines
    assert (first.line_id, first.channel_sku, first.quantity) == ("3147483650", "900000777/CUP-L-AI", 2)
    assert (first.unit_price, first.amount, first.options) == (1980, 3960, "サイズ:大 / 色:藍(+300円)")
    assert (second.channel_sku, second.unit_price, second.tax_rate) == ("900000778", 500, None)


def test_an_option_without_code_is_not_the_item_itself():
    (line,) = parse_order(payload({**ROW, "OptionCode": ""})).lines
    assert line.channel_sku == "900000777//サイズ:大 / 色:藍(+300円)"


def test_money_of_a_basket_counts_postage_once_and_tells_who_pays_a_discount():
    totals = parse_order(payload()).totals
    assert (totals.goods, totals.shipping, totals.total) == (4460, 500, 4510)
    assert (totals.discount, totals.coupons_shop, totals.coupons_channel) == (100, 50, 300)
    paid = totals.goods + totals.shipping - totals.discount - totals.coupons_shop - totals.coupons_channel
    assert paid == totals.total


def test_a_row_that_does_not_add_up_is_not_mended():
    totals = parse_order(payload({**ROW, "Total": 3500})).totals
    assert totals.goods + totals.shipping - totals.discount - totals.coupons_shop - totals.coupons_channel == 4010
    assert totals.total == 3950


def test_the_older_spelling_says_the_same():
    old = {
        "shippingStatus": "On request(2)", "packNo": 845670011, "orderNo": 3147483650, "orderDate": "2026-08-01 21:40",
        "paymentDate": "2026-08-01", "itemCode": "900000777", "optionCode": "CUP-L-AI", "orderPrice": 1980,
        "orderQty": 2, "discount": 400, "total": 3560, "buyer": "髙﨑 恵子", "buyer_gata": "ﾀｶｻｷ ｹｲｺ",
        "receiver": "松田 一郎", "shippingAddr": "東京都千代田区丸の内 9-9-9", "zipcode": "100-0005",
        "hopeDate": "2026-08-06",
        "Cart_Discount_Seller": 50, "trackingNo": "4000",
    }  # fmt: skip
    order = parse_order(payload(old))
    assert (order.buyer.kana, order.wish_date, order.tracking_nos) == ("ﾀｶｻｷ ｹｲｺ", date(2026, 8, 6), ("4000",))
    assert (order.recipients[0].prefecture, order.totals.coupons_shop) == ("東京都", 50)
    assert order.lines[0].channel_sku == "900000777/CUP-L-AI"


@pytest.mark.parametrize(
    ("first", "second", "state", "paid"),
    [
        ("Awaiting shipping(1)", "On Waiting(1)", ChannelState.OPEN, PaymentState.UNPAID),
        ("On request(2)", "Seller confirm(3)", ChannelState.TO_CONFIRM, PaymentState.PAID),
        ("Seller confirm(3)", "3", ChannelState.OPEN, PaymentState.PAID),
        ("On delivery(4)", "Seller confirm(3)", ChannelState.OPEN, PaymentState.PAID),
        ("Delivery(4)", "Delivere(5)", ChannelState.SHIPPED, PaymentState.PAID),
        ("Something new", "Seller confirm(3)", ChannelState.PROVISIONAL, PaymentState.UNPAID),
        ("Odd(8)", "Odd(8)", ChannelState.PROVISIONAL, PaymentState.UNPAID),
        ("", "On request(2)", ChannelState.PROVISIONAL, PaymentState.UNPAID),
    ],
)
def test_states(first, second, state, paid):
    order = parse_order(payload({**ROW, "ShippingStatus": first}, {**SECOND, "ShippingStatus": second}))
    assert (order.state, order.payment_state) == (state, paid)


def test_an_unknown_state_keeps_its_words():
    assert "Something new" in parse_order(payload({**ROW, "ShippingStatus": "Something new"})).channel_state


def test_half_a_basket_sent():
    order = parse_order(payload({**ROW, "ShippingStatus": "On delivery(4)", "TrackingNo": "4000"},
                                {**SECOND, "ShippingStatus": "Seller confirm(3)"}))  # fmt: skip
    assert [line.shipped_quantity for line in order.lines] == [2, 0]


def test_a_cancelled_line_leaves_the_totals():
    order = parse_order(payload(claims=[claim(3147483651, "Cancel complete(3)", reason="注文間違い")]))
    assert [line.cancelled_quantity for line in order.lines] == [0, 1]
    assert (order.state, order.totals.goods, order.cancel_reason) == (ChannelState.TO_CONFIRM, 3960, "注文間違い")
    assert order.extra["order_nos"] == "3147483650"


def test_all_lines_cancelled_is_a_cancelled_order():
    order = parse_order(payload(claims=[claim(3147483650, "3"), claim(3147483651, 3)]))
    assert (order.state, order.payment_state) == (ChannelState.CANCELLED, PaymentState.REFUNDED)


def test_a_wish_to_cancel_and_a_return():
    order = parse_order(payload(claims=[claim(3147483650, "Cancel request(1)", reason="不要")]))
    assert (order.cancel_requested, order.cancel_reason, order.state) == (True, "不要", ChannelState.TO_CONFIRM)
    assert "return_requested" in parse_order(payload(claims=[claim(3147483650, 4)])).flags


def test_the_latest_claim_counts():
    claims = [claim(3147483650, "3", requestDate="2026-08-03 10:00:00"), claim(3147483650, "1")]
    assert parse_order(payload(ROW, claims=claims)).state is ChannelState.CANCELLED


def test_different_recipients_stay_apart():
    other = {**SECOND, "Receiver": "山本 花", "Address1": "北海道札幌市中央区", "Address2": "1-1",
             "ShippingAddress": "北海道札幌市中央区 1-1"}  # fmt: skip
    order = parse_order(payload(ROW, other))
    assert [party.name for party in order.recipients] == ["松田 一郎", "山本 花"]
    assert [line.recipient for line in order.lines] == [0, 1]


def test_reservation_and_planned_day():
    order = parse_order(payload({**ROW, "AvailableSendType": "2", "AvailableShippingDate": "2026-09-10",
                                 "EstimatedShippingDate": "2026-09-11"}))  # fmt: skip
    assert "preorder" in order.flags and order.extra["available_on"] == "2026-09-10"
    assert order.ship_by.astimezone(UTC) == datetime(2026, 9, 11, 14, 59, 59, tzinfo=UTC)


def test_freight_collect_is_not_paid_to_us():
    totals = parse_order(payload({**ROW, "ShippingRateType": "Charge on delivery"})).totals
    assert (totals.shipping, totals.total) == (0, 3510)


def test_nulls_and_unknown_fields_do_no_harm():
    row = {
        **dict.fromkeys(ROW),
        "PackNo": 845670011,
        "OrderNo": 1,
        "OrderDate": "2026-08-01",
        "OrderQty": 1,
        "New": [1],
    }
    order = parse_order(payload(row))
    assert (order.lines[0].unit_price, order.recipients[0].name, order.state) == (0, "", ChannelState.PROVISIONAL)


@pytest.mark.parametrize(
    "broken",
    ["", "[]", "{}", '{"PackNo": "1", "Rows": []}', '{"PackNo": "1", "Rows": ["x"]}', payload({**ROW, "OrderDate": ""}),
     payload({**ROW, "OrderNo": None}), payload({**ROW, "OrderQty": 0}), payload({**ROW, "OrderPrice": 10.5}),
     payload({**ROW, "OrderQty": "two"})],
)  # fmt: skip
def test_what_cannot_be_understood_is_unreadable(broken):
    with pytest.raises(Unreadable) as caught:
        parse_order(broken)
    assert "髙﨑" not in f"{caught.value.cause} {caught.value.detail}"


@pytest.mark.parametrize(
    ("address1", "prefecture", "rest"),
    [
        ("京都府京都市左京区", "京都府", "京都市左京区 1-2"),
        (" 〒1000005 東京都千代田区", "東京都", "千代田区 1-2"),
        ("神奈川県川崎市", "神奈川県", "川崎市 1-2"),
        ("千代田区丸の内", "", "千代田区丸の内 1-2"),
    ],
)
def test_prefectures_are_cut_off(address1, prefecture, rest):
    assert split_prefecture({"address1": address1, "address2": "1-2", "zipcode": "1000005"}) == (prefecture, rest)


@pytest.mark.parametrize(
    ("text", "number"),
    [("On request(2)", 2), ("16", 16), ("Unpaid (16) ", 16), ("(2) On", None), ("", None), ("x", None)],
)
def test_numbers_in_words(text, number):
    assert status_number(text) == number
