"""An order of the world as Orders 2026-01-01 writes it. Blocks that were not asked for are left out."""

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from channels.sandbox.amazon.answers import utc, yen
from channels.sandbox.model import Address, Parcel, Person, SandboxLine, SandboxOrder
from channels.sandbox.numbers import AMAZON_MARKETPLACE_ID, JST

Json = dict[str, Any]

STATUS = {
    "pending": "PENDING",
    "placed": "UNSHIPPED",
    "confirmed": "UNSHIPPED",
    "ready": "UNSHIPPED",
    "partially_shipped": "PARTIALLY_SHIPPED",
    "shipped": "SHIPPED",
    "cancelled": "CANCELLED",
}
PAYMENT = {
    "card": "CreditCard",
    "konbini": "ConvenienceStore",
    "bank": "BankTransfer",
    "cod": "CashOnDelivery",
    "deferred": "Invoice",
}
CANCELLED_BY = {"buyer": "BUYER", "shop": "MERCHANT", "mall": "AMAZON", "": "AMAZON"}
SLOT_HOURS = {
    "am": (8, 12),
    "12-14": (12, 14),
    "14-16": (14, 16),
    "16-18": (16, 18),
    "18-20": (18, 20),
    "19-21": (19, 21),
}


def wire_order(order: SandboxOrder, blocks: Collection[str], *, roles: Collection[str], relay: str) -> Json:
    """`roles` holds "shipping" and "tax": what is missing hides people silently."""
    wire: Json = {
        "orderId": order.number,
        "createdTime": utc(order.ordered_at),
        "lastUpdatedTime": utc(order.updated_at),
        "programs": _programs(order),
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": AMAZON_MARKETPLACE_ID,
            "marketplaceName": "Amazon.co.jp",
        },
        "orderItems": [_item(order, line, blocks) for line in order.lines],
    }
    if own_number := order.extra.get("merchant_order_id"):
        wire["orderAliases"] = [{"aliasId": own_number, "aliasType": "SELLER_ORDER_ID"}]
    if "FULFILLMENT" in blocks:
        wire["fulfillment"] = _fulfillment(order)
    if "BUYER" in blocks and (buyer := _buyer(order, roles, relay)):
        wire["buyer"] = buyer
    if "RECIPIENT" in blocks and (recipient := _recipient(order, roles)):
        wire["recipient"] = recipient
    if "PROCEEDS" in blocks:
        wire["proceeds"] = {"grandTotal": yen(0 if order.state == "cancelled" else order.amount_due)}
    if "PAYMENT" in blocks and order.state != "pending":
        execution = {"paymentMethod": PAYMENT[order.payment.method], "paymentAmount": yen(order.amount_due)}
        wire["payment"] = {"paymentExecutions": [execution]}
    if "PACKAGES" in blocks and not order.fulfilled_by_mall:
        wire["packages"] = [_package(order, parcel) for parcel in order.parcels]
    return wire


def status_of(order: SandboxOrder) -> str:
    """An unpaid pre-order waits for its release."""
    unpaid_preorder = order.state == "pending" and any(line.release_date for line in order.lines)
    return "PENDING_AVAILABILITY" if unpaid_preorder else STATUS[order.state]


def _programs(order: SandboxOrder) -> list[str]:
    told = {
        "PREORDER": any(line.release_date for line in order.lines),
        "AMAZON_BUSINESS": bool(order.buyer.company),
        "PRIME": order.serial % 5 == 0,
    }
    return [name for name, holds in told.items() if holds]


