"""Orders as the Orders API 2026-01-01 writes them, with values of our own."""

import copy
import json
from typing import Any

ORDER: dict[str, Any] = {
    "orderId": "249-1830472-5520918",
    "createdTime": "2026-11-18T22:41:09.310Z",
    "lastUpdatedTime": "2026-11-19T03:05:51.002Z",
    "programs": ["PRIME", "AMAZON_BUSINESS"],
    "salesChannel": {
        "channelName": "AMAZON",
        "marketplaceId": "A1VC38T7YXB528",
        "marketplaceName": "Amazon.co.jp",
    },
    "buyer": {
        "buyerName": "株式会社よこやま 購買部",
        "buyerEmail": "7x2k@marketplace.amazon.co.jp",
        "buyerCompanyName": "株式会社よこやま",
        "buyerPurchaseOrderNumber": "PO-8831",
    },
    "recipient": {
        "deliveryAddress": {
            "name": "横山 みどり",
            "companyName": "株式会社よこやま",
            "addressLine1": "仙台市青葉区一番町4-7-1",
            "addressLine2": "青葉ビル 3F",
            "stateOrRegion": "宮城県",
            "postalCode": "980-0811",
            "countryCode": "JP",
            "phone": "022-000-1234",
            "addressType": "COMMERCIAL",
        },
        "deliveryPreference": {"dropOffLocation": "玄関前", "addressInstruction": "受付にお渡しください"},
    },
    "proceeds": {"grandTotal": {"amount": "13420", "currencyCode": "JPY"}},
    "payment": {
        "paymentExecutions": [
            {"paymentMethod": "CreditCard", "paymentAmount": {"amount": "13420", "currencyCode": "JPY"}}
        ]
    },
    "fulfillment": {
        "fulfillmentStatus": "UNSHIPPED",
        "fulfilledBy": "MERCHANT",
        "fulfillmentServiceLevel": "STANDARD",
        "shipByWindow": {
            "earliestDateTime": "2026-11-18T15:00:00.000Z",
            "latestDateTime": "2026-11-20T14:59:59.000Z",
        },
        "deliverByWindow": {
            "earliestDateTime": "2026-11-21T15:00:00.000Z",
            "latestDateTime": "2026-11-24T14:59:59.000Z",
        },
    },
    "orderItems": [
        {
            "orderItemId": "61200000000011",
            "quantityOrdered": 2,
            "product": {
                "asin": "B0KETTLE01",
                "title": "南部鉄器 急須 0.6L",
                "sellerSku": "KETTLE-06",
                "price": {"unitPrice": {"amount": "5980", "currencyCode": "JPY"}},
            },
            "proceeds": {
                "proceedsTotal": {"amount": "12440", "currencyCode": "JPY"},
                "breakdowns": [
                    {"type": "ITEM", "subtotal": {"amount": "11960", "currencyCode": "JPY"}},
                    {"type": "SHIPPING", "subtotal": {"amount": "560", "currencyCode": "JPY"}},
                    {"type": "GIFT_WRAP", "subtotal": {"amount": "220", "currencyCode": "JPY"}},
                    {"type": "DISCOUNT", "subtotal": {"amount": "-300", "currencyCode": "JPY"}},
                ],
            },
            "fulfillment": {
                "quantityFulfilled": 0,
                "quantityUnfulfilled": 2,
                "packing": {"giftOption": {"giftMessage": "いつもありがとう", "giftWrapLevel": "ギフト箱"}},
            },
        },
        {
            "orderItemId": "61200000000028",
            "quantityOrdered": 1,
            "product": {
                "asin": "B0COASTER1",
                "title": "コースター 藍",
                "sellerSku": "COASTER/藍 1",
                "price": {"unitPrice": {"amount": "980.00", "currencyCode": "JPY"}},
            },
            "proceeds": {
                "proceedsTotal": {"amount": "980.00", "currencyCode": "JPY"},
                "breakdowns": [{"type": "ITEM", "subtotal": {"amount": "980.00", "currencyCode": "JPY"}}],
            },
            "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 1},
        },
    ],
}


def order(**changes: Any) -> dict[str, Any]:
    """The order above with whole blocks replaced; a block of None is left out."""
    changed = {**copy.deepcopy(ORDER), **changes}
    return {name: value for name, value in changed.items() if value is not None}


def status(raw: str, by: str | None = "MERCHANT", **more: Any) -> dict[str, Any]:
    fulfillment = {"fulfillmentStatus": raw, "fulfilledBy": by, **more}
    return order(fulfillment={name: value for name, value in fulfillment.items() if value is not None})


def item(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(ORDER["orderItems"][number]), **changes}


def yen(amount: int | str) -> dict[str, str]:
    return {"amount": str(amount), "currencyCode": "JPY"}


def text(payload: Any) -> str:
    return json.dumps(payload, ensure_ascii=False)
