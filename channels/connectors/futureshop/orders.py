"""Finding and reading orders: the list discovers, the detail is read for every new or changed order.

Some updates do not move an order's time of update, so the list's rows are compared with those of the last fetch
(`Seen`), and rows that moved are read whatever they say. Losing the memory costs calls, no orders.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.connectors.contract import ChannelError, Fetched, RawOrder, Refused, Unreadable
from channels.connectors.futureshop import wire
from channels.connectors.futureshop.transport import Api, decoded, dicts
from channels.connectors.seen import Seen, digest_of
from oms.kernel import clock
from oms.kernel.said import said

LATE_ROWS = timedelta(hours=2)
MOVED_SLACK = timedelta(minutes=2)
CANCELS_BACK = timedelta(days=1)
WISHES_BACK = timedelta(days=31)
PAID_BACK = timedelta(days=31)
UNSHIPPED_BACK = timedelta(days=60)
HALF_HOURLY, DAILY = timedelta(minutes=30), timedelta(hours=24)
KEEP = timedelta(days=70)
BATCH = 10


@dataclass(frozen=True, slots=True)
class Scan:
    """One search. `always`: its orders are read even when their rows look as before."""

    params: dict[str, str]
    always: bool = False


@dataclass
class Times:
    """When the last fetch ended, and the last one with each of the rarer scans; unix seconds."""

    until: float = 0.0
    half_hourly: float = 0.0
    daily: float = 0.0

    def due(self, last: float, period: timedelta, now: datetime) -> bool:
        return last <= (now - period).timestamp()


@dataclass
class Fetch:
    """One run of `fetch_orders`."""

    api: Api
    since: datetime
    until: datetime
    seen: Seen
    done: set[str] = field(default_factory=set)
    wishes: set[str] = field(default_factory=set)

    def pages(self) -> Iterator[Fetched]:
        times = _times(self.api)
        self.seen.load(self.since)
        self.wishes = set(self._cancel_wishes())
        for scan in scans(self.since, self.until, times):
            yield from self._read_changed(scan)
        yield from self._read_wishes()
        yield Fetched(orders=(), cursor=self.until)
        self.seen.save()
        _remember(self.api, times, self.until)

    def _cancel_wishes(self) -> Iterator[str]:
        """Numbers of orders whose buyer asked to cancel. The order itself does not say so."""
        since = wire.api_time(self.until - WISHES_BACK)
        query = {"cancelRequestDateStart": since, "cancelRequestDateEnd": wire.api_time(self.until)}
        for page in self.api.pages(wire.SEARCH_PATH, query):
            yield from (str(row["orderNo"]) for row in dicts(page.get("orderList")) if row.get("orderNo"))

    def _read_changed(self, scan: Scan) -> Iterator[Fetched]:
        for page in self.api.pages(wire.SEARCH_PATH, scan.params):
            wanted = []
            for row in dicts(page.get("orderList")):
                no = str(row.get("orderNo") or "")
                digest = digest_of((row, no in self.wishes))
                known = not scan.always and self.seen.has(no, digest, self.since)
                if no and no not in self.done and not known:
                    wanted.append((no, digest))
                    self.done.add(no)
            for start in range(0, len(wanted), BATCH):
                yield self._read(wanted[start : start + BATCH])
                self.seen.save()

    def _read_wishes(self) -> Iterator[Fetched]:
        """Orders with a fresh wish to cancel that no other scan met."""
        fresh = [no for no in sorted(self.wishes - self.done) if not self.seen.has(f"wish:{no}", "asked", self.since)]
        for start in range(0, len(fresh), BATCH):
            batch = fresh[start : start + BATCH]
            yield self._read([(no, "") for no in batch])
            self.seen.save()
        for no in self.wishes:
            if not self.seen.has(f"wish:{no}", "asked", self.since):
                self.seen.note(f"wish:{no}", "asked", self.until)

    def _read(self, wanted: Sequence[tuple[str, str]]) -> Fetched:
        """Details one by one; one that cannot be read is a problem of its own, and is asked for again next time."""
        orders: list[RawOrder] = []
        problems: list[tuple[str, ChannelError]] = []
        for no, digest in wanted:
            try:
                orders.append(_detail(self.api, no, wish=no in self.wishes))
                self.seen.note(no, digest, self.until)
            except (Refused, Unreadable) as error:
                problems.append((no, error))
                self.seen.note_failed(no, self.until)
        return Fetched(orders=orders, problems=problems)


def fetch(api: Api, since: datetime, until: datetime) -> Iterator[Fetched]:
    return Fetch(api, since, until, Seen(api.memory, api.store, KEEP)).pages()


def scans(since: datetime, until: datetime, times: Times) -> list[Scan]:
    """New orders first, then moved and cancelled ones; from time to time also paid and all unshipped ones."""
    last = datetime.fromtimestamp(times.until, UTC)
    follows = last - LATE_ROWS < since < last
    moved_since = max(since, last - MOVED_SLACK) if follows else since
    plan = [Scan({"orderDateStart": wire.api_time(since - LATE_ROWS)})]
    plan += [Scan(window, always=True) for window in _windows("updateDate", moved_since, until)]
    plan.append(Scan({"cancelDateStart": wire.api_time(since - CANCELS_BACK), "cancelDateEnd": wire.api_time(until)}))
    if times.due(times.half_hourly, HALF_HOURLY, until):
        plan += [Scan(window) for window in _windows("updateDate", since - LATE_ROWS, until)]
        paid = {"orderDateStart": wire.api_time(until - PAID_BACK), "paymentStatus": "received"}
        plan.append(Scan({**paid, "shippingStatus": "notShipped"}))
    if times.due(times.daily, DAILY, until):
        open_since = wire.api_time(until - UNSHIPPED_BACK)
        plan.append(Scan({"orderDateStart": open_since, "shippingStatus": "notShipped"}, always=True))
    return plan


def _windows(name: str, since: datetime, until: datetime) -> Iterator[dict[str, str]]:
    """At most 31 days each."""
    while since < until:
        end = min(since + wire.UPDATE_WINDOW, until)
        yield {f"{name}Start": wire.api_time(since), f"{name}End": wire.api_time(end)}
        since = end


def _detail(api: Api, no: str, *, wish: bool) -> RawOrder:
    """The detail as it came, beside what only the search knows. Raises Refused or Unreadable for this order alone."""
    response = api.get(wire.DETAIL_PATH.format(no=no))
    order = decoded(response)
    text = response.content.decode("utf-8", errors="replace")
    found = order.get("orderNo")
    if found != no:
        raise Unreadable(said("futureshopの受注 %(no)s の詳細に受注コードがありません。", no=no), detail="orderNo")
    payload = f'{{"cancelRequested":{json.dumps(wish)},"order":{text}}}'
    return RawOrder(no, payload, "application/json", updated_at=_moved_at(order))


def _moved_at(order: dict[str, Any]) -> datetime | None:
    try:
        return wire.read_time(str(order["dateLastUpdated"]))
    except (KeyError, ValueError):
        return None


def read_one(api: Api, no: str) -> RawOrder | None:
    """None when futureshop does not know the order. Asks the search too: only it knows of a wish to cancel."""
    until = wire.api_time(clock.now() + timedelta(days=1))
    wishes = {"orderNo": no, "cancelRequestDateStart": "2000-01-01T00:00:00", "cancelRequestDateEnd": until}
    try:
        wish = any(
            row.get("orderNo") == no
            for page in api.pages(wire.SEARCH_PATH, wishes)
            for row in dicts(page.get("orderList"))
        )
        return _detail(api, no, wish=wish)
    except Refused as refused:
        if "NotFound" in refused.detail:
            return None
        raise


def count(api: Api, since: datetime) -> int:
    """Orders placed since then, as far as the first page shows them; one call."""
    page = decoded(api.get(wire.SEARCH_PATH, {"orderDateStart": wire.api_time(since)}))
    return len(dicts(page.get("orderList")))


def numbers(api: Api, since: datetime, until: datetime) -> Iterator[list[tuple[str, datetime]]]:
    """What was ordered in the period, by the rows of the search."""
    query = {"orderDateStart": wire.api_time(since), "orderDateEnd": wire.api_time(until)}
    seen: set[str] = set()
    for page in api.pages(wire.SEARCH_PATH, query):
        rows = {str(row["orderNo"]): row for row in dicts(page.get("orderList")) if row.get("orderNo")}
        fresh = [(no, _ordered_at(row) or since) for no, row in rows.items() if no not in seen]
        seen.update(rows)
        yield fresh


def _ordered_at(row: dict[str, Any]) -> datetime | None:
    try:
        return wire.read_time(str(row["date"]))
    except (KeyError, ValueError):
        return None


def _times(api: Api) -> Times:
    kept = api.memory.get(f"times:{api.store}")
    return Times(*json.loads(kept)) if isinstance(kept, bytes) else Times()


def _remember(api: Api, times: Times, until: datetime) -> None:
    now = until.timestamp()
    half_hourly = now if times.due(times.half_hourly, HALF_HOURLY, until) else times.half_hourly
    daily = now if times.due(times.daily, DAILY, until) else times.daily
    api.memory.set(f"times:{api.store}", json.dumps([now, half_hourly, daily]), ex=int(KEEP.total_seconds()))
