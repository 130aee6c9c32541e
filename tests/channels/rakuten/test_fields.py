"""Everything RMS tells beside people, goods and sums finds its place."""

from datetime import UTC, datetime

from channels.connectors.rakuten.parse import parse_order
from orders.channel_order import ChannelOrder, ChannelState, Coupon, Delivery, RateSum
from tests.channels.rakuten.payloads import item, package, payload, sender


def read(**changes: object) -> ChannelOrder:
    return parse_order(payload(**changes))


def coupon(amount: int, capital: int, **changes: object) -> dict[str, object]:
    return {
        "couponCode": "AAAA-BBBB",
        "couponName": f"{amount}円OFF",
        "couponCapitalCode": capital,
        "couponTotalPrice": amount,
        "itemId": 0,
        "itemDetailId": 0,
        **changes,
    }


def test_each_coupon_says_who_pays_it():
    got = read(
        CouponModelList=[coupon(200, 1), coupon(100, 2), coupon(50, 3)],
        couponAllTotalPrice=350,
        couponShopPrice=200,
        couponOtherPrice=150,
    )
    assert got.coupons == (
        Coupon("200円OFF", 200, "shop"),
        Coupon("100円OFF", 100, "channel"),
        Coupon("50円OFF", 50, "channel"),
    )
    assert got.totals is not None
    assert (got.totals.coupons_shop, got.totals.coupons_channel) == (200, 150)


def test_a_coupon_for_one_item_is_that_lines_discount():
    items = [item(5101), item(5102)]
    got = read(
        PackageModelList=[package(items=items)],
        CouponModelList=[coupon(120, 1, itemDetailId=5102, itemId=10020001), coupon(80, 1)],
    )
    assert [line.discount for line in got.lines] == [0, 120]


def test_coupon_sums_that_are_missing_are_taken_from_the_list():
    got = read(
        CouponModelList=[coupon(200, 1), coupon(100, 3)],
        couponAllTotalPrice=None,
        couponShopPrice=None,
        couponOtherPrice=None,
    )
    assert got.totals is not None
    assert (got.totals.coupons_shop, got.totals.coupons_channel) == (200, 100)


def test_sums_by_tax_rate_are_kept():
    got = read(
        TaxSummaryModelList=[
            {"taxRate": 0.1, "reqPrice": 7200, "reqPriceTax": 654},
            {"taxRate": 0.08, "reqPrice": 2000, "reqPriceTax": 148},
            {"taxRate": None, "reqPrice": 1},
        ]
    )
    assert got.by_rate == (RateSum(10, 7200, 654), RateSum(8, 2000, 148))
    assert got.totals is not None and got.totals.tax == 802


def test_each_destination_keeps_its_own_noshi_fees_and_place_to_leave():
    first = package(noshi="御祝 濵﨑", postagePrice=770, deliveryPrice=330, dropOffFlag=1, dropOffLocation="玄関前")
    second = package(5200, [item(5201)], SenderModel=sender(familyName="林"), noshi=None, postagePrice=0)
    got = read(PackageModelList=[first, second], severalSenderFlag=1)
    assert got.deliveries == (
        Delivery(method="宅配便 置き配：玄関前", noshi="御祝 濵﨑", shipping=770, fees=330),
        Delivery(),
    )
    assert got.noshi == "お届け先1：御祝 濵﨑"
    assert {"drop_off", "several_recipients"} <= set(got.flags)


def test_gift_choices_of_an_items_page_are_the_lines_and_the_destinations():
    choices = "名入れ：ゆい\nのし:内祝（濵﨑）\nメッセージカード：おめでとう\nラッピング:不要\n確認事項:了承しました"
    got = read(PackageModelList=[package(items=[item(selectedChoice=choices)])])
    assert got.lines[0].gift == "名入れ:ゆい、のし:内祝（濵﨑）、メッセージカード:おめでとう"
    assert (got.noshi, got.message_card) == ("内祝（濵﨑）", "おめでとう")
    assert got.deliveries[0].gift == "名入れ:ゆい"
    assert "確認事項" in got.lines[0].options and "確認事項" not in got.lines[0].gift


def test_wrapping_and_ribbon_of_the_order_are_named_and_deleted_ones_are_not():
    wrapping = {"title": 1, "name": "花柄", "price": 220, "includeTaxFlag": 1, "deleteWrappingFlag": 0, "taxPrice": 20}
    ribbon = {**wrapping, "title": 2, "name": "赤", "price": 110}
    got = read(WrappingModel1=wrapping, WrappingModel2=ribbon)
    assert got.gift == "包装紙：花柄、リボン：赤"
    assert got.totals is not None and got.totals.gift_fees == 330
    assert read(WrappingModel1=wrapping, WrappingModel2={**ribbon, "deleteWrappingFlag": 1}).gift == "包装紙：花柄"


