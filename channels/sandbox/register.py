"""The books of the sandbox: orders, shown stock, counters and the journal, under one lock and on disk."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from channels.sandbox import catalogue
from channels.sandbox.codec import decode_order, encode
from channels.sandbox.errors import SoldOut, UnknownListing, UnknownOrder
from channels.sandbox.goods import Listing
from channels.sandbox.model import CHANNELS, Channel, SandboxOrder
from channels.sandbox.numbers import JST
from channels.sandbox.store import Store

FBA_STOCK = 60
"""Opening units of each FBA offer in Amazon's own warehouse."""

MOST_SHOWN = 99999

STALE_MOST = timedelta(minutes=5)
"""How long a mall may go on showing an order as it was."""

JOURNAL_LENGTH = 100_000
"""Entries of the journal that are kept; older ones are forgotten."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Told:
    """One thing the OMS told a mall, accepted or refused."""

    number: int  # 0…, in order of arrival
    at: datetime
    channel: Channel
    kind: str  # confirm ship cancel stock memo payment complete …
    subject: str  # order number or listing key
    accepted: bool
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A mall's stock row. A pushed quantity may wait as `coming`; sales lower `quantity` meanwhile."""

    channel: Channel
    key: str
    quantity: int
    updated_at: datetime
    coming: int | None = None
    coming_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sale a mall could not make because it showed too little."""

    at: datetime
    channel: Channel
    key: str
    quantity: int


class Register:
    """Everything that is remembered. Callers change it inside `with register.change():` only."""

    def __init__(self, seed: int, clock: Clock | None, state: Path | None) -> None:
        self._clock = clock or _wall_clock
        self.lock = threading.RLock()
        self._depth = 0
        self._store = Store(state)
        self._kept: dict[str, Any] = dict(self._store.rows("kept"))
        with self.change():
            self.seed: int = self.keep_first("seed", seed)
            opened = self.keep_first("opened", self.now().astimezone(JST).date().isoformat())
        self.opening_day = date.fromisoformat(opened)
        self.catalogue = catalogue.build(self.seed, self.opening_day)
        self._opened_at = _start_of(self.opening_day)
        self.orders: dict[Channel, dict[str, SandboxOrder]] = {channel: {} for channel in CHANNELS}
        self.line_owner: dict[tuple[Channel, str], str] = {}
        self._before: dict[tuple[Channel, str], tuple[SandboxOrder, datetime]] = {}
        self._shown: dict[tuple[str, str], Shown] = {}
        self.told: deque[Told] = deque(maxlen=JOURNAL_LENGTH)
        self.told_count = 0
        self.refusals: list[Refusal] = []
        self._load()

    def now(self) -> datetime:
        """Simulated time, aware UTC."""
        return self._clock()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Everything inside is seen by others at once, and is on disk afterwards."""
        with self.lock:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._store.commit()

    @contextmanager
    def forgetting(self, lose: Callable[[], bool]) -> Iterator[None]:
        """Changes inside are undone when a word of the OMS was accepted and `lose` says so then; the journal keeps the
        word as one that was not taken."""
        with self.change():
            orders = {channel: dict(rows) for channel, rows in self.orders.items()}
            shown, kept, heard = dict(self._shown), dict(self._kept), self.told_count
            yield
            fresh = [told for told in self.told if told.number >= heard and told.accepted]
            if not fresh or not lose():
                return
            counters = {name: value for name, value in self._kept.items() if name.startswith("next:")}
            self.orders, self._shown, self._kept = orders, shown, {**kept, **counters}
            self._store.roll_back()
            for name, value in counters.items():
                self._store.put("kept", (name,), value)
            entries = [replace(told, accepted=False) if told.number >= heard else told for told in self.told]
            self.told = deque(entries, JOURNAL_LENGTH)
            for told in entries:
                if told.number >= heard:
                    self._store.put("told", (told.number,), encode(told))

    def close(self) -> None:
        with self.lock:
            self._store.close()

    # ---- orders ------------------------------------------------------------------------------------------------

    def put(self, order: SandboxOrder) -> SandboxOrder:
        """Remember this version of the order."""
        before, now = self.orders[order.channel].get(order.number), self.now()
        kept = self._before.get((order.channel, order.number))
        if before is not None and (kept is None or now - kept[1] > STALE_MOST):
            self._before[order.channel, order.number] = (before, now)
        self.orders[order.channel][order.number] = order
        self._store.put("orders", (order.channel, order.number), encode(order))
        for line in order.lines:
            self.line_owner[order.channel, line.line_id] = order.number
        return order

    def find(self, channel: Channel, number: str) -> SandboxOrder:
        """The order, visible or not."""
        order = self.orders[channel].get(number)
        if order is None:
            raise UnknownOrder(f"{channel} has no order {number}")
        return order

    def as_shown(self, order: SandboxOrder, stale_s: float) -> SandboxOrder:
        """The order as it was before changes that are younger than this."""
        kept = self._before.get((order.channel, order.number))
        if not stale_s or kept is None or self.now() - kept[1] >= timedelta(seconds=stale_s):
            return order
        return kept[0]

    # ---- shown stock -------------------------------------------------------------------------------------------

    def listing(self, channel: Channel, key: str) -> Listing:
        listing = self.catalogue.listings.get((channel, key))
        if listing is None:
            raise UnknownListing(f"{channel} has no listing {key}")
        return listing

    def shown(self, channel: Channel, key: str) -> Shown:
        """What the mall shows now; raises UnknownListing."""
        listing = self.listing(channel, key)
        row = self._shown.get((channel, key))
        if row is None:
            row = Shown(channel, key, self._opening_quantity(listing), self._opened_at)
        if row.coming is not None and row.coming_at is not None and row.coming_at <= self.now():
            row = Shown(channel, key, row.coming, row.coming_at)
        return row

    def quantity(self, channel: Channel, key: str) -> int:
        return self.shown(channel, key).quantity

    def show(self, channel: Channel, key: str, quantity: int, *, after_s: float = 0) -> Shown:
        """Set what the mall shows, at once or `after_s` simulated seconds later. ValueError outside 0…99999."""
        if not 0 <= quantity <= MOST_SHOWN:
            raise ValueError(f"{quantity} is not between 0 and {MOST_SHOWN}")
        row, now = self.shown(channel, key), self.now()
        if after_s > 0:
            row = replace(row, coming=quantity, coming_at=now + timedelta(seconds=after_s))
        else:
            row = Shown(channel, key, quantity, now)
        return self._put_shown(row)

    def take(self, channel: Channel, units: Mapping[str, int]) -> None:
        """Lower what the mall shows by a sale, all or nothing. Raises SoldOut and remembers the lost sale."""
        rows = {key: self.shown(channel, key) for key in units}
        short = [key for key, row in rows.items() if row.quantity < units[key]]
        if short:
            self.refusals.extend(Refusal(self.now(), channel, key, units[key]) for key in short)
            raise SoldOut(f"{channel} shows too little of {', '.join(short)}")
        for key, row in rows.items():
            self._put_shown(replace(row, quantity=row.quantity - units[key], updated_at=self.now()))

    def give_back(self, channel: Channel, units: Mapping[str, int]) -> None:
        """Show units of a cancelled sale again."""
        for key, quantity in units.items():
            row = self.shown(channel, key)
            raised = min(row.quantity + quantity, MOST_SHOWN)
            self._put_shown(replace(row, quantity=raised, updated_at=self.now()))

    def _put_shown(self, row: Shown) -> Shown:
        self._shown[row.channel, row.key] = row
        self._store.put("shown", (row.channel, row.key), encode(row))
        return row

    def _opening_quantity(self, listing: Listing) -> int:
        return FBA_STOCK if listing.fulfilled_by == "amazon" else self.catalogue.online_stock(listing.sku)

    # ---- journal, counters, notes ------------------------------------------------------------------------------

    def tell(self, channel: Channel, kind: str, subject: str, payload: Mapping[str, Any], *, accepted: bool) -> None:
        entry = Told(self.told_count, self.now(), channel, kind, subject, accepted, dict(payload))
        self.told.append(entry)
        self.told_count += 1
        self._store.put("told", (entry.number,), encode(entry))

    def keep(self, name: str, value: Any) -> None:
        self._kept[name] = value
        self._store.put("kept", (name,), value)

    def keep_first(self, name: str, value: Any) -> Any:
        """The kept value; this one when there is none yet."""
        if name not in self._kept:
            self.keep(name, value)
        return self._kept[name]

    def kept(self, name: str, default: Any = None) -> Any:
        return self._kept.get(name, default)

    def next_id(self, channel: Channel, name: str, start: int = 1) -> int:
        """A number that never repeats on this channel, also over restarts."""
        full_name = f"next:{channel}:{name}"
        with self.change():
            number: int = self.kept(full_name, start)
            self.keep(full_name, number + 1)
        return number

    # ---- events ------------------------------------------------------------------------------------------------

    def put_event(self, event_id: int, body: Mapping[str, Any]) -> None:
        self._store.put("events", (event_id,), body)

    def drop_event(self, event_id: int) -> None:
        self._store.drop_event(event_id)

    def stored_events(self) -> list[tuple[int, dict[str, Any]]]:
        return [(event_id, body) for event_id, body in self._store.rows("events")]

    def _load(self) -> None:
        for _, _, body in self._store.rows("orders"):
            order = decode_order(body, lambda channel, key: self.catalogue.listings[channel, key])
            self.orders[order.channel][order.number] = order
            self.line_owner.update({(order.channel, line.line_id): order.number for line in order.lines})
        for channel, key, body in self._store.rows("shown"):
            coming_at = body["coming_at"] and datetime.fromisoformat(body["coming_at"])
            times = {"updated_at": datetime.fromisoformat(body["updated_at"]), "coming_at": coming_at}
            self._shown[channel, key] = Shown(**{**body, **times})
        for number, body in self._store.rows("told"):
            self.told.append(Told(**{**body, "at": datetime.fromisoformat(body["at"])}))
            self.told_count = number + 1
        with self.change():
            self._store.forget_told(self.told_count - JOURNAL_LENGTH)


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=JST).astimezone(UTC)
