"""Cancelling a whole order. Amazon has no public call for it; the acknowledgement feed with `Failure` does it."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from defusedxml import ElementTree as SafeTree

from channels.connectors.amazon import feeds
from channels.connectors.amazon.orders import order_now
from channels.connectors.amazon.transport import Api
from channels.connectors.contract import ChannelDown, Refused
from oms.kernel.said import said

FEED_TYPE = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
CONTENT_TYPE = "text/xml; charset=UTF-8"
REMEMBERED_S = 2 * 24 * 3600
PATIENCE_S = 60
ASK_AGAIN_S = 120.0

# Words in our reason → Amazon's code. NoInventory lowers the shop's rating, so it is used only when it is meant.
REASONS = (
    (("buyer", "customer", "購入者", "注文者", "お客様"), "BuyerCanceled"),
    (("stock", "inventory", "在庫", "欠品"), "NoInventory"),
    (("address", "undeliverable", "住所", "配送不可", "お届け不可"), "ShippingAddressUndeliverable"),
)
OTHERWISE = "GeneralAdjustment"
KNOWN_CODES = {
    "NoInventory", "ShippingAddressUndeliverable", "CustomerExchange", "BuyerCanceled", "GeneralAdjustment",
    "CarrierCreditDecision", "RiskAssessmentInformationNotValid", "CarrierCoverageFailure", "CustomerReturn",
    "MerchandiseNotReceived",
}  # fmt: skip

Json = Mapping[str, Any]


def cancel_order(api: Api, number: str, reason: str) -> None:
    """Returns when Amazon has cancelled it, or says it will. Raises ChannelDown (retry) while the feed still runs."""
    order = order_now(api, number)
    if order is None:
        raise Refused(said("この注文はAmazonに見つかりません。"))
    if _status(order) in ("CANCELLED", "CANCELED"):
        return
    _check_cancellable(order)
    key = f"amazon:cancel:{api.settings.shop_code}:{number}"
    stored = api.redis.get(key)
    feed_id, patience_s = (stored.decode(), 0) if isinstance(stored, bytes) else ("", PATIENCE_S)
    if not feed_id:
        items = [item["orderItemId"] for item in order["orderItems"]]
        document = cancel_document(api.seller_id, number, items, reason_code(reason, order))
        feed_id = feeds.submit(api, FEED_TYPE, document, CONTENT_TYPE)
        api.redis.set(key, feed_id, ex=REMEMBERED_S)
    feed = feeds.wait(api, feed_id, patience_s)
    if feed is None:
        raise ChannelDown(
            said("Amazonがキャンセルを処理中です。自動で結果を確認します。"), retry_after_s=ASK_AGAIN_S, uncertain=True
        )
    api.redis.delete(key)
    _check_result(api, number, feed)


def cancel_document(seller_id: str, number: str, item_ids: Sequence[str], code: str) -> bytes:
    """The feed's XML: one message, all items of the order."""
    envelope = ElementTree.Element(
        "AmazonEnvelope",
        {
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": "amzn-envelope.xsd",
        },
    )
    header = ElementTree.SubElement(envelope, "Header")
    _text(header, "DocumentVersion", "1.01")
    _text(header, "MerchantIdentifier", seller_id)
    _text(envelope, "MessageType", "OrderAcknowledgement")
    message = ElementTree.SubElement(envelope, "Message")
    _text(message, "MessageID", "1")
    acknowledgement = ElementTree.SubElement(message, "OrderAcknowledgement")
    _text(acknowledgement, "AmazonOrderID", number)
    _text(acknowledgement, "StatusCode", "Failure")
    for item_id in item_ids:
        item = ElementTree.SubElement(acknowledgement, "Item")
        _text(item, "AmazonOrderItemCode", item_id)
        _text(item, "CancelReason", code)
    document: bytes = ElementTree.tostring(envelope, encoding="UTF-8", xml_declaration=True)
    return document


def reason_code(reason: str, order: Json) -> str:
    """Amazon's code for our reason; a buyer who asked for it is the reason whatever we wrote."""
    if reason in KNOWN_CODES:
        return reason
    if any((item.get("cancellation") or {}).get("cancellationRequest") for item in order["orderItems"]):
        return "BuyerCanceled"
    lowered = reason.lower()
    return next((code for words, code in REASONS if any(word in lowered for word in words)), OTHERWISE)


def report_errors(content: bytes) -> list[str] | None:
    """The errors of a processing report in Amazon's words, or None when it cannot be read."""
    try:
        root = SafeTree.fromstring(content)
    except (ElementTree.ParseError, ValueError):
        return None
    if not root.tag.endswith(("AmazonEnvelope", "ProcessingReport")):
        return None
    results = [result for result in root.iter("Result") if result.findtext("ResultCode") == "Error"]
    return [(result.findtext("ResultDescription") or result.findtext("ResultMessageCode") or "?") for result in results]


def _check_cancellable(order: Json) -> None:
    if (order.get("fulfillment") or {}).get("fulfilledBy") == "AMAZON":
        raise Refused(said("FBAの注文はここからキャンセルできません。セラーセントラルで処理してください。"))
    if _status(order) in ("SHIPPED", "PARTIALLY_SHIPPED"):
        raise Refused(said("出荷済みの注文はキャンセルできません。返品・返金として処理してください。"))


def _check_result(api: Api, number: str, feed: Json) -> None:
    content = feeds.result(api, feed)
    errors = report_errors(content) if content is not None else None
    if errors == [] and feed.get("processingStatus") == "DONE":
        return
    if _status(order_now(api, number) or {}) in ("CANCELLED", "CANCELED"):
        return
    if errors:
        raise Refused(said("Amazonがキャンセルを受け付けませんでした: %(why)s", why=errors[0][:200]))
    raise ChannelDown(
        said("Amazonのキャンセル処理が失敗しました。自動で送り直します。"), detail=str(feed.get("processingStatus"))
    )


def _status(order: Json) -> str:
    return (order.get("fulfillment") or {}).get("fulfillmentStatus") or ""


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text
