"""Restart in the middle of shipping completion, with real processes, a real mail server and the sandbox mall."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
import redis
from aiosmtpd.controller import Controller
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from channels.models import Connection
from channels.sandbox.server import RunningSandbox, running_sandbox
from channels.sandbox.world import World
from channels.services import intake, shops
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from oms.runtime.places import BASE_DIR
from orders.models import Mail, Order, Shop
from orders.models.order import Stage
from orders.services import mail as mailing
from orders.services.journal import Actor
from tests.channels.test_commands import one_sku

pytestmark = pytest.mark.django_db(transaction=True)

# (where the process dies, whether a mail may be uncertain then)
POINTS = [
    ("in_confirm", False),
    ("after_confirm", False),
    ("before_mark", False),
    ("after_mark", True),
    ("after_accept", True),
    ("before_close", True),
    ("after_close", False),
    ("before_notice", False),
    ("after_notice", False),
]


class Inbox:
    """The customers' mail server: keeps everything that it accepted."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content))
        return "250 OK"

    def counted(self) -> Counter[str]:
        return Counter(str(message["Message-ID"]) for message in self.messages)


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    box = Inbox()
    with socket.socket() as free:  # the controller greets itself, so it must know its port
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("OMS_CLOCK_SPEED", "60")
    monkeypatch.setenv("OMS_CLOCK_EPOCH", str(time.time()))
    cache.clear()
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    return World(1, clock.now)


@pytest.fixture
def sandbox(world: World) -> Iterator[RunningSandbox]:
    with running_sandbox(world) as running:
        yield running


@pytest.fixture
def orders(world: World, sandbox: RunningSandbox) -> list[Order]:
    """One instructed order for every point."""
    mailing.ensure_standard_templates()
    address = sandbox.addresses()["rakuten"]
    here = shops.add_shop(
        "main",
        channel="rakuten",
        base_url=address["base_url"],
        auth_url=address["auth_url"],
        values=address["credentials"],
    )
    Shop.objects.update(capabilities=here.shop.capabilities | {"mail": "free", "mail_relay_server": False})
    listing = one_sku(world)
    for _order in range(len(POINTS) + 4):  # a mall looks longer at some
        world.place_order("rakuten", [(listing, 1)], remarks="", payment="card")
    intake.pull(Connection.objects.get())
    for _round in range(20):
        outbox.deliver_due()
        clock.sleep(120)
        intake.pull(Connection.objects.get())
        allocate_waiting()
        ready = list(Order.objects.filter(stage=Stage.READY).order_by("pk")[: len(POINTS)])
        if len(ready) == len(POINTS):
            break
    assert len(ready) == len(POINTS), Counter(Order.objects.values_list("stage", flat=True))
    assert instruct_orders([order.pk for order in ready], actor=Actor()).orders
    return ready


def test_story_12_a_restart_in_the_middle_of_shipping_completion_tells_everybody_exactly_once(
    world, inbox, orders, service
):
    box, _port = inbox
    unsure = 0
    for (point, may_be_unsure), order in zip(POINTS, orders, strict=True):
        assert service(point, order) == -signal.SIGKILL, point
        five_minutes_later()
        assert service("none", order) == 0, f"restart after {point}"
        five_minutes_later()
        assert service("none", order) == 0
        found = Mail.objects.filter(state=Mail.State.UNCERTAIN, order=order)
        assert bool(found) == may_be_unsure, point
        unsure += len(found)
        assert not [one for one, count in box.counted().items() if count > 1], f"twice, after {point}"
    assert unsure == sum(may for _point, may in POINTS)

    for mail in Mail.objects.filter(state=Mail.State.UNCERTAIN).order_by("pk"):  # a person looks at the mail server
        assert mail.order.reasons.filter(code="mail_failed", state="open").exists()
        if box.counted()[mail.message_id]:
            assert mailing.was_sent(mail.pk)
        else:
            assert mailing.send_again(mail.pk)
    assert service("none") == 0

    told = [mail for mail in Mail.objects.filter(event="shipped") if mail.state == Mail.State.SENT]
    assert {mail.order_id for mail in told} == {order.pk for order in orders} and len(told) == len(orders)
    assert {box.counted()[mail.message_id] for mail in told} == {1}
    assert set(box.counted().values()) == {1}
    assert set(Effect.objects.filter(kind="channel_ship").values_list("state", flat=True)) == {"done"}
    for order in orders:
        parcels = world.order("rakuten", order.channel_order_no).parcels
        assert len(parcels) == 1, f"{order.channel_order_no}: {len(parcels)} notices"


Service = Callable[..., int]


@pytest.fixture
def service(world: World, inbox: tuple[Inbox, int]) -> Iterator[Service]:
    """`service(point, *orders)`: run the service until it ends or dies; returns its exit code."""
    place = connection.settings_dict
    url = f"postgresql://{place['USER']}:{place['PASSWORD']}@/{place['NAME']}?host={place['HOST']}&port={place['PORT']}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "oms.settings",
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
    }
    _box, port = inbox

    with subprocess.Popen(
        [sys.executable, "-m", "tests.orders.dies_while_shipping"],
        cwd=BASE_DIR,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdin is not None and starter.stdout is not None
        asked, told = starter.stdin, starter.stdout

        def run(point: str, *orders: Order) -> int:
            print(point, port, *(order.pk for order in orders), file=asked, flush=True)
            code = int(told.readline())
            assert code in {0, -signal.SIGKILL}, code
            return code

        yield run
        asked.close()


def five_minutes_later() -> None:
    """What a dead worker held is free again."""
    long_ago = clock.now() - 2 * outbox.ABANDONED_AFTER * clock.speed()
    Effect.objects.filter(state=Effect.State.RUNNING).update(claimed_at=long_ago)
    Effect.objects.filter(state=Effect.State.WAITING).update(next_try_at=clock.now() - timedelta(seconds=1))
