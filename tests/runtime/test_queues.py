"""Work that a mall makes slow waits in a queue of its own, and its worker is known to live while it is at it."""

from types import SimpleNamespace

import pytest
from celery.worker.heartbeat import Heart

import oms.celery
from oms.celery import app
from oms.kernel.observability import health, heartbeat
from oms.schedule import BEAT_SCHEDULE, LONG_QUEUES, QUEUES

LONG_READINGS = {
    "channels.tasks.import_listings",
    "channels.tasks.publish_compare_shop",
    "channels.tasks.intake_compare",
    "channels.tasks.intake_by_number",
}


def queue_of(task: str) -> str:
    return app.amqp.router.route({}, task)["queue"].name


@pytest.fixture
def worker(monkeypatch):
    """Call it with a queue's name: as if a worker had started for it here; its heartbeat signal comes back."""
    monkeypatch.setattr(oms.celery, "_long_queues", set())

    def start(queue: str):
        consumer = SimpleNamespace(queues=[SimpleNamespace(name=queue)])
        oms.celery.worker_is_there(sender=SimpleNamespace(task_consumer=consumer))
        return lambda: oms.celery.signals.heartbeat_sent.send(sender=Heart)

    yield start
    heartbeat.client().flushdb()


def test_what_reads_a_whole_mall_shares_its_queue_with_nothing_else():
    app.loader.import_default_modules()
    assert set(app.tasks) > LONG_READINGS
    assert {task for task in app.tasks if queue_of(task) in LONG_QUEUES} == LONG_READINGS


def test_beat_asks_every_queue_for_a_sign_of_life_but_the_long_ones():
    asked = {entry["options"]["queue"] for name, entry in BEAT_SCHEDULE.items() if name.startswith("heartbeat-")}
    assert asked == set(QUEUES) - set(LONG_QUEUES)


def test_a_worker_busy_with_a_long_reading_is_alive(worker):
    beats = worker("reading")
    heartbeat.client().delete("alive:worker:reading")  # its start is long ago
    beats()
    age = heartbeat.ages_s()["worker:reading"]
    assert age is not None and age < health.SILENT_AFTER_S


def test_other_workers_must_work_to_be_alive(worker):
    beats = worker("outbox")
    heartbeat.client().delete("alive:worker:outbox")
    beats()
    assert heartbeat.ages_s()["worker:outbox"] is None, "a worker whose slots hang must not look well"
