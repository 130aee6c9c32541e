"""Waking the publisher when stock has changed, once for a burst. Beat's sweep finds what a lost wake-up left."""

import redis
from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError

from oms.kernel.later import later

KEY = "publish:woken"
MERGE_MS = 1000  # a message that nobody took for so long is sent again


def wake_publisher() -> None:
    """After commit, unless a wake-up is on its way already. Nothing is done inside the transaction."""
    transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    try:
        first = _redis().set(KEY, "1", nx=True, px=MERGE_MS)
    except RedisError:
        return  # without Redis there is no worker to wake either; the sweep finds the marks
    if first:
        later("channels.tasks.publish")


def awake() -> None:
    """The publisher starts: what changes from here on wakes it again. Call it before reading the marks."""
    try:
        _redis().delete(KEY)
    except RedisError:
        return  # the key ends by itself


_client: "redis.Redis | None" = None


def _redis() -> "redis.Redis":
    global _client  # noqa: PLW0603 - one pool of connections per process, made when first needed
    if _client is None:
        _client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)
    return _client
