"""Story 1: a thousand orders of five channels. Nothing lost, nothing doubled, nine of ten ready untouched, and every
other order says why it waits."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from channels.demo import company
from channels.models import Connection, QuarantinedOrder
from channels.sandbox.server import RunningSandbox
from channels.services import intake
from fulfillment.services.allocate import allocate_waiting
from oms.kernel.services import outbox
from orders.models import Order, OrderEvent, Rule
from orders.models.order import Stage
from tests.channels.stepped import Time, sandbox_of, time

__all__ = ["time"]

pytestmark = pytest.mark.django_db
MALLS = ("amazon", "rakuten", "yahoo", "qoo10", "futureshop")
ORDERS = 1_000
ROUNDS = 8  # of half an hour: confirmed, paid, read again, placed
# Past every gate of the desk: what is left is the wished day, or the mall's own warehouse.
THROUGH = {Stage.READY, Stage.SCHEDULED, Stage.AWAITING_RELEASE, Stage.SHIPPED, Stage.COMPLETED}


@pytest.fixture
def sandbox(time: Time) -> Iterator[RunningSandbox]:
    with sandbox_of(MALLS, time) as running:
        yield running


def test_story_01_a_thousand_orders_of_five_channels_are_ready_untouched_or_say_why(time, sandbox):
    world = sandbox.world
    company.load(sandbox.addresses(), seed=1, opening_day=world._register.opening_day)
    assert Rule.objects.exists(), "the standard rules are in force"
    world.generate(ORDERS, over=timedelta(0))
    Connection.objects.update(cursor=time.now() - timedelta(hours=1))
    for _ in range(ROUNDS):
        time.skip(minutes=30)
        world.advance()
        for connection in Connection.objects.select_related("shop").order_by("pk"):
            intake.pull(connection)
        allocate_waiting()
        while outbox.deliver_due():
            pass
    stored = Counter(Order.objects.values_list("shop__channel", "channel_order_no"))
    told = {(mall, number) for mall, orders in world.truth()["orders"].items() for number in orders}
    assert told == stored.keys() and len(told) >= ORDERS, "none is lost"
    assert set(stored.values()) == {1} and not QuarantinedOrder.objects.exists(), "none is doubled"
    assert not OrderEvent.objects.filter(by__isnull=False).exists(), "nobody touched anything"
    through = Order.objects.filter(stage__in=THROUGH).count()
    cancelled = Order.objects.filter(stage=Stage.CANCELLED).count()
    assert through >= 0.9 * (len(told) - cancelled)
    assert not silent(), "whatever waits shows its reason"


def silent() -> list[str]:
    """Orders in review without an open reason."""
    waiting = Order.objects.filter(stage=Stage.REVIEW)
    return [order.channel_order_no for order in waiting if not order.reasons.filter(state="open").exists()]
