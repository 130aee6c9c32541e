"""Rows of the world's orders in Qoo10's spellings. One row is one order line; its OrderNo is the line's id.

`order.extra` may carry what a test wants to see: `fields` (name → value, for all rows), `row_fields` and `claims` (line
id → name → value; a claim needs its number as `status`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from channels.sandbox.model import SandboxLine, SandboxOrder
from channels.sandbox.numbers import JST, QOO10_SELLER_ID
from channels.sandbox.qoo10.wire import local

STATUS_WORDS = {
    1: "Awaiting shipping(1)",
    2: "On request(2)",
    3: "Seller confirm(3)",
    4: "On delivery(4)",
    5: "Delivered(5)",
}
DELIVERED_AFTER = timedelta(days=3)
PAYMENT_WORDS = {
    "card": "クレジットカード",
    "konbini": "コンビニ決済",
    "bank": "銀行振込",
    "cod": "代金引換",
    "deferred": "後払い",
}
CLAIM_WORDS = {
    1: "Cancel request(1)",
    2: "Cancelling(2)",
    3: "Cancel complete(3)",
    4: "Return request(4)",
    5: "Returning(5)",
    6: "Return complete(6)",
    11: "Exchange request(11)",
    12: "Exchange approved(12)",
    13: "Redelivery(13)",
    14: "Not received refund(14)",
    15: "Not received partly(15)",
    16: "Unpaid cancel(16)",
}
# Spellings of the older query where they differ.
OLD_NAMES = {
    "ShippingStatus": "shippingStatus",
    "SellerID": "sellerID",
    "PackNo": "packNo",
    "OrderNo": "orderNo",
    "OrderDate": "orderDate",
    "EstimatedShippingDate": "EstShippingDate",
    "Buyer": "buyer",
    "BuyerKana": "buyer_gata",
    "BuyerTel": "buyerTel",
    "BuyerMobile": "buyerMobile",
    "BuyerEmail": "buyerEmail",
    "ItemNo": "itemCode",
    "SellerItemCode": "sellerItemCode",
    "ItemTitle": "itemTitle",
    "Option": "option",
    "OptionCode": "optionCode",
    "OrderPrice": "orderPrice",
    "OrderQty": "orderQty",
    "Discount": "discount",
    "Total": "total",
    "Receiver": "receiver",
    "ReceiverKana": "receiver_gata",
    "ZipCode": "zipCode",
    "ShippingAddress": "shippingAddr",
    "Address1": "Addr1",
    "Address2": "Addr2",
    "ReceiverTel": "receiverTel",
    "ReceiverMobile": "receiverMobile",
    "DesiredDeliveryDate": "hopeDate",
    "SenderName": "senderName",
    "SenderTel": "senderTel",
    "SenderNation": "senderNation",
    "SenderZipCode": "senderZipCode",
    "SenderAddress": "senderAddr",
    "ShippingMessage": "ShippingMsg",
    "ShippingRateType": "shippingRateType",
    "CartDiscountSeller": "Cart_Discount_Seller",
    "CartDiscountQoo10": "Cart_Discount_Qoo10",
}
ONLY_NEW = ("Material", "AvailableSendType", "AvailableShippingDate")
ONE_ORDER_DROPS = (
    "Addr1",
    "Addr2",
    "SettlePrice",
    "ShippingRate",
    "VoucherCode",
    "SellerDiscount",
    "BranchName",
    "Gift",
)
ONE_ORDER_LOWER = {
    "ShippingDate": "shippingDate",
    "Currency": "currency",
    "DeliveryCompany": "deliveryCompany",
    "TrackingNo": "trackingNo",
}

Row = dict[str, Any]


def status_of(order: SandboxOrder, line: SandboxLine, now: datetime) -> int:
    """1 to 5; 0 for a line that is gone."""
    if line.cancelled or order.state == "cancelled":
        return 0
    if order.state == "pending":
        return 1
    if line.shipped:
        sent_at = sent_time(order, line)
        return 5 if sent_at and now > sent_at + DELIVERED_AFTER else 4
    return 3 if line.line_id in order.extra.get("checked", {}) else 2


def sent_time(order: SandboxOrder, line: SandboxLine) -> datetime | None:
    return next((parcel.told_at for parcel in order.parcels if line.line_no in parcel.quantities), None)


def row_of(order: SandboxOrder, line: SandboxLine, now: datetime) -> Row:
    """The present spelling. Numbers are plain; see `Qoo10Simulator.figures`."""
    status = status_of(order, line, now)
    buyer, recipient = order.buyer, order.destination.recipient
    address = recipient.address
    first = f"{address.prefecture}{address.city}{address.town}"
    second = f"{address.block} {address.building}".strip()
    sent_at = sent_time(order, line)
    parcel = next((one for one in order.parcels if line.line_no in one.quantities), None)
    raw = parcel.raw if parcel else {}
    checked = order.extra.get("checked", {}).get(line.line_id, "")
    wish = order.destination.wish.day
    told = {**order.extra.get("fields", {}), **order.extra.get("row_fields", {}).get(line.line_id, {})}
    return {
        "ShippingStatus": order.extra.get("odd_status") or STATUS_WORDS.get(status, ""),
        "SellerID": QOO10_SELLER_ID,
        "PackNo": int(order.number),
        "OrderDate": local(order.ordered_at),
        "PaymentDate": local(order.payment.paid_at),
        "EstimatedShippingDate": f"{checked[:4]}-{checked[4:6]}-{checked[6:8]}" if checked else "",
        "ShippingDate": local(sent_at),
        "DeliveredDate": local(sent_at + DELIVERED_AFTER) if status == 5 and sent_at else "",
        "Buyer": buyer.name,
        "BuyerKana": buyer.kana,
        "BuyerTel": "",
        "BuyerMobile": buyer.phone,
        "BuyerEmail": buyer.email,
        "OrderNo": int(line.line_id),
        "ItemNo": line.listing.codes["item_code"],
        "SellerItemCode": line.listing.codes["seller_code"],
        "ItemTitle": line.listing.title,
        "Option": option_words(line),
        "OptionCode": line.listing.codes.get("option_code", ""),
        "OrderPrice": line.unit_price,
        "OrderQty": line.quantity,
        "Discount": line.discount,
        "Total": line.unit_price * line.quantity - line.discount,
        "Receiver": recipient.name,
        "ReceiverKana": recipient.kana,
        "ZipCode": address.postal,
        "ShippingAddress": f"{first} {second}".strip(),
        "Address1": first,
        "Address2": second,
        "ReceiverTel": "",
        "ReceiverMobile": recipient.phone,
        "DesiredDeliveryDate": f"{wish:%Y-%m-%d}" if wish else "",
        "SenderName": buyer.name,
        "SenderTel": buyer.phone,
        "SenderNation": "JP",
        "SenderZipCode": buyer.address.postal,
        "SenderAddress": buyer.address.full,
        "ShippingWay": "宅配",
        "ShippingMessage": order.remarks,
        "PaymentMethod": PAYMENT_WORDS[order.payment.method],
        "SellerDiscount": line.discount // 2 if order.serial % 2 else line.discount,  # the mall pays a part of some
        "Currency": "JPY",
        "ShippingRate": order.fees.postage + order.fees.cool_fee,
        "RelatedOrder": ", ".join(one.line_id for one in order.lines),
        "ShippingRateType": "Charge" if order.fees.postage else "Free",
        "DeliveryCompany": raw.get("ShippingCorp", ""),
        "TrackingNo": parcel.tracking if parcel else "",
        "VoucherCode": "",
        "PackingNo": f"JPP{order.number}" if checked else "",
        "SellerDeliveryNo": f"{order.number[-6:]}-{line.line_no:04}" if checked else "",
        "Gift": "ノベルティ ステッカー" if order.serial % 14 == 3 else "",
        "CartDiscountSeller": _first_line_only(order, line, order.fees.coupon_shop),
        "CartDiscountQoo10": _first_line_only(order, line, order.fees.coupon_mall + order.fees.points),
        "SettlePrice": round((line.unit_price * line.quantity - line.discount) * 0.9),
        "BranchName": "",
        "Material": "",
        "AvailableSendType": "2" if line.release_date else "0",
        "AvailableShippingDate": f"{line.release_date:%Y-%m-%d}" if line.release_date else "",
        **told,
    }


def option_words(line: SandboxLine) -> str:
    """ "カラー:紺 / サイズ:M", as buyers see it."""
    names = line.listing.codes.get("option_name", "").split("||*")
    values = line.listing.codes.get("option_value", "").split("||*")
    chosen = [f"{name}:{value}" for name, value in zip(names, values, strict=False) if name]
    return " / ".join([*chosen, *(f"{name}:{value}" for name, value in line.options)])


def _first_line_only(order: SandboxOrder, line: SandboxLine, amount: int) -> int:
    live = order.live_lines or order.lines
    return amount if line.line_no == live[0].line_no else 0


def old_spelling(row: Row) -> Row:
    renamed = {OLD_NAMES.get(name, name): value for name, value in row.items() if name not in ONLY_NEW}
    return {**renamed, "shippingCountry": "JP", "PaymentNation": "JP"}


def one_order_row(order: SandboxOrder, line: SandboxLine, now: datetime) -> Row:
    """The single query: older spelling, fewer fields, and the claim."""
    row = old_spelling(row_of(order, line, now))
    kept = {ONE_ORDER_LOWER.get(name, name): value for name, value in row.items() if name not in ONE_ORDER_DROPS}
    claim = claim_of(order, line)
    return {
        **kept,
        "OrderType": "",
        "claimStatus": claim["claimStatus"] if claim else "",
        "cancelRefundDate": claim["cancelRefundDate"] if claim else "",
        "reason": claim["reason"] if claim else "",
        "requestDate": claim["requestDate"] if claim else "",
        **{name: claim.get(name, "") if claim else "" for name in RETURN_FIELDS},
    }


RETURN_FIELDS = (
    "deliveryCompanyReturn",
    "trackingNoReturn",
    "pickupAddress",
    "pickupzipCode",
    "paymentReturnShipping",
    "itemCondition",
)


# ---- claims --------------------------------------------------------------------------------------------------------


def claim_of(order: SandboxOrder, line: SandboxLine) -> Row | None:
    """The claim of one line, or None."""
    gone = line.cancelled or order.state == "cancelled"
    asked = order.cancel_request if order.cancel_request and not order.cancel_request.settled_at else None
    told = {} if gone else dict(order.extra.get("claims", {}).get(line.line_id, {}))
    if not gone and not told and (asked is None or line.shipped):
        return None
    status = (16 if order.cancelled_by == "mall" else 3) if gone else int(told.pop("status", 1))
    done_at = (order.cancelled_at or order.updated_at) if gone else None
    asked_at = order.cancel_request.at if order.cancel_request else done_at or order.updated_at
    buyer, recipient = order.buyer, order.destination.recipient
    return {
        "claimStatus": CLAIM_WORDS[status],
        "cancelRefundDate": local(done_at),
        "reason": _claim_reason(order, line),
        "requestDate": local(asked_at),
        "orderDate": local(order.ordered_at),
        "PaymentDate": local(order.payment.paid_at),
        "shippingDate": "",
        "DeliveredDate": "",
        "orderNo": int(line.line_id),
        "packNo": int(order.number),
        "itemCode": line.listing.codes["item_code"],
        "sellerItemCode": line.listing.codes["seller_code"],
        "itemTitle": line.listing.title,
        "orderQty": line.quantity,
        "paymentNation": "JP",
        "currency": "JPY",
        "paymentAmount": line.unit_price * line.quantity - line.discount,
        "deliveryCompany": "",
        "trackingNo": "",
        "receiver": recipient.name,
        "receiverTel": "",
        "receiverMobile": recipient.phone,
        "buyer": buyer.name,
        "buyerTel": "",
        "buyerMobile": buyer.phone,
        **dict.fromkeys(RETURN_FIELDS, ""),
        **told,
    }


def _claim_reason(order: SandboxOrder, line: SandboxLine) -> str:
    told = order.extra.get("reasons", {}).get(line.line_id)
    if told:
        return str(told)
    return order.cancel_request.reason if order.cancel_request else order.cancel_reason


def moment_of(text: str) -> datetime | None:
    """Back from the words of a row."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=JST) if text else None


def lines_of(orders: Iterable[SandboxOrder]) -> Iterable[tuple[SandboxOrder, SandboxLine]]:
    return ((order, line) for order in orders for line in order.lines)
