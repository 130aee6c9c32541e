"""Publishing quantities: single patches for some SKUs, one feed for many."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import structlog

from channels.connectors.amazon import feeds
from channels.connectors.amazon.listings import FBA_MARK, OWN_STOCK, item_path
from channels.connectors.amazon.transport import Api
from channels.connectors.contract import ChannelDown, Refused, StockPush, StockResult
from oms.kernel import clock
from oms.kernel.said import said

FEED_TYPE = "JSON_LISTINGS_FEED"
CONTENT_TYPE = "application/json; charset=UTF-8"
PATCH_MOST = 300  # patches go at 5 a second; a feed takes a minute at least, whatever its size
FEED_MOST = 20_000  # Amazon takes 25,000 messages and 10 MiB
FEED_PACE_S = 20 * 60
FEED_STUCK_S = 2 * 3600  # a feed may hang for days; its SKUs are patched again after this time
FEED_PATIENCE_S = 60  # then the quantities count as accepted and are read back, so that urgent ones need not wait
DOWN_IN_A_ROW = 3

log = structlog.get_logger(__name__)
Json = Mapping[str, Any]


def push(api: Api, items: Iterable[StockPush]) -> Iterator[StockResult]:
    """One result per listing code; of several quantities for one code the last is sent.

    Nothing is confirmed: Amazon accepts first and applies later. A SKU never is in a running feed and a patch at once.
    """
    wanted = {item.listing_code: item.quantity for item in items}
    for code in [code for code, quantity in wanted.items() if code.startswith(FBA_MARK) or quantity < 0]:
        yield StockResult(code, ok=False, error=_why_not(code))
        del wanted[code]
    running = _StockFeed(api)
    for code in running.busy_skus() & wanted.keys():
        yield StockResult(code, ok=False, error=said("前回の一括更新をAmazonが処理中です。終わり次第送り直します。"))
        del wanted[code]
    if len(wanted) > PATCH_MOST and running.may_start():
        yield from _by_feed(api, wanted, running)
    else:
        yield from _by_patches(api, wanted)


def quantity_patch(quantity: int) -> dict[str, Any]:
    """`merge` keeps the handling time and restock date that stand beside the quantity."""
    value = {"fulfillment_channel_code": OWN_STOCK, "quantity": quantity}
    return {"op": "merge", "path": "/attributes/fulfillment_availability", "value": [value]}


def feed_document(seller_id: str, wanted: Mapping[str, int]) -> dict[str, Any]:
    """The JSON listings feed; message ids are 1, 2, 3 … in the order of `wanted`."""
    messages = [
        {
            "messageId": number,
            "sku": sku,
            "operationType": "PATCH",
            "productType": "PRODUCT",
            "patches": [quantity_patch(quantity)],
        }
        for number, (sku, quantity) in enumerate(wanted.items(), 1)
    ]
    return {"header": {"sellerId": seller_id, "version": "2.0", "issueLocale": "ja_JP"}, "messages": messages}


def feed_results(codes: Sequence[str], report: Json) -> list[StockResult]:
    """A message without an error was accepted. An error that names no message concerns them all."""
    errors: dict[str, str] = {}
    for issue in report.get("issues") or ():
        if issue.get("severity") != "ERROR":
            continue
        number, text = issue.get("messageId"), _refusal(issue)
        if isinstance(number, int) and 1 <= number <= len(codes):
            errors.setdefault(codes[number - 1], text)
        elif issue.get("sku"):
            errors.setdefault(issue["sku"], text)
        elif not (report.get("summary") or {}).get("messagesAccepted"):
            errors.update(dict.fromkeys(codes, text))
    return [StockResult(code, ok=code not in errors, error=errors.get(code, "")) for code in codes]


def _by_patches(api: Api, wanted: Mapping[str, int]) -> Iterator[StockResult]:
    down_in_a_row = 0
    for sku, quantity in wanted.items():
        try:
            result = _patch(api, sku, quantity)
            down_in_a_row = 0
        except Refused as refused:
            result = StockResult(sku, ok=False, error=refused.cause)
        except ChannelDown as down:
            # One SKU may trip Amazon up; when all do, the channel is down and the rest waits.
            down_in_a_row += 1
            if down_in_a_row == DOWN_IN_A_ROW:
                raise
            result = StockResult(sku, ok=False, error=down.cause)
        yield result


def _patch(api: Api, sku: str, quantity: int) -> StockResult:
    answer = api.call(
        "PATCH",
        item_path(api, sku),
        "patchListingsItem",
        query={"marketplaceIds": api.marketplace_id, "issueLocale": "ja_JP"},
        body={"productType": "PRODUCT", "patches": [quantity_patch(quantity)]},
    )
    if answer.get("status") == "ACCEPTED":
        return StockResult(sku, ok=True)
    issues: Sequence[Json] = answer.get("issues") or [{}]
    worst = next((issue for issue in issues if issue.get("severity") == "ERROR"), issues[0])
    return StockResult(sku, ok=False, error=_refusal(worst))


def _by_feed(api: Api, wanted: Mapping[str, int], running: "_StockFeed") -> Iterator[StockResult]:
    codes = list(wanted)[:FEED_MOST]
    document = feed_document(api.seller_id, {code: wanted[code] for code in codes})
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    feed_id = feeds.submit(api, FEED_TYPE, content, CONTENT_TYPE)
    running.started(feed_id, codes)
    feed = feeds.wait(api, feed_id, FEED_PATIENCE_S)
    if feed is None:
        yield from (StockResult(code, ok=True) for code in codes)
    else:
        running.finished()
        yield from _results_of(api, feed, codes)
    yield from _by_patches(api, {code: wanted[code] for code in list(wanted)[FEED_MOST:]})


def _results_of(api: Api, feed: Json, codes: Sequence[str]) -> list[StockResult]:
    content = feeds.result(api, feed)
    if content is None:
        ok = feed.get("processingStatus") == "DONE"
        error = "" if ok else said("Amazonが在庫の一括更新を中止しました。送り直します。")
        return [StockResult(code, ok=ok, error=error) for code in codes]
    try:
        report = json.loads(content.decode("utf-8-sig"))
    except ValueError as broken:
        raise ChannelDown(said("Amazonの一括更新の結果を読み取れませんでした。")) from broken
    results = feed_results(codes, report)
    if feed.get("processingStatus") == "FATAL" and not (report.get("summary") or {}).get("messagesAccepted"):
        fatal = said("Amazonで在庫の一括更新が失敗しました。送り直します。")
        return [StockResult(result.listing_code, ok=False, error=result.error or fatal) for result in results]
    return results


def _refusal(issue: Json) -> str:
    return said(
        "Amazonが受け付けませんでした: %(why)s", why=issue.get("message") or issue.get("code") or said("理由不明")
    )[:300]


def _why_not(code: str) -> str:
    if code.startswith(FBA_MARK):
        return said("FBA商品の在庫はAmazonが管理しているため、送信できません。")
    return said("在庫数が正しくありません(0以上の数にしてください)。")


class _StockFeed:
    """The last stock feed of this shop, remembered for all processes."""

    def __init__(self, api: Api) -> None:
        self.api, self.key = api, f"amazon:stockfeed:{api.settings.shop_code}"

    def started(self, feed_id: str, skus: Sequence[str]) -> None:
        self._write({"feed_id": feed_id, "at": clock.now().timestamp(), "skus": list(skus)})

    def finished(self) -> None:
        if record := self._read():
            self._write({**record, "skus": []})

    def may_start(self) -> bool:
        record = self._read()
        return record is None or self._age_s(record) >= FEED_PACE_S

    def busy_skus(self) -> set[str]:
        """The SKUs of a feed that Amazon still works on."""
        record = self._read()
        if record is None or not record["skus"]:
            return set()
        if self._age_s(record) >= FEED_STUCK_S:
            log.warning("amazon_feed_stuck", shop=self.api.settings.shop_code, feed_id=record["feed_id"])
            return set()
        feed = feeds.wait(self.api, record["feed_id"], patience_s=0)
        if feed is None:
            return set(record["skus"])
        self.finished()
        return set()

    @staticmethod
    def _age_s(record: Json) -> float:
        return clock.now().timestamp() - float(record["at"])

    def _read(self) -> dict[str, Any] | None:
        stored = self.api.redis.get(self.key)
        return json.loads(stored) if isinstance(stored, bytes) else None

    def _write(self, record: Json) -> None:
        self.api.redis.set(self.key, json.dumps(record), ex=FEED_STUCK_S)
