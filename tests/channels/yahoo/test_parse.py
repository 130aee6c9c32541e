"""orderInfo replies, written after the channel's manual, become one `ChannelOrder` each."""

from datetime import UTC, date, datetime

import pytest

from channels.connectors.contract import Unreadable
from channels.connectors.yahoo.parse import instant, parse_order, slot
from orders.channel_order import ChannelState, PaymentMethod, PaymentState, Totals

ORDER = {
    "OrderId": "mikan-no-oka-10000777",
    "Version": "2",
    "OrderTime": "2026-08-01T21:40:09+09:00",
    "LastUpdateTime": "2026-08-01T21:50:10+09:00",
    "OrderStatus": "2",
    "IsReadOnly": "0",
    "Suspect": "0",
    "BuyerComments": "<![CDATA[門の前 & 犬に注意 <在宅>]]>",
}
PAY = {
    "PayStatus": "0",
    "SettleStatus": "4",
    "PayType": "0",
    "PayMethod": "payment_a1",
    "PayMethodName": "<![CDATA[クレジットカード決済]]>",
    "BillLastName": "<![CDATA[髙﨑]]>",
    "BillFirstName": "<![CDATA[ｹｲ子]]>",
    "BillLastNameKana": "ﾀｶｻｷ",
    "BillFirstNameKana": "ｹｲｺ",
    "BillZipCode": "7900001",
    "BillPrefecture": "愛媛県",
    "BillCity": "松山市",
    "BillAddress1": "一番町９−９",
    "BillPhoneNumber": "0890001234",
    "BillMailAddress": "keiko@example.jp",
}
SHIP = {
    "ShipStatus": "1",
    "ShipMethodName": "宅配便",
    "ShipRequestDate": "2026-08-06",
    "ShipRequestTime": "14:00～16:00",
    "ArriveType": "2",
    "NeedGiftWrap": "true",
    "GiftWrapType": "花柄",
    "NeedGiftWrapPaper": "true",
    "GiftWrapPaperType": "紅白蝶結び",
    "GiftWrapName": "髙﨑",
    "GiftWrapMessage": "おめでとう",
    "ShipLastName": "松田",
    "ShipFirstName": "一郎",
    "ShipZipCode": "100-0005",
    "ShipPrefecture": "東京都",
    "ShipCity": "千代田区",
    "ShipAddress1": "丸の内9-9-9",
    "ShipAddress2": "架空ビル3F",
    "ShipPhoneNumber": "03-0000-1234",
    "ShipSection1Value": "株式会社架空",
}
DETAIL = {
    "PayCharge": "0",
    "ShipCharge": "660",
    "GiftWrapCharge": "220",
    "Discount": "100",
    "Adjustments": "-30",
    "UsePoint": "500",
    "GiftCardDiscount": "500",
    "TotalMallCouponDiscount": "200",
    "SettleAmount": "8650",
    "TotalPrice": "8650",
}
ITEMS = [
    {
        "LineId": "1",
        "ItemId": "mikan-10kg",
        "SubCode": "mikan-10kg-l",
        "SubCodeOption": "サイズ:L",
        "Title": "早生みかん　１０ｋｇ",
        "ItemOption": "<Index>1</Index><Name>のし</Name><Value>不要</Value><Price>0</Price>",
        "ItemTaxRatio": "8",
        "UnitPrice": "3900",
        "Quantity": "2",
        "Jan": "4900000000017",
    },
    {"LineId": "2", "ItemId": "bag", "Title": "紙袋", "ItemTaxRatio": "10", "UnitPrice": "800", "Quantity": "1"},
]


def xml(fields: dict[str, str]) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())


