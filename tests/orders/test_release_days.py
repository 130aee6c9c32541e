"""An order of several pre-orders is looked at on each of their release days."""

from datetime import UTC, date, datetime, timedelta

import pytest

from oms.kernel import clock
from orders.models import Order, OrderLine
from orders.services import stage
from orders.services.audit import violations
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
FIRST, SECOND = date(2026, 12, 1), date(2026, 12, 10)


@pytest.fixture
def now(monkeypatch):
    """Sets business time."""

    def at(moment):
        monkeypatch.setattr(clock, "now", lambda: moment)

    at(START)
    return at


def midnight(day):
    return datetime(day.year, day.month, day.day, tzinfo=clock.TOKYO)


def stage_violations():
    return [text for text in violations() if "stage" in text]


@pytest.fixture
def order(now):
    vase = make_sku("VASE", release_date=FIRST, preorder_limit=9)
    lamp = make_sku("LAMP", release_date=SECOND, preorder_limit=9)
    take_in(make_shop(), [make_channel_order(make_line("VASE"), make_line("LAMP"))], sku_of=mapped(vase, lamp))
    return Order.objects.get()


def test_a_new_order_is_due_on_the_first_release_day(order):
    assert (order.stage, order.stage_due_at, order.release_date) == ("awaiting_release", midnight(FIRST), SECOND)


def test_the_sweep_comes_on_each_day_and_the_audit_stays_clean(order, now):
    now(midnight(FIRST) + timedelta(minutes=5))
    assert stage.sweep() == 1
    order.refresh_from_db()
    assert (order.stage, order.stage_due_at) == ("awaiting_stock", None)
    assert stage_violations() == []
    OrderLine.objects.filter(channel_sku="VASE").update(allocated_quantity=1)
    stage.recompute([order.pk])
    order.refresh_from_db()
    assert (order.stage, order.stage_due_at) == ("awaiting_release", midnight(SECOND))
    now(midnight(SECOND) + timedelta(minutes=5))
    assert stage.sweep() == 1
    order.refresh_from_db()
    assert order.stage == "awaiting_stock" and stage_violations() == []


def test_a_cancelled_line_is_no_release_to_wait_for(order):
    OrderLine.objects.filter(channel_sku="VASE").update(quantity=0)
    stage.recompute([order.pk])
    order.refresh_from_db()
    assert order.stage_due_at == midnight(SECOND)


def test_what_did_not_change_is_not_written(order):
    def version():
        return Order.objects.extra(select={"xmin": "xmin::text"}).values_list("xmin", flat=True).get()

    before = version()
    stage.recompute([order.pk])
    assert version() == before
