"""Measured: how fast each SKU sells at each shop, and how long a sale and a push take. A few rows, no history."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db.models import Count, F, Q, Sum

from channels.decide.pace import MEMORY_S, decayed, per_minute, smoothed
from channels.models import Listing, PublishRule, SalesPace
from channels.services.wake import wake_publisher
from inventory.models import PublisherMark
from oms.kernel import clock
from orders.models import OrderLine, Shop

FORGOTTEN_AFTER = timedelta(hours=1)  # a delay measured longer ago says nothing about now

# One importer per shop writes its rows, sorted; nobody else does.
ADD = f"""
INSERT INTO channels_salespace AS p (shop_id, sku_id, units, sales, at)
SELECT %s, s.sku, s.units, s.sales, %s FROM unnest(%s::bigint[], %s::float[], %s::float[]) AS s(sku, units, sales)
 ORDER BY s.sku
ON CONFLICT (sku_id, shop_id) DO UPDATE SET
  units = p.units * exp(least(0, extract(epoch FROM p.at - excluded.at)) / {MEMORY_S}) + excluded.units,
  sales = p.sales * exp(least(0, extract(epoch FROM p.at - excluded.at)) / {MEMORY_S}) + excluded.sales,
  at = excluded.at
"""


def note_sales(shop: Shop, order_nos: Sequence[str]) -> None:
    """Add these newly imported orders to the shop's speeds. Only sales of the last minutes make a speed: a catch-up
    after a standstill is none."""
    now = clock.now()
    recent = Q(order__ordered_at__gt=now - timedelta(seconds=2 * MEMORY_S))
    lines = OrderLine.objects.filter(recent, order__shop=shop, order__channel_order_no__in=order_nos, sku__isnull=False)
    sums = lines.values("sku").annotate(units=Sum(F("quantity") * F("units")), sales=Count("pk")).order_by("sku")
    rows = [(row["sku"], float(row["units"]), float(row["sales"])) for row in sums]
    if rows:
        skus, units, sales = zip(*rows, strict=True)
        with database.cursor() as cursor:
            cursor.execute(ADD, [shop.pk, now, list(skus), list(units), list(sales)])


@dataclass(frozen=True, slots=True)
class Speed:
    """Units a minute, and how many recent sales say so."""

    per_minute: float = 0.0
    sales: float = 0.0


def speeds(sku_ids: Collection[int]) -> dict[tuple[int, int], Speed]:
    """(shop, SKU) → its speed now; pairs that sold nothing lately are left out."""
    now = clock.now()
    found = {}
    fresh = SalesPace.objects.filter(sku__in=sku_ids, at__gt=now - FORGOTTEN_AFTER)
    for shop, sku, units, sales, at in fresh.values_list("shop", "sku", "units", "sales", "at"):
        age = (now - at).total_seconds()
        found[shop, sku] = Speed(per_minute(decayed(units, age)), decayed(sales, age))
    return found


def note_delay(shop_id: int, column: str, value_s: float) -> None:
    """Smooth a measured delay (`import_delay_s` or `push_delay_s`) into the shop's row."""
    row, _created = PublishRule.objects.get_or_create(shop_id=shop_id)
    setattr(row, column, smoothed(getattr(row, column), value_s))
    row.measured_at = clock.now()
    row.save(update_fields=[column, "measured_at"])


def delay_of(rule: PublishRule, capabilities: dict[str, Any], cursor: datetime | None) -> tuple[float, float]:
    """(seconds from a sale at this shop until the others know, age of what we know of its orders).

    Measured lately, else what the connector's rhythm makes likely; never less than how far the import is behind.
    """
    now = clock.now()
    poll_s = float(capabilities.get("poll_interval_s", 60))
    age = max(0.0, (now - cursor).total_seconds()) if cursor else poll_s
    known = rule.measured_at is not None and now - rule.measured_at < FORGOTTEN_AFTER
    delay = rule.import_delay_s if known and rule.import_delay_s is not None else poll_s
    push = rule.push_delay_s if known and rule.push_delay_s is not None else 1.0
    return max(delay, age) + push, age


def look_again(shop: Shop) -> None:
    """After an import our books have caught up with this shop: what sells fast there, or is parted between the shops,
    is decided anew."""
    now = clock.now()
    moving = SalesPace.objects.filter(at__gt=now - FORGOTTEN_AFTER).values("sku")
    rows = Listing.objects.filter(shop=shop, hot=True, sku__isnull=False)
    skus = rows.filter(Q(sku__in=moving) | Q(mode=Listing.Mode.LAST_UNIT)).values_list("sku", flat=True).distinct()
    marks = PublisherMark.objects.bulk_create(PublisherMark(sku_id=sku, at=now) for sku in skus)
    if marks:
        wake_publisher()
