"""Memory of a Celery worker's process after a day's work: imports, bulk runs, sweeps, allocation, the outbox.

The worker runs the product's own tasks on a copy of the stored orders, with a broker database of its own.
"""

import json
import os
import tempfile
import uuid
from pathlib import Path

import redis
from celery import Celery
from django.conf import settings

from bench import intake
from bench.bulk import ready_orders
from bench.row import Row
from bench.scratch import scratch_database
from bench.servers import database_url, running
from bench.web import memory_row
from oms.kernel.models import User
from oms.runtime.environment import broker
from oms.runtime.places import places
from oms.runtime.redis_server import url as redis_url
from orders.models import BulkRun
from orders.services import bulk

STORED = 100_000
BROKER = 9  # a Redis database that the product does not use
WORKER_MB, WAIT_S = 250, 900
IMPORTS, BULK_RUNS, ROUNDS = 12, 2, 60
SWEEPS = (
    "orders.tasks.sweep_stages",
    "orders.tasks.fold_counts",
    "fulfillment.tasks.allocate_waiting",
    "oms.kernel.tasks.deliver_effects",
)


def run() -> list[Row]:
    """One row, in about two minutes."""
    here = os.environ.get("REDIS_URL") or redis_url(places(), BROKER)
    with scratch_database("bench_worker", orders=STORED), tempfile.TemporaryDirectory() as folder:
        intake.prepare()
        runs = _runs()
        queue = redis.Redis.from_url(here, socket_timeout=WAIT_S + 10)
        queue.flushdb()
        environment = {
            **os.environ, "DATABASE_URL": database_url(), "REDIS_URL": here, "OMS_ENV": "local",
            "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
        }  # fmt: skip
        arguments = ["celery", "-A", "bench.worker_app", "worker", "-Q", "bench", "-c", "1", "-n", "bench@%h"]
        with running([*arguments, "--without-gossip", "--without-mingle"], environment, Path(folder, "worker.log")):
            sizes = _after_a_day(here, queue, runs)
        queue.flushdb()
    tasks = IMPORTS + len(runs) + ROUNDS * len(SWEEPS)
    return [memory_row("celery worker", max(sizes) / 2**20, WORKER_MB, f"{tasks:,} tasks")]


def _runs() -> list[str]:
    """Begun bulk runs of ten thousand orders each, holding and letting go in turns."""
    by = User.objects.get_or_create(username="bench", is_superuser=True)[0]
    ids = ready_orders()
    keys = []
    for number in range(BULK_RUNS):
        draft = bulk.draft(("hold", "lift")[number % 2], ids, by=by)
        params = {"reason": "測定"} if draft.action == "hold" else {}
        BulkRun.objects.filter(pk=draft.pk).update(state=BulkRun.State.RUNNING, params=params)
        keys.append(str(draft.pk))
    return keys


def _after_a_day(url: str, queue: "redis.Redis", runs: list[str]) -> list[int]:
    """Bytes of the worker's processes when all tasks are done. Raises TimeoutError when they are not in time."""
    sender = Celery(broker=broker(url))
    key = f"bench:{uuid.uuid4().hex}"
    for number in range(IMPORTS):
        sender.send_task("bench.take_in", [number * intake.BATCH], queue="bench")
    for run in runs:
        sender.send_task("orders.tasks.run_bulk", [run], queue="bench")
    for _round in range(ROUNDS):
        for name in SWEEPS:
            sender.send_task(name, queue="bench")
    sender.send_task("bench.report", [key], queue="bench")
    answer = queue.blpop([key], timeout=WAIT_S)
    if answer is None:
        raise TimeoutError("the worker did not get through its tasks in time")
    if unfinished := BulkRun.objects.exclude(state=BulkRun.State.FINISHED).count():
        raise RuntimeError(f"{unfinished} bulk runs are not finished")
    sizes: list[int] = json.loads(answer[1])
    return sizes
