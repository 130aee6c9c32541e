"""The stock that orders hold: every promise of a line is known to the ledger as `line:<id>`."""

from collections.abc import Iterable
from datetime import datetime

from inventory.services.stock import Want
from orders.channel_order import ChannelOrder, ChannelState
from orders.models import Order

# A priority outweighs every deadline; an order without one comes after all that have one.
PRIORITY_STEP, NO_DEADLINE = 1e11, 5e10
# The channel's mark of an unpaid pre-order that must not hold stock yet.
NO_RESERVE = "no_reserve"


def ref_of(line_id: int) -> str:
    return f"line:{line_id}"


def line_ids_of(refs: Iterable[str]) -> list[int]:
    """The lines behind refs of ours; refs of other documents are left out."""
    return [int(ref.removeprefix("line:")) for ref in refs if ref.startswith("line:")]


def want_of(  # noqa: PLR0917 - the order's own words
    line_id: int, sku_id: int, quantity: int, ship_by: datetime | None, ordered_at: datetime, priority: int = 0
) -> Want:
    """A line's wish for a promise, ranked by `rank_of`."""
    return Want(ref_of(line_id), sku_id, quantity, rank_of(ship_by, ordered_at, priority))


def rank_of(ship_by: datetime | None, ordered_at: datetime, priority: int = 0) -> tuple[float, float]:
    """Served first: the higher priority, then the earliest ship-by, then the earliest order."""
    deadline = ship_by.timestamp() if ship_by else NO_DEADLINE
    return (deadline - priority * PRIORITY_STEP, ordered_at.timestamp())


def takes_stock(order: ChannelOrder) -> bool:
    """The order's lines hold promises: it is open, ours to ship, and the channel does not say to wait."""
    over = order.state in {ChannelState.CANCELLED, ChannelState.SHIPPED}
    return not over and not order.fulfilled_by_channel and NO_RESERVE not in order.flags


def takes_stock_now(order: Order) -> bool:
    """The same of a stored order."""
    return not order.fulfilled_by_channel and order.cancelled_at is None and NO_RESERVE not in order.flags
