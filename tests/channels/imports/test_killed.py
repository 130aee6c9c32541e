"""A worker may die at any line of an import; the next one leaves nothing missing and nothing doubled."""

from pathlib import Path

import pytest

from channels.models import CatchUp, QuarantinedOrder, RawOrder
from channels.services import audit, intake
from channels.services import catch_up as catching_up
from inventory.models import Balance
from oms.kernel.models import Effect
from orders.models import Mail, Order
from orders.services import intake as taking_in
from orders.services import mail as mails
from tests.channels.builders import make_connection, make_listing
from tests.channels.imports.mall import ago
from tests.channels.imports.wipe import wipe_orders
from tests.killing import KILLED, end_of, lines_of, traced
from tests.orders.builders import make_sku

pytestmark = pytest.mark.django_db(transaction=True)

WATCHED = {str(Path(module.__file__)) for module in (intake, catching_up, taking_in)}
DEATHS = 24
SOLD = {"N-1": 3.5, "N-2": 2, "N-3": 3, "N-4": 1, "BAD": 2.5}


@pytest.fixture
def late(mall):
    mails.ensure_standard_templates()
    connection = make_connection(cursor=ago(hours=4), last_import_at=ago(hours=4))
    make_listing(connection.shop, "CHAIR", sku=make_sku("CHAIR", stock_units=100))
    for no, hours in SOLD.items():
        mall.sells(no, ago(hours=hours))
    mall.unreadable = {"BAD"}
    return connection


def test_a_worker_that_dies_at_any_line_loses_and_doubles_nothing(late, mall):
    lines = lines_of_an_import(late)
    assert lines > 150
    for death in range(1, lines, max(1, lines // DEATHS)):
        wipe_orders(late)
        assert end_of(lambda death=death: traced(lambda: intake.pull(late), WATCHED, die_at=death)) == KILLED, death
        RawOrder.objects.update(first_seen_at=ago(minutes=5))
        intake.pull(late)
        everything_is_here_once(late, death)


def test_without_the_second_import_orders_would_be_missing(late, mall):
    """The twin: a death half way does leave work, so the test above proves something."""
    half_way = lines_of_an_import(late) // 3
    assert end_of(lambda: traced(lambda: intake.pull(late), WATCHED, die_at=half_way)) == KILLED
    assert Order.objects.count() < 4


def everything_is_here_once(late, death) -> None:
    good = sorted(set(SOLD) - {"BAD"})
    assert sorted(Order.objects.values_list("channel_order_no", flat=True)) == good, death
    assert sorted(RawOrder.objects.filter(is_current=True).values_list("channel_order_no", flat=True)) == sorted(SOLD)
    assert QuarantinedOrder.objects.get(resolved_at=None).channel_order_no == "BAD"
    assert Mail.objects.count() == Effect.objects.filter(kind="mail").count() == len(good)
    pool = Balance.objects.get(location=None, release="")
    assert (pool.on_hand, pool.reserved) == (100, len(good))
    assert CatchUp.objects.get().orders == len(good), death
    assert not [sentence for sentence in audit.violations() if "trigger" not in sentence]


def lines_of_an_import(late) -> int:
    """How many lines a whole import runs; what it wrote is taken back."""
    lines = lines_of(lambda: intake.pull(late), WATCHED)
    wipe_orders(late)
    return lines
