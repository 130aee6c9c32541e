"""Orders as getOrder (version 9) writes them, with our own people and goods."""

import json
from typing import Any


def sender(**changes: Any) -> dict[str, Any]:
    return {
        "zipCode1": "604",
        "zipCode2": "0902",
        "prefecture": "京都府",
        "city": "京都市中京区",
        "subAddress": "夷川通土手町東入22-5 柊荘201",
        "familyName": "濵﨑",
        "firstName": "𠮷乃",
        "familyNameKana": "ハマサキ",
        "firstNameKana": "ヨシノ",
        "phoneNumber1": "080",
        "phoneNumber2": "1111",
        "phoneNumber3": "0022",
        "isolatedIslandFlag": 0,
        **changes,
    }


def item(line_id: int = 5101, **changes: Any) -> dict[str, Any]:
    return {
        "itemDetailId": line_id,
        "itemName": "樫の丸椅子",
        "itemId": 10020001,
        "itemNumber": "CHAIR-R",
        "manageNumber": "Chair-R",
        "price": 8800,
        "units": 1,
        "includePostageFlag": 0,
        "includeTaxFlag": 1,
        "includeCashOnDeliveryPostageFlag": 0,
        "selectedChoice": None,
        "pointRate": 1,
        "pointType": 0,
        "inventoryType": 2,
        "delvdateInfo": None,
        "restoreInventoryFlag": 0,
        "dealFlag": 0,
        "drugFlag": 0,
        "deleteItemFlag": 0,
        "taxRate": 0.1,
        "priceTaxIncl": 8800,
        "isSingleItemShipping": 0,
        "SkuModelList": [{"variantId": "chair-r-oak", "merchantDefinedSkuId": "CH-R-OAK", "skuInfo": "色:オーク"}],
        **changes,
    }


def package(basket_id: int = 5100, items: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "basketId": basket_id,
        "postagePrice": 770,
        "postageTaxRate": 0.1,
        "deliveryPrice": 0,
        "deliveryTaxRate": 0.1,
        "goodsPrice": 8800,
        "totalPrice": 9570,
        "noshi": None,
        "packageDeleteFlag": 0,
        "SenderModel": sender(),
        "ItemModelList": [item()] if items is None else items,
        "ShippingModelList": [],
        "DeliveryCvsModel": None,
        "defaultDeliveryCompanyCode": "1001",
        "dropOffFlag": 0,
        "dropOffLocation": None,
        **changes,
    }


def order(**changes: Any) -> dict[str, Any]:
    """One chair for 8,800 yen, postage 770, a shop coupon of 300 and 70 points: 9,200 to pay."""
    return {
        "orderNumber": "299001-20261018-0000400123",
        "orderProgress": 300,
        "subStatusId": None,
        "subStatusName": None,
        "orderDatetime": "2026-10-18T23:58:01+0900",
        "shopOrderCfmDatetime": "2026-10-19T00:10:00+0900",
        "orderFixDatetime": "2026-10-19T00:12:30+0900",
        "shippingInstDatetime": None,
        "shippingCmplRptDatetime": None,
        "cancelDueDate": None,
        "deliveryDate": "2026-10-24",
        "shippingTerm": 1820,
        "remarks": "[配送日時指定:]\n2026-10-24(土)\n18:00〜20:00\n[備考:]\n",
        "giftCheckFlag": 0,
        "severalSenderFlag": 0,
        "equalSenderFlag": 1,
        "isolatedIslandFlag": 0,
        "rakutenMemberFlag": 1,
        "carrierCode": 12,
        "orderType": 1,
        "cautionDisplayType": 0,
        "rakutenConfirmFlag": 0,
        "goodsPrice": 8800,
        "goodsTax": 0,
        "postagePrice": 770,
        "deliveryPrice": 0,
        "paymentCharge": 0,
        "paymentChargeTaxRate": 0.1,
        "totalPrice": 9570,
        "requestPrice": 9200,
        "couponAllTotalPrice": 300,
        "couponShopPrice": 300,
        "couponOtherPrice": 0,
        "additionalFeeOccurAmountToUser": 0,
        "additionalFeeOccurAmountToShop": 0,
        "memo": None,
        "operator": None,
        "OrdererModel": {**sender(), "emailAddress": "77aa01example@pc.fw.rakuten.ne.jp", "sex": "-", "birthYear": 0},
        "SettlementModel": {
            "settlementMethodCode": 1,
            "settlementMethod": "クレジットカード",
            "rpaySettlementFlag": 1,
            "cardName": None,
        },
        "DeliveryModel": {"deliveryName": "宅配便", "deliveryClass": None},
        "PointModel": {"usedPoint": 70},
        "WrappingModel1": None,
        "WrappingModel2": None,
        "PackageModelList": [package()],
        "CouponModelList": None,
        "ChangeReasonModelList": [],
        "TaxSummaryModelList": [{"taxRate": 0.1, "reqPrice": 9200, "reqPriceTax": 836, "totalPrice": 9570}],
        "DueDateModelList": None,
        **changes,
    }


def payload(**changes: Any) -> str:
    return json.dumps(order(**changes), ensure_ascii=False)
