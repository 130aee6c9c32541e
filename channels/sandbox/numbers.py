"""Order numbers and line ids in each channel's real format, from counters that never run backwards."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from channels.sandbox.model import Channel

AMAZON_SELLER_ID = "A2SANDBOXSHOP9"
AMAZON_MARKETPLACE_ID = "A1VC38T7YXB528"
RAKUTEN_SHOP_ID = "401122"
RAKUTEN_SHOP_URL = "akari-shoten"
YAHOO_SELLER_ID = "akari-store"
QOO10_SELLER_ID = "akari_shop"
FUTURESHOP_SHOP_KEY = "akari"

JST = timezone(timedelta(hours=9), "JST")
NextId = Callable[[Channel, str, int], int]
"""(channel, counter name, first value) → the next value, never again."""


def order_number(channel: Channel, serial: int, seed: int, ordered_at: datetime) -> str:
    """The channel's own number of the order with this serial."""
    if channel == "amazon":
        digits = f"{(serial * 72497623541 + seed * 31337) % 10**14:014d}"
        return f"{('249', '250', '503')[serial % 3]}-{digits[:7]}-{digits[7:]}"
    if channel == "rakuten":
        return f"{RAKUTEN_SHOP_ID}-{ordered_at.astimezone(JST):%Y%m%d}-{12340000 + serial:010d}"
    if channel == "yahoo":
        return f"{YAHOO_SELLER_ID}-{10000000 + serial}"
    if channel == "qoo10":
        return str(812340000 + serial)
    return f"{100000900000 + serial:012d}"


def line_id(channel: Channel, line_no: int, next_id: NextId) -> str:
    """The channel's own id of an order line."""
    if channel == "amazon":
        return f"{40000000000000 + next_id(channel, 'line', 1) * 7919:014d}"
    if channel == "rakuten":
        return str(next_id(channel, "line", 7300001))
    if channel == "qoo10":
        return str(next_id(channel, "line", 1099900001))
    return str(line_no)


def destination_id(channel: Channel, no: int, next_id: NextId) -> str:
    """rakuten basketId; elsewhere just the number."""
    return str(next_id(channel, "destination", 7200001)) if channel == "rakuten" else str(no)
