"""Reading orders: one list over the last weeks tells what changed, one call per changed order tells the rest.

The list cannot be asked for changes, so each fetch reads the rows of all recent orders (2,000 per call) and compares
them with what it saw before (`channels.connectors.seen`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from channels.connectors.contract import ChannelDown, ChannelError, Fetched, RawOrder, Refused, Unreadable
from channels.connectors.seen import Seen, digest_of, store_name
from channels.connectors.yahoo import codes
from channels.connectors.yahoo.parse import TOKYO, instant
from channels.connectors.yahoo.transport import Answer, Api, YahooRefused, req, text_of
from oms.kernel import clock

log = structlog.get_logger(__name__)

LOOK_BACK = timedelta(days=60)  # orders older than this are no longer watched for changes
OVERLAP = timedelta(hours=2)  # late rows: ten minutes of the buyer, released fraud holds, slow replicas
REMEMBER = timedelta(days=3)
SETTLED_AFTER = timedelta(seconds=3)  # times are whole seconds: a row this fresh may change again within its second
ROWS = 2000
PAGE = 20
BOTH = "2"  # ReadOnlyMode: also orders whose buyer may still cancel them
DOWN_IN_A_ROW = 3

Row = dict[str, str]


def fetch_orders(api: Api, since: datetime, until: datetime) -> Iterator[Fetched]:
    """Orders new or changed since `since`, oldest first; the last page carries the cursor.

    Oldest first, because scarce stock is given in this order. An order whose detail cannot be read is reported as a
    problem and asked for again by the next fetch; the rest goes on unless the channel itself is down.
    """
    seen = seen_by(api)
    seen.load(since)
    wanted = [row for row in list_rows(api, since, until) if is_wanted(seen, row, since)]
    pages = [wanted[at : at + PAGE] for at in range(0, len(wanted), PAGE)] or [[]]
    for number, rows in enumerate(pages, start=1):
        orders, problems = _read_page(api, seen, rows, until)
        yield Fetched(orders, cursor=until if number == len(pages) else None, problems=problems)
        seen.save()


def _read_page(
    api: Api, seen: Seen, rows: Sequence[Row], until: datetime
) -> tuple[list[RawOrder], list[tuple[str, ChannelError]]]:
    """Raises when the shop is stopped, or when several orders in a row get no answer."""
    orders: list[RawOrder] = []
    problems: list[tuple[str, ChannelError]] = []
    down = 0
    for row in rows:
        read_at = clock.now()
        try:
            if found := order_info(api, row["OrderId"]):
                orders.append(found)
        except (Refused, Unreadable, ChannelDown) as trouble:
            down = down + 1 if isinstance(trouble, ChannelDown) else 0
            if down >= DOWN_IN_A_ROW:
                raise
            seen.note_failed(row["OrderId"], until)
            problems.append((row["OrderId"], trouble))
        else:
            down = 0
            settled = latest_time(row) < read_at - SETTLED_AFTER
            seen.note(row["OrderId"], row_digest(row) if settled else "", until)
    return orders, problems


def order_info(api: Api, no: str) -> RawOrder | None:
    """One order, or None when Yahoo! does not know it."""
    try:
        answer = _ask_info(api, no)
    except YahooRefused as refused:
        if refused.code == "od91801":
            return None
        raise
    info = answer.root.find(".//OrderInfo")
    if info is None or not text_of(info, "OrderId"):
        return None
    return RawOrder(
        channel_order_no=text_of(info, "OrderId"),
        payload=answer.text,
        content_type="application/xml",
        updated_at=instant(text_of(info, "LastUpdateTime")),
    )


def _ask_info(api: Api, no: str) -> Answer:
    """With all fields; when Yahoo! refuses the list of names (it may drop one), with those that an order needs."""

    def ask(fields: str) -> Answer:
        request = req(api.seller_id, Target={"OrderId": no, "Field": fields})
        return api.order_call("orderInfo", request, idempotent=True)

    if api.fields_refused:
        return ask(codes.CORE_FIELDS)
    try:
        return ask(codes.INFO_FIELDS)
    except YahooRefused as refused:
        if refused.code != "od90101":
            raise
        answer = ask(codes.CORE_FIELDS)
        api.fields_refused = True
        log.error("yahoo_fields_refused", shop=api.settings.shop_code, detail=refused.detail)
        return answer


# ---- the list ------------------------------------------------------------------------------------------------------


def list_rows(api: Api, since: datetime, until: datetime) -> list[Row]:
    """The rows of all orders that may matter, each once, oldest first.

    By order time over the weeks watched; by publication time too, because an order released from a fraud hold comes
    late under its old order time.
    """
    by_order = {"OrderTimeFrom": stamp(min(since - OVERLAP, until - LOOK_BACK)), "OrderTimeTo": stamp(until)}
    published = {"PublicationTimeFrom": stamp(since - OVERLAP), "PublicationTimeTo": stamp(until)}
    rows: dict[str, Row] = {}
    for condition in (by_order, published):
        for row in _pages(api, condition):
            rows[row["OrderId"]] = row
    return sorted(rows.values(), key=lambda row: (row.get("OrderTime", ""), row["OrderId"]))


def order_numbers(api: Api, since: datetime, until: datetime) -> Iterator[Sequence[tuple[str, datetime]]]:
    """Numbers and times of all orders placed in this range; 2,000 rows a call, two fields a row."""
    condition = {"OrderTimeFrom": stamp(since), "OrderTimeTo": stamp(until)}
    page: list[tuple[str, datetime]] = []
    for row in _pages(api, condition, codes.NUMBER_FIELDS):
        page.append((row["OrderId"], instant(row.get("OrderTime", "")) or since))
        if len(page) == ROWS:
            yield page
            page = []
    if page:
        yield page


def _pages(api: Api, condition: dict[str, str], fields: str = codes.LIST_FIELDS) -> Iterator[Row]:
    start = 1
    seen: set[str] = set()
    while True:
        request = req(
            api.seller_id,
            Search={
                "Result": ROWS,
                "Start": start,
                "Sort": "+order_time",
                "Condition": {**condition, "ReadOnlyMode": BOTH},
                "Field": fields,
            },
        )
        search = api.order_call("orderList", request, idempotent=True).root.find(".//Search")
        rows = [] if search is None else [_row(element) for element in search.iterfind("OrderInfo")]
        rows = [row for row in rows if "OrderId" in row]  # beyond the end comes one empty element
        fresh = [row for row in rows if row["OrderId"] not in seen]
        seen.update(row["OrderId"] for row in fresh)
        yield from fresh
        total = text_of(search, "TotalCount") if search is not None else ""
        # Counting what is new, not what came, so that a page which repeats a row makes no gap.
        start = 1 + len(seen) if fresh else start + max(len(rows), 1)
        if not rows or not total.isdigit() or start > int(total):
            return


def _row(element: Any) -> Row:
    return {child.tag: value for child in element if (value := (child.text or "").strip())}


def stamp(at: datetime) -> str:
    """Conditions want JST as 14 digits."""
    return f"{at.astimezone(TOKYO):%Y%m%d%H%M%S}"


# ---- what was seen -------------------------------------------------------------------------------------------------


def seen_by(api: Api) -> Seen:
    name = store_name("yahoo", api.base_url, api.seller_id, api.settings.shop_code)
    return Seen(api.redis, name, keep=REMEMBER)


def is_wanted(seen: Seen, row: Row, since: datetime) -> bool:
    """Whether the row differs from what the caller has safely got."""
    no = row["OrderId"]
    if no in seen.known:
        return not seen.has(no, row_digest(row), since)
    return latest_time(row) >= since - OVERLAP


def latest_time(row: Row) -> datetime:
    """When the row was last touched, ordered or published; far in the future when it says nothing."""
    times = [instant(row.get(name, "")) for name in ("LastUpdateTime", "OrderTime", "PublicationTime")]
    told = [time for time in times if time is not None]
    return max(told) if told else clock.now() + LOOK_BACK


def row_digest(row: Row) -> str:
    """Changes with everything in the row but what a look at the order changes."""
    return digest_of(sorted((name, value) for name, value in row.items() if name not in IGNORED))


IGNORED = {"Index", "IsSeen"}
