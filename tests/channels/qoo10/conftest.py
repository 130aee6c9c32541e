"""A Qoo10 seller in a sandbox of this process, under a clock that only moves when somebody waits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from channels.connectors.contract import ConnectorSettings, Fetched, RawOrder
from channels.connectors.qoo10 import Qoo10Connector
from channels.sandbox.model import SandboxOrder
from channels.sandbox.qoo10 import Qoo10Simulator
from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World
from orders.channel_order import ChannelOrder
from tests.channels.stepped import Time, forget, time

__all__ = ["Mall", "time"]


@dataclass
class Mall:
    """The seller at the mall, and our connector to it."""

    time: Time
    world: World
    simulator: Qoo10Simulator
    sandbox: Any
    root: str
    keys: list[str]  # listings with plenty of stock
    saved: dict[str, str] = field(default_factory=dict)

    def connector(self, **credentials: str) -> Qoo10Connector:
        return Qoo10Connector(
            ConnectorSettings(
                shop_code="qoo10-test",
                base_url=self.simulator.base_url(self.root),
                auth_url="",
                credentials={**self.simulator.credentials(), **credentials},
                save_credentials=self.saved.update,
            )
        )

    def sells(self, *lines: tuple[str, int], **given: Any) -> SandboxOrder:
        given.setdefault("payment", "card")
        given.setdefault("remarks", "")
        order = self.world.place_order("qoo10", lines or ((self.keys[0], 1),), **given)
        self.time.skip(seconds=30)
        return order

    def pull(self, since: datetime | None = None) -> tuple[list[RawOrder], list[Fetched]]:
        begin = since or self.time.now() - timedelta(hours=1)
        pages = list(self.connector().fetch_orders(begin, self.time.now()))
        return [order for page in pages for order in page.orders], pages

    def seen(self, number: str) -> ChannelOrder:
        """The basket as our connector reads it now."""
        connector = self.connector()
        found = connector.fetch_order(number)
        assert found is not None
        return connector.parse(found.payload)

    def for_connector(self, number: str) -> dict[str, Any]:
        order = self.seen(number)
        return {"no": number, "extra": order.extra, "ordered_at": order.ordered_at}

    def told(self, kind: str) -> list[Any]:
        return [one for one in self.world.journal(channel="qoo10", kind=kind) if one.accepted]

    def breaks(self, spec: str) -> None:
        self.sandbox.inject(spec)


@pytest.fixture
def mall(time: Time) -> Iterator[Mall]:
    forget("qoo10")
    world = World(seed=1, clock=time.now)
    simulator = Qoo10Simulator(world)
    with running_sandbox(world, malls={"qoo10": simulator}) as running:
        keys = [one.key for one in world.listings("qoo10") if world.shown("qoo10", one.key).quantity >= 5]
        yield Mall(time, world, simulator, running.sandbox, running.root, keys)