def payload(
    order: dict[str, str] | None = None,
    pay: dict[str, str] | None = None,
    ship: dict[str, str] | None = None,
    detail: dict[str, str] | None = None,
    items: list[dict[str, str]] | None = None,
) -> str:
    groups = [
        f"<Detail>{xml({**DETAIL, **(detail or {})})}</Detail>",
        *(f"<Item>{xml(item)}</Item>" for item in (ITEMS if items is None else items)),
        f"<Ship>{xml({**SHIP, **(ship or {})})}</Ship>",
        xml({**ORDER, **(order or {})}),
        f"<Pay>{xml({**PAY, **(pay or {})})}</Pay>",
        "<Seller><SellerId>mikan-no-oka</SellerId></Seller><Buyer><IsLogin>true</IsLogin></Buyer>",
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ResultSet totalResultsAvailable="1"><Result><Status>OK</Status>'
        f"<OrderInfo>{''.join(groups)}</OrderInfo></Result></ResultSet>"
    )


def test_every_field_of_an_order_is_read():
    order = parse_order(payload())
    assert (order.channel_order_no, order.ordered_at) == (
        "mikan-no-oka-10000777",
        datetime(2026, 8, 1, 12, 40, 9, tzinfo=UTC),
    )
    assert order.updated_at == datetime(2026, 8, 1, 12, 50, 10, tzinfo=UTC)
    assert (order.state, order.channel_state) == (ChannelState.OPEN, "2/1/0")
    assert order.remarks == "門の前 & 犬に注意 <在宅>"
    assert (order.buyer.name, order.buyer.kana, order.buyer.email) == ("髙﨑 ｹｲ子", "ﾀｶｻｷ ｹｲｺ", "keiko@example.jp")
    (recipient,) = order.recipients
    assert (recipient.name, recipient.prefecture, recipient.city) == ("松田 一郎", "東京都", "千代田区")
    assert (recipient.address, recipient.company) == ("丸の内9-9-9 架空ビル3F", "株式会社架空")
    assert (order.wish_date, order.wish_slot, order.delivery_method) == (date(2026, 8, 6), "1416", "宅配便")
    assert (order.gift, order.noshi, order.message_card) == ("花柄", "紅白蝶結び 髙﨑", "おめでとう")
    assert order.flags == ("asutsuku",)
    assert order.extra["pay_method"] == "payment_a1"


def test_lines_carry_the_key_of_the_listing():
    first, second = parse_order(payload()).lines
    assert (first.line_id, first.channel_sku, first.quantity) == ("1", "mikan-10kg:mikan-10kg-l", 2)
    assert (first.unit_price, first.amount, first.tax_rate) == (3900, 7800, 8)
    assert (first.options, first.jan) == ("サイズ:L / のし: 不要", "4900000000017")
    assert (second.channel_sku, second.tax_rate, second.options) == ("bag", 10, "")


def test_totals_add_up_and_points_are_taken_once():
    totals = parse_order(payload()).totals
    assert totals == Totals(
        goods=8600, total=8650, shipping=660, gift_fees=220, discount=130, coupons_channel=200, points=500
    )
    parts = totals.goods + totals.shipping + totals.fees + totals.gift_fees + totals.tax_excluded
    assert parts - totals.discount - totals.coupons_shop - totals.coupons_channel - totals.points == totals.total


def test_an_upward_adjustment_is_a_fee():
    totals = parse_order(payload(detail={"Adjustments": "30", "TotalPrice": "8710"})).totals
    assert (totals.fees, totals.discount, totals.total) == (30, 100, 8710)


def test_withheld_amounts_stay_unknown():
    assert parse_order(payload(detail={"TotalPrice": ""})).totals is None


