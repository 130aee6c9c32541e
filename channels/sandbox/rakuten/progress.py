"""Where an order stands in Rakuten's own steps, and at what times it got there."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from channels.sandbox.model import SandboxOrder

REPORT_DELAY = timedelta(seconds=30)
"""From the last shipping row to 発送済; the report is worked on behind the scenes."""
PAYING_AFTER = timedelta(hours=6)
PAID_AFTER = timedelta(days=2)
CANCEL_SETTLES_AFTER = timedelta(seconds=60)
"""From the shop's cancel request (800) to the final state (900)."""


def progress(order: SandboxOrder, now: datetime) -> int:
    if order.state == "cancelled":
        settled = order.cancelled_by != "shop" or not order.cancelled_at
        return 900 if settled or now >= _at(order.cancelled_at) + CANCEL_SETTLES_AFTER else 800
    if order.state == "shipped":
        return _after_shipping(now - _at(order.shipped_at))
    return {"placed": 100, "pending": 200, "confirmed": 200}.get(order.state, 300)


def _after_shipping(since: timedelta) -> int:
    if since < REPORT_DELAY:
        return 300
    if since < PAYING_AFTER:
        return 500
    return 600 if since < PAID_AFTER else 700


def fixed_at(order: SandboxOrder) -> datetime | None:
    """When the order became ready to ship; kept in `extra` once it was seen so."""
    told = order.extra.get("fixed_at")
    return datetime.fromisoformat(told) if told else None


def reported_at(order: SandboxOrder, now: datetime) -> datetime | None:
    """When the shipping report was complete."""
    if order.state != "shipped":
        return None
    at = _at(order.shipped_at) + REPORT_DELAY
    return at if at <= now else None


def shipping_rows(order: SandboxOrder) -> list[Mapping[str, Any]]:
    """What the shop told: shippingDetailId, basketId, shippingNumber, deliveryCompany, shippingDate."""
    return list(order.extra.get("shipping", []))


def _at(moment: datetime | None) -> datetime:
    if moment is None:
        raise ValueError("a shipped or cancelled order has its time")
    return moment
