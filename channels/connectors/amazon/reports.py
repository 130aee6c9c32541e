"""Reports 2021-06-30: ask for one, wait, read its rows."""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.message import Message
from typing import Any

from channels.connectors.amazon.times import iso
from channels.connectors.amazon.transport import Api, need
from channels.connectors.contract import ChannelDown
from oms.kernel import clock
from oms.kernel.said import said

PATH = "/reports/2021-06-30"
FINISHED = ("DONE", "FATAL", "CANCELLED")
POLL_S = 20
PATIENCE_S = 15 * 60
LEGACY = "cp932"  # what Japanese flat files often are

Json = Mapping[str, Any]


def rows(api: Api, report_type: str, since: datetime, until: datetime) -> Iterator[Mapping[str, str]]:
    """The rows of a tab-separated report by the names in its head. No rows when Amazon has no data.

    Raises ChannelDown when the report fails or takes too long.
    """
    body = {
        "reportType": report_type,
        "marketplaceIds": [api.marketplace_id],
        "dataStartTime": iso(since),
        "dataEndTime": iso(until),
    }
    # A report that was asked for twice does no harm.
    report_id = need(api.call("POST", f"{PATH}/reports", "createReport", body=body), "reportId")
    report = _wait(api, str(report_id))
    if report.get("processingStatus") == "CANCELLED":
        return
    if report.get("processingStatus") != "DONE":
        raise ChannelDown(said("Amazonのレポート作成が失敗しました。次回もう一度作成します。"), detail="FATAL")
    document = api.call("GET", f"{PATH}/documents/{need(report, 'reportDocumentId')}", "getReportDocument")
    answer = api.storage.call("GET", need(document, "url"), operation="download", idempotent=True)
    content = answer.content
    if document.get("compressionAlgorithm") == "GZIP":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as broken:
            raise ChannelDown(said("Amazonのレポートが壊れています。次回もう一度作成します。")) from broken
    text = decoded(content, answer.headers.get("Content-Type", ""))
    yield from csv.DictReader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)


def decoded(content: bytes, content_type: str) -> str:
    """The text in the charset that is named, if it fits; else in UTF-8, else in Shift_JIS."""
    header = Message()
    header["Content-Type"] = content_type
    named = header.get_content_charset() or ""
    named = LEGACY if "shift" in named or "sjis" in named else named
    for charset in filter(None, (named, "utf-8-sig", LEGACY)):
        try:
            return content.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("utf-8", "replace")


def _wait(api: Api, report_id: str) -> Json:
    waited_s = 0
    while True:
        report: Json = api.call("GET", f"{PATH}/reports/{report_id}", "getReport")
        if report.get("processingStatus") in FINISHED:
            return report
        if waited_s >= PATIENCE_S:
            raise ChannelDown(said("Amazonのレポート作成に時間がかかっています。次回もう一度作成します。"))
        clock.sleep(POLL_S)
        waited_s += POLL_S
