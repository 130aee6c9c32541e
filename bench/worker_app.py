"""The product's Celery application with two tasks of the benchmark's own, for a worker started by `bench.worker`."""

import json

import psutil
import redis
from celery import shared_task
from django.conf import settings

from oms.celery import app


@shared_task(name="bench.take_in", ignore_result=True)
def take_in(start: int) -> None:
    """One batch of orders from raw payloads to their stage, as an import brings them."""
    from bench import intake  # noqa: PLC0415 - models need the worker's Django
    from channels.models import Connection  # noqa: PLC0415
    from channels.services import intake as service  # noqa: PLC0415
    from channels.services import shops  # noqa: PLC0415

    shop = Connection.objects.get(shop__code="bench")
    pulled = service.Pulled()
    service.take_raw(shop, shops.connector_of(shop), next(intake.batches(start)), pulled)
    if pulled.created != intake.BATCH:
        raise RuntimeError(f"only {pulled} of {intake.BATCH} orders were taken in")


@shared_task(name="bench.report", ignore_result=True)
def report(key: str) -> None:
    """Say how large this process and its parent are, in bytes."""
    own = psutil.Process()
    sizes = [own.memory_info().rss, own.parent().memory_info().rss]
    redis.Redis.from_url(settings.REDIS_URL).lpush(key, json.dumps(sizes))


__all__ = ["app", "report", "take_in"]
