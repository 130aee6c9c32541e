"""What a changed setting of a reason would do to the open orders, before it is stored. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from orders.models import Order
from orders.models.order import FulfillmentState
from orders.models.reason import Level
from orders.services import reason_settings, review
from orders.services.reason_settings import Setting
from orders.services.review_again import BEFORE_INSTRUCT

MOST = 2_000  # the newest open orders that are looked at
BATCH = 200


@dataclass(slots=True)
class Preview:
    """Order ids. `stopped` had nothing that blocks and would have; `freed` the other way round; `opened` and `closed`
    get or lose the reason at whatever level. `looked_at` of `open_orders` were looked at."""

    open_orders: int = 0
    looked_at: int = 0
    stopped: list[int] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return self.looked_at == self.open_orders


def preview(wanted: Setting) -> Preview:
    """Evaluate the newest open orders with this setting in place of the stored one."""
    open_orders = Order.objects.filter(stage__in=BEFORE_INSTRUCT, fulfillment_state=FulfillmentState.NONE)
    result = Preview(open_orders=open_orders.count())
    ids = list(open_orders.order_by("-pk").values_list("pk", flat=True)[:MOST])
    for start in range(0, len(ids), BATCH):
        _look(ids[start : start + BATCH], wanted, result)
    return result


def _look(ids: Sequence[int], wanted: Setting, result: Preview) -> None:
    settings = reason_settings.read().with_(wanted)
    for order, found in review.looked_at(ids, changes={}, settings=settings):
        known = {reason.code: reason for reason in order.reasons.all()}
        reason = known.get(wanted.code)
        before = reason.level if reason and reason.state == review.State.OPEN else ""
        after = review.level_after(reason, found.get(wanted.code))
        if before and wanted.code in review.FROM_ABOVE | review.STICKY:
            after = wanted.level_for(review.reader_of(order))
        others = any(
            row.state == review.State.OPEN and row.level == Level.BLOCK and code != wanted.code
            for code, row in known.items()
        )
        _count(order.pk, before, after, blocked_anyway=others, result=result)


def _count(order_id: int, before: str, after: str, *, blocked_anyway: bool, result: Preview) -> None:
    result.looked_at += 1
    if after and not before:
        result.opened.append(order_id)
    elif before and not after:
        result.closed.append(order_id)
    if blocked_anyway or (before == Level.BLOCK) == (after == Level.BLOCK):
        return
    (result.stopped if after == Level.BLOCK else result.freed).append(order_id)
