"""Every field survives the way from the wire over the archive and the store to the printed order."""

from typing import Any

import pytest

from orders.models import ReviewReason
from tests.channels.rakuten.conftest import Mall
from tests.channels.rakuten.payloads import item, order, package, sender
from tests.channels.stored import connect, pulled

pytestmark = pytest.mark.django_db

FULL = order(
    subStatusId=301,
    subStatusName="出荷準備中",
    memo="電話確認済み",
    asurakuFlag=1,
    giftCheckFlag=1,
    severalSenderFlag=1,
    remarks="[配送日時指定:]\n2026-10-24(土)\n18:00〜20:00\n[備考:]\n宅配ボックス希望です",
    SettlementModel={"settlementMethodCode": 13, "settlementMethod": "セブンイレブン（前払）", "rpaySettlementFlag": 1},
    orderProgress=200,
    WrappingModel1={"title": 1, "name": "花柄", "price": 220, "includeTaxFlag": 1, "deleteWrappingFlag": 0},
    DueDateModelList=[{"dueDateType": 0, "dueDate": "2026-10-25"}],
    CouponModelList=[
        {"couponName": "店舗300円", "couponCapitalCode": 1, "couponTotalPrice": 300, "itemId": 1, "itemDetailId": 5101},
        {"couponName": "楽天100円", "couponCapitalCode": 3, "couponTotalPrice": 100, "itemId": 0, "itemDetailId": 0},
    ],
    goodsPrice=17600,
    postagePrice=1540,
    deliveryPrice=0,
    paymentCharge=110,
    couponAllTotalPrice=400,
    couponShopPrice=300,
    couponOtherPrice=100,
    totalPrice=19360,
    requestPrice=19000,
    TaxSummaryModelList=[
        {"taxRate": 0.1, "reqPrice": 12000, "reqPriceTax": 1090},
        {"taxRate": 0.08, "reqPrice": 7000, "reqPriceTax": 518},
    ],
    PackageModelList=[
        package(
            items=[item(selectedChoice="名入れ：ゆい\nメッセージカード:おめでとう")],
            noshi="御祝 濵﨑",
            dropOffFlag=1,
            dropOffLocation="玄関前",
            ShippingModelList=[],
        ),
        package(
            5200,
            [item(5201, taxRate=0.08, SkuModelList=[{"variantId": "chair-r-ash", "skuInfo": "色:灰"}])],
            SenderModel=sender(familyName="林", prefecture="大阪府", city="大阪市北区"),
            postagePrice=770,
            deliveryPrice=55,
        ),
    ],
)


@pytest.fixture
def shown(mall: Mall) -> dict[str, Any]:
    placed = mall.sells()
    wire = {key: value for key, value in FULL.items() if key not in ("orderNumber", "orderDatetime")}
    mall.world.annotate("rakuten", placed.number, wire=wire)
    mall.time.skip(minutes=1)
    return pulled(connect("rakuten", mall), placed.number)


def test_states_people_and_payment(shown: dict[str, Any]):
    assert (shown["channel_state"], shown["sub_state"], shown["shop_memo"]) == ("200", "出荷準備中", "電話確認済み")
    assert shown["buyer"]["email"].endswith("@pc.fw.rakuten.ne.jp")
    assert (shown["buyer"]["name"], shown["buyer"]["kana"]) == ("濵﨑 𠮷乃", "ハマサキ ヨシノ")
    assert (shown["payment"]["method"], shown["payment"]["state"]) == ("mall", "unpaid")
    assert shown["payment"]["name"] == "セブンイレブン（前払）"
    assert shown["payment"]["pay_by"].startswith("2026-10-25T14:59:59")
    assert {"asuraku", "gift", "several_recipients", "drop_off"} <= set(shown["flags"])
    assert shown["remarks"] == "宅配ボックス希望です"
    assert shown["delivery"] == {"date": "2026-10-24", "slot": "1820", "method": "宅配便"}


def test_recipients_with_their_own_lines_noshi_cards_and_fees(shown: dict[str, Any]):
    first, second = shown["recipients"]
    assert (first["lines"], second["lines"]) == (["CH-R-OAK"], ["chair-r/chair-r-ash"])
    assert (second["name"], second["prefecture"], second["city"]) == ("林 𠮷乃", "大阪府", "大阪市北区")
    assert first["gift"] == {
        "wrapping": "包装紙：花柄、名入れ:ゆい",
        "noshi": "御祝 濵﨑",
        "message_card": "おめでとう",
    }
    assert first["delivery"]["method"] == "宅配便 置き配：玄関前"
    assert (second["delivery"]["shipping"], second["delivery"]["fees"]) == (770, 55)
    assert shown["gift"] == {
        "wrapping": "包装紙：花柄",
        "noshi": "お届け先1：御祝 濵﨑",
        "message_card": "お届け先1：おめでとう",
    }


def test_lines_sums_coupons_and_rates(shown: dict[str, Any]):
    first, second = shown["lines"]
    assert (first["unit_price"], first["tax_rate"], first["discount"], second["tax_rate"]) == (8800, 10, 300, 8)
    assert first["gift"] == "名入れ:ゆい、メッセージカード:おめでとう"
    assert first["options"] == "色:オーク\n名入れ：ゆい\nメッセージカード:おめでとう"
    totals = shown["totals"]
    assert (totals["goods"], totals["shipping"], totals["fees"], totals["coupons"]) == (17600, 1540, 330, 400)
    assert (totals["points"], totals["tax"], totals["total"]) == (70, 1608, 19000)
    assert totals["coupon_list"] == [
        {"name": "店舗300円", "amount": 300, "by": "shop"},
        {"name": "楽天100円", "amount": 100, "by": "channel"},
    ]
    assert totals["by_rate"] == [
        {"rate": 10, "amount": 12000, "tax": 1090},
        {"rate": 8, "amount": 7000, "tax": 518},
    ]
    assert "amount_mismatch" not in shown["reasons"]


def test_a_whole_day_of_the_sandbox_is_stored_and_stops_only_what_a_person_must_see(mall: Mall):
    mall.world.generate(150)
    mall.world.advance()
    mall.time.skip(minutes=1)
    orders = mall.world.orders("rakuten")
    connection = connect("rakuten", mall)
    shown = pulled(connection, orders[0].number)
    assert shown["number"] == orders[0].number
    assert connection.shop.order_set.count() == len(orders) > 30
    wrong = {order.number for order in orders if order.truth.needs_judgement == "amount_mismatch"}
    stopped = ReviewReason.objects.filter(level="block", code__in=["amount_mismatch", "noshi", "gift_wrap"])
    assert set(stopped.values_list("order__channel_order_no", flat=True)) == wrong
