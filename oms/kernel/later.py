"""Wake a Celery worker after commit, by task name, so that services need not import tasks.

Losing the message loses no work: a periodic sweep finds what a lost wake-up left.
"""

import logging
from collections.abc import Sequence

from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


def later(task: str, *args: int | str | Sequence[int], countdown_s: float = 0) -> None:
    """Send `task` with `args` (ids only) once the current transaction has committed."""
    transaction.on_commit(lambda: _send(task, args, countdown_s))


def _send(task: str, args: tuple[object, ...], countdown_s: float) -> None:
    from oms.celery import app  # noqa: PLC0415 - the app needs settings, which need this package

    try:
        app.send_task(task, args=args, countdown=countdown_s or None)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("later: %s not sent (%s); the sweep will find the work", task, error)
