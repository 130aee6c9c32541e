"""/healthz says what is wrong, /metrics counts; neither asks for a login."""

import time

import pytest
import redis
from django.conf import settings
from django.db import OperationalError

from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.observability import health, heartbeat, metrics
from oms.kernel.observability.tasks import heartbeat as heartbeat_task


@pytest.fixture
def alive(db):
    """All parts have just given a sign of life."""
    heartbeat.beat_sent()
    for queue in settings.OMS_QUEUES:
        heartbeat_task(queue)
    yield
    heartbeat.client().flushdb()


def test_all_well_is_200_without_login(client, alive):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert {f"worker:{queue}" for queue in settings.OMS_QUEUES} < set(answer.json()["checks"])


def test_a_silent_worker_is_503_with_its_name(client, alive):
    long_ago = time.time() - health.SILENT_AFTER_S - 5
    heartbeat.client().set("alive:worker:publish", long_ago)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    failing = {part: check["reason"] for part, check in answer.json()["checks"].items() if not check["ok"]}
    assert list(failing) == ["worker:publish"]
    assert "publish" in failing["worker:publish"] and "秒" in failing["worker:publish"]


def test_parts_that_never_lived_are_named(client, alive):
    heartbeat.client().delete("alive:beat")
    assert client.get("/healthz").json()["checks"]["beat"] == {"ok": False, "reason": "beat が動いていません。"}


def test_redis_away_is_said_and_the_rest_still_checked(client, alive, monkeypatch):
    def away():
        raise redis.ConnectionError("refused")

    monkeypatch.setattr(heartbeat, "ages_s", away)
    answer = client.get("/healthz")
    checks = answer.json()["checks"]
    assert answer.status_code == 503
    assert checks["database"]["ok"] and "Redis" in checks["redis"]["reason"]


def test_database_away_is_said(client, alive, monkeypatch):
    def away(self):
        raise OperationalError("server closed the connection; password=hunter2")

    with monkeypatch.context() as only_now:
        only_now.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", away)
        answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["reason"] == "データベースに接続できません。"
    assert "hunter2" not in answer.content.decode()


def test_only_reading_is_allowed(client, alive):
    assert client.post("/healthz").status_code == 405
    assert client.post("/metrics").status_code == 405


def test_metrics_count_effects_and_requests(client, alive):
    for number, state in enumerate([Effect.State.FAILED, Effect.State.FAILED, Effect.State.WAITING]):
        Effect.objects.create(
            kind="mail",
            key=f"k{number}",
            subject="order:1",
            state=state,
            next_try_at=clock.now(),
            created_at=clock.now(),
        )
    client.get("/healthz")
    text = client.get("/metrics").content.decode()
    assert 'oms_effects{kind="mail",state="failed"} 2.0' in text
    assert 'oms_effects{kind="mail",state="waiting"} 1.0' in text
    assert 'oms_http_requests_total{method="GET",route="healthz",status="200"}' in text
    assert 'oms_queue_length{queue="intake"} 0.0' in text


def test_an_app_can_add_figures_and_a_broken_one_hides_nothing(client, alive):
    def broken():
        raise OperationalError("away")

    metrics.gauges("test_shops", "Shops.", ["health"], lambda: [(("good",), 3)])
    metrics.gauges("test_broken", "Broken.", [], broken)
    try:
        text = client.get("/metrics").content.decode()
    finally:
        metrics._states.pop("test_shops")
        metrics._states.pop("test_broken")
    assert 'test_shops{health="good"} 3.0' in text
    assert "test_broken" not in text and "oms_silence_seconds" in text
