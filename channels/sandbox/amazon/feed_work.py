"""What Amazon does with a feed's document: quantities of many listings, cancellations of orders."""

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from defusedxml import ElementTree as SafeTree

from channels.sandbox.amazon.listings import ListingCalls
from channels.sandbox.errors import UnknownOrder, WrongState
from channels.sandbox.numbers import AMAZON_SELLER_ID
from channels.sandbox.simulator import Simulator

REASONS = frozenset({
    "NoInventory", "ShippingAddressUndeliverable", "CustomerExchange", "BuyerCanceled", "GeneralAdjustment",
    "CarrierCreditDecision", "RiskAssessmentInformationNotValid", "CarrierCoverageFailure", "CustomerReturn",
    "MerchandiseNotReceived",
})  # fmt: skip
MOST_MESSAGES = 25_000
JSON_TYPE = "application/json; charset=UTF-8"
XML_TYPE = "text/xml; charset=UTF-8"

Json = Mapping[str, Any]


class Rejected(Exception):
    """One message of a feed is not taken; (code, text)."""


class ListingsFeed:
    """JSON_LISTINGS_FEED: each message stands alone; a bad header ends the whole feed."""

    def __init__(self, listings: ListingCalls) -> None:
        self.listings = listings

    def __call__(self, feed_id: str, document: bytes) -> tuple[str, bytes, str]:
        try:
            feed = json.loads(document)
            header, messages = feed["header"], feed["messages"]
            usable = header["sellerId"] == AMAZON_SELLER_ID and header["version"] == "2.0"
            usable = usable and 0 < len(messages) <= MOST_MESSAGES
        except (ValueError, KeyError, TypeError):
            usable, messages = False, []
        if not usable:
            issue = {"severity": "ERROR", "code": "4000001", "message": "The feed document is not valid."}
            return "FATAL", _json_report(feed_id, [issue], processed=0, bad=0), JSON_TYPE
        issues: list[Json] = []
        seen: set[int] = set()
        for message in messages:
            issues += self._message_issues(message, seen)
        bad = len({issue.get("messageId") for issue in issues})
        return "DONE", _json_report(feed_id, issues, processed=len(messages), bad=bad), JSON_TYPE

    def _message_issues(self, message: Any, seen: set[int]) -> list[Json]:
        number = message.get("messageId") if isinstance(message, dict) else None
        if not isinstance(number, int) or number < 1 or number in seen:
            return [{"severity": "ERROR", "code": "4000002", "message": "messageId is missing or not unique."}]
        seen.add(number)
        sku = message.get("sku")
        if self.listings.simulator.row_fails():
            found: list[Json] = [{"code": "18299", "message": "An internal error occurred. Submit it again."}]
        elif message.get("operationType") != "PATCH" or not isinstance(sku, str) or not message.get("productType"):
            found = [{"code": "4000003", "message": "Only PATCH of a SKU is possible here."}]
        else:
            found = self.listings.apply_patches(sku, message.get("patches") or [])
        return [
            {
                "messageId": number,
                "sku": str(sku),
                "code": issue["code"],
                "severity": "ERROR",
                "message": issue["message"],
            }
            for issue in found
        ]


def _json_report(feed_id: str, issues: list[Json], *, processed: int, bad: int) -> bytes:
    report = {
        "header": {"sellerId": AMAZON_SELLER_ID, "version": "2.0", "feedId": feed_id},
        "issues": issues,
        "summary": {
            "errors": len(issues),
            "warnings": 0,
            "messagesProcessed": processed,
            "messagesAccepted": processed - bad,
            "messagesInvalid": bad,
        },
    }
    return json.dumps(report, ensure_ascii=False).encode()


