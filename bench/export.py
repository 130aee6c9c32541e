"""A hundred thousand orders into a file, as the worker writes it: 28 columns, an order a row.

The floor is a bare COPY … TO of the same orders' rows into a file.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import psutil
from django.db import connection
from django.test import override_settings

from bench.row import Row
from bench.scratch import scratch_database
from oms.kernel.models import User
from orders.decide.export_columns import READY_MADE
from orders.models import ExportRun, Order
from orders.services import export

CHOSEN = 100_000
MUST_S = 120  # of the ten minutes that a worker has
GROWN_MB = 60


def run() -> list[Row]:
    """Seconds of a CSV file and of a workbook, and how much memory they took."""
    with scratch_database("bench_export", orders=CHOSEN), TemporaryDirectory() as folder:
        by = User.objects.get_or_create(username="bench", is_superuser=True)[0]
        ids = list(Order.objects.order_by("-pk").values_list("pk", flat=True)[:CHOSEN])
        floor_s = _copied(Path(folder) / "floor")
        with override_settings(EXPORTS=Path(folder)):
            return [row for kind in ("csv", "xlsx") for row in _rows(kind, ids, by, floor_s)]


def _rows(kind: str, ids: list[int], by: User, floor_s: float) -> list[Row]:
    draft = export.draft(ids, by=by)
    with patch("orders.services.export.later"):
        export.start(draft, READY_MADE[0], kind=kind, reason="")
    before, began = _memory_mb(), time.perf_counter()
    export.work(draft.pk)
    spent, grown = time.perf_counter() - began, max(0.0, _memory_mb() - before)
    done = ExportRun.objects.get(pk=draft.pk)
    if done.state != ExportRun.State.FINISHED or done.rows != len(ids):
        raise RuntimeError(f"{kind}: {done.state}, {done.rows} rows of {len(ids)}, {done.error}")
    name = f"export {kind}, {len(ids):,} orders"
    return [
        Row(f"{name}, in times of COPY", spent, "s", floor_s, spent / floor_s, 0, 0, lower_is_better=True),
        Row(f"{name}, seconds of the budget", spent, "s", 1, spent, MUST_S, MUST_S / 3, lower_is_better=True),
        Row(f"{name}, memory left grown", grown, "MB", 1, grown, GROWN_MB, GROWN_MB / 2, lower_is_better=True),
    ]


def _memory_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def _copied(path: Path) -> float:
    """Seconds of the bare COPY."""
    began = time.perf_counter()
    with path.open("wb") as file, connection.cursor() as cursor:
        wanted = f"SELECT * FROM orders_order ORDER BY id DESC LIMIT {CHOSEN}"
        with cursor.copy(f"COPY ({wanted}) TO STDOUT (FORMAT csv)") as copy:
            for piece in copy:
                file.write(piece)
    return time.perf_counter() - began
