"""A whole small day through five channels: nothing lost, doubled, oversold or missed, and the books in order."""

import json
import os
import subprocess
import sys

import pytest

from oms.kernel.text import search_text
from oms.pages.demo_day import measures
from oms.pages.demo_day.robot import Robot
from oms.runtime.places import BASE_DIR
from orders.models import Order
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku


def test_a_small_day_ends_with_clean_books():
    """In processes of its own, as from a shell; it makes and drops its database."""
    command = [sys.executable, "manage.py", "demo_day", "--orders", "16", "--speed", "600"]
    done = subprocess.run(
        command, cwd=BASE_DIR, env=os.environ, capture_output=True, text=True, check=False, timeout=420
    )
    assert done.returncode == 0, done.stderr[-3000:]
    day = json.loads(done.stdout.splitlines()[-1])
    assert sum(day["orders"].values()) == 16 and set(day["orders"]) == {
        "amazon",
        "rakuten",
        "yahoo",
        "qoo10",
        "futureshop",
    }
    assert (day["lost"], day["doubled"], day["oversold"], day["missed"], day["audit"]) == (0, 0, 0, 0, [])
    assert day["stages"]["shipped"] >= 8 and day["unfinished_effects"] == 0
    assert {"median", "p95", "max"} == set(day["publish_delay_s"]) == set(day["import_delay_s"])


@pytest.mark.django_db(transaction=True)
def test_the_robot_maps_an_unknown_code_as_a_person_would(live_server, aoi):
    sku = make_sku("CHAIR", stock_units=5, search_text=search_text("CHAIR の品"))
    take_in(
        make_shop(), [make_channel_order(make_line("new-chair", name="【新装】CHAIR の品"), number="R-1")], sku_of={}
    )
    robot = Robot(live_server.url, aoi.username, "himitsu-no-kotoba")
    robot.log_in()
    assert robot.work_reasons() == 1 and robot.work_reasons() == 0
    assert Order.objects.get().lines.get().sku == sku and measures.touched_orders() == {Order.objects.get().pk}


def test_spread_names_the_middle_the_tail_and_the_worst():
    assert measures.spread([3.0, 1.0, 2.0]) == {"median": 2.0, "p95": 3.0, "max": 3.0}
    assert measures.spread([]) == {"median": 0.0, "p95": 0.0, "max": 0.0}
