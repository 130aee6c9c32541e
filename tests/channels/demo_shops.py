"""The demo company with its shops at the sandbox's malls, for tests that need a whole trade: fixtures to import."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from channels.demo import company
from channels.models import Connection
from channels.sandbox.server import RunningSandbox, Sandbox, running_sandbox
from channels.sandbox.world import World
from channels.services import intake
from fulfillment.services.allocate import allocate_waiting
from oms.kernel import clock
from oms.kernel.services import outbox
from tests.channels.stepped import Time, time

__all__ = ["demo_company", "mapped_listing", "sandbox", "settle", "shop_of", "time", "world"]


@pytest.fixture(scope="module")
def demo_company(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The demo company with a shop at every mall, loaded once: each test works in a savepoint of it."""
    moment = Time()
    world = World(1, moment.now)
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patched, transaction.atomic():
        patched.setattr(clock, "now", moment.now)
        company.load(Sandbox(world).addresses("http://127.0.0.1:9"), seed=1, opening_day=world._register.opening_day)
        patched.undo()
        with django_db_blocker.block():
            yield
        transaction.set_rollback(True)


@pytest.fixture
def world(time: Time) -> World:
    """A world in a time that moves only when somebody waits: the channels' real rate limits cost none of ours."""
    cache.clear()
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    return World(1, time.now)


@pytest.fixture
def sandbox(world: World) -> Iterator[RunningSandbox]:
    with running_sandbox(world) as running:
        yield running


@pytest.fixture
def shop_of(demo_company: None, db: None, sandbox: RunningSandbox) -> dict[str, Connection]:
    """The demo company's shops, by channel, connected to this test's sandbox."""
    for channel, address in sandbox.addresses().items():
        company.connect(channel, address)
    return {c.shop.channel: c for c in Connection.objects.select_related("shop")}


def mapped_listing(world: World, channel: str) -> tuple[str, str]:
    """(listing key, SKU code) of an ordinary, stocked, plain SKU on this channel."""
    for (own, key), listing in sorted(world.catalogue.listings.items()):
        sku = world.catalogue.skus[listing.sku]
        plain = sku.role == "ordinary" and listing.mapped and listing.fulfilled_by == "shop"
        stocked = world.catalogue.online_stock(sku.code) > 20
        if own == channel and plain and stocked and world.shown(channel, key).quantity > 5:
            return key, sku.code
    raise LookupError(channel)


def settle(connection: Connection) -> None:
    """What workers do, until nothing is left to do: import, tell, allocate. Some malls show an order minutes late."""
    for _ in range(4):
        clock.sleep(180)
        intake.pull(connection)
        outbox.deliver_due()
        allocate_waiting()
