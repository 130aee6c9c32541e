"""A Yahoo! store in a sandbox of this process, under a clock that only moves when somebody waits."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from channels.connectors.contract import ConnectorSettings, Fetched, RawOrder
from channels.connectors.yahoo import YahooConnector
from channels.sandbox.model import SandboxOrder
from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World
from channels.sandbox.yahoo import YahooSimulator
from tests.channels.stepped import Time, forget, time

__all__ = ["Mall", "time"]


@dataclass
class Mall:
    """The store at the mall, and our connector to it."""

    time: Time
    world: World
    simulator: YahooSimulator
    sandbox: Any
    root: str
    keys: list[str]  # listings with plenty of stock

    def connector(self, **credentials: str) -> YahooConnector:
        return YahooConnector(
            ConnectorSettings(
                shop_code="yahoo-test",
                base_url=self.simulator.base_url(self.root),
                auth_url=self.simulator.auth_url(self.root),
                credentials={**self.simulator.credentials(), **credentials},
            )
        )

    def sells(self, *lines: tuple[str, int], settled: bool = True, **given: Any) -> SandboxOrder:
        """An order; `settled` lets the buyer's ten minutes pass."""
        given.setdefault("payment", "card")
        given.setdefault("remarks", "")
        order = self.world.place_order("yahoo", lines or ((self.keys[0], 1),), **given)
        if settled:
            self.time.skip(minutes=11)
        return order

    def pull(self, since: datetime, connector: YahooConnector | None = None) -> tuple[list[RawOrder], list[Fetched]]:
        pages = list((connector or self.connector()).fetch_orders(since, self.time.now()))
        return [order for page in pages for order in page.orders], pages

    def told(self, kind: str) -> list[Any]:
        return self.world.journal(channel="yahoo", kind=kind)

    def breaks(self, spec: str) -> None:
        self.sandbox.inject(spec)


@pytest.fixture
def mall(time: Time) -> Iterator[Mall]:
    forget("yahoo")
    world = World(seed=1, clock=time.now)
    simulator = YahooSimulator(world)
    with running_sandbox(world, malls={"yahoo": simulator}) as running:
        keys = [one.key for one in world.listings("yahoo") if world.shown("yahoo", one.key).quantity >= 5]
        yield Mall(time, world, simulator, running.sandbox, running.root, keys)
