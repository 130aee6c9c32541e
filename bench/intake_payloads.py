"""Orders as Rakuten's getOrder (version 9) writes them, without end: other people, other goods, some remarks."""

import random
from collections.abc import Iterator
from typing import Any

SKUS = [f"BENCH-{number:04d}" for number in range(1, 401)]
FAMILIES = ("佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "加藤", "髙橋", "渡邊")
GIVEN = ("陽菜", "結衣", "大輔", "健太", "翔太", "美咲", "直樹", "千尋", "裕子", "誠", "恵", "学", "香織", "拓也")
PLACES = (
    ("154", "0024", "東京都", "世田谷区", "三軒茶屋"),
    ("530", "0001", "大阪府", "大阪市北区", "梅田"),
    ("460", "0008", "愛知県", "名古屋市中区", "栄"),
    ("812", "0012", "福岡県", "福岡市博多区", "博多駅中央街"),
    ("064", "0820", "北海道", "札幌市中央区", "大通西"),
)


def payloads(*, start: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Endless orders of three lines; numbers count from `start`."""
    rng = random.Random(seed)
    number = start
    while True:
        number += 1
        yield _order(number, rng)


def _order(number: int, rng: random.Random) -> dict[str, Any]:
    items = [_item(number * 10 + place, rng) for place in range(3)]
    goods = sum(item["price"] * item["units"] for item in items)
    person = _person(number, rng)
    return {
        "orderNumber": f"401122-20261120-{number % 10**10:010d}",
        "orderProgress": 300,
        "subStatusId": None,
        "orderDatetime": "2026-11-20T10:00:00+0900",
        "shopOrderCfmDatetime": "2026-11-20T10:05:00+0900",
        "orderFixDatetime": "2026-11-20T10:06:00+0900",
        "deliveryDate": None,
        "shippingTerm": None,
        "remarks": "[備考:]\n宅配ボックス希望です。" if number % 12 == 0 else None,
        "giftCheckFlag": 0,
        "severalSenderFlag": 0,
        "equalSenderFlag": 1,
        "isolatedIslandFlag": 0,
        "rakutenMemberFlag": 1,
        "carrierCode": 0,
        "orderType": 1,
        "cautionDisplayType": 0,
        "rakutenConfirmFlag": 0,
        "goodsPrice": goods,
        "goodsTax": 0,
        "postagePrice": 770,
        "deliveryPrice": 0,
        "paymentCharge": 0,
        "totalPrice": goods + 770,
        "requestPrice": goods + 770,
        "couponAllTotalPrice": 0,
        "couponShopPrice": 0,
        "couponOtherPrice": 0,
        "additionalFeeOccurAmountToUser": 0,
        "additionalFeeOccurAmountToShop": 0,
        "OrdererModel": {**person, "emailAddress": f"{number:x}@pc.fw.rakuten.ne.jp", "sex": "-", "birthYear": 0},
        "SettlementModel": {"settlementMethodCode": 1, "settlementMethod": "クレジットカード"},
        "DeliveryModel": {"deliveryName": "宅配便", "deliveryClass": None},
        "PointModel": {"usedPoint": 0},
        "WrappingModel1": None,
        "WrappingModel2": None,
        "PackageModelList": [
            {
                "basketId": number,
                "postagePrice": 770,
                "postageTaxRate": 0.1,
                "deliveryPrice": 0,
                "deliveryTaxRate": 0.1,
                "goodsPrice": goods,
                "totalPrice": goods + 770,
                "noshi": None,
                "packageDeleteFlag": 0,
                "SenderModel": {**person, "isolatedIslandFlag": 0},
                "ItemModelList": items,
                "ShippingModelList": [],
                "DeliveryCvsModel": None,
                "defaultDeliveryCompanyCode": "1001",
            }
        ],
        "CouponModelList": None,
        "ChangeReasonModelList": [],
        "TaxSummaryModelList": [{"taxRate": 0.1, "reqPrice": goods + 770, "reqPriceTax": (goods + 770) // 11}],
        "DueDateModelList": None,
    }


def _item(line_id: int, rng: random.Random) -> dict[str, Any]:
    code = rng.choice(SKUS)
    price = 500 + int(code[-4:]) * 10
    return {
        "itemDetailId": line_id,
        "itemName": f"暮らしの道具 {code}",
        "itemId": 10000000,
        "itemNumber": code,
        "manageNumber": code.lower(),
        "price": price,
        "units": rng.choice((1, 1, 1, 2, 3)),
        "includePostageFlag": 0,
        "includeTaxFlag": 1,
        "includeCashOnDeliveryPostageFlag": 0,
        "selectedChoice": None,
        "deleteItemFlag": 0,
        "taxRate": 0.1,
        "priceTaxIncl": price,
        "SkuModelList": [{"variantId": code.lower(), "merchantDefinedSkuId": code, "skuInfo": None}],
    }


def _person(number: int, rng: random.Random) -> dict[str, Any]:
    zip1, zip2, prefecture, city, town = rng.choice(PLACES)
    return {
        "zipCode1": zip1,
        "zipCode2": zip2,
        "prefecture": prefecture,
        "city": city,
        "subAddress": f"{town}{rng.randint(1, 5)}-{rng.randint(1, 30)}-{rng.randint(1, 20)}",
        "familyName": rng.choice(FAMILIES),
        "firstName": rng.choice(GIVEN),
        "familyNameKana": "サトウ",
        "firstNameKana": "ハナコ",
        "phoneNumber1": "090",
        "phoneNumber2": f"{number // 10_000 % 9000 + 1000:04d}",
        "phoneNumber3": f"{number % 10_000:04d}",
    }
