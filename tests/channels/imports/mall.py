"""A mall of plain orders for tests of the import: it tells, pages and forgets what a test wants."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from channels.connectors.contract import ChannelError, Fetched, RawOrder, Unreadable
from oms.kernel import clock
from orders.channel_order import ChannelOrder
from tests.orders.builders import make_channel_order


class Mall:
    """`orders` are number → (order time, update time); `hidden` numbers are named but not listed by fetches."""

    def __init__(self) -> None:
        self.orders: dict[str, tuple[datetime, datetime]] = {}
        self.hidden: set[str] = set()
        self.secret: set[str] = set()  # named, and not even readable one by one
        self.unreadable: set[str] = set()
        self.page_size = 2
        self.trouble: ChannelError | None = None
        self.ranges: list[tuple[datetime, datetime]] = []
        self.asked: list[str] = []
        self.template = make_channel_order()

    def sells(self, no: str, at: datetime, *, updated: datetime | None = None) -> str:
        self.orders[no] = (at, updated or at)
        return no

    def raw(self, no: str) -> RawOrder:
        ordered, updated = self.orders[no]
        payload = json.dumps({"no": no, "at": ordered.isoformat(), "updated": updated.isoformat()})
        return RawOrder(no, payload, "application/json", updated)

    def fetch_orders(self, since: datetime, until: datetime) -> Iterator[Fetched]:
        self.ranges.append((since, until))
        found = [no for no, (_at, updated) in self.orders.items() if since <= updated < until]
        listed = [no for no in found if no not in self.hidden | self.secret]
        for start in range(0, len(listed), self.page_size):
            self._stumble()
            yield Fetched([self.raw(no) for no in listed[start : start + self.page_size]])
        self._stumble()
        yield Fetched((), cursor=until)

    def fetch_order(self, no: str) -> RawOrder | None:
        self.asked.append(no)
        self._stumble()
        return self.raw(no) if no in self.orders and no not in self.secret else None

    def order_numbers(self, since: datetime, until: datetime) -> Iterator[Sequence[tuple[str, datetime]]]:
        self._stumble()
        wide = timedelta(minutes=1)  # real channels are not exact at the edges, and name some twice
        named = [(no, at) for no, (at, _updated) in self.orders.items() if since - wide <= at < until + wide]
        yield named[:3]
        yield named[2:]

    def parse(self, payload: str) -> ChannelOrder:
        said = json.loads(payload)
        if said["no"] in self.unreadable:
            raise Unreadable("まだ読み取れません。")
        at, updated = (datetime.fromisoformat(said[key]) for key in ("at", "updated"))
        return replace(
            self.template,
            channel_order_no=said["no"],
            ordered_at=at,
            updated_at=updated,
            ship_by=at + timedelta(days=2),
            lines=tuple(replace(line, line_id=f"{said['no']}-{line.line_id}") for line in self.template.lines),
        )

    def _stumble(self) -> None:
        if self.trouble:
            raise self.trouble


def ago(**span: float) -> datetime:
    return clock.now() - timedelta(**span)
