"""Signs of life in Redis: beat writes one whenever it sends, a worker one per queue whenever it runs a heartbeat task.

Wall time, not the business clock: a simulated day must not make a dead worker look alive.
"""

import time
from functools import cache

import redis
from django.conf import settings

KEPT_S = 3600


@cache
def client() -> redis.Redis:
    """This process's connection pool; short timeouts, because health must answer when Redis does not."""
    made: redis.Redis = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    return made


def beat_sent() -> None:
    client().set("alive:beat", time.time(), ex=KEPT_S)


def worker_ran(queue: str) -> None:
    client().set(f"alive:worker:{queue}", time.time(), ex=KEPT_S)


def ages_s() -> dict[str, float | None]:
    """Seconds since each sign, None where there was none: `beat` and `worker:<queue>`. Raises redis.RedisError."""
    names = ["beat", *(f"worker:{queue}" for queue in settings.OMS_QUEUES)]
    values = client().mget([f"alive:{name}" for name in names])
    now = time.time()
    return {name: None if value is None else now - float(value) for name, value in zip(names, values, strict=True)}
