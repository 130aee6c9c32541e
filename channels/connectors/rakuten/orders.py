"""Finding and reading orders: searchOrder gives numbers, getOrder gives the orders.

RMS has no "updated since". A fetch therefore looks at what moved by any date RMS can search by, and every ten minutes
reads every order again that is not finished. The time of the last such deep fetch is kept in Redis; losing it costs
some calls and no order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from django.utils.translation import gettext_noop as noop

from channels.connectors.contract import ChannelError, Fetched, RawOrder, Refused, Unreadable
from channels.connectors.rakuten import wire
from channels.connectors.rakuten.slices import objects_of
from channels.connectors.rakuten.transport import Rms, decoded, errors, messages, number
from oms.kernel.said import said

OVERLAP = timedelta(minutes=5)
RECENT = timedelta(days=3)
DEEP_EVERY = timedelta(minutes=10)
LONG_AGO = timedelta(hours=1)
FEW = 300
UNFINISHED = (wire.TO_CONFIRM, wire.AT_RAKUTEN, wire.TO_SHIP, wire.CHANGING, wire.CANCELLING, wire.CANCELLED)
TURNING = (wire.CHANGING, wire.CANCELLING, wire.CANCELLED)
NOT_READABLE = noop("楽天の受注 %(no)s を取得できませんでした。RMSで状態を確認してください。")


@dataclass(frozen=True, slots=True)
class Scan:
    """One search: orders whose date of `date_type` lies in [since, until], in these progresses (empty: all).

    `if_many` takes its place when it finds more than `FEW` orders.
    """

    since: datetime
    until: datetime
    date_type: int = wire.BY_ORDER_DATE
    progress: Sequence[int] = ()
    if_many: "Scan | None" = None


def scans(since: datetime, until: datetime, *, deep: bool) -> list[Scan]:
    """New orders first, then what moved, then unfinished ones: all of them in a deep fetch, else the younger ones, and
    of those, when they are many, only the ones that Rakuten is changing or cancelling."""
    early = since - OVERLAP
    plan = [
        Scan(early, until),
        Scan(early, until, wire.BY_FIX_DATE),
        Scan(early, until, wire.BY_SHIPPING_REPORT),
    ]
    if deep:
        return [*plan, Scan(until - wire.SEARCH_WINDOW, until, progress=UNFINISHED)]
    turning = Scan(until - RECENT, until, progress=TURNING)
    return [*plan, Scan(until - RECENT, until, progress=UNFINISHED, if_many=turning)]


def fetch(rms: Rms, since: datetime, until: datetime) -> Iterator[Fetched]:
    """Pages of at most 100 orders; each order once, although the scans overlap."""
    deep = until - since > LONG_AGO or _last_deep(rms) < until - DEEP_EVERY
    seen: set[str] = set()
    for scan in scans(since, until, deep=deep):
        for numbers in search(rms, scan):
            fresh = [no for no in dict.fromkeys(numbers) if no not in seen]
            seen.update(fresh)
            for start in range(0, len(fresh), wire.GET_ORDERS):
                yield read(rms, fresh[start : start + wire.GET_ORDERS])
    yield Fetched(orders=(), cursor=until)
    if deep:
        rms.memory.set(_deep_key(rms), until.timestamp(), ex=int(LONG_AGO.total_seconds()))


def _last_deep(rms: Rms) -> datetime:
    kept = rms.memory.get(_deep_key(rms))
    return datetime.fromtimestamp(float(kept) if isinstance(kept, bytes) else 0, UTC)


def _deep_key(rms: Rms) -> str:
    return f"deep:{rms.store}"


def search(rms: Rms, scan: Scan) -> Iterator[list[str]]:
    """Order numbers, a search page at a time, in windows RMS allows and narrow enough to be reached to the end."""
    since = max(scan.since, scan.until - wire.SEARCH_REACH_BACK)
    while since < scan.until:
        until = min(since + wire.SEARCH_WINDOW, scan.until)
        yield from _search_window(rms, replace(scan, since=since, until=until))
        since = until


def _search_window(rms: Rms, scan: Scan) -> Iterator[list[str]]:
    """Ascending by order time, so that orders placed meanwhile come at the end and push nothing out of a page."""
    page, pages = 1, 1
    while page <= pages:
        answer = _search_page(rms, scan, page)
        paging = answer.get("PaginationResponseModel") or {}
        total = int(paging.get("totalRecordsAmount") or 0)
        if page == 1 and scan.if_many and total > FEW:
            yield from _search_window(rms, scan.if_many)
            return
        if page == 1 and total > wire.SEARCH_REACHABLE and scan.until - scan.since > timedelta(seconds=2):
            middle = scan.since + (scan.until - scan.since) / 2
            yield from _search_window(rms, replace(scan, until=middle))
            yield from _search_window(rms, replace(scan, since=middle))
            return
        yield [str(no) for no in answer.get("orderNumberList") or [] if no]
        pages = int(paging.get("totalPages") or 0)
        page += 1


def _search_page(rms: Rms, scan: Scan, page: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        "dateType": scan.date_type,
        "startDatetime": wire.order_time(scan.since),
        "endDatetime": wire.order_time(scan.until),
        "PaginationRequestModel": {
            "requestRecordsAmount": wire.SEARCH_PAGE,
            "requestPage": page,
            "SortModelList": [{"sortColumn": 1, "sortDirection": 1}],
        },
    }
    if scan.progress:
        body["orderProgressList"] = list(scan.progress)
    return answer_of(rms, "searchOrder", body)


def count(rms: Rms, since: datetime, until: datetime) -> int:
    """How many orders were placed in the period; one call."""
    paging = _search_page(rms, Scan(since, until), 1).get("PaginationResponseModel") or {}
    return int(paging.get("totalRecordsAmount") or 0)


def answer_of(rms: Rms, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """The JSON answer of a reading call; an ERROR row in it is a refusal although HTTP says 200."""
    answer = decoded(rms.order(name, body, idempotent=True))
    if refused := errors(answer):
        codes = "、".join(str(row.get("messageCode") or "?") for row in refused)
        raise Refused(said("楽天RMSが要求を拒否しました（%(codes)s）。", codes=codes), detail=name)
    return answer


def read(rms: Rms, numbers: Sequence[str]) -> Fetched:
    """The orders of at most 100 numbers. One that cannot be read is a problem of its own and stops no other."""
    if not numbers:
        return Fetched(orders=())
    try:
        found = _get(rms, numbers)
    except (Refused, Unreadable) as refused:
        if len(numbers) == 1:
            return Fetched(orders=(), problems=[(numbers[0], refused)])
        middle = len(numbers) // 2
        halves = read(rms, numbers[:middle]), read(rms, numbers[middle:])
        return Fetched(
            orders=[order for half in halves for order in half.orders],
            problems=[problem for half in halves for problem in half.problems],
        )
    problems: list[tuple[str, ChannelError]] = [
        (no, Refused(said(NOT_READABLE, no=no), detail="getOrder: not in the answer"))
        for no in numbers
        if no not in found
    ]
    return Fetched(orders=[found[no] for no in numbers if no in found], problems=problems)


def _get(rms: Rms, numbers: Sequence[str]) -> dict[str, RawOrder]:
    """By number, whatever the order of the reply. Numbers RMS cannot read are missing, without an error."""
    answer = _get_in_newest_version(rms, numbers)
    found = {}
    try:
        document = answer.content.decode("utf-8")
        for order, text in objects_of(document, "OrderModelList"):
            no = order.get("orderNumber") if isinstance(order, dict) else None
            if isinstance(no, str) and no:
                found[no] = RawOrder(channel_order_no=no, payload=text, content_type="application/json")
    except ValueError as broken:
        raise Unreadable(said("楽天RMSの受注データがJSONとして読めません。"), detail=type(broken).__name__) from None
    return found


def _get_in_newest_version(rms: Rms, numbers: Sequence[str]) -> requests.Response:
    """In the newest model that RMS gives us. The one it took is kept for a day, so that a refusal for another reason
    costs no further tries."""
    key = f"deep:{rms.store}:version"
    kept = rms.memory.get(key)
    versions = (int(kept),) if isinstance(kept, bytes) else wire.ORDER_MODEL_VERSIONS
    for place, version in enumerate(versions, start=1):
        try:
            body = {"orderNumberList": list(numbers), "version": version}
            answer = rms.order("getOrder", body, idempotent=True)
        except Refused:
            if place == len(versions):
                rms.memory.delete(key)
                raise
            continue
        if kept is None:
            rms.memory.set(key, version, ex=timedelta(days=1))
        return answer
    raise AssertionError("unreachable: there is always one version")


def numbers(rms: Rms, since: datetime, until: datetime) -> Iterator[list[tuple[str, datetime]]]:
    """What was ordered in the period, by the search alone. It tells no times: the day in an order's number stands for
    them, kept inside the period."""
    for found in search(rms, Scan(since, until)):
        yield [(no, max(since, min(wire.day_in_number(no) or since, until))) for no in dict.fromkeys(found)]


def read_one(rms: Rms, number_: str) -> RawOrder | None:
    """None when RMS does not show the order."""
    return _get(rms, [number_]).get(number_)


def outcome(answer: Any, number_: str) -> tuple[list[str], list[str]]:
    """(error numbers, other numbers) of the rows about one order; rows without an order number count for it too."""
    mine = [row for row in messages(answer) if row.get("orderNumber") in (None, "", number_)]
    bad = [number(row) for row in mine if row.get("messageType") == "ERROR"]
    return bad, [number(row) for row in mine if row.get("messageType") != "ERROR"]