def test_the_sub_status_the_memo_and_the_deadlines_are_kept():
    got = read(
        subStatusId=301,
        subStatusName="出荷準備中",
        memo="電話確認済み",
        operator="佐藤",
        mailPlugSentence="夏季休業のお知らせ",
        cancelDueDate="2026-10-20",
        DueDateModelList=[{"dueDateType": 0, "dueDate": "2026-10-25"}, {"dueDateType": 2, "dueDate": "2026-11-30"}],
    )
    assert (got.sub_state, got.shop_memo) == ("出荷準備中", "電話確認済み")
    assert got.pay_by == datetime(2026, 10, 25, 14, 59, 59, tzinfo=UTC)
    extra = got.extra
    assert (extra["operator"], extra["mail_words"], extra["cancel_due"], extra["refund_due"]) == (
        "佐藤",
        "夏季休業のお知らせ",
        "2026-10-20",
        "2026-11-30",
    )


def test_a_sub_status_without_a_name_is_told_by_its_number():
    assert read(subStatusId=77, subStatusName=None).sub_state == "77"


def test_all_marks_of_the_mall_are_kept():
    got = read(
        asurakuFlag=1,
        deliveryCertPrgFlag=1,
        oneDayOperationFlag=1,
        isolatedIslandFlag=1,
        membershipType=1,
        orderType=4,
        cautionDisplayType=2,
        modifyFlag=1,
        DeliveryModel={"deliveryName": "クール便", "deliveryClass": 3},
        PackageModelList=[package(items=[item(dealFlag=1, drugFlag=1, isSingleItemShipping=1)])],
    )
    assert set(got.flags) == {
        "asuraku", "delivery_certified", "one_day", "island", "premium", "subscription", "checked_by_shop", "modified",
        "frozen", "deal", "drug", "ships_alone",
    }  # fmt: skip
    assert got.state is ChannelState.OPEN


def test_flags_written_as_texts_mean_the_same():
    assert read(cautionDisplayType="1").state is ChannelState.PROVISIONAL
    assert read(rakutenConfirmFlag="1").state is ChannelState.PROVISIONAL
    assert read(PackageModelList=[package(items=[item(), item(5102, deleteItemFlag="1")])]).lines[1].amount == 0


def test_a_convenience_store_pickup_is_told_where():
    store = {
        "cvsCode": 3,
        "storeCode": "046712",
        "storeName": "四条烏丸店",
        "storePrefecture": "京都府",
        "storeAddress": "京都市下京区",
    }
    got = read(PackageModelList=[package(DeliveryCvsModel=store)])
    assert "store_pickup" in got.flags
    assert got.deliveries[0].method == "宅配便 店舗受取：四条烏丸店 046712"
    assert (got.extra["pickup_store"], got.extra["pickup_address"]) == ("046712 四条烏丸店", "京都府京都市下京区")


def test_a_social_gift_waits_for_its_receiver_until_a_day_and_keeps_no_mail_address():
    gift = {
        "sgMngNumber": "SG-1",
        "inputDueDate": "2026-10-30",
        "inputFlag": 0,
        "receiverEmailAddress": "receiver@example.com",
    }
    got = read(socialGiftFlag=1, PackageModelList=[package(SocialGiftModel=gift)])
    assert got.state is ChannelState.PROVISIONAL
    assert {"social_gift", "receiver_unknown"} <= set(got.flags)
    assert (got.extra["social_gift_no"], got.extra["social_gift_due"]) == ("SG-1", "2026-10-30")
    assert "receiver@example.com" not in str(got.extra)


def test_the_skus_of_a_line_with_several_are_all_named():
    skus = [{"variantId": "a", "skuInfo": "色:紺"}, {"variantId": "b", "skuInfo": "サイズ:M"}]
    line = read(PackageModelList=[package(items=[item(SkuModelList=skus)])]).lines[0]
    assert (line.channel_sku, line.options) == ("chair-r/a", "色:紺\nサイズ:M")


def test_nobodys_birthday_or_card_is_kept():
    orderer = {**sender(), "emailAddress": "x@pc.fw.rakuten.ne.jp", "sex": "女", "birthYear": 1987, "birthMonth": 4}
    settlement = {"settlementMethodCode": 1, "cardNumber": "XXXX-1234", "cardOwner": "HAMASAKI"}
    assert "XXXX" not in str(read(SettlementModel=settlement)) and "1987" not in str(read(OrdererModel=orderer))
