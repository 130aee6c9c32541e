"""Reading baskets: the open rows of the last weeks, what was sent lately, and the claims.

No query tells changes, cancelled rows vanish, and a basket's rows may stand in different states. So each fetch reads
the rows, puts them together by basket, completes a basket by the numbers its rows name, and hands over what differs
from oms.kernel.said import said
from last time (`channels.connectors.seen`). A basket that was open and stands in no list any more is asked for by its
order numbers: nothing is taken for cancelled because a list did not show it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels.connectors.contract import ChannelDown, ChannelError, Fetched, RawOrder, Refused, Unreadable
from channels.connectors.qoo10 import codes
from channels.connectors.qoo10.rows import Row, instant, plain, stamp, status_number
from channels.connectors.qoo10.transport import Api, QapiRefused
from channels.connectors.seen import Seen, digest_of, store_name
from oms.kernel import clock
from oms.kernel.said import said

OPEN_LOOK_BACK = timedelta(days=60)
CLAIM_LOOK_BACK = timedelta(days=14)
OVERLAP = timedelta(days=1)  # some dates carry no time of day
REMEMBER = timedelta(days=70)
SEARCH_DAYS = timedelta(days=80)  # a search may span 90
OLDEST = timedelta(days=89)
PAGE = 50
MOST_VANISHED = 100
DOWN_IN_A_ROW = 3


@dataclass
class Basket:
    """Rows and claims of one PackNo as they came."""

    no: str
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)  # by order number
    claims: list[dict[str, Any]] = field(default_factory=list)
    related: set[str] = field(default_factory=set)  # all order numbers that anything in it names
    ordered_at: str = ""
    is_open: bool = False

    def add_row(self, row: dict[str, Any], known: Row) -> None:
        self.rows.setdefault(known["orderno"], row)
        self._note(known)
        status, claim = status_number(known.get("shippingstatus", "")), status_number(known.get("claimstatus", ""))
        self.is_open |= (status is None or status < codes.SENT) and claim not in codes.CANCELLED

    def add_claim(self, row: dict[str, Any], known: Row) -> None:
        if row not in self.claims:
            self.claims.append(row)
        self._note(known)

    def _note(self, known: Row) -> None:
        numbers = [known["orderno"], *known.get("relatedorder", "").replace(",", " ").split()]
        self.related.update(number for number in numbers if number.isdigit())
        self.ordered_at = min(filter(None, (self.ordered_at, known.get("orderdate", ""))), default="")

    @property
    def missing(self) -> list[str]:
        return sorted(self.related - set(self.rows))

    @property
    def digest(self) -> str:
        return digest_of(self.payload())

    def payload(self) -> str:
        """The same text for the same content, whatever order it came in."""
        body = {
            "PackNo": self.no,
            "Rows": [self.rows[number] for number in sorted(self.rows)],
            "Claims": sorted(self.claims, key=lambda row: json.dumps(row, sort_keys=True, ensure_ascii=False)),
        }
        return json.dumps(body, ensure_ascii=False)

    def raw(self) -> RawOrder:
        return RawOrder(self.no, self.payload(), "application/json")


def fetch_orders(api: Api, since: datetime, until: datetime) -> Iterator[Fetched]:
    """Baskets new or changed, oldest first; the last page carries the cursor."""
    seen = Seen(api.redis, store_name("qoo10", api.base_url, api.settings.shop_code), keep=REMEMBER)
    seen.load(since)
    baskets, problems = read_lists(api, since, until)
    wanted = [basket for basket in baskets.values() if not seen.has(basket.no, basket.digest, since)]
    wanted += _vanished(seen, baskets)
    wanted.sort(key=lambda basket: (basket.ordered_at, basket.no))
    pages = [wanted[at : at + PAGE] for at in range(0, len(wanted), PAGE)] or [[]]
    for number, page in enumerate(pages, start=1):
        orders, troubles = _read_page(api, seen, page, until)
        last = number == len(pages)
        yield Fetched(orders, cursor=until if last else None, problems=[*troubles, *(problems if last else ())])
        seen.save()


def _vanished(seen: Seen, shown: Mapping[str, Basket]) -> list[Basket]:
    """Baskets known as open that no list shows: their order numbers are asked one by one."""
    gone = [(no, entry) for no, entry in seen.entries() if entry.notes and no not in shown]
    return [Basket(no, related=set(entry.notes)) for no, entry in gone[:MOST_VANISHED]]


def _read_page(
    api: Api, seen: Seen, page: Sequence[Basket], until: datetime
) -> tuple[list[RawOrder], list[tuple[str, ChannelError]]]:
    orders: list[RawOrder] = []
    problems: list[tuple[str, ChannelError]] = []
    down = 0
    for basket in page:
        digest = basket.digest
        try:
            complete(api, basket)
        except (Refused, Unreadable, ChannelDown) as trouble:
            down = down + 1 if isinstance(trouble, ChannelDown) else 0
            if down >= DOWN_IN_A_ROW:
                raise
            seen.note_failed(basket.no, until)
            problems.append((basket.no, trouble))
            continue
        down = 0
        if basket.rows:
            orders.append(basket.raw())
        seen.note(basket.no, digest, until, sorted(basket.related) if basket.is_open else ())
    return orders, problems


def complete(api: Api, basket: Basket) -> None:
    """Read the rows that the lists did not show: sent long ago, or cancelled."""
    for number in basket.missing:
        row = one_order(api, number)
        if row is None:
            continue
        known = plain(row)
        if known.get("packno", basket.no) == basket.no and known.get("orderno"):
            basket.add_row(row, known)


def one_order(api: Api, order_no: str) -> dict[str, Any] | None:
    """The row of one order number with its claim, or None when Qoo10 does not know it."""
    try:
        rows = api.call(codes.ONE_ORDER, {"OrderNo": order_no}).rows
    except QapiRefused as refused:
        if (refused.method, refused.code) in codes.ORDER_UNKNOWN:
            return None
        raise
    return next((row for row in rows if isinstance(row, dict)), None)


def find_basket(api: Api, pack_no: str) -> RawOrder | None:
    """One basket. Qoo10 has no query by PackNo, so the lists of the last 89 days are searched for it."""
    now = clock.now()
    rows: list[dict[str, Any]] = []
    for status in (codes.OPEN_STATUSES, str(codes.SENT), str(codes.DELIVERED)):
        rows += _search(api, status, codes.BY_ORDER_DATE, now - OLDEST, now)
    claims = _search_claims(api, codes.CLAIMS_BY_REQUEST, now - OLDEST, now)
    baskets, _ = group(rows, claims)
    basket = baskets.get(pack_no)
    if basket is None:
        return None
    complete(api, basket)
    return basket.raw() if basket.rows else None


def order_numbers(api: Api, since: datetime, until: datetime) -> Iterator[Sequence[tuple[str, datetime]]]:
    """Basket numbers and times of all orders placed in this range: the lists by order date, and the claims, because
    cancelled rows stand in no list. Older than 89 days nothing can be asked for."""
    start = max(since, clock.now() - OLDEST)
    rows: list[dict[str, Any]] = []
    for status in (codes.OPEN_STATUSES, str(codes.SENT), str(codes.DELIVERED)):
        rows += _search(api, status, codes.BY_ORDER_DATE, start, until)
    rows += _search_claims(api, codes.CLAIMS_BY_ORDER, start, until)
    found: dict[str, datetime] = {}
    for row in rows:
        known = plain(row) if isinstance(row, dict) else {}
        at = instant(known.get("orderdate", "")) or start
        if pack := known.get("packno"):
            found[pack] = min(at, found.get(pack, at))
    if found:
        yield sorted(found.items(), key=lambda pair: (pair[1], pair[0]))


# ---- the lists -----------------------------------------------------------------------------------------------------


def read_lists(api: Api, since: datetime, until: datetime) -> tuple[dict[str, Basket], list[tuple[str, ChannelError]]]:
    """Baskets by number, and rows that belong to none."""
    recent = max(since - OVERLAP, until - OLDEST)
    rows = [
        *_search(api, codes.OPEN_STATUSES, codes.BY_ORDER_DATE, min(recent, until - OPEN_LOOK_BACK), until),
        *_search(api, str(codes.SENT), codes.BY_SHIPPING_DATE, recent, until),
        *_search(api, str(codes.DELIVERED), codes.BY_DELIVERED_DATE, recent, until),
    ]
    claims = [
        *_search_claims(api, codes.CLAIMS_BY_REQUEST, min(recent, until - CLAIM_LOOK_BACK), until),
        *_search_claims(api, codes.CLAIMS_BY_COMPLETION, recent, until),
    ]
    return group(rows, claims)


def group(rows: Iterable[Any], claims: Iterable[Any]) -> tuple[dict[str, Basket], list[tuple[str, ChannelError]]]:
    baskets: dict[str, Basket] = {}
    problems: list[tuple[str, ChannelError]] = []
    for row, is_claim in [*((row, False) for row in rows), *((row, True) for row in claims)]:
        known = plain(row) if isinstance(row, dict) else {}
        if not known.get("packno") or not known.get("orderno"):
            problems.append((known.get("packno", ""), Unreadable(said("Qoo10の注文に番号のない行があります。"))))
            continue
        basket = baskets.setdefault(known["packno"], Basket(known["packno"]))
        (basket.add_claim if is_claim else basket.add_row)(row, known)
    return baskets, problems


def _search(api: Api, status: str, condition: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for begin, stop in spans(start, end):
        fields = {
            "ShippingStatus": status,
            "SearchStartDate": stamp(begin),
            "SearchEndDate": stamp(stop),
            "SearchCondition": condition,
        }
        found += api.call(codes.LIST_ORDERS, fields).rows
    return found


def _search_claims(api: Api, condition: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for begin, stop in spans(start, end):
        fields = {"search_Sdate": stamp(begin), "search_Edate": stamp(stop), "search_condition": condition}
        found += api.call(codes.LIST_CLAIMS, fields).rows
    return found


def spans(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The time from `start` to `end` in pieces that a search may span; they touch, so nothing falls between."""
    begin = start
    while begin < end:
        stop = min(begin + SEARCH_DAYS, end)
        yield begin, stop
        begin = stop
