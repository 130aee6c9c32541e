"""Whatever Yahoo! tells of an order goes over the wire, is read, stored, and stands in `show_order`."""

from datetime import date, timedelta
from typing import Any

import pytest

from channels.sandbox.model import Wish
from tests.channels.test_commands import run

pytestmark = pytest.mark.django_db

FIELDS = {
    "StoreStatus": "4",
    "Notes": "前回は宅配ボックス",
    "SellerComments": "ご注文ありがとうございます",
    "BuyerComments": "門の前 & 犬に注意 <在宅>",
    "PayMethod": "payment_a6",
    "PayMethodName": "コンビニ決済",
    "PayType": "1",
    "PayStatus": "0",
    "SettleStatus": "2",
    "PaymentTerm": "2026-08-06 23:59:59",
    "CombinedPayMethodName": "PayPayポイント",
    "CombinedPayMethodAmount": "300",
    "ShipRequestDate": "2026-08-20",
    "ShipRequestTime": "14:00～16:00",
    "ShipMethodName": "クール宅急便",
    "ArriveType": "2",
    "NeedGiftWrap": "true",
    "GiftWrapType": "包装紙（花柄）",
    "GiftWrapMessage": "お誕生日おめでとう",
    "NeedGiftWrapPaper": "true",
    "GiftWrapPaperType": "紅白蝶結び 御祝",
    "GiftWrapName": "髙﨑",
    "Option1Field": "入館方法",
    "Option1Value": "オートロック",
    "IsEazy": "true",
    "EazyDeliveryName": "玄関前",
    "NeedReceipt": "true",
    "NeedDetailedSlip": "true",
    "IsSubscription": "true",
    "SubscriptionId": "sub-1",
    "IsMultiShip": "true",
    "MultiShipId": "multi-7",
    "RemoteAreaShippingType": "1",
    "BillLastName": "髙﨑",
    "BillFirstName": "ｹｲ子",
    "BillLastNameKana": "ﾀｶｻｷ",
    "BillFirstNameKana": "ｹｲｺ",
    "BillZipCode": "7900001",
    "BillPrefecture": "愛媛県",
    "BillCity": "松山市",
    "BillAddress1": "一番町９−９",
    "BillPhoneNumber": "0890001234",
    "BillSection1Value": "株式会社架空",
    "ShipLastName": "松田",
    "ShipFirstName": "一郎",
    "ShipZipCode": "100-0005",
    "ShipPrefecture": "東京都",
    "ShipCity": "千代田区",
    "ShipAddress1": "丸の内9-9-9",
    "ShipAddress2": "架空ビル3F",
    "ShipPhoneNumber": "03-0000-1234",
    "ShipSection1Value": "営業部",
    "ShipCharge": "660",
    "PayCharge": "330",
    "GiftWrapCharge": "220",
    "Discount": "100",
    "Adjustments": "-30",
    "UsePoint": "500",
    "TotalMallCouponDiscount": "200",
    "TotalCouponDiscount": "150",
}


def shown(mall, placed) -> dict[str, Any]:
    address = mall.sandbox.addresses(mall.root)["yahoo"]
    pairs = [f"--credential={key}={value}" for key, value in address["credentials"].items()]
    run(
        "shop_add",
        "y",
        "--channel=yahoo",
        f"--base-url={address['base_url']}",
        f"--auth-url={address['auth_url']}",
        *pairs,
    )
    pulled = run("pull", "y")
    assert (pulled["created"], pulled["quarantined"]) == (1, 0)
    found: dict[str, Any] = run("show_order", "y", placed.number)
    return found


def test_every_field_survives_until_show_order(mall):
    placed = mall.sells((mall.keys[0], 2), (mall.keys[1], 1))
    goods = sum(line.unit_price * line.quantity for line in placed.lines)
    total = goods + 660 + 330 + 220 - 100 - 30 - 500 - 200
    item = {"Title": "早生みかん　１０ｋｇ", "SubCodeOption": "サイズ:L", "Jan": "4900000000017", "ItemTaxRatio": "8"}
    mall.world.annotate(
        "yahoo",
        placed.number,
        fields={**FIELDS, "TotalPrice": str(total), "SettleAmount": str(total)},
        item_fields={"1": item},
        inscriptions={"1": {"名入れ": "KEIKO"}},
    )
    order = shown(mall, placed)
    assert (order["number"], order["channel"], order["sub_state"]) == (placed.number, "yahoo", "4")
    assert order["channel_state"] == "2/1/0"
    assert order["payment"] | {"paid_at": None} == {
        "method": "convenience",
        "state": "unpaid",
        "name": "コンビニ決済",
        "paid_at": None,
        "pay_by": "2026-08-06T14:59:59+00:00",
        "authorized_until": None,
    }
    assert order["buyer"] == {
        "name": "髙﨑 ｹｲ子",
        "kana": "ﾀｶｻｷ ｹｲｺ",
        "phone": "0890001234",
        "email": placed.buyer.email,
        "postal_code": "7900001",
        "prefecture": "愛媛県",
        "city": "松山市",
        "address": "一番町９−９",
        "company": "株式会社架空",
    }
    (recipient,) = order["recipients"]
    assert {
        key: recipient[key] for key in ("name", "postal_code", "prefecture", "city", "address", "phone", "company")
    } == {
        "name": "松田 一郎",
        "postal_code": "100-0005",
        "prefecture": "東京都",
        "city": "千代田区",
        "address": "丸の内9-9-9 架空ビル3F",
        "phone": "03-0000-1234",
        "company": "営業部",
    }
    assert (
        recipient["lines"]
        == [line["channel_sku"] for line in order["lines"]]
        == [one.listing.key for one in placed.lines]
    )
    first = order["lines"][0]
    assert (first["name"], first["tax_rate"], first["quantity"]) == ("早生みかん　１０ｋｇ", 8, 2)
    assert first["unit_price"] == placed.lines[0].unit_price and first["amount"] == 2 * placed.lines[0].unit_price
    assert first["options"].startswith("サイズ:L") and first["gift"] == "名入れ: KEIKO"
    totals = order["totals"]
    assert {key: totals[key] for key in ("goods", "shipping", "fees", "discount", "coupons", "points", "total")} == {
        "goods": goods,
        "shipping": 660,
        "fees": 330 + 220,
        "discount": 130,
        "coupons": 200,
        "points": 500,
        "total": total,
    }
    assert totals["coupon_list"] == [{"name": "モールクーポン", "amount": 200, "by": "channel"}]
    assert order["delivery"] == {"date": "2026-08-20", "slot": "1416", "method": "クール宅急便"}
    assert order["gift"] == {
        "wrapping": "包装紙（花柄）",
        "noshi": "紅白蝶結び 御祝 髙﨑",
        "message_card": "お誕生日おめでとう",
    }
    assert (order["remarks"], order["shop_memo"]) == (FIELDS["BuyerComments"], FIELDS["Notes"])
    assert set(order["flags"]) >= {
        *("asutsuku", "unattended_delivery", "receipt_wanted", "detailed_slip_wanted", "subscription", "multi_ship"),
    }
    assert not order["cancel_requested"] and "amount_mismatch" not in order["reasons"]


