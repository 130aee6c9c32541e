"""A whole small day through five channels: nothing lost, doubled, oversold or missed, and the books in order."""

import json
import os
import subprocess
import sys

from oms.pages.demo_day import measures
from oms.runtime.places import BASE_DIR


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


def test_spread_names_the_middle_the_tail_and_the_worst():
    assert measures.spread([3.0, 1.0, 2.0]) == {"median": 2.0, "p95": 3.0, "max": 3.0}
    assert measures.spread([]) == {"median": 0.0, "p95": 0.0, "max": 0.0}
