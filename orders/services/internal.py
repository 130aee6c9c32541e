"""Orders of our own making that no channel knows: exchanges and resends. Nothing is told to the channel about them."""

from orders.models import Order

INTERNAL = "internal"


def is_internal(order: Order) -> bool:
    return INTERNAL in order.flags
