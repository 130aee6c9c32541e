"""A flash sale as a discrete-event simulation: malls, buyers, imports, pushes; in simulated time, the same by seed.

The malls' rhythms and batch sizes are those the connectors declare. What the shops are told is decided by a `Sync`;
ours uses the product's own functions (`decide`, `seat_of`, `changed`, the speeds and delays as they are measured).
"""

import heapq
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Protocol

from channels.connectors.registry import CONNECTORS, connector_class
from channels.decide import pace
from channels.decide.quantity import decide
from channels.models import Listing, PublishRule
from channels.services.desired import changed
from channels.services.pace import Speed
from channels.services.publish import HOT_BATCH
from channels.services.rules import CLOCKS_AGREE_S, ShopFacts, seat_of

SALE_S = 600.0
LATENCY_S = 0.4  # a request to a mall, until its effect shows
VISIBLE_S = 3.0  # a sale, until the mall's order list shows it
ITEMS_A_CALL = {"amazon": 1}  # single patches, as the connector sends up to 300 changes
CROWD = {"rakuten": 0.35, "amazon": 0.30, "yahoo": 0.20, "futureshop": 0.10, "qoo10": 0.05}
OPENING = datetime(2026, 11, 28, 11, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Demand:
    """Stock by SKU, and every buyer: (second, SKU, channel), in order."""

    stock: dict[int, int]
    buyers: list[tuple[float, int, str]]

    def wanted(self) -> dict[int, int]:
        found: dict[int, int] = defaultdict(int)
        for _at, sku, _channel in self.buyers:
            found[sku] += 1
        return found


def draw(seed: int, skus: int = 200) -> Demand:
    """5 to 40 units of each; 0.5 to 3 buyers a unit, most of them early; each SKU with a crowd of its own."""
    chance = random.Random(seed)
    stock, buyers = {}, []
    for sku in range(1, skus + 1):
        stock[sku] = chance.randint(5, 40)
        crowd = {channel: part * chance.uniform(0.3, 1.7) for channel, part in CROWD.items()}
        for _buyer in range(round(stock[sku] * chance.uniform(0.5, 3))):
            at = min(SALE_S - 1, chance.expovariate(1 / 180)) if chance.random() < 0.7 else chance.uniform(0, SALE_S)
            [channel] = chance.choices(list(crowd), list(crowd.values()))
            buyers.append((at, sku, channel))
    return Demand(stock, sorted(buyers))


@dataclass
class Result:
    oversold: int = 0
    sold: int = 0
    lost: int = 0  # units left that somebody wanted
    asked: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # when pushes fell due
    publish_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    mall_to_mall_s: list[float] = field(default_factory=list)
    requests: int = 0

    @property
    def rate(self) -> float:
        """Oversell cases among the orders."""
        return self.oversold / (self.sold + self.oversold) if self.sold + self.oversold else 0.0


class Sync(Protocol):
    """Decides what is pushed. `world` calls it; it fills `world.due[channel]`: SKU → (quantity, hot, since)."""

    every_s: float | None  # imports and pushes together at this rhythm; None: imports as the connectors poll

    def open(self, world: "World") -> None: ...
    def imported(self, world: "World", channel: str, sales: Sequence[tuple[float, int]], now: float) -> None: ...
    def sent(self, world: "World", channel: str, sku: int, quantity: int, now: float) -> None: ...


@dataclass
class World:
    demand: Demand
    sync: Sync
    polls: dict[str, float]
    result: Result = field(default_factory=Result)
    shows: dict[tuple[int, str], int] = field(default_factory=dict)
    books: dict[int, int] = field(default_factory=dict)  # what we believe is there
    shelf: dict[int, int] = field(default_factory=dict)  # what is there
    due: dict[str, dict[int, tuple[int, bool, float]]] = field(default_factory=lambda: defaultdict(dict))
    _events: list[tuple[float, int, str, Any]] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)
    _unheard: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    _free_at: dict[str, float] = field(default_factory=dict)
    _untold: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))

    def play(self) -> Result:
        self.books, self.shelf = dict(self.demand.stock), dict(self.demand.stock)
        self.sync.open(self)
        for at, sku, channel in self.demand.buyers:
            self._at(at, "buy", (sku, channel))
        chance = random.Random(7)
        for channel, every in self.polls.items():
            self._at(chance.uniform(0, every), "poll", channel)
        while self._events:
            now, _number, kind, what = heapq.heappop(self._events)
            if kind == "buy":
                self._buy(now, *what)
            elif now > SALE_S:
                continue
            elif kind == "poll":
                self._poll(now, what)
            elif kind == "send":
                self._send(now, what)
            elif kind == "arrive":
                self._arrive(now, *what)
        wanted = self.demand.wanted()
        for sku, left in self.shelf.items():
            self.result.lost += max(0, min(left, wanted.get(sku, 0) - (self.demand.stock[sku] - left)))
        return self.result

    def _at(self, at: float, kind: str, what: Any) -> None:
        heapq.heappush(self._events, (at, next(self._numbers), kind, what))

    def _buy(self, now: float, sku: int, channel: str) -> None:
        if self.shows[sku, channel] < 1:
            return
        self.shows[sku, channel] -= 1
        self._unheard[channel].append((now, sku))
        if self.shelf[sku]:
            self.shelf[sku] -= 1
            self.result.sold += 1
        else:
            self.result.oversold += 1

    def _poll(self, now: float, channel: str) -> None:
        self._at(now + self.polls[channel], "poll", channel)
        heard = [sale for sale in self._unheard[channel] if sale[0] <= now - VISIBLE_S]
        self._unheard[channel] = [sale for sale in self._unheard[channel] if sale[0] > now - VISIBLE_S]
        for _at, sku in heard:
            self.books[sku] -= 1
        self.sync.imported(self, channel, heard, now)
        for at, sku in heard:
            for other in self.polls.keys() - {channel}:
                if sku in self.due[other]:
                    self._untold[other, sku].append(at)
                else:  # what the other mall shows is right already
                    self.result.mall_to_mall_s.append(now - at)
        for shop in self.polls:
            self.wake(shop, now)

    def wake(self, channel: str, now: float) -> None:
        """The publisher looks: a request goes out as soon as the channel's rhythm allows."""
        if self.due[channel]:
            self._at(max(now + 0.1, self._free_at.get(channel, 0.0)), "send", channel)

    def _send(self, now: float, channel: str) -> None:
        if not self.due[channel] or now < self._free_at.get(channel, 0.0):
            return
        capabilities = connector_class(channel).capabilities
        ranked = sorted(self.due[channel].items(), key=lambda item: (not item[1][1], item[1][0], item[1][2]))
        hot = [sku for sku, (_quantity, is_hot, _since) in ranked if is_hot]
        small = hot if 0 < len(hot) <= HOT_BATCH else [sku for sku, _wanted in ranked]
        batch = small[: ITEMS_A_CALL.get(channel, capabilities.stock_batch)]
        self.result.requests += 1
        self._free_at[channel] = now + capabilities.publish_interval_s
        for sku in batch:
            quantity, _hot, since = self.due[channel].pop(sku)
            self.sync.sent(self, channel, sku, quantity, now)
            self.result.publish_s[channel].append(now - since)
            self.result.asked[channel].append(since)
            self._at(now + LATENCY_S, "arrive", (channel, sku, quantity))
        self.wake(channel, now)

    def _arrive(self, now: float, channel: str, sku: int, quantity: int) -> None:
        self.shows[sku, channel] = quantity
        self.result.mall_to_mall_s += [now - at for at in self._untold.pop((channel, sku), [])]


