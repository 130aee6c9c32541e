"""From a stock change to the request on the wire, for real: the sandbox over HTTP, a Celery worker, an idle system.

And 10,000 changed SKUs against what a channel's limit allows: the real publisher, books and limiter, with a mall that
only counts.
"""

import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.db import connection

from bench.row import Row
from bench.scratch import scratch_database
from channels.connectors.contract import Capabilities, StockAdjust, StockPush, StockResult
from channels.connectors.limits import Limiter, Plan
from channels.connectors.registry import connector_class
from channels.demo import company
from channels.models import Connection, Listing, PushLog
from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World
from channels.services import publish, shops
from inventory.models import Location, Product, PublisherMark, Sku
from inventory.services import stock
from oms.celery import app
from oms.kernel import clock
from oms.runtime.environment import broker

CHANGES = 40
PAUSE_S = 0.6
PATIENCE_S = 20.0
MANY = 10_000
REDIS_DATABASE = 10


def run() -> list[Row]:
    """About two minutes."""
    with scratch_database("bench_publish"):
        return [*wire_delay(), *ten_thousand()]


def wire_delay() -> list[Row]:
    """One SKU changes at a time, while nothing else happens."""
    world = World(1, clock.now)
    with running_sandbox(world) as sandbox:
        company.load(sandbox.addresses(), seed=1, opening_day=world._register.opening_day)
        PublisherMark.objects.all().delete()
        Listing.objects.update(desired_at=None)
        with _worker():
            delays = [delay for sku in _skus() for delay in _change(sku)]
    ordered = sorted(delays)
    middle, late = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
    return [
        Row("stock change → request, median", middle, "s", 5.0, middle / 5.0, 1, 0.1, lower_is_better=True),
        Row("stock change → request, 95 %", late, "s", 5.0, late / 5.0, 1, 0.4, lower_is_better=True),
    ]


def _skus() -> list[Sku]:
    listed = Listing.objects.filter(mode="normal", sku__is_bundle=False, sku__release_date=None)
    return list(Sku.objects.filter(pk__in=listed.values("sku")).order_by("pk")[:CHANGES])


def _change(sku: Sku) -> list[float]:
    """One unit arrives; how long until each shop's request. What no shop was told in time counts as the patience."""
    time.sleep(PAUSE_S)
    place = Location.objects.filter(sells_online=True).order_by("pk")[0]
    shown = Listing.objects.filter(sku=sku).exclude(mode="stopped").count()
    began = clock.now()
    stock.receive([stock.Fact(sku.pk, place.pk, 1, "bench")])
    deadline = time.monotonic() + PATIENCE_S
    pushes = PushLog.objects.filter(listing__sku=sku, sent_at__gte=began)
    while pushes.count() < shown and time.monotonic() < deadline:
        time.sleep(0.05)
    told = [(push.sent_at - push.changed_at).total_seconds() for push in pushes]
    return told + [PATIENCE_S] * (shown - len(told))


@contextmanager
def _worker() -> Iterator[None]:
    """A worker on a Redis database of its own, in threads of this process (they share the scratch database)."""
    plain = settings.REDIS_URL
    own = (
        plain.replace("db=0", f"db={REDIS_DATABASE}")
        if "db=0" in plain
        else f"{plain.rsplit('/', 1)[0]}/{REDIS_DATABASE}"
    )
    before = app.conf.broker_url
    app.conf.update(broker_url=broker(own))
    app._after_fork()  # forgets connections to the old one
    redis.Redis.from_url(own).flushdb()
    try:
        with start_worker(app, pool="threads", concurrency=6, perform_ping_check=False, queues=["publish"]):
            yield
    finally:
        app.conf.update(broker_url=before)
        app._after_fork()


class CountingMall:
    """Takes every quantity in its largest batch, at the pace that its limit allows."""

    def __init__(self, channel: str) -> None:
        self.capabilities: Capabilities = connector_class(channel).capabilities
        self.limiter = Limiter({"*": Plan(self.capabilities.publish_interval_s)})
        self.told = 0

    def push_stock(self, items: Any) -> Iterator[StockResult]:
        yield from self._take(items)

    def adjust_stock(self, items: Any) -> Iterator[StockResult]:
        yield from self._take(items)

    def _take(self, items: Any) -> Iterator[StockResult]:
        batch: list[StockPush | StockAdjust] = list(items)
        self.limiter.wait("bench-mall", "stock")
        self.told += len(batch)
        yield from (StockResult(item.listing_code, True) for item in batch)


def ten_thousand() -> list[Row]:
    """All at once, to a mall with Rakuten's batch and rhythm."""
    mall = CountingMall("rakuten")
    shop = Connection.objects.select_related("shop").get(shop__code=company.SHOPS["rakuten"][0])
    _many_listings(shop)
    calls = math.ceil(MANY / mall.capabilities.stock_batch)
    allowed_s = (calls - 1) * mall.capabilities.publish_interval_s
    real, shops.connector_of = shops.connector_of, lambda _connection: mall  # type: ignore[assignment,return-value]
    try:
        began = time.perf_counter()
        publish.consume_marks()
        publish.push_shop(shop)
        took_s = time.perf_counter() - began
    finally:
        shops.connector_of = real
    if mall.told < MANY:
        raise RuntimeError(f"only {mall.told} of {MANY} were told")
    return [Row("10,000 changed SKUs", took_s, "s", allowed_s, took_s / allowed_s, 1.1, 1.05, lower_is_better=True)]


def _many_listings(shop: Connection) -> None:
    """So many SKUs whose last unit is gone, each with its mark."""
    now = clock.now()
    Listing.objects.all().delete()
    product = Product.objects.order_by("pk")[0]
    skus = Sku.objects.bulk_create(Sku(product=product, code=f"bench-{n}", name="bench") for n in range(MANY))
    Listing.objects.bulk_create(
        Listing(shop=shop.shop, code=sku.code, channel_sku=sku.code, sku=sku, desired=1, sent=1, sent_at=now)
        for sku in skus
    )
    PublisherMark.objects.all().delete()
    PublisherMark.objects.bulk_create(PublisherMark(sku_id=sku.pk, at=now) for sku in skus)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE channels_listing, inventory_sku")
