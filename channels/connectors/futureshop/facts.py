"""Facts of an order that have no place of their own with us: kept beside it for screens and for later calls."""

from collections.abc import Iterable, Sequence
from typing import Any

from channels.connectors.futureshop.lines import Row, some_row, some_rows, text

ORDER_FACTS = {
    "payment_code": "paymentType",
    "payment_chain": "conveniType",
    "payment_receipt": "conveniPayoutNo",
    "payment_order": "fregiOrderNo",
    "payment_authorization": "fregiAuthNo",
    "payment_amazon": "amazonOrderReferenceId",
    "payment_rakuten": "rakutenPayOrderId",
    "payment_sbps": "sbpsTrackingId",
    "customer_contact": "customerContact",
    "processed_at": "dateProcessed",
    "device": "deviceType",
    "subscription": "subscriptionNo",
    "subscription_period": "subscriptionPeriodNo",
    "subscription_periods": "subscriptionTotalNumPeriods",
    "volume_discount": "volumeDiscountName",
    "bundle_discount": "bundleDiscountCaption",
}
BUYER_FACTS = {
    "member_id": "memberId",
    "member_stage": "memberStageName",
    "order_count": "orderCount",
    "total_order_count": "totalOrderCount",
}
ADDITIONAL = tuple(f"additionalItem{place}" for place in range(1, 21))


def facts_of(order: Row, shipments: Sequence[Row], slot_words: str) -> dict[str, str]:
    """Empty ones are left out. `payment_*` are ids at the payment service, for questions to it."""
    buyer = some_row(order.get("buyerInfo"))
    products = [product for shipment in shipments for product in some_rows(shipment.get("productList"))]
    facts = {
        "shipment_nos": _joined(shipment.get("shipmentNo") for shipment in shipments),
        "wish_slot": slot_words,
        "coupon": text(order.get("couponName"))
        or _joined(one.get("name") for one in some_rows(order.get("couponList"))),
        "ship_words": _joined(product.get("shippingDateLabel") for product in products),
        "next_shipping": _joined(product.get("nextShippingDate") for product in products),
        "buyer_items": "、".join(word for key in ADDITIONAL if (word := text(buyer.get(key)))),
        **{name: text(order.get(key)) for name, key in ORDER_FACTS.items()},
        **{name: text(buyer.get(key)) for name, key in BUYER_FACTS.items()},
    }
    return {key: value for key, value in facts.items() if value}


def _joined(values: Iterable[Any]) -> str:
    return ",".join(dict.fromkeys(word for value in values if (word := text(value))))
