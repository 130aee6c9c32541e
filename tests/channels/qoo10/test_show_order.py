"""Whatever Qoo10 tells of a basket goes over the wire, is read, stored, and stands in `show_order`."""

import json
from typing import Any

import pytest

from orders.channel_order import ChannelState
from tests.channels.test_commands import run

pytestmark = pytest.mark.django_db

FIELDS = {
    "Buyer": "髙﨑 恵子",
    "BuyerKana": "ﾀｶｻｷ ｹｲｺ",
    "BuyerMobile": "+81-90-0000-0001",
    "BuyerEmail": "keiko@example.jp",
    "Receiver": "松田 一郎",
    "ReceiverKana": "マツダ イチロウ",
    "ZipCode": "1000005",
    "ShippingAddress": "東京都千代田区丸の内 9-9-9 架空ビル3F",
    "Address1": "東京都千代田区丸の内",
    "Address2": "9-9-9 架空ビル3F",
    "ReceiverTel": "03-0000-1234",
    "ReceiverMobile": "",
    "DesiredDeliveryDate": "2026-08-20",
    "SenderName": "株式会社架空商事",
    "SenderTel": "03-0000-9999",
    "SenderZipCode": "530-0001",
    "SenderAddress": "大阪府大阪市北区梅田 1-1",
    "ShippingWay": "クール便",
    "ShippingMessage": "不在時は宅配ボックスへ😊",
    "PaymentMethod": "PayPay",
    "ShippingRate": 500,
    "ShippingRateType": "Free on condition",
    "SettlePrice": 1000,
    "Material": "綿",
}
FIRST = {
    "ItemTitle": "湯呑み　（藍）",
    "Option": "サイズ:大 / 色:藍(+300円)",
    "OrderPrice": 1980,
    "OrderQty": 2,
    "Discount": 400,
    "SellerDiscount": 100,
    "Total": 3560,
    "Gift": "ふきん",
    "CartDiscountSeller": 50,
    "CartDiscountQoo10": 70,
}
SECOND = {
    "OrderPrice": 500,
    "OrderQty": 1,
    "Discount": 0,
    "SellerDiscount": 0,
    "Total": 500,
    "Receiver": "山本 花",
    "Address1": "北海道札幌市中央区",
    "Address2": "1-1",
    "ShippingAddress": "北海道札幌市中央区 1-1",
    "ZipCode": "060-0001",
    "CartDiscountSeller": 0,
    "CartDiscountQoo10": 0,
    "SenderName": "髙﨑 恵子",
    "DesiredDeliveryDate": "",
}


def shown(mall, placed, *, again=False) -> dict[str, Any]:
    address = mall.sandbox.addresses(mall.root)["qoo10"]
    pairs = [f"--credential={key}={value}" for key, value in address["credentials"].items()]
    if not again:
        run("shop_add", "q", "--channel=qoo10", f"--base-url={address['base_url']}", *pairs)
    pulled = run("pull", "q")
    assert pulled["quarantined"] == 0
    found: dict[str, Any] = run("show_order", "q", placed.number)
    return found


def annotated(mall):
    placed = mall.sells((mall.keys[0], 2), (mall.keys[1], 1))
    rows = {line.line_id: fields for line, fields in zip(placed.lines, (FIRST, SECOND), strict=True)}
    mall.world.annotate("qoo10", placed.number, fields=FIELDS, row_fields=rows)
    return placed


