"""Reading orders: searchOrders page by page, and getOrder."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from channels.connectors.amazon.times import aware, iso
from channels.connectors.amazon.transport import Api, NotFound, need
from channels.connectors.contract import ChannelDown, ChannelError, Fetched, RawOrder, Unreadable
from oms.kernel import clock
from oms.kernel.said import said

PATH = "/orders/2026-01-01/orders"
BLOCKS = "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,PAYMENT,CANCELLATION,FULFILLMENT,PACKAGES"
PAGE = 100
OVERLAP = timedelta(minutes=10)  # data shows up about two minutes late, sometimes more
FRESHEST = timedelta(minutes=15)  # an upper bound must be two minutes old by Amazon's clock, which may differ from ours

Json = Mapping[str, Any]


def order_now(api: Api, channel_order_no: str, blocks: str = BLOCKS) -> Json | None:
    """The order as Amazon has it, or None when it does not know it."""
    try:
        answer = api.call(
            "GET", f"{PATH}/{quote(channel_order_no, safe='')}", "getOrder", query={"includedData": blocks}
        )
    except NotFound:
        return None
    found: Json = need(answer, "order")
    return found


def raw_order(order: Any) -> RawOrder:
    """Raises Unreadable for what has no order number."""
    number = order.get("orderId") if isinstance(order, dict) else None
    if not isinstance(number, str) or not number:
        raise Unreadable(said("Amazonの応答に注文番号のない注文がありました。"))
    return RawOrder(
        channel_order_no=number,
        payload=json.dumps(order, ensure_ascii=False, separators=(",", ":")),
        content_type="application/json",
        updated_at=_time_or_none(order.get("lastUpdatedTime")),
    )


def fetch_pages(api: Api, since: datetime, until: datetime) -> Iterator[Fetched]:
    """All orders changed in [since − overlap, until]. The cursor is Amazon's own bound of the first page.

    Orders that move between pages while we read come twice or in the next fetch, never not at all: the cursor is set
    only when the last page was read.
    """
    query = _query(api, since, until)
    cursor = min(until, clock.now() - timedelta(minutes=2))
    seen: set[tuple[str, datetime | None]] = set()
    tokens: set[str] = set()
    while True:
        answer = api.call("GET", PATH, "searchOrders", query=query)
        orders, problems = _read_page(answer, seen)
        cursor = min(cursor, _time_or_none(answer.get("lastUpdatedBefore")) or cursor)
        token = (answer.get("pagination") or {}).get("nextToken")
        yield Fetched(orders=orders, cursor=None if token else max(cursor, since), problems=problems)
        if not token:
            return
        if token in tokens and not orders:
            raise ChannelDown(said("Amazonが同じページを繰り返し返しました。次回の取込で最初から読み直します。"))
        tokens.add(token)
        query["paginationToken"] = token


def _query(api: Api, since: datetime, until: datetime) -> dict[str, str | int]:
    query: dict[str, str | int] = {
        "marketplaceIds": api.marketplace_id,
        "lastUpdatedAfter": iso(since - OVERLAP),
        "maxResultsPerPage": PAGE,
        "includedData": BLOCKS,
    }
    if until <= clock.now() - FRESHEST:
        query["lastUpdatedBefore"] = iso(until)
    return query


def _read_page(
    answer: Json, seen: set[tuple[str, datetime | None]]
) -> tuple[list[RawOrder], list[tuple[str, ChannelError]]]:
    orders: list[RawOrder] = []
    problems: list[tuple[str, ChannelError]] = []
    for entry in need(answer, "orders"):
        try:
            order = raw_order(entry)
        except Unreadable as unreadable:
            problems.append(("", unreadable))
            continue
        version = (order.channel_order_no, order.updated_at)
        if version not in seen:
            seen.add(version)
            orders.append(order)
    return orders, problems


def _time_or_none(text: Any) -> datetime | None:
    try:
        return aware(text)
    except (TypeError, ValueError):
        return None
