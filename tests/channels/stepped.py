"""A clock that only moves when somebody waits, and a clean memory: for connectors against the sandbox."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.conf import settings

from channels.sandbox.server import RunningSandbox, running_sandbox
from channels.sandbox.world import World
from oms.kernel import clock


class Time:
    """Waiting moves it at once."""

    def __init__(self) -> None:
        self.at = datetime(2026, 8, 3, 1, 0, 0, 500_000, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(seconds, 0.0))

    def skip(self, **units: float) -> None:
        self.at += timedelta(**units)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Time]:
    moved = Time()
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", moved.now)
        patched.setattr(clock, "sleep", moved.sleep)
        yield moved


def forget(channel: str) -> None:
    """Drop what a connector keeps in Redis: tokens, limits, what it has seen."""
    store = redis.Redis.from_url(settings.REDIS_URL)
    for pattern in (f"{channel}:*", f"seen:{channel}:*", f"limit:{channel}:*"):
        for key in store.scan_iter(pattern):
            store.delete(key)


def sandbox_of(malls: Iterable[str], time: Time) -> AbstractContextManager[RunningSandbox]:
    """A world of its own on this clock, and connectors that know nothing of an earlier one."""
    for channel in malls:
        forget(channel)
    return running_sandbox(World(1, time.now))
