"""Feeds 2021-06-30: upload a document, start the feed, wait, read the result."""

import gzip
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from channels.connectors.amazon.times import iso
from channels.connectors.amazon.transport import Api, need
from channels.connectors.contract import ChannelDown, ChannelError
from oms.kernel import clock
from oms.kernel.said import said

PATH = "/feeds/2021-06-30"
FINISHED = ("DONE", "FATAL", "CANCELLED")
FIRST_POLL_S = 60
NEXT_POLL_S = 30
GZIP_MAGIC = b"\x1f\x8b"
CLOCKS_DIFFER = timedelta(minutes=1)

Json = Mapping[str, Any]


def submit(api: Api, feed_type: str, content: bytes, content_type: str) -> str:
    """Upload `content` and start the feed; returns its id. A feed whose answer got lost is looked up, not doubled."""
    document = api.call("POST", f"{PATH}/documents", "createFeedDocument", body={"contentType": content_type})
    # The signed address wants exactly this content type and no token.
    api.storage.call(
        "PUT",
        need(document, "url"),
        operation="upload",
        idempotent=True,
        data=content,
        headers={"Content-Type": content_type},
    )
    body = {
        "feedType": feed_type,
        "marketplaceIds": [api.marketplace_id],
        "inputFeedDocumentId": need(document, "feedDocumentId"),
    }
    asked_at = clock.now()
    try:
        return _create(api, body)
    except ChannelError as lost:
        if not lost.uncertain:
            raise
        return _created_since(api, feed_type, asked_at) or _create(api, body)


def wait(api: Api, feed_id: str, patience_s: float) -> Json | None:
    """The finished feed, or None when it still runs after `patience_s` seconds. Looks at once when patience is 0."""
    waited_s = 0.0
    pause_s = FIRST_POLL_S
    while True:
        if patience_s > 0:
            clock.sleep(pause_s)
            waited_s += pause_s
        feed: Json = api.call("GET", f"{PATH}/feeds/{feed_id}", "getFeed")
        if feed.get("processingStatus") in FINISHED:
            return feed
        if waited_s >= patience_s:
            return None
        pause_s = NEXT_POLL_S


def result(api: Api, feed: Json) -> bytes | None:
    """The result document of a finished feed, or None when Amazon made none."""
    document_id = feed.get("resultFeedDocumentId")
    if not document_id:
        return None
    document = api.call("GET", f"{PATH}/documents/{document_id}", "getFeedDocument")
    answer = api.storage.call("GET", need(document, "url"), operation="download", idempotent=True)
    content = answer.content
    packed = document.get("compressionAlgorithm") == "GZIP" and content.startswith(GZIP_MAGIC)
    try:
        return gzip.decompress(content) if packed else content
    except (OSError, EOFError) as broken:
        raise ChannelDown(said("Amazonの処理結果ファイルが壊れています。自動で再試行します。")) from broken


def _create(api: Api, body: Json) -> str:
    return str(need(api.call("POST", f"{PATH}/feeds", "createFeed", body=body, idempotent=False), "feedId"))


def _created_since(api: Api, feed_type: str, asked_at: datetime) -> str:
    query: dict[str, str | int] = {
        "feedTypes": feed_type,
        "createdSince": iso(asked_at - CLOCKS_DIFFER),
        "pageSize": 10,
    }
    found = api.call("GET", f"{PATH}/feeds", "getFeeds", query=query).get("feeds") or []
    return str(max(found, key=lambda feed: feed.get("createdTime") or "")["feedId"]) if found else ""
