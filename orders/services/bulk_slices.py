"""One slice of a bulk run or of its undoing: what one order cannot bear must not keep the others."""

from collections.abc import Callable, Sequence

import structlog
from django.db import transaction

from oms.kernel.said import said
from orders.actions import Outcome

log = structlog.get_logger(__name__)


def bearable(go: Callable[[Sequence[int]], Outcome], ids: Sequence[int], what: str) -> Outcome:
    """Run a slice; when it fails, its halves, until the culprit stands alone and the others are done."""
    try:
        with transaction.atomic():
            return go(ids)
    except Exception as error:  # whatever one order cannot bear must not keep the others; it is named in the result
        if len(ids) == 1:
            log.exception("bulk_order_failed", action=what, order=ids[0])
            return Outcome([], failed={ids[0]: said("処理できませんでした（%(error)s）。", error=type(error).__name__)})
    middle = len(ids) // 2
    return joined(bearable(go, ids[:middle], what), bearable(go, ids[middle:], what))


def joined(one: Outcome, other: Outcome) -> Outcome:
    return Outcome(
        [*one.done, *other.done],
        {**one.skipped, **other.skipped},
        {**one.failed, **other.failed},
        [*one.offers, *other.offers],
    )
