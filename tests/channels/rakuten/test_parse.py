"""Reading one order: every field, odd values, missing ones, unknown ones."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from channels.connectors.contract import Unreadable
from channels.connectors.rakuten.parse import parse_order
from orders.channel_order import ChannelOrder, ChannelState, PaymentMethod, PaymentState, Totals
from tests.channels.rakuten.payloads import item, order, package, payload, sender


def read(**changes: Any) -> ChannelOrder:
    return parse_order(payload(**changes))


def balanced(totals: Totals) -> bool:
    """The identity that intake checks."""
    due = totals.goods + totals.shipping + totals.fees + totals.gift_fees + totals.tax_excluded
    return due - totals.discount - totals.coupons_shop - totals.coupons_channel - totals.points == totals.total


def test_an_ordinary_order_is_read_whole():
    got = read()
    assert got.channel_order_no == "299001-20261018-0000400123"
    assert got.ordered_at == datetime(2026, 10, 18, 14, 58, 1, tzinfo=UTC)
    assert got.confirmed_at == datetime(2026, 10, 18, 15, 10, tzinfo=UTC)
    assert (got.channel_state, got.state) == ("300", ChannelState.OPEN)
    assert got.buyer.name == "濵﨑 𠮷乃"
    assert got.buyer.kana == "ハマサキ ヨシノ"
    assert got.buyer.email == "77aa01example@pc.fw.rakuten.ne.jp"
    assert (got.buyer.phone, got.buyer.postal_code) == ("080-1111-0022", "604-0902")
    assert got.recipients[0].prefecture == "京都府"
    assert got.recipients[0].city == "京都市中京区"
    assert got.recipients[0].address == "夷川通土手町東入22-5 柊荘201"
    assert (got.wish_date, got.wish_slot) == (date(2026, 10, 24), "1820")
    assert got.delivery_method == "宅配便"
    assert got.extra["basket_ids"] == "5100"
    assert got.updated_at is None


def test_a_line_carries_the_shops_sku_and_the_choices():
    line = read(PackageModelList=[package(items=[item(units=3, selectedChoice="名入れ：あり\n確認:了承")])]).lines[0]
    assert (line.line_id, line.channel_sku, line.name) == ("5101", "CH-R-OAK", "樫の丸椅子")
    assert (line.quantity, line.unit_price, line.amount, line.tax_rate) == (3, 8800, 26400, 10)
    assert line.options == "色:オーク\n名入れ：あり\n確認:了承"


@pytest.mark.parametrize(
    ("skus", "expected"),
    [
        ([{"variantId": "V1", "merchantDefinedSkuId": "OWN-1"}], "OWN-1"),
        ([{"variantId": "V1", "merchantDefinedSkuId": None}], "chair-r/V1"),
        ([{"variantId": "", "merchantDefinedSkuId": ""}], "CHAIR-R"),
        ([], "CHAIR-R"),
        (None, "CHAIR-R"),
    ],
)
def test_the_sku_is_taken_from_the_best_name_there_is(skus: Any, expected: str):
    lines = read(PackageModelList=[package(items=[item(SkuModelList=skus)])]).lines
    assert lines[0].channel_sku == expected


def test_amounts_add_up():
    got = read(
        deliveryPrice=330,
        paymentCharge=110,
        additionalFeeOccurAmountToUser=50,
        couponAllTotalPrice=500,
        couponOtherPrice=200,
        requestPrice=9710,
        WrappingModel1={"title": 1, "name": "花柄", "price": 220, "includeTaxFlag": 1, "deleteWrappingFlag": 0},
        WrappingModel2={"title": 2, "name": "赤", "price": 999, "includeTaxFlag": 1, "deleteWrappingFlag": 1},
    )
    assert got.totals is not None
    assert (got.totals.fees, got.totals.gift_fees) == (490, 220)
    assert (got.totals.coupons_shop, got.totals.coupons_channel, got.totals.points) == (300, 200, 70)
    assert got.totals.total == 9710
    assert balanced(got.totals)
    assert got.gift == "包装紙：花柄"


def test_prices_without_tax_are_told_with_tax_and_still_add_up():
    excluded = item(price=8000, includeTaxFlag=0, priceTaxIncl=8800, units=2)
    got = read(PackageModelList=[package(items=[excluded])], goodsPrice=16000, requestPrice=18000)
    assert got.lines[0].unit_price == 8800
    assert got.totals is not None and got.totals.goods == got.lines[0].amount == 17600
    assert balanced(got.totals)


@pytest.mark.parametrize(
    "key", ["goodsPrice", "postagePrice", "deliveryPrice", "paymentCharge", "totalPrice", "requestPrice"]
)
def test_an_amount_that_is_not_fixed_holds_the_order(key: str):
    got = read(**{"orderProgress": 100, key: -9999})
    assert got.state is ChannelState.PROVISIONAL
    assert got.totals is None or key == "totalPrice"


@pytest.mark.parametrize(
    ("progress", "state"),
    [
        (100, ChannelState.TO_CONFIRM),
        (200, ChannelState.PROVISIONAL),
        (300, ChannelState.OPEN),
        (400, ChannelState.PROVISIONAL),
        (500, ChannelState.SHIPPED),
        (600, ChannelState.SHIPPED),
        (700, ChannelState.SHIPPED),
        (800, ChannelState.PROVISIONAL),
        (900, ChannelState.CANCELLED),
        (350, ChannelState.PROVISIONAL),
        (None, ChannelState.PROVISIONAL),
    ],
)
def test_each_progress_has_its_meaning_and_an_unknown_one_never_ships(progress: Any, state: ChannelState):
    got = read(orderProgress=progress)
    assert got.state is state
    assert got.channel_state == ("" if progress is None else str(progress))


@pytest.mark.parametrize(
    "changes",
    [
        {"rakutenConfirmFlag": 1},
        {"cautionDisplayType": 1},
        {"ChangeReasonModelList": [{"changeType": 4, "changeCmplDatetime": None}]},
        {"PackageModelList": [package(SenderModel=sender(familyName="入力待ち", firstName="入力待ち"))]},
        {"PackageModelList": [package(SocialGiftModel={"inputFlag": 0})]},
    ],
)
def test_a_check_by_rakuten_keeps_an_order_from_being_shipped(changes: dict[str, Any]):
    assert read(**changes).state is ChannelState.PROVISIONAL


def test_a_settled_change_does_not_hold():
    done = [{"changeType": 4, "changeCmplDatetime": "2026-10-19T09:00:00+0900"}]
    assert read(ChangeReasonModelList=done).state is ChannelState.OPEN


def test_a_wish_to_cancel_is_told_with_its_reason():
    asked = [{"changeType": 0, "changeReasonDetail": 6, "changeCmplDatetime": None}]
    got = read(ChangeReasonModelList=asked)
    assert got.cancel_requested
    assert got.cancel_reason == "その他（お客様都合）"
    assert read(orderProgress=800).cancel_requested
    assert not read().cancel_requested


@pytest.mark.parametrize(
    ("code", "by_rakuten", "progress", "method", "state"),
    [
        (1, 1, 300, PaymentMethod.MALL, PaymentState.AUTHORIZED),
        (13, 1, 200, PaymentMethod.MALL, PaymentState.UNPAID),
        (13, 1, 300, PaymentMethod.MALL, PaymentState.PAID),
        (2, 1, 300, PaymentMethod.COD, PaymentState.UNPAID),
        (2, 0, 700, PaymentMethod.COD, PaymentState.PAID),
        (9, 0, 300, PaymentMethod.BANK_TRANSFER, PaymentState.PAID),
        (21, 0, 300, PaymentMethod.DEFERRED, PaymentState.AUTHORIZED),
        (77, 1, 300, PaymentMethod.OTHER, PaymentState.AUTHORIZED),
        (None, None, 100, PaymentMethod.OTHER, PaymentState.UNPAID),
    ],
)
def test_payment_says_who_collects_and_whether_it_is_safe(
    code: Any, by_rakuten: Any, progress: int, method: PaymentMethod, state: PaymentState
):
    settlement = {"settlementMethodCode": code, "settlementMethod": None, "rpaySettlementFlag": by_rakuten}
    got = read(SettlementModel=settlement, orderProgress=progress)
    assert (got.payment_method, got.payment_state) == (method, state)
    assert got.extra.get("payment_code", "") == ("" if code is None else str(code))


def test_nulls_everywhere_still_give_an_order():
    nothing = {key: None for key in order() if key not in ("orderNumber", "orderDatetime", "PackageModelList")}
    bare = {"itemDetailId": 1, "units": 2, "price": 100}
    got = read(**nothing, PackageModelList=[{"basketId": 9, "ItemModelList": [bare]}])
    assert got.totals is None
    assert got.state is ChannelState.PROVISIONAL
    assert got.lines[0].amount == 200
    assert got.lines[0].tax_rate is None
    assert got.recipients[0].name == ""


def test_a_missing_part_of_a_phone_number_or_name_is_skipped():
    got = read(PackageModelList=[package(SenderModel=sender(phoneNumber2=None, firstName=None, zipCode2=""))])
    assert got.recipients[0].phone == "080-0022"
    assert got.recipients[0].name == "濵﨑"
    assert got.recipients[0].postal_code == "604"


def test_equal_parts_of_a_phone_number_are_all_kept():
    parts = sender(phoneNumber1="0901", phoneNumber2="1234", phoneNumber3="1234")
    assert read(PackageModelList=[package(SenderModel=parts)]).recipients[0].phone == "0901-1234-1234"


def test_fields_we_do_not_know_change_nothing():
    changed = order(brandNewModel={"x": [1]}, anotherFlag=1)
    changed["PackageModelList"][0]["mystery"] = "?"
    assert parse_order(json.dumps(changed)) == read()


def test_two_destinations_keep_their_lines_apart():
    second = package(5200, [item(5201), item(5202)], SenderModel=sender(familyName="林"), noshi="御祝 林")
    got = read(PackageModelList=[package(), second], severalSenderFlag=1)
    assert [person.name for person in got.recipients] == ["濵﨑 𠮷乃", "林 𠮷乃"]
    assert [(line.line_id, line.recipient) for line in got.lines] == [("5101", 0), ("5201", 1), ("5202", 1)]
    assert got.extra["basket_ids"] == "5100,5200"
    assert got.noshi == "お届け先2：御祝 林"
    assert [delivery.noshi for delivery in got.deliveries] == ["", "御祝 林"]


def test_deleted_lines_and_packages_are_cancelled_but_not_forgotten():
    gone = package(5200, [item(5201)], packageDeleteFlag=1)
    got = read(PackageModelList=[gone, package(items=[item(), item(5102, deleteItemFlag=1, units=4)])])
    assert {line.line_id: line.cancelled_quantity for line in got.lines} == {"5201": 1, "5101": 0, "5102": 4}
    assert {line.line_id: line.amount for line in got.lines} == {"5201": 0, "5101": 8800, "5102": 0}
    assert len(got.recipients) == 1
    assert {line.recipient for line in got.lines} == {0}


def test_tracking_numbers_are_collected():
    row = {"shippingDetailId": 1, "shippingNumber": "3300-1111-2222", "deliveryCompany": "1001", "shippingDate": None}
    got = read(PackageModelList=[package(ShippingModelList=[row, {**row, "shippingNumber": None}])])
    assert got.tracking_nos == ("3300-1111-2222",)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("[配送日時指定:]\n2026-10-24(土)\n18:00〜20:00\n[備考:]\n", ""),
        ("[配送日時指定:]\n2026-10-24(土)\n18時～20時\n[備考:]\n玄関先でお電話ください", "玄関先でお電話ください"),
        ("[配送日時指定:]\n2026-10-24(土)\nできれば早めに\n[備考:]\n", "できれば早めに"),
        ("[備考:]", ""),
        ("[ギフト:]\nのし希望\n[備考:]\n", "[ギフト:]\nのし希望"),
        ("[領収書:]\n[備考:]\n領収書をお願いします", "領収書をお願いします"),
        ("置き配でお願いします", "置き配でお願いします"),
        (None, ""),
    ],
)
def test_remarks_keep_what_the_buyer_wrote(raw: str | None, words: str):
    assert read(remarks=raw).remarks == words


def test_the_delivery_block_stands_in_for_empty_fields():
    got = read(deliveryDate=None, shippingTerm=None)
    assert (got.wish_date, got.wish_slot) == (date(2026, 10, 24), "1820")


def test_a_delivery_block_that_contradicts_the_fields_is_shown_whole():
    got = read(deliveryDate="2026-10-30")
    assert got.wish_date == date(2026, 10, 30)
    assert "2026-10-24" in got.remarks


@pytest.mark.parametrize(
    ("term", "slot"), [(0, ""), (None, ""), (1, "am"), (2, "pm"), (9, ""), (1416, "1416"), (708, "0708")]
)
def test_the_hours_of_a_wish(term: Any, slot: str):
    assert read(shippingTerm=term, remarks="").wish_slot == slot


def test_marks_of_the_mall_are_kept():
    got = read(asurakuFlag=1, orderType=6, cautionDisplayType=1, cautionDisplayDetailType=103, giftCheckFlag=1)
    assert set(got.flags) == {"asuraku", "preorder", "caution:103", "gift"}


@pytest.mark.parametrize(
    "payload_text",
    [
        "",
        "<html>",
        "[]",
        json.dumps(order(orderNumber=None)),
        json.dumps(order(orderNumber=17)),
        json.dumps(order(orderDatetime="yesterday")),
        json.dumps(order(orderDatetime=None)),
        json.dumps(order(PackageModelList=None)),
        json.dumps(order(PackageModelList="none")),
        json.dumps(order(PackageModelList=[package(items=[])])),
        json.dumps(order(PackageModelList=[package(items=[item(units="two")])])),
        json.dumps(order(PackageModelList=[package(items=[item(units=1.5)])])),
        json.dumps(order(PackageModelList=[package(items=[item(price=None)])])),
        json.dumps(order(PackageModelList=[package(items=[item(itemDetailId=None)])])),
        json.dumps(order(OrdererModel="濵﨑様")),
        json.dumps(order(requestPrice={"yen": 1})),
    ],
)
def test_what_cannot_be_understood_is_said_without_personal_data(payload_text: str):
    with pytest.raises(Unreadable) as refused:
        parse_order(payload_text)
    assert "楽天" in refused.value.cause
    assert "濵﨑" not in refused.value.cause + refused.value.detail
