"""A worker may die at any line of an import; the next one leaves nothing missing and nothing doubled."""

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections

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
from tests.orders.builders import make_sku

pytestmark = pytest.mark.django_db(transaction=True)

WATCHED = {str(Path(module.__file__)) for module in (intake, catching_up, taking_in)}
DEATHS = 24
KILLED = -signal.SIGKILL
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
        assert end_of(lambda death=death: with_line_count(lambda: intake.pull(late), die_at=death)) == KILLED, death
        RawOrder.objects.update(first_seen_at=ago(minutes=5))
        intake.pull(late)
        everything_is_here_once(late, death)


def test_without_the_second_import_orders_would_be_missing(late, mall):
    """The twin: a death half way does leave work, so the test above proves something."""
    half_way = lines_of_an_import(late) // 3
    assert end_of(lambda: with_line_count(lambda: intake.pull(late), die_at=half_way)) == KILLED
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
    """How many lines a whole import runs, counted in a process of its own that takes everything back."""
    reader, writer = os.pipe()
    child = forked(lambda: os.write(writer, str(with_line_count(lambda: intake.pull(late))).encode()))
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        lines = int(answer.read())
    wipe_orders(late)
    return lines


def with_line_count(call: Callable[[], object], *, die_at: int | None = None) -> int:
    """Run `call`, counting the lines of the import's own files; at line `die_at` the process is killed."""
    count = 0

    def local(frame, event, _argument):
        nonlocal count
        if event == "line":
            count += 1
            if count == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return local

    sys.settrace(lambda frame, _event, _argument: local if frame.f_code.co_filename in WATCHED else None)
    try:
        call()
    finally:
        sys.settrace(None)
    return count


def end_of(call: Callable[[], object]) -> int:
    """How a worker that does this ends: its exit code, or the negative number of the signal that ended it."""
    _pid, status = os.waitpid(forked(call), 0)
    return os.waitstatus_to_exitcode(status)


def forked(call: Callable[[], object]) -> int:
    """A worker process of its own, with database connections of its own."""
    connections.close_all()
    gc.collect()  # what an earlier test left must not be tidied up in the child, over the child's own connection
    child = os.fork()
    if child:
        return child
    gc.disable()
    try:
        connect_for_good()
        call()
    except BaseException:  # the child must never come back into pytest
        traceback.print_exc()
        os._exit(1)
    connections.close_all()
    os._exit(0)


def connect_for_good() -> None:
    """The first connection of a forked process may be cut by what its parent's threads left half closed."""
    for _ in range(5):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                time.sleep(0.02)
                cursor.execute("SELECT 1")
            return
        except OperationalError:
            connections.close_all()
