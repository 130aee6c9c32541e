"""Shops in a sandbox of this process, registered for real, under a clock that only moves when somebody waits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from channels.models import Connection
from channels.sandbox.server import RunningSandbox, running_sandbox
from channels.sandbox.world import World
from channels.services import intake, shops
from orders.models import Order
from tests.channels.stepped import Time, forget, time

__all__ = ["time"]


@dataclass
class House:
    """One registered shop and its mall."""

    time: Time
    world: World
    mall: Any
    sandbox: Any
    connection: Connection

    @property
    def channel(self) -> str:
        return self.connection.shop.channel

    def sells(self, count: int = 1) -> list[str]:
        """Numbers of new orders at the mall, old enough to be shown."""
        keys = [
            one.key for one in self.world.listings(self.channel) if self.world.shown(self.channel, one.key).quantity > 9
        ]
        numbers = [
            self.world.place_order(self.channel, [(keys[0], 1)], payment="card", remarks="").number
            for _ in range(count)
        ]
        self.time.skip(minutes=11)
        return numbers

    def pull(self) -> None:
        intake.pull(self.fresh())

    def fresh(self) -> Connection:
        return Connection.objects.select_related("shop").get(pk=self.connection.pk)

    def taken_in(self) -> set[str]:
        return set(Order.objects.filter(shop=self.connection.shop).values_list("channel_order_no", flat=True))


@pytest.fixture
def house(db: None, time: Time) -> Iterator[Callable[[str], House]]:
    """`house("rakuten")`: the shop, running, its listings' orders unmapped (which is enough here)."""
    running: list[RunningSandbox] = []
    contexts = []

    def open_house(channel: str) -> House:
        forget(channel)
        world = World(seed=1, clock=time.now)
        context = running_sandbox(world)
        contexts.append(context)
        sandbox = context.__enter__()
        running.append(sandbox)
        address = sandbox.addresses()[channel]
        connection = shops.add_shop(
            f"{channel}-h", channel=channel, name=f"{channel}の店", base_url=address["base_url"],
            auth_url=address["auth_url"], values=address["credentials"],
        )  # fmt: skip
        made = House(time, world, sandbox.sandbox.malls[channel], sandbox.sandbox, connection)
        made.connection = made.fresh()
        return made

    yield open_house
    for context in contexts:
        context.__exit__(None, None, None)
