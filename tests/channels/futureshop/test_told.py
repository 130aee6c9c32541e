"""What is said to futureshop arrives there, comes back with the next import, and is said again when forgotten."""

import pytest

from channels.services import intake
from orders.services import payment
from orders.services.journal import Actor
from tests.channels.futureshop.conftest import Mall
from tests.channels.stored import connect, deliver, pulled

pytestmark = pytest.mark.django_db


def test_money_recorded_here_is_marked_there(mall: Mall):
    placed = mall.sells(payment="bank")
    connection = connect("futureshop", mall)
    mall.time.skip(minutes=1)
    assert pulled(connection, placed.number)["payment"]["state"] == "unpaid"
    order = intake.order_of(connection, placed.number)
    payment.record_payments([order.pk], actor=Actor())
    mall.breaks("futureshop:unapplied:1")
    assert deliver(order, mall, "channel_payment") > 1
    mall.time.skip(minutes=40)
    shown = pulled(connection, placed.number)
    assert shown["payment"]["state"] == "paid" and mall.read(placed.number).paid_at is not None