@pytest.mark.parametrize(
    ("fields", "key", "value"),
    [
        ({"PayStatus": "1", "PayDate": "2026-08-03"}, ("payment", "paid_at"), "2026-08-02T15:00:00+00:00"),
        ({"PayMethod": "payment_d1", "PayMethodName": "商品代引"}, ("payment", "method"), "cod"),
        ({"PayMethod": "payment_q9", "PayMethodName": "新しい決済"}, ("payment", "method"), "other"),
        ({"PayMethod": "payment_q9", "PayMethodName": "新しい決済"}, ("payment", "name"), "新しい決済"),
        ({"SettleStatus": "10"}, ("payment", "state"), "failed"),
        ({"SettleStatus": "10", "PayMethodChangeDeadline": "2026-08-09T10:00:00+09:00"}, ("payment", "pay_by"),
         "2026-08-09T01:00:00+00:00"),
        ({"IsLineGiftOrder": "true", "IsLineGiftShippable": "true", "ShippingDeadline": "2026-08-30T23:59:59+09:00"},
         ("deadlines", "ship_by"), "2026-08-30T14:59:59+00:00"),
        ({"SocialGiftType": "1", "BillMailAddress": "relay@example.jp"}, ("buyer", "email"), ""),
        ({"OrderStatus": "3"}, ("channel_state",), "3/1/0"),
        ({"IsSplit": "true", "ChildOrderId": "akari-store-1,akari-store-2"}, ("stage",), "cancelled"),
        ({"IsLineGiftOrder": "true", "IsLineGiftShippable": "false"}, ("stage",), "new"),
        ({"OrderStatus": "77", "ShipStatus": "9"}, ("stage",), "new"),
        ({"ShipRequestTime": "午前中"}, ("delivery", "slot"), "am"),
    ],
)  # fmt: skip
def test_single_facts_survive(mall, fields, key, value):
    placed = mall.sells()
    mall.world.annotate("yahoo", placed.number, fields=fields)
    found = shown(mall, placed)
    for part in key:
        found = found[part]
    assert found == value


def test_ordinary_orders_of_the_day_tell_wishes_and_gifts(mall):
    day = date(2026, 8, 9)
    placed = mall.sells(wish=Wish(day, "16-18"))
    first = placed.destinations[0]
    assert first.wish.day == day
    order = shown(mall, placed)
    assert order["delivery"]["date"] == "2026-08-09" and order["delivery"]["slot"] == "1618"


def test_what_only_some_orders_carry_is_found_among_a_days_orders(mall):
    """The world's own orders exercise the optional fields, without an annotation."""
    connector = mall.connector()
    numbers = [mall.sells((mall.keys[serial % 5], 1), settled=False).number for serial in range(36)]
    mall.time.skip(minutes=11)
    orders = [connector.parse(connector.fetch_order(no).payload) for no in numbers]
    extras = {key for order in orders for key in order.extra}
    flags = {flag for order in orders for flag in order.flags}
    assert {"shop_coupon", "combined_amount", "answers", "unattended", "membership", "lead_time", "settle_id"} <= extras
    assert {"receipt_wanted", "detailed_slip_wanted", "subscription", "asutsuku", "unattended_delivery"} <= flags
    assert any(order.sub_state for order in orders) and any(order.shop_memo for order in orders)
    for order in orders:
        totals = order.totals
        assert totals is not None
        added = totals.goods + totals.shipping + totals.fees + totals.gift_fees
        assert added - totals.discount - totals.coupons_channel - totals.points == totals.total
    assert mall.time.now() - orders[0].ordered_at < timedelta(hours=2)
