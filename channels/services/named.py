"""Finding shops and orders by the names people type, with an answer that helps when there is none."""

from django.core.management.base import CommandError

from channels.models import Connection
from orders.models import Order, Shop


def connection_named(code: str) -> Connection:
    """Raises CommandError that lists what there is."""
    try:
        return Connection.objects.select_related("shop").get(shop__code=code)
    except Connection.DoesNotExist:
        known = ", ".join(Shop.objects.values_list("code", flat=True)) or "none yet; use shop_add"
        raise CommandError(f"no shop {code!r}; there is: {known}") from None


def order_named(connection: Connection, channel_order_no: str) -> Order:
    """Raises CommandError that says what to do."""
    try:
        return Order.objects.select_related("shop").get(shop=connection.shop, channel_order_no=channel_order_no)
    except Order.DoesNotExist:
        raise CommandError(
            f"no order {channel_order_no!r} in {connection.shop.code}; "
            f"`pull {connection.shop.code}` imports what is new"
        ) from None
