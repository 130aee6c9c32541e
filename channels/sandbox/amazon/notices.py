"""ORDER_CHANGE: what Amazon says about a new or changed order, in the schema of its notifications."""

from typing import Any
from uuid import UUID

from channels.sandbox.amazon.answers import utc
from channels.sandbox.amazon.wire_orders import status_of
from channels.sandbox.model import SandboxOrder
from channels.sandbox.numbers import AMAZON_MARKETPLACE_ID, AMAZON_SELLER_ID

STATUS = {
    "pending": "Pending",
    "placed": "Unshipped",
    "confirmed": "Unshipped",
    "ready": "Unshipped",
    "partially_shipped": "PartiallyShipped",
    "shipped": "Shipped",
    "cancelled": "Canceled",
}

Json = dict[str, Any]


def order_change(order: SandboxOrder, number: int) -> Json:
    """`number` makes the notification's id."""
    asked = order.cancel_request is not None and order.cancel_request.settled_at is None and order.is_open
    kind, why = ("BuyerRequestedChange", "Buyer Requested Cancel") if asked else (
        "OrderStatusChange", "Order Status Change")  # fmt: skip
    return {
        "NotificationVersion": "1.0",
        "NotificationType": "ORDER_CHANGE",
        "PayloadVersion": "1.0",
        "EventTime": utc(order.updated_at),
        "Payload": {
            "OrderChangeNotification": {
                "NotificationLevel": "OrderLevel",
                "SellerId": AMAZON_SELLER_ID,
                "AmazonOrderId": order.number,
                "OrderChangeType": kind,
                "OrderChangeTrigger": {"TimeOfOrderChange": utc(order.updated_at), "ChangeReason": why},
                "Summary": _summary(order, asked),
            }
        },
        "NotificationMetadata": {
            "ApplicationId": "amzn1.sellerapps.app.sandbox",
            "SubscriptionId": str(UUID(int=1)),
            "PublishTime": utc(order.updated_at),
            "NotificationId": str(UUID(int=number)),
        },
    }


def _summary(order: SandboxOrder, asked: bool) -> Json:
    """Who the buyer is stands in no notification; the postal code comes once it is paid."""
    return {
        "MarketplaceId": AMAZON_MARKETPLACE_ID,
        "OrderStatus": "PendingAvailability" if status_of(order) == "PENDING_AVAILABILITY" else STATUS[order.state],
        "PurchaseDate": utc(order.ordered_at),
        "DestinationPostalCode": None if order.state == "pending" else order.destination.recipient.address.postal,
        "FulfillmentType": "AFN" if order.fulfilled_by_mall else "MFN",
        "OrderType": "Preorder" if any(line.release_date for line in order.lines) else "StandardOrder",
        "NumberOfItemsShipped": sum(line.shipped for line in order.lines),
        "NumberOfItemsUnshipped": sum(line.open_quantity for line in order.lines),
        "EarliestShipDate": utc(order.ordered_at),
        "LatestShipDate": utc(order.ship_by),
        "OrderPrograms": [],
        "ShippingPrograms": [],
        "OrderItems": [
            {
                "OrderItemId": line.line_id,
                "SellerSKU": line.listing.codes["seller_sku"],
                "SupplySourceId": None,
                "OrderItemStatus": "Unshipped" if line.open_quantity else "Shipped",
                "Quantity": line.quantity,
                "QuantityShipped": line.shipped,
                "IsBuyerRequestedCancel": asked,
            }
            for line in order.lines
        ],
    }
