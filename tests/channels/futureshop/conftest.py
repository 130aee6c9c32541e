"""A futureshop shop in a sandbox of this process, under a clock that only moves when somebody waits."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings

from channels.connectors.contract import ConnectorSettings, Fetched, RawOrder
from channels.connectors.futureshop import FutureshopConnector
from channels.sandbox.futureshop import FutureshopSimulator
from channels.sandbox.model import SandboxOrder
from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World
from oms.kernel import clock
from orders.channel_order import ChannelOrder


class Time:
    """Waiting moves it at once."""

    def __init__(self) -> None:
        self.at = datetime(2026, 8, 3, 1, 0, 0, 500_000, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(seconds, 0.0))

    def skip(self, **units: float) -> None:
        self.at += timedelta(**units)


@dataclass
class Mall:
    """The shop at the mall, and our connector to it."""

    time: Time
    world: World
    simulator: FutureshopSimulator
    sandbox: Any
    root: str
    keys: list[str]  # listings with plenty of stock

    def connector(self, **credentials: str) -> FutureshopConnector:
        return FutureshopConnector(
            ConnectorSettings(
                shop_code="futureshop-test",
                base_url=self.simulator.base_url(self.root),
                auth_url=self.simulator.auth_url(self.root),
                credentials={**self.simulator.credentials(), **credentials},
            )
        )

    def sells(self, *lines: tuple[str, int], **given: Any) -> SandboxOrder:
        """An order that may be shipped, if its payment allows."""
        given.setdefault("payment", "card")
        given.setdefault("remarks", "")
        return self.world.place_order("futureshop", lines or ((self.keys[0], 1),), **given)

    def pull(
        self, since: datetime, connector: FutureshopConnector | None = None
    ) -> tuple[list[RawOrder], list[Fetched]]:
        pages = list((connector or self.connector()).fetch_orders(since, self.time.now()))
        return [order for page in pages for order in page.orders], pages

    def read(self, number: str) -> ChannelOrder:
        """The order as our connector sees it now."""
        raw = self.connector().fetch_order(number)
        assert raw is not None
        return self.connector().parse(raw.payload)

    def told(self, kind: str) -> list[Any]:
        return self.world.journal(channel="futureshop", kind=kind)

    def breaks(self, spec: str) -> None:
        self.sandbox.inject(spec)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    moved = Time()
    monkeypatch.setattr(clock, "now", moved.now)
    monkeypatch.setattr(clock, "sleep", moved.sleep)
    return moved


@pytest.fixture
def mall(time: Time) -> Iterator[Mall]:
    store = redis.Redis.from_url(settings.REDIS_URL)
    for pattern in ("limit:futureshop*", "futureshop:token:*", "seen:futureshop:*", "times:futureshop:*"):
        for key in store.scan_iter(pattern):
            store.delete(key)
    world = World(seed=1, clock=time.now)
    simulator = FutureshopSimulator(world)
    with running_sandbox(world, malls={"futureshop": simulator}) as running:
        keys = [one.key for one in world.listings("futureshop") if world.shown("futureshop", one.key).quantity >= 5]
        yield Mall(time, world, simulator, running.sandbox, running.root, keys)
