"""Renewing a token, one process at a time: a slow or a dead renewal ends in words and a retry, never in a crash."""

from typing import Any

import pytest
import redis
from django.conf import settings

from channels.connectors import alone as lock
from channels.connectors.alone import alone
from channels.connectors.contract import ChannelDown, ConnectorSettings
from channels.connectors.registry import connector_class
from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World
from tests.channels.stepped import Time, forget, time

__all__ = ["time"]
NAME = "test:alone"


@pytest.fixture
def client() -> Any:
    found = redis.Redis.from_url(settings.REDIS_URL)
    found.delete(f"{NAME}:lock")
    return found


def test_two_never_work_at_the_same_time(client: redis.Redis, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lock, "WAIT_S", 0.05)
    with alone(client, NAME), pytest.raises(ChannelDown, match="自動で再試行"), alone(client, NAME):
        raise AssertionError("two at once")
    with alone(client, NAME):
        pass


def test_a_lock_that_ended_meanwhile_hides_neither_the_result_nor_the_trouble(client: redis.Redis):
    with alone(client, NAME):
        client.delete(f"{NAME}:lock")
    with pytest.raises(ChannelDown, match="応答"), alone(client, NAME):
        client.delete(f"{NAME}:lock")
        raise ChannelDown("応答がありません。")


def test_a_lock_that_is_anothers_by_now_stays_his(client: redis.Redis):
    with alone(client, NAME):
        client.set(f"{NAME}:lock", "another worker")
    assert client.get(f"{NAME}:lock") == b"another worker"
    client.delete(f"{NAME}:lock")


@pytest.mark.parametrize("channel", ["amazon", "yahoo", "futureshop"])
def test_a_renewal_that_hangs_elsewhere_is_a_passing_trouble(time: Time, channel: str, monkeypatch: pytest.MonkeyPatch):
    forget(channel)
    monkeypatch.setattr(lock, "WAIT_S", 0.05)
    client = redis.Redis.from_url(settings.REDIS_URL)
    held: list[str] = []
    real = redis.Redis.lock

    def busy(self: redis.Redis, name: str, **given: Any) -> Any:
        client.set(name, "another worker")
        held.append(name)
        return real(self, name, **given)

    with running_sandbox(World(seed=1, clock=time.now)) as sandbox, monkeypatch.context() as patched:
        address = sandbox.addresses()[channel]
        connector = connector_class(channel)(
            ConnectorSettings("s", address["base_url"], address["auth_url"], address["credentials"])
        )
        patched.setattr(redis.Redis, "lock", busy)
        with pytest.raises(ChannelDown) as trouble:
            connector.check()
        assert trouble.value.retry and held
    forget(channel)