@pytest.mark.parametrize("style", ["float", "text", "int"])
def test_every_field_survives_until_show_order(mall, style):
    mall.simulator.number_style = style
    placed = annotated(mall)
    order = shown(mall, placed)
    assert (order["number"], order["channel"], order["channel_state"]) == (placed.number, "qoo10", "On request(2)")
    payment = order["payment"]
    assert (payment["method"], payment["state"], payment["name"]) == ("mall", "paid", "PayPay")
    assert payment["paid_at"] is not None
    buyer = order["buyer"]
    assert (buyer["name"], buyer["kana"], buyer["phone"], buyer["email"]) == (
        "髙﨑 恵子",
        "ﾀｶｻｷ ｹｲｺ",
        "090-0000-0001",
        "keiko@example.jp",
    )
    first, second = order["recipients"]
    assert (first["name"], first["kana"], first["postal_code"]) == ("松田 一郎", "マツダ イチロウ", "1000005")
    assert (first["prefecture"], first["address"]) == ("東京都", "千代田区丸の内 9-9-9 架空ビル3F")
    assert first["phone"] == "03-0000-1234"
    assert (second["name"], second["prefecture"]) == ("山本 花", "北海道")
    assert first["delivery"] | {"shipping": 0, "fees": 0} == {
        "date": "2026-08-20",
        "slot": "",
        "method": "クール便",
        "sender": "株式会社架空商事",
        "shipping": 0,
        "fees": 0,
    }
    assert (second["delivery"]["date"], second["delivery"]["sender"]) == (None, "髙﨑 恵子")
    assert [len(one["lines"]) for one in order["recipients"]] == [1, 1]
    line = order["lines"][0]
    assert line["channel_sku"] == placed.lines[0].listing.key
    assert (line["name"], line["options"]) == ("湯呑み　（藍）", "サイズ:大 / 色:藍(+300円)")
    assert (line["quantity"], line["unit_price"], line["amount"], line["discount"]) == (2, 1980, 3960, 400)
    assert [one["gift"] for one in order["lines"]] == ["ふきん", ""]
    totals = order["totals"]
    assert {key: totals[key] for key in ("goods", "shipping", "fees", "discount", "coupons", "points", "total")} == {
        "goods": 4460,
        "shipping": 500,
        "fees": 0,
        "discount": 100,
        "coupons": 50 + 70 + 300,
        "points": 0,
        "total": 4440,
    }
    assert totals["coupon_list"] == [
        {"name": "カート割引（販売者負担）", "amount": 50, "by": "shop"},
        {"name": "カート割引（Qoo10負担）", "amount": 70, "by": "channel"},
        {"name": "商品割引（Qoo10負担）", "amount": 300, "by": "channel"},
    ]
    assert order["delivery"]["date"] == "2026-08-20" and order["delivery"]["method"] == "クール便"
    assert order["remarks"] == "不在時は宅配ボックスへ😊"
    assert {"other_sender", "free_gift"} <= set(order["flags"])
    assert "amount_mismatch" not in order["reasons"]


@pytest.mark.parametrize(
    ("fields", "key", "value"),
    [
        ({"AvailableSendType": "2", "AvailableShippingDate": "2026-09-10"}, "flags", "preorder"),
        ({"AvailableSendType": "3"}, "flags", "same_day"),
        ({"ShippingRateType": "Store Pickup", "VoucherCode": "V-1"}, "flags", "store_pickup"),
        ({"ShippingRateType": "Charge on delivery"}, "flags", "freight_collect"),
        ({"ShippingStatus": "Awaiting shipping(1)", "PaymentDate": ""}, "payment", "unpaid"),
        ({"ShippingStatus": "Something new"}, "channel_state", "Something new"),
        ({"EstimatedShippingDate": "2026-08-07"}, "deadlines", "2026-08-07T14:59:59+00:00"),
    ],
)
def test_single_facts_survive(mall, fields, key, value):
    placed = mall.sells()
    mall.world.annotate("qoo10", placed.number, fields=fields)
    found = shown(mall, placed)[key]
    assert value in (found.values() if isinstance(found, dict) else [found] if isinstance(found, str) else found)


def test_a_wish_to_cancel_and_its_reason_stand_in_the_order(mall):
    placed = mall.sells()
    mall.world.request_cancel("qoo10", placed.number, "間違えました")
    order = shown(mall, placed)
    assert order["cancel_requested"] and order["sub_state"] == "Cancel request(1)"