@pytest.mark.parametrize(
    ("order", "pay", "ship", "state"),
    [
        ({}, {}, {}, ChannelState.OPEN),
        ({"OrderStatus": "4"}, {}, {}, ChannelState.CANCELLED),
        ({"OrderStatus": "5"}, {}, {"ShipStatus": "3"}, ChannelState.SHIPPED),
        ({}, {}, {"ShipStatus": "3"}, ChannelState.SHIPPED),
        ({}, {}, {"ShipStatus": "4"}, ChannelState.SHIPPED),
        ({"OrderStatus": "3"}, {}, {}, ChannelState.PROVISIONAL),
        ({"OrderStatus": "1"}, {}, {}, ChannelState.OPEN),
        ({"IsReadOnly": "1"}, {}, {}, ChannelState.PROVISIONAL),
        ({"IsReadOnly": "true"}, {}, {}, ChannelState.PROVISIONAL),
        ({"FraudHoldStatus": "1"}, {}, {}, ChannelState.PROVISIONAL),
        ({"FraudHoldStatus": "2"}, {}, {}, ChannelState.OPEN),
        ({"FraudHoldStatus": "9"}, {}, {}, ChannelState.PROVISIONAL),
        ({"OrderStatus": "77"}, {}, {}, ChannelState.PROVISIONAL),
        ({"OrderStatus": ""}, {}, {}, ChannelState.PROVISIONAL),
        ({}, {}, {"ShipStatus": "9"}, ChannelState.PROVISIONAL),
        ({}, {}, {"ShipStatus": ""}, ChannelState.PROVISIONAL),
        ({}, {"PayType": "1", "PayStatus": "0"}, {"ShipStatus": "0"}, ChannelState.OPEN),
        ({}, {"PayType": "1", "PayStatus": "1"}, {"ShipStatus": "0"}, ChannelState.PROVISIONAL),
        ({"IsLineGiftOrder": "true"}, {}, {"IsLineGiftShippable": "false"}, ChannelState.PROVISIONAL),
        ({"IsLineGiftOrder": "true"}, {}, {"IsLineGiftShippable": "true"}, ChannelState.OPEN),
        ({"IsSplit": "true", "ChildOrderId": "a,b"}, {}, {}, ChannelState.CANCELLED),
        ({"IsSplit": "true"}, {}, {}, ChannelState.OPEN),
    ],
)
def test_states(order, pay, ship, state):
    assert parse_order(payload(order, pay, ship)).state is state


def test_an_unknown_state_keeps_its_raw_codes():
    assert parse_order(payload({"OrderStatus": "77"}, ship={"ShipStatus": ""})).channel_state == "77/?/0"


@pytest.mark.parametrize(
    ("pay", "method", "state"),
    [
        ({}, PaymentMethod.CARD, PaymentState.AUTHORIZED),
        ({"PayStatus": "1"}, PaymentMethod.CARD, PaymentState.PAID),
        ({"SettleStatus": "10"}, PaymentMethod.CARD, PaymentState.FAILED),
        ({"SettleStatus": "7", "PayStatus": "1"}, PaymentMethod.CARD, PaymentState.REFUNDED),
        ({"PayMethod": "payment_a6", "PayType": "1"}, PaymentMethod.CONVENIENCE, PaymentState.UNPAID),
        ({"PayMethod": "payment_b3", "PayType": "1"}, PaymentMethod.BANK_TRANSFER, PaymentState.UNPAID),
        ({"PayMethod": "payment_d1"}, PaymentMethod.COD, PaymentState.UNPAID),
        ({"PayMethod": "payment_z1", "PayStatus": "1"}, PaymentMethod.POINTS, PaymentState.PAID),
        ({"PayMethod": "payment_q99"}, PaymentMethod.OTHER, PaymentState.UNPAID),
        ({"PayMethod": "", "PayStatus": ""}, PaymentMethod.OTHER, PaymentState.UNPAID),
    ],
)
def test_payments(pay, method, state):
    order = parse_order(payload(pay=pay))
    assert (order.payment_method, order.payment_state) == (method, state)


def test_paid_at_is_the_day_of_payment_in_japan():
    order = parse_order(payload(pay={"PayStatus": "1", "PayDate": "2026-08-02"}))
    assert order.paid_at == datetime(2026, 8, 1, 15, tzinfo=UTC)