class AcknowledgementFeed:
    """POST_ORDER_ACKNOWLEDGEMENT_DATA: `Success` notes the shop's number, `Failure` cancels the whole order."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def __call__(self, feed_id: str, document: bytes) -> tuple[str, bytes, str]:
        try:
            root = SafeTree.fromstring(document)
        except ElementTree.ParseError:
            return "FATAL", _xml_report(feed_id, 0, [("0", "5001", "XML Parsing Fatal Error")]), XML_TYPE
        if root.findtext("Header/MerchantIdentifier") != AMAZON_SELLER_ID:
            return "FATAL", _xml_report(feed_id, 0, [("0", "5000", "Wrong MerchantIdentifier")]), XML_TYPE
        messages = root.findall("Message")
        errors: list[tuple[str, str, str]] = []
        for message in messages:
            try:
                self._apply(message)
            except Rejected as rejected:
                errors.append((message.findtext("MessageID") or "0", *rejected.args))
        return "DONE", _xml_report(feed_id, len(messages), errors), XML_TYPE

    def _apply(self, message: Any) -> None:
        told = message.find("OrderAcknowledgement")
        if told is None:
            raise Rejected("90057", "OrderAcknowledgement is missing.")
        number = told.findtext("AmazonOrderID") or ""
        try:
            order = self.simulator.world.order("amazon", number)
        except UnknownOrder as unknown:
            raise Rejected("18028", f"Order {number} does not belong to this seller.") from unknown
        if told.findtext("StatusCode") == "Success":
            self.simulator.world.annotate("amazon", number, merchant_order_id=told.findtext("MerchantOrderID") or "")
            return
        if told.findtext("StatusCode") != "Failure":
            raise Rejected("90057", "StatusCode must be Success or Failure.")
        items = {item.findtext("AmazonOrderItemCode"): item.findtext("CancelReason") for item in told.findall("Item")}
        if items.keys() != {line.line_id for line in order.lines}:
            raise Rejected("18065", "All items of the order must be listed, and only these.")
        if not set(items.values()) <= REASONS:
            raise Rejected("90057", "CancelReason is not valid.")
        if order.fulfilled_by_mall:
            raise Rejected("18066", "The order is fulfilled by Amazon.")
        reason = next(iter(items.values())) or ""
        try:
            self.simulator.world.cancel("amazon", number, reason=reason, by="shop", payload={"CancelReason": reason})
        except WrongState as wrong:
            raise Rejected("18067", f"The order cannot be cancelled any more: {order.state}") from wrong


def _xml_report(feed_id: str, processed: int, errors: list[tuple[str, str, str]]) -> bytes:
    envelope = ElementTree.Element("AmazonEnvelope")
    header = ElementTree.SubElement(envelope, "Header")
    ElementTree.SubElement(header, "DocumentVersion").text = "1.02"
    ElementTree.SubElement(header, "MerchantIdentifier").text = AMAZON_SELLER_ID
    ElementTree.SubElement(envelope, "MessageType").text = "ProcessingReport"
    message = ElementTree.SubElement(envelope, "Message")
    ElementTree.SubElement(message, "MessageID").text = "1"
    report = ElementTree.SubElement(message, "ProcessingReport")
    ElementTree.SubElement(report, "DocumentTransactionID").text = feed_id
    ElementTree.SubElement(report, "StatusCode").text = "Complete"
    summary = ElementTree.SubElement(report, "ProcessingSummary")
    counts = (processed, processed - len(errors) if processed else 0, len(errors), 0)
    names = ("MessagesProcessed", "MessagesSuccessful", "MessagesWithError", "MessagesWithWarning")
    for name, count in zip(names, counts, strict=True):
        ElementTree.SubElement(summary, name).text = str(count)
    for message_id, code, text in errors:
        result = ElementTree.SubElement(report, "Result")
        ElementTree.SubElement(result, "MessageID").text = message_id
        ElementTree.SubElement(result, "ResultCode").text = "Error"
        ElementTree.SubElement(result, "ResultMessageCode").text = code
        ElementTree.SubElement(result, "ResultDescription").text = text
    content: bytes = ElementTree.tostring(envelope, encoding="UTF-8", xml_declaration=True)
    return content