def test_a_return_is_told_with_all_its_facts(mall):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    mall.world.confirm("qoo10", placed.number)
    mall.world.ship(
        "qoo10", placed.number, carrier="yamato", tracking="400000000001", shipped_on=mall.time.now().date()
    )
    facts = {
        "status": 4,
        "reason": "サイズ違い",
        "deliveryCompanyReturn": "佐川急便",
        "trackingNoReturn": "500000000001",
        "pickupAddress": "東京都千代田区1-1",
        "itemCondition": "未開封",
    }
    mall.world.annotate("qoo10", placed.number, claims={placed.lines[0].line_id: facts})
    seen = mall.seen(placed.number)
    assert (seen.state, seen.sub_state, seen.cancel_requested) == (ChannelState.SHIPPED, "Return request(4)", False)
    assert "return_requested" in seen.flags
    (claim,) = json.loads(seen.extra["claims"])
    assert claim["order_no"] == order["extra"]["order_nos"]
    assert (claim["status"], claim["reason"], claim["return_tracking"], claim["item_condition"]) == (
        "Return request(4)",
        "サイズ違い",
        "500000000001",
        "未開封",
    )
    assert shown(mall, placed)["sub_state"] == "Return request(4)"


@pytest.mark.parametrize("number", [2, 4, 5, 6, 11, 12, 13, 14, 15, 17, 99])
def test_a_claim_of_any_number_is_taken_in(mall, number):
    placed = mall.sells()
    mall.world.annotate(
        "qoo10",
        placed.number,
        claims={placed.lines[0].line_id: {"claimStatus": f"New words({number})", "reason": "理由"}},
    )
    order = shown(mall, placed)
    assert order["sub_state"].endswith(f"({number})") and order["cancel_requested"] == (number == 2)


def test_what_only_some_baskets_carry_is_found_among_a_days_orders(mall):
    for serial in range(16):
        mall.sells((mall.keys[serial % 5], 1))
    orders = [mall.connector().parse(raw.payload) for raw in mall.pull()[0]]
    assert {"free_gift", "sender_name", "seller_item_codes", "settle_amount"} <= {
        key for one in orders for key in one.extra
    }
    for order in orders:
        totals = order.totals
        assert totals is not None
        taken = totals.discount + totals.coupons_shop + totals.coupons_channel
        assert totals.goods + totals.shipping - taken == totals.total


# ---- telling and counting ------------------------------------------------------------------------------------------


def test_one_order_number_of_a_basket_is_cancelled_and_the_other_stands(mall):
    placed = mall.sells((mall.keys[0], 2), (mall.keys[1], 1))
    order = mall.for_connector(placed.number)
    for _ in range(2):
        mall.connector().cancel_lines(order, {placed.lines[0].line_id: 2}, "out_of_stock")
    seen = mall.seen(placed.number)
    assert [line.cancelled_quantity for line in seen.lines] == [2, 0]
    assert (seen.state, seen.cancel_reason) == (ChannelState.TO_CONFIRM, "在庫切れのため")
    assert len(mall.told("cancel")) == 1
    assert mall.world.shown("qoo10", mall.keys[0]).quantity == 0, "Qoo10 stops selling it"


def test_numbers_of_a_day_hold_cancelled_baskets_too(mall):
    since = mall.time.now()
    placed = [mall.sells((mall.keys[0], 1), (mall.keys[1], 1)) for _ in range(3)]
    mall.world.cancel("qoo10", placed[1].number, by="buyer")
    until = mall.time.now()
    mall.time.skip(seconds=2)
    mall.sells()
    told = [pair for page in mall.connector().order_numbers(since, until) for pair in page]
    assert [no for no, _at in told] == [one.number for one in placed]
    assert all(abs((at - one.ordered_at).total_seconds()) < 1 for (_, at), one in zip(told, placed, strict=True))