def _item(order: SandboxOrder, line: SandboxLine, blocks: Collection[str]) -> Json:
    product: Json = {
        "asin": line.listing.codes["asin"],
        "title": line.listing.title,
        "sellerSku": line.listing.codes["seller_sku"],
        "condition": {"conditionType": "NEW", "conditionSubtype": "NEW"},
    }
    item: Json = {"orderItemId": line.line_id, "quantityOrdered": line.quantity, "product": product}
    if "PROCEEDS" in blocks:
        product["price"] = {"unitPrice": yen(line.unit_price)}
        item["proceeds"] = _proceeds(order, line)
    if "EXPENSE" in blocks and order.serial % 4 == 0 and not line.cancelled:
        points = max(line.amount // 100, 1)
        granted = {"pointsNumber": points, "pointsMonetaryValue": yen(points)}
        item["expense"] = {"pointsCost": {"pointsGranted": granted}}
    if "PROMOTION" in blocks and _discount(order, line):
        item["promotion"] = {"breakdowns": [{"promotionId": f"AKARI-{_discount(order, line)}"}]}
    if "FULFILLMENT" in blocks:
        item["fulfillment"] = _item_fulfillment(order, line)
    if "CANCELLATION" in blocks and (cancellation := _cancellation(order, line)):
        item["cancellation"] = cancellation
    return item


def _discount(order: SandboxOrder, line: SandboxLine) -> int:
    """What the shop's promotions take off this line; those of the whole order stand at its first line that lives."""
    first = bool(order.live_lines) and line == order.live_lines[0]
    return (0 if line.cancelled else line.discount) + (order.fees.taken if first else 0)


def _proceeds(order: SandboxOrder, line: SandboxLine) -> Json:
    """Fees of the whole order stand at its first line that lives."""
    amounts = {"ITEM": 0 if line.cancelled else line.unit_price * line.quantity}
    if order.live_lines and line == order.live_lines[0]:
        fees = order.fees
        amounts |= {"SHIPPING": fees.postage + fees.cool_fee, "GIFT_WRAP": fees.wrapping, "COD_FEE": fees.cod_fee}
    amounts["DISCOUNT"] = -_discount(order, line)
    told = {kind: amount for kind, amount in amounts.items() if amount or kind == "ITEM"}
    return {
        "proceedsTotal": yen(sum(told.values())),
        "breakdowns": [{"type": kind, "subtotal": yen(amount)} for kind, amount in told.items()],
    }


def _item_fulfillment(order: SandboxOrder, line: SandboxLine) -> Json:
    fulfillment: Json = {"quantityFulfilled": line.shipped, "quantityUnfulfilled": line.open_quantity}
    destination = order.destination
    if destination.gift and order.state != "pending":
        option = {"giftMessage": destination.gift.message, "giftWrapLevel": destination.gift.wrapping}
        fulfillment["packing"] = {"giftOption": {name: text for name, text in option.items() if text}}
    if destination.wish.day:
        first, last = SLOT_HOURS.get(destination.wish.slot, (8, 21))
        day = destination.wish.day
        window = {
            "earliestDateTime": utc(datetime.combine(day, time(first), JST)),
            "latestDateTime": utc(datetime.combine(day, time(last), JST)),
        }
        fulfillment["shipping"] = {"scheduledDeliveryWindow": window}
    return fulfillment


def _cancellation(order: SandboxOrder, line: SandboxLine) -> Json:
    cancellation: Json = {}
    request = order.cancel_request
    if request and (request.settled_at is None or line.cancelled):
        cancellation["cancellationRequest"] = {"requester": "BUYER", "cancelReason": request.reason}
    if line.cancelled:
        by = CANCELLED_BY[order.cancelled_by]
        cancellation["cancellationExecution"] = {"cancelledBy": by, "cancelReason": order.cancel_reason}
    return cancellation


def _fulfillment(order: SandboxOrder) -> Json:
    return {
        "fulfillmentStatus": status_of(order),
        "fulfilledBy": "AMAZON" if order.fulfilled_by_mall else "MERCHANT",
        "fulfillmentServiceLevel": "SCHEDULED" if order.destination.wish.day else "STANDARD",
        "shipByWindow": {"earliestDateTime": utc(order.ordered_at), "latestDateTime": utc(order.ship_by)},
        "deliverByWindow": {
            "earliestDateTime": utc(order.ship_by + timedelta(days=1)),
            "latestDateTime": utc(order.ship_by + timedelta(days=4)),
        },
    }


def _buyer(order: SandboxOrder, roles: Collection[str], relay: str) -> Json:
    if order.state == "pending" or not roles:
        return {}
    if order.fulfilled_by_mall:
        return {"buyerName": order.buyer.name} if "tax" in roles else {}
    buyer: Json = {"buyerName": order.buyer.name}
    if "shipping" in roles:
        buyer["buyerEmail"] = relay
    if order.buyer.company:
        buyer["buyerCompanyName"] = order.buyer.company
    return buyer


def _recipient(order: SandboxOrder, roles: Collection[str]) -> Json:
    if order.state == "pending" or order.fulfilled_by_mall or "shipping" not in roles:
        return {}
    recipient: Json = {"deliveryAddress": _address(order.destination.recipient)}
    if order.remarks:
        recipient["deliveryPreference"] = {"addressInstruction": order.remarks}
    return recipient


def _address(person: Person) -> Json:
    """The city stands at the head of the first line and `city` is missing, as Japanese sellers see it."""
    address: Address = person.address
    parts = {
        "name": person.name,
        "companyName": person.company,
        "addressLine1": f"{address.city}{address.street}",
        "addressLine2": address.building,
        "stateOrRegion": address.prefecture,
        "postalCode": address.postal,
        "countryCode": "JP",
        "phone": person.phone,
        "addressType": "COMMERCIAL" if person.company else "RESIDENTIAL",
    }
    return {name: text for name, text in parts.items() if text}


def reference_of(parcel: Parcel) -> str:
    """The packageReferenceId the shop chose."""
    detail: Mapping[str, Any] = parcel.raw.get("packageDetail", {})
    return str(detail.get("packageReferenceId", parcel.parcel_id))


def _package(order: SandboxOrder, parcel: Parcel) -> Json:
    detail: Mapping[str, Any] = parcel.raw.get("packageDetail", {})
    return {
        "packageReferenceId": reference_of(parcel),
        "createdTime": utc(parcel.told_at),
        "carrier": detail.get("carrierName") or detail.get("carrierCode") or parcel.carrier,
        "shippingService": detail.get("shippingMethod", ""),
        "trackingNumber": parcel.tracking,
        "shipTime": utc(datetime.combine(parcel.shipped_on, time(12), JST)),
        "packageStatus": {"status": "SHIPPED"},
        "packageItems": [
            {"orderItemId": order.line(line_no).line_id, "quantity": quantity}
            for line_no, quantity in parcel.quantities.items()
        ],
    }
