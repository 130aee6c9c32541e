"""The Celery application. Messages carry ids, never data; losing Redis loses nothing."""

import logging.config
import os
from typing import Any

import redis
import structlog
from celery import Celery, signals
from django_structlog.celery.steps import DjangoStructLogInitStep

from oms.schedule import LONG_QUEUES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")

app = Celery("oms")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["oms.kernel.observability"])
app.steps["worker"].add(DjangoStructLogInitStep)

log = structlog.get_logger(__name__)

_long_queues: set[str] = set()  # those that this worker consumes


@signals.setup_logging.connect
def use_project_logging(**_kwargs: Any) -> None:
    """Celery would install its own handlers and formats; both sides must write one kind of line."""
    from django.conf import settings  # noqa: PLC0415 - not loadable while settings load this module

    logging.config.dictConfig(settings.LOGGING)


@signals.worker_ready.connect
def worker_is_there(sender: Any, **_kwargs: Any) -> None:
    """A first sign of life at once: the first heartbeat task may be a quarter of a minute away."""
    from oms.kernel.observability import heartbeat  # noqa: PLC0415 - needs settings

    for queue in sender.task_consumer.queues:
        _sign(lambda name=queue.name: heartbeat.worker_ran(name))
        if queue.name in LONG_QUEUES:
            _long_queues.add(queue.name)


@signals.heartbeat_sent.connect
def long_worker_is_there(sender: Any, **_kwargs: Any) -> None:
    """Every other second, by the worker's main process: its children may be busy with one reading for hours."""
    from oms.kernel.observability import heartbeat  # noqa: PLC0415 - needs settings

    for queue in _long_queues:
        _sign(lambda name=queue: heartbeat.worker_ran(name))


@signals.beat_init.connect
def beat_is_there(**_kwargs: Any) -> None:
    """From now on this process is beat: whatever it sends is a sign of life."""
    from oms.kernel.observability import heartbeat  # noqa: PLC0415 - needs settings

    def sent(**_more: Any) -> None:
        _sign(heartbeat.beat_sent)

    _sign(heartbeat.beat_sent)
    signals.after_task_publish.connect(sent, weak=False)


def _sign(write: Any) -> None:
    try:
        write()
    except redis.RedisError as error:
        log.warning("heartbeat_not_written", error=str(error))
