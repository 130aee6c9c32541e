"""Work over many rows in which one that our program stumbles over keeps no other."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError

from oms.kernel.sql import was_in_the_way

T = TypeVar("T")
log = structlog.get_logger(__name__)


def in_halves(go: Callable[[Sequence[int]], T], ids: Sequence[int], what: str) -> list[T]:
    """What `go` answers for these ids, in one call; where it fails, for their halves, until the culprit stands alone:
    it is logged as `what` and left. `go` opens its own transactions and may be asked twice. A database that is away is
    no row's fault: that is raised."""
    if not ids:
        return []
    try:
        return [go(ids)]
    except Exception as error:  # whatever one row cannot bear; it is named in the log
        if isinstance(error, InterfaceError | OperationalError) and not was_in_the_way(error):
            raise
        if len(ids) == 1:
            log.exception(what, id=ids[0])
            return []
    middle = len(ids) // 2
    return in_halves(go, ids[:middle], what) + in_halves(go, ids[middle:], what)