@dataclass
class FixedBuffer:
    """The same imports and pushes, but each mall shows all that is there without a fixed buffer. With `every_s`:
    a sync that imports and pushes only so often."""

    buffer: int = 0
    every_s: float | None = None

    def open(self, world: World) -> None:
        for sku, units in world.demand.stock.items():
            for channel in world.polls:
                world.shows[sku, channel] = max(0, units - self.buffer)

    def imported(self, world: World, channel: str, sales: Sequence[tuple[float, int]], now: float) -> None:
        for sku in {sku for _at, sku in sales}:
            for shop in world.polls:
                world.due[shop][sku] = (max(0, world.books[sku] - self.buffer), False, now)

    def sent(self, world: World, channel: str, sku: int, quantity: int, now: float) -> None:
        """Remembers nothing."""


@dataclass
class Ours:
    """The product: its rows as they would be stored (never saved), its decision, its measurements."""

    mode: str = "last_unit"
    hot_below: int = 100
    every_s: float | None = None
    listings: dict[tuple[int, str], Listing] = field(default_factory=dict)
    rules: dict[str, PublishRule] = field(default_factory=dict)
    cursors: dict[str, float] = field(default_factory=dict)
    paces: dict[tuple[int, str], tuple[float, float]] = field(default_factory=dict)  # decayed units, at
    sales: dict[tuple[int, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def open(self, world: World) -> None:
        """The day before: each shop shows what the decision gives it, confirmed long ago."""
        for place, channel in enumerate(world.polls, start=1):
            self.rules[channel] = PublishRule(
                shop_id=place, priority=place, hot_below=self.hot_below, import_delay_s=world.polls[channel] / 2
            )
            self.cursors[channel] = 0.0
            for sku in world.demand.stock:
                pk = sku * 10 + place
                self.listings[sku, channel] = Listing(pk=pk, shop_id=place, sku_id=sku, mode=self.mode)
        for sku in world.demand.stock:
            for channel, told in self._decided(world, sku, 0.0).items():
                listing = self.listings[sku, channel]
                listing.desired = listing.sent = listing.confirmed = told.quantity
                listing.sent_at, listing.hot = OPENING - timedelta(hours=1), told.hot
                world.shows[sku, channel] = told.quantity

    def imported(self, world: World, channel: str, sales: Sequence[tuple[float, int]], now: float) -> None:
        self.cursors[channel] = now
        if sales:
            delays = sorted(now - at for at, _sku in sales)
            rule = self.rules[channel]
            rule.import_delay_s = pace.smoothed(rule.import_delay_s, delays[len(delays) // 2])
        for at, sku in sales:
            units, since = self.paces.get((sku, channel), (0.0, now))
            self.paces[sku, channel] = (pace.decayed(units, now - since) + 1, now)
            self.sales[sku, channel].append(at)
        hot = {sku for (sku, shop), listing in self.listings.items() if shop == channel and listing.hot}
        for sku in sorted({sku for _at, sku in sales} | hot):
            self._refresh(world, sku, now)

    def sent(self, world: World, channel: str, sku: int, quantity: int, now: float) -> None:
        listing = self.listings[sku, channel]
        unheard = listing.sent_at is not None and _moment(self.cursors[channel]) < listing.sent_at
        before = max(listing.sent or 0, listing.sent_before or 0) if unheard else listing.sent
        listing.sent, listing.sent_before, listing.sent_at = quantity, before, _moment(now)
        if listing.desired == quantity:
            listing.desired_at = None

    def _refresh(self, world: World, sku: int, now: float) -> None:
        for channel, told in self._decided(world, sku, now).items():
            listing = self.listings[sku, channel]
            row = changed(listing, told, _moment(now))
            if row is None:
                continue
            _pk, listing.desired, listing.desired_at, _pause, listing.hot = row
            if listing.desired_at is None:
                world.due[channel].pop(sku, None)
            else:
                since = (listing.desired_at - OPENING).total_seconds()
                world.due[channel][sku] = (listing.desired or 0, listing.hot, since)

    def _decided(self, world: World, sku: int, now: float) -> dict[str, Any]:
        seats, channel_of = [], {}
        for channel in world.polls:
            listing = self.listings[sku, channel]
            units, at = self.paces.get((sku, channel), (0.0, 0.0))
            left = pace.decayed(units, now - at)
            sold = 0
            if listing.sent_at is not None:
                told_at = (listing.sent_at - OPENING).total_seconds() + CLOCKS_AGREE_S
                sold = sum(at > told_at for at in self.sales[sku, channel])
            channel_of[listing.pk] = channel
            seats.append(
                seat_of(
                    listing,
                    self._facts(channel, now),
                    max(0, world.books[sku]),
                    speed=Speed(pace.per_minute(left), left),
                    sold=sold,
                )
            )
        return {channel_of[pk]: told for pk, told in decide(seats).items()}

    def _facts(self, channel: str, now: float) -> ShopFacts:
        rule, age = self.rules[channel], now - self.cursors[channel]
        delay = max(rule.import_delay_s or 0.0, age) + 1.0
        return ShopFacts(rule, delay, age, _moment(self.cursors[channel]), relative=False, phase="")


def _moment(second: float) -> datetime:
    return OPENING + timedelta(seconds=second)


def rhythms(every_s: float | None = None) -> dict[str, float]:
    """How often each channel's orders are imported: as its connector declares, or all at one rhythm."""
    channels = [channel for channel in CONNECTORS if channel in CROWD]
    return {c: every_s or connector_class(c).capabilities.poll_interval_s for c in channels}


def play(demand: Demand, sync: Sync) -> Result:
    return World(demand, sync, rhythms(sync.every_s)).play()
