"""An Amazon of our own behind real HTTP, in a time that moves only when somebody waits."""

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from werkzeug import Request, Response

from channels.connectors.amazon import AmazonConnector
from channels.connectors.amazon import queue as queues
from channels.connectors.contract import ConnectorSettings, RawOrder
from channels.models import Connection
from channels.sandbox.amazon import AmazonSimulator
from channels.sandbox.model import SandboxOrder
from channels.sandbox.server import RunningSandbox, running_sandbox
from channels.sandbox.world import World
from channels.services import shops
from tests.channels.amazon import models
from tests.channels.stepped import forget

START = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


class Time:
    """A clock for both sides: waiting is instant and counted."""

    def __init__(self) -> None:
        self._now, self._lock = START, threading.Lock()
        self.waited_s = 0.0

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self.waited_s += seconds

    def pass_minutes(self, minutes: float) -> None:
        with self._lock:
            self._now += timedelta(minutes=minutes)


class RecordingAmazon(AmazonSimulator):
    """Keeps every exchange, so that Amazon's own models can judge it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.exchanges: list[models.Exchange] = []
        self.token_calls = 0

    def handle(self, request: Request) -> Response:
        response = super().handle(request)
        if request.path == "/auth/o2/token":
            self.token_calls += 1
        elif not request.path.startswith(("/storage/", "/sqs")):
            self.exchanges.append(_exchange(request, response))
        return response

    def calls(self, method: str, part: str) -> list[models.Exchange]:
        return [one for one in self.exchanges if one.method == method and part in one.path]


def _exchange(request: Request, response: Response) -> models.Exchange:
    return models.Exchange(
        method=request.method,
        path=(request.environ["REQUEST_URI"].partition("?")[0]).removeprefix(request.script_root),
        query=request.args.to_dict(),
        request=request.get_json(silent=True) if request.get_data() else None,
        status=response.status_code,
        answer=response.get_json(silent=True) if response.get_data() else None,
    )


@dataclass
class Shop:
    """One shop: the mall's side and ours."""

    world: World
    mall: RecordingAmazon
    running: RunningSandbox
    time: Time
    code: str = field(default_factory=lambda: f"amazon-{uuid.uuid4().hex[:8]}")

    def connect(self, **credentials: str) -> AmazonConnector:
        """A new connector, as each call of a worker gets one; with the queue when a credential of it is given."""
        address = self.running.addresses()["amazon"]
        if not any(name.startswith("sqs_") for name in credentials):
            credentials["sqs_queue_url"] = ""
        return AmazonConnector(
            ConnectorSettings(
                shop_code=self.code,
                base_url=address["base_url"],
                auth_url=address["auth_url"],
                credentials={**address["credentials"], **credentials},
            )
        )

    def own_listings(self) -> list[str]:
        return [one.key for one in self.world.listings("amazon") if one.fulfilled_by == "shop" and one.mapped]

    def stocked(self, count: int, units: int = 10) -> list[str]:
        """So many SKUs that show at least `units`."""
        keys = (key for key in self.own_listings() if self.world.shown("amazon", key).quantity >= units)
        return [key for key, _ in zip(keys, range(count), strict=False)]

    def place(self, *lines: tuple[str, int], **wishes: Any) -> SandboxOrder:
        """A buyer orders; three minutes later the search shows it."""
        order = self.world.place_order("amazon", lines or [(self.stocked(1)[0], 1)], **wishes)
        self.time.pass_minutes(3)
        return order

    def fetch(self, since: datetime = START, **credentials: str) -> list[RawOrder]:
        pages = list(self.connect(**credentials).fetch_orders(since, self.time.now()))
        return [order for page in pages for order in page.orders]

    def known(self, number: str) -> dict[str, Any]:
        """What later calls get of an imported order."""
        raw = self.connect().fetch_order(number)
        assert raw is not None
        order = self.connect().parse(raw.payload)
        return {"no": number, "extra": order.extra, "ordered_at": order.ordered_at}

    def fault(self, spec: str) -> None:
        self.running.sandbox.inject(f"amazon:{spec}")


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    fake = Time()
    monkeypatch.setattr("oms.kernel.clock.now", fake.now)
    monkeypatch.setattr("oms.kernel.clock.sleep", fake.sleep)
    return fake


@pytest.fixture
def shop(time: Time) -> Iterator[Shop]:
    """Every answer and every request of every test is judged by Amazon's models, where they are at hand."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    for key in client.scan_iter("amazon:token:*"):
        client.delete(key)
    world = World(seed=7, clock=time.now)
    mall = RecordingAmazon(world)
    with running_sandbox(world, malls={"amazon": mall}) as running:
        yield Shop(world, mall, running, time)
    if models.FOLDER.is_dir():
        assert [fault for exchange in mall.exchanges for fault in models.judge(exchange)] == []


@pytest.fixture
def connection(shop: Shop, monkeypatch: pytest.MonkeyPatch, db: None) -> Connection:
    """The shop as the product knows it, queue and all."""
    monkeypatch.setattr(queues, "WAIT_S", 0)  # the test's clock stands still while the mall would wait
    cache.clear()
    forget("amazon")
    address = shop.running.addresses()["amazon"]
    return shops.add_shop(
        shop.code,
        channel="amazon",
        base_url=address["base_url"],
        auth_url=address["auth_url"],
        values=address["credentials"],
    )
