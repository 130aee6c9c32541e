"""Reports 2021-06-30: the flat file of all orders by order date. As in Japan it comes in Shift_JIS."""

import gzip
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from werkzeug import Request

from channels.sandbox.amazon.answers import invalid, not_found, parse_time, utc
from channels.sandbox.amazon.feeds import FeedCalls
from channels.sandbox.amazon.notices import STATUS
from channels.sandbox.model import SandboxOrder
from channels.sandbox.numbers import AMAZON_MARKETPLACE_ID
from channels.sandbox.simulator import Simulator

ALL_ORDERS = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL"
HEAD = (
    "amazon-order-id", "merchant-order-id", "purchase-date", "last-updated-date", "order-status",
    "fulfillment-channel", "sales-channel", "product-name", "sku", "asin", "quantity", "currency", "item-price",
)  # fmt: skip
CHARSET = "cp932"

Json = dict[str, Any]


class ReportCalls:
    """`work_s`: how long a report takes. Without any order it ends CANCELLED, as Amazon says "no data"."""

    def __init__(self, simulator: Simulator, documents: FeedCalls) -> None:
        self.simulator, self.documents = simulator, documents
        self.work_s = 45.0
        self.zipped = True

    def create(self, body: Json) -> Json:
        if body.get("reportType") != ALL_ORDERS:
            raise invalid(f"Invalid reportType: {body.get('reportType')}")
        if body.get("marketplaceIds") != [AMAZON_MARKETPLACE_ID]:
            raise invalid("marketplaceIds: is missing or not a marketplace of this seller.")
        start = parse_time("dataStartTime", str(body.get("dataStartTime", "")))
        end = parse_time("dataEndTime", str(body.get("dataEndTime") or utc(self.simulator.now())))
        if start > end:
            raise invalid("dataStartTime must not be later than dataEndTime.")
        report_id = str(60_000_020_000 + self.simulator.world.next_id("amazon", "report"))
        report = {
            "reportId": report_id,
            "reportType": ALL_ORDERS,
            "marketplaceIds": [AMAZON_MARKETPLACE_ID],
            "dataStartTime": utc(start),
            "dataEndTime": utc(end),
            "createdTime": utc(self.simulator.now()),
            "processingStatus": "IN_QUEUE",
        }
        self.simulator.world.remember("amazon", f"report:{report_id}", report)
        return {"reportId": report_id}

    def get(self, report_id: str) -> Json:
        report: Json | None = self.simulator.world.recall("amazon", f"report:{report_id}")
        if report is None:
            raise not_found("The report does not exist.")
        age_s = (self.simulator.now() - parse_time("createdTime", report["createdTime"])).total_seconds()
        if report["processingStatus"] in ("IN_QUEUE", "IN_PROGRESS") and age_s >= self.work_s / 3:
            report = self._finished(report) if age_s >= self.work_s else {**report, "processingStatus": "IN_PROGRESS"}
            report.setdefault("processingStartTime", utc(self.simulator.now()))
            self.simulator.world.remember("amazon", f"report:{report_id}", report)
        return report

    def get_document(self, request: Request, document_id: str) -> Json:
        told = self.documents.get_document(request, document_id)
        return {"reportDocumentId" if name == "feedDocumentId" else name: text for name, text in told.items()}

    def _finished(self, report: Json) -> Json:
        now = utc(self.simulator.now())
        rows = list(self._rows(report))
        if not rows:
            return {**report, "processingStatus": "CANCELLED", "processingEndTime": now}
        text = "\r\n".join("\t".join(row) for row in [HEAD, *rows]) + "\r\n"
        content = text.encode(CHARSET, "replace")
        document_id = self.documents.keep_result(
            gzip.compress(content) if self.zipped else content, f"text/plain; charset={CHARSET}", zipped=self.zipped
        )
        return {**report, "processingStatus": "DONE", "processingEndTime": now, "reportDocumentId": document_id}

    def _rows(self, report: Json) -> Iterator[tuple[str, ...]]:
        start, end = (parse_time(name, report[name]) for name in ("dataStartTime", "dataEndTime"))
        for order in self.simulator.world.orders("amazon", ordered_from=start, ordered_to=end):
            for line in order.lines:
                yield (*_order_part(order), line.listing.title, line.listing.codes["seller_sku"],
                       line.listing.codes["asin"], str(line.quantity), "JPY", f"{line.amount}.0")  # fmt: skip


def _order_part(order: SandboxOrder) -> tuple[str, ...]:
    by = "Amazon" if order.fulfilled_by_mall else "Merchant"
    own_number = str(order.extra.get("merchant_order_id", ""))
    return (order.number, own_number, _offset(order.ordered_at), _offset(order.updated_at), STATUS[order.state], by,
            "Amazon.co.jp")  # fmt: skip


def _offset(time: datetime) -> str:
    return utc(time)[:19] + "+00:00"
