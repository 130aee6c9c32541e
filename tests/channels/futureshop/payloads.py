"""Orders as the detail call writes them, with our own people and goods."""

import json
from typing import Any


def product(**changes: Any) -> dict[str, Any]:
    return {
        "skuNo": "kb120nvL",
        "productNo": "kb120",
        "name": "帆布トート",
        "hanpukaiName": "",
        "verticalVariationName": "L",
        "horizontalVariationName": "紺",
        "janCode": "4900000000123",
        "taxRateCode": "STANDARD",
        "price": 3300,
        "count": 2,
        "taxIncluded": "TAX_EXCLUDED",
        "tax": 300,
        "shippingDate": "",
        "optionList": [],
        "optionPriceList": [],
        "preorder": False,
        "nextShippingDate": "",
        "shippingDateLabel": "",
        **changes,
    }


def shipment(number: int = 1, products: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "shipmentNo": number,
        "addressInfo": {
            "lastName": "﨑山",
            "firstName": "湊",
            "lastNameKana": "サキヤマ",
            "firstNameKana": "ミナト",
            "zipCode": "600-8001",
            "prefecture": "KYOTO",
            "address1": "京都府京都市下京区四条通",
            "address2": "9-8-7",
            "address3": "鉾ビル5階",
            "phoneNo": "075-000-0000",
        },
        "deliveryServiceName": "通常配送便",
        "isCoolDelivery": False,
        "invoiceNo": "",
        "expectedArrival": "",
        "preferredDeliveryDate": "2026-11-20",
        "preferredDeliveryTime": "１６時～１８時",
        "shippingDate": "",
        "shipped": False,
        "instructions": "",
        "giftWrappingLabel": "",
        "contactLater": False,
        "productTotal": 6600,
        "taxTotal": 600,
        "postage": 550,
        "coolDeliveryCharge": 0,
        "giftWrappingCharge": 0,
        "paymentCharge": 0,
        "productList": [product()] if products is None else products,
        **changes,
    }


def order(**changes: Any) -> dict[str, Any]:
    """Two totes for 6,600 yen and postage 550, less 100 points: 7,050 to pay."""
    return {
        "orderNo": "100000700007",
        "type": "REGULAR",
        "date": "2026-11-15T23:10:05",
        "status": "AWAITING_PAYMENT",
        "grandTotal": 7050,
        "totalCost": 7150,
        "productTotal": 6600,
        "taxTotal": 600,
        "giftWrappingChargeTotal": 0,
        "postage": 550,
        "coolDeliveryChargeTotal": 0,
        "taxConfigEnabled": True,
        "standardTaxRate": 10,
        "reducedTaxRate": 8,
        "taxRoundingType": "ROUND_DOWN",
        "usedPointPrice": 100,
        "paymentType": "FREGI_CREDIT_CARD",
        "paymentChargeTotal": 0,
        "receiptDate": "",
        "paymentStatus": "NOTRECEIVED",
        "volumeDiscountName": "",
        "volumeDiscountTotal": 0,
        "productCouponDiscountTotal": 0,
        "postageCouponDiscountTotal": 0,
        "bundleDiscountTotal": "",
        "communication": "",
        "customerContact": "",
        "shopMemo": "",
        "multipleShipments": False,
        "blackOrder": False,
        "dateLastUpdated": "2026-11-15T23:10:06",
        "buyerInfo": {
            "memberId": "M0700",
            "lastName": "﨑山",
            "firstName": "渚",
            "lastNameKana": "サキヤマ",
            "firstNameKana": "ナギサ",
            "mail": "nagisa@example.jp",
            "mobileMail": "",
            "zipCode": "600-8001",
            "prefecture": "KYOTO",
            "address1": "京都市下京区四条通",
            "address2": "9-8-7",
            "address3": "",
            "telNoMain": "075-111-1111",
            "companyName": "鉾商店",
            "departmentName": "仕入部",
        },
        "shipmentList": [shipment()],
        **changes,
    }


def payload(**changes: Any) -> str:
    return json.dumps({"cancelRequested": False, "order": order(**changes)}, ensure_ascii=False)
