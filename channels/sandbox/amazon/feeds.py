"""Feeds 2021-06-30: documents behind signed addresses, feeds that move on by the clock, result documents."""

import base64
import gzip
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from werkzeug import Request, Response

from channels.sandbox.amazon.answers import (
    csv,
    integer,
    invalid,
    not_found,
    parse_time,
    quota_exceeded,
    storage_refusal,
    utc,
)
from channels.sandbox.numbers import AMAZON_MARKETPLACE_ID
from channels.sandbox.simulator import Simulator

LISTINGS = "JSON_LISTINGS_FEED"
ACKNOWLEDGEMENT = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
ADDRESS_LIFE = timedelta(minutes=5)
STATUSES = frozenset({"CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE"})

Json = dict[str, Any]
Work = Callable[[str, bytes], tuple[str, bytes, str]]
"""(feed id, document) → (DONE or FATAL, result document, its content type)."""


class FeedCalls:
    """`queue_s` and `work_s`: how long a feed waits and runs. `zipped`: results come as gzip."""

    def __init__(self, simulator: Simulator, workers: Mapping[str, Work]) -> None:
        self.simulator, self.workers = simulator, workers
        self.queue_s, self.work_s = 15.0, 30.0
        self.zipped = True
        self._lock = threading.Lock()
        self._addresses: dict[str, tuple[str, str, datetime]] = {}  # key → (verb, document id, end)

    # ---- documents ---------------------------------------------------------------------------------------------

    def create_document(self, request: Request, body: Json) -> Json:
        content_type = body.get("contentType")
        if not isinstance(content_type, str) or not content_type:
            raise invalid("contentType is required.")
        document_id = f"amzn1.tortuga.4.fe.{self.simulator.world.next_id('amazon', 'document'):08x}"
        self._keep_document(document_id, {"content_type": content_type})
        return {"feedDocumentId": document_id, "url": self._address(request, "PUT", document_id)}

    def get_document(self, request: Request, document_id: str) -> Json:
        document = self._document(document_id)
        if document is None or "content" not in document:
            raise not_found("The feed document does not exist.")
        answer = {"feedDocumentId": document_id, "url": self._address(request, "GET", document_id)}
        if document.get("zipped"):
            answer["compressionAlgorithm"] = "GZIP"
        return answer

    def storage(self, request: Request, key: str) -> Response:
        """The signed addresses: right verb, right content type, in time, and without any token."""
        verb, document_id, end = self._addresses.get(key, ("", "", self.simulator.now()))
        if request.method != verb or self.simulator.now() >= end:
            return storage_refusal("AccessDenied", "Request has expired")
        if "x-amz-access-token" in request.headers or "Authorization" in request.headers:
            return storage_refusal("InvalidArgument", "Only one auth mechanism allowed")
        document = self._document(document_id) or {}
        if verb == "GET":
            return Response(base64.b64decode(document["content"]), content_type=document["content_type"])
        if request.headers.get("Content-Type") != document["content_type"]:
            return storage_refusal(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided.",
            )
        self._keep_document(document_id, {**document, "content": base64.b64encode(request.get_data()).decode()})
        return Response(status=200)

    def _address(self, request: Request, verb: str, document_id: str) -> str:
        key = secrets.token_urlsafe(24)
        self._addresses[key] = (verb, document_id, self.simulator.now() + ADDRESS_LIFE)
        return f"{request.root_url.rstrip('/')}/storage/{key}?X-Amz-Expires=300"

    def _document(self, document_id: str) -> Json | None:
        found: Json | None = self.simulator.world.recall("amazon", f"document:{document_id}")
        return found

    def _keep_document(self, document_id: str, document: Json) -> None:
        self.simulator.world.remember("amazon", f"document:{document_id}", document)

    def keep_result(self, content: bytes, content_type: str, *, zipped: bool) -> str:
        """Keep a document that Amazon made; returns its id."""
        document_id = f"amzn1.tortuga.4.fe.{self.simulator.world.next_id('amazon', 'document'):08x}"
        stored = {"content_type": content_type, "content": base64.b64encode(content).decode(), "zipped": zipped}
        self._keep_document(document_id, stored)
        return document_id

    # ---- feeds -------------------------------------------------------------------------------------------------

    def create(self, body: Json) -> Json:
        feed_type = body.get("feedType")
        if feed_type not in self.workers:
            raise invalid(f"Invalid feedType: {feed_type}")
        if body.get("marketplaceIds") != [AMAZON_MARKETPLACE_ID]:
            raise invalid("marketplaceIds: is missing or not a marketplace of this seller.")
        document_id = str(body.get("inputFeedDocumentId", ""))
        if "content" not in (self._document(document_id) or {}):
            raise invalid("inputFeedDocumentId: nothing was uploaded under this id.")
        if feed_type == LISTINGS and not self.simulator.bucket(LISTINGS, per_second=5 / 300, burst=5).take():
            raise quota_exceeded()
        feed_id = str(50_871_020_000 + self.simulator.world.next_id("amazon", "feed"))
        feed = {
            "feedId": feed_id,
            "feedType": feed_type,
            "marketplaceIds": [AMAZON_MARKETPLACE_ID],
            "createdTime": utc(self.simulator.now()),
            "processingStatus": "IN_QUEUE",
        }
        with self._lock:
            self._write({**self._feeds(), feed_id: {"feed": feed, "document": document_id}})
        return {"feedId": feed_id}

    def get(self, feed_id: str) -> Json:
        entry = self._feeds().get(feed_id)
        if entry is None:
            raise not_found("The feed does not exist.")
        feed: Json = entry["feed"]
        return feed

    def search(self, args: Mapping[str, str]) -> Json:
        types = csv(args, "feedTypes")
        if not types:
            raise invalid("Either feedTypes or nextToken is required.")
        size = integer(args, "pageSize", 10, 1, 100)
        wanted = csv(args, "processingStatuses", STATUSES) or STATUSES
        since = parse_time("createdSince", args["createdSince"]) if "createdSince" in args else None
        feeds = [
            entry["feed"]
            for entry in self._feeds().values()
            if entry["feed"]["feedType"] in types
            and entry["feed"]["processingStatus"] in wanted
            and (since is None or parse_time("createdTime", entry["feed"]["createdTime"]) >= since)
        ]
        return {"feeds": feeds[::-1][:size]}

    def cancel(self, feed_id: str) -> None:
        with self._lock:
            feeds = self._feeds()
            entry = feeds.get(feed_id)
            if entry is None:
                raise not_found("The feed does not exist.")
            if entry["feed"]["processingStatus"] != "IN_QUEUE":
                raise invalid("Only a feed that is IN_QUEUE can be cancelled.")
            entry["feed"]["processingStatus"] = "CANCELLED"
            self._write(feeds)

    def advance(self) -> None:
        """Move all feeds to where they are by now. Called before each request."""
        with self._lock:
            feeds = self._feeds()
            moved = [self._move(entry) for entry in feeds.values()]
            if any(moved):
                self._write(feeds)

    def _move(self, entry: Json) -> bool:
        feed = entry["feed"]
        if feed["processingStatus"] not in ("IN_QUEUE", "IN_PROGRESS"):
            return False
        age_s = (self.simulator.now() - parse_time("createdTime", feed["createdTime"])).total_seconds()
        if age_s >= self.queue_s + self.work_s:
            self._finish(entry)
            return True
        if age_s >= self.queue_s and feed["processingStatus"] == "IN_QUEUE":
            feed.update(processingStatus="IN_PROGRESS", processingStartTime=utc(self.simulator.now()))
            return True
        return False

    def _finish(self, entry: Json) -> None:
        feed = entry["feed"]
        document = self._document(entry["document"]) or {}
        status, content, content_type = self.workers[feed["feedType"]](
            feed["feedId"], base64.b64decode(document["content"])
        )
        stored = gzip.compress(content) if self.zipped else content
        result_id = self.keep_result(stored, content_type, zipped=self.zipped)
        now = utc(self.simulator.now())
        feed.setdefault("processingStartTime", now)
        feed.update(processingStatus=status, processingEndTime=now, resultFeedDocumentId=result_id)

    def _feeds(self) -> dict[str, Json]:
        found: dict[str, Json] = json.loads(self.simulator.world.recall("amazon", "feeds", "{}"))
        return found

    def _write(self, feeds: dict[str, Json]) -> None:
        self.simulator.world.remember("amazon", "feeds", json.dumps(feeds))
