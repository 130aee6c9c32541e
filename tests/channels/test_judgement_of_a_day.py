"""A day's orders of Yahoo! and Qoo10, with all their optional fields, ask a person exactly where the world says so."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from channels.demo import company
from channels.models import Connection, QuarantinedOrder
from channels.sandbox.server import RunningSandbox
from channels.services import intake
from orders.models import Order
from tests.channels.stepped import Time, sandbox_of, time

__all__ = ["time"]

pytestmark = pytest.mark.django_db
MALLS = ("yahoo", "qoo10")
ORDERS_OF_ALL_MALLS = 300


@pytest.fixture
def sandbox(time: Time) -> Iterator[RunningSandbox]:
    with sandbox_of(MALLS, time) as running:
        yield running


def test_only_what_needs_judgement_waits_for_a_person(time, sandbox):
    world = sandbox.world
    addresses = sandbox.addresses()
    company.load({mall: addresses[mall] for mall in MALLS}, seed=1, opening_day=world._register.opening_day)
    world.generate(ORDERS_OF_ALL_MALLS, over=timedelta(0))
    world.advance()
    time.skip(minutes=12)
    Connection.objects.update(cursor=time.now() - timedelta(hours=1))
    for connection in Connection.objects.select_related("shop"):
        intake.pull(connection)
    truth = world.truth()["orders"]
    waits, needed = set(), set()
    for order in Order.objects.select_related("shop"):
        if order.reasons.filter(state="open", level="block").exists():
            waits.add(order.channel_order_no)
        if truth[order.shop.channel][order.channel_order_no]["needs_judgement"]:
            needed.add(order.channel_order_no)
    assert Order.objects.count() == sum(len(truth[mall]) for mall in MALLS) > 60
    assert not QuarantinedOrder.objects.exists()
    assert waits == needed