def test_missing_empty_padded_and_doubled_fields():
    text = (
        "<ResultSet><Result><Status>OK</Status><OrderInfo>"
        "<OrderId>\n   <![CDATA[s-1]]>\n  </OrderId><OrderId>x</OrderId>"
        "<OrderTime>20260801214009</OrderTime><Brandnew><Deep>1</Deep></Brandnew><OrderStatus/>"
        "<Item><LineId>1</LineId><ItemId>a</ItemId><Quantity>1</Quantity><UnitPrice></UnitPrice><ItemOption />"
        "<ItemTaxRatio>？</ItemTaxRatio></Item></OrderInfo></Result></ResultSet>"
    )
    order = parse_order(text)
    assert (order.channel_order_no, order.state, order.totals) == ("s-1", ChannelState.PROVISIONAL, None)
    assert order.ordered_at == datetime(2026, 8, 1, 12, 40, 9, tzinfo=UTC)
    assert (order.lines[0].unit_price, order.lines[0].tax_rate, order.lines[0].options) == (0, None, "")
    assert order.buyer.name == "" and order.recipients[0].postal_code == ""


def test_a_namespace_does_no_harm():
    assert parse_order(payload().replace("<ResultSet ", '<ResultSet xmlns="urn:yahoo:jp" ')).lines[0].quantity == 2


def test_a_line_set_to_nothing_is_gone():
    items = [{**ITEMS[0], "Quantity": "0"}, ITEMS[1]]
    assert [line.line_id for line in parse_order(payload(items=items)).lines] == ["2"]


def test_a_shared_gift_identity_lends_no_mail_address():
    order = parse_order(payload({"SocialGiftType": "1"}))
    assert order.buyer.email == "" and order.extra["relay_mail"] == "keiko@example.jp"
    assert "social_gift" in order.flags


def test_cancel_reason_in_words():
    assert parse_order(payload({"OrderStatus": "4", "CancelReason": "210"})).cancel_reason == "ストア都合：欠品"
    assert (
        parse_order(payload({"OrderStatus": "4", "CancelReason": "320"})).cancel_reason == "購入者自身によるキャンセル"
    )
    assert parse_order(payload({"OrderStatus": "4", "CancelReason": "999"})).cancel_reason == "999"


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "not xml",
        "<ResultSet><Result></Result></ResultSet>",
        payload({"OrderId": ""}),
        payload({"OrderTime": ""}),
        payload({"OrderTime": "yesterday"}),
        payload(items=[]),
        payload(items=[{**ITEMS[0], "Quantity": "two"}]),
        payload(items=[{**ITEMS[0], "Quantity": ""}]),
        payload(items=[{**ITEMS[0], "LineId": ""}]),
        payload(detail={"TotalPrice": "12.5"}),
        payload()[:400],
        '<!DOCTYPE a [<!ENTITY b "c">]>' + payload().split("\n", 1)[1],
    ],
)
def test_what_cannot_be_understood_is_unreadable(broken):
    with pytest.raises(Unreadable) as caught:
        parse_order(broken)
    assert "髙﨑" not in f"{caught.value.cause} {caught.value.detail}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("午前中", "am"), ("08:00-12:00", "am"), ("14:00-16:00", "1416"), ("18時〜20時", "1820"),
        ("１９：００－２１：００", "1921"), ("", ""), ("いつでも", ""), ("20:00-18:00", ""),
    ],
)  # fmt: skip
def test_delivery_slots(text, expected):
    assert slot(text) == expected


@pytest.mark.parametrize(
    "text", ["2026-08-01T21:40:09+09:00", "2026-08-01T21:40:09", "2026-08-01 21:40:09", "20260801214009"]
)
def test_times_of_all_ages(text):
    assert instant(text) == datetime(2026, 8, 1, 12, 40, 9, tzinfo=UTC)
    assert instant("2026-13-01T00:00:00") is None
