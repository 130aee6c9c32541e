"""A limit for calls to a channel that a person waits for: a page never hangs on a slow mall."""

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connection
from django.utils import translation

from channels.connectors.contract import ChannelDown
from oms.kernel.said import said

T = TypeVar("T")

PATIENCE_S = 20.0


def within(call: Callable[[], T], limit_s: float | None) -> T:
    """What `call` returns or raises; after `limit_s` wall seconds raises ChannelDown and lets the call end by itself.

    The call runs in a thread with a database connection of its own: it must not rely on the caller's transaction.
    Without a limit it simply runs here.
    """
    if limit_s is None:
        return call()
    results: list[T] = []
    errors: list[BaseException] = []
    language = translation.get_language()

    def run() -> None:
        try:
            with translation.override(language):
                results.append(call())
        except BaseException as error:  # handed over to the waiting thread
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if errors:
        raise errors[0]
    if not results:
        raise ChannelDown(said("モールの応答に時間がかかっています。しばらくしてからもう一度お試しください。"))
    return results[0]
