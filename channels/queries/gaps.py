"""取込の照合: what each shop's days look like, and the orders behind each number."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet

from channels.models import DayCheck, MissedOrder
from channels.services.gaps import bounds
from oms.kernel import clock
from orders.models import Order, Shop

DAYS = 14


@dataclass(frozen=True, slots=True)
class Cell:
    """One shop's day. `check` is None when it was never compared; `tone` colours it."""

    shop: Shop
    day: date
    check: DayCheck | None

    @property
    def tone(self) -> str:
        if self.check is None:
            return "neutral"
        if self.check.missing or self.check.error:
            return "danger"
        if self.check.until <= bounds(self.day)[0]:
            return "waiting"
        return "attention" if self.check.held else "done"


@dataclass(frozen=True, slots=True)
class Row:
    day: date
    cells: list[Cell] = field(default_factory=list)


def calendar(shops: Sequence[Shop], *, last: date, days: int = DAYS) -> list[Row]:
    """The days up to `last`, the newest first, with a cell per shop; one query."""
    first = last - timedelta(days=days - 1)
    checks = {
        (check.shop_id, check.day): check
        for check in DayCheck.objects.filter(day__gte=first, day__lte=last).defer("numbers")
    }
    wanted = [last - timedelta(days=back) for back in range(days)]
    return [Row(day, [Cell(shop, day, checks.get((shop.pk, day))) for shop in shops]) for day in wanted]


def missed(shop: Shop, day: date) -> "QuerySet[MissedOrder]":
    """Orders a comparison of this day found missing, those still missing first."""
    return MissedOrder.objects.filter(shop=shop, day=day).order_by("-resolved_at", "ordered_at")


def orders_by_number(shop: Shop, numbers: Sequence[str]) -> dict[str, int]:
    rows = Order.objects.filter(shop=shop, channel_order_no__in=list(numbers))
    return dict(rows.values_list("channel_order_no", "pk"))


def open_missed() -> int:
    return MissedOrder.objects.filter(resolved_at__isnull=True).count()


# ---- how long an order takes to the desk -----------------------------------------------------------------------

DELAYS = """
SELECT count(*), percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY delay), max(delay)
  FROM (SELECT extract(epoch FROM imported_at - ordered_at) AS delay FROM orders_order
         WHERE shop_id = %s AND ordered_at >= %s AND imported_at >= ordered_at) AS measured
"""


@dataclass(frozen=True, slots=True)
class Delay:
    """Order time → on the desk, in seconds, over orders placed in the last `hours`."""

    hours: int
    orders: int
    median: float | None
    p95: float | None
    longest: float | None


def delay_of(shop_id: int, hours: int) -> Delay:
    """From the stored orders. The index on (shop, order time) serves it."""
    with connection.cursor() as cursor:
        cursor.execute(DELAYS, [shop_id, clock.now() - timedelta(hours=hours)])
        orders, parts, longest = cursor.fetchone()
    median, p95 = parts or (None, None)
    return Delay(hours, orders, median, p95, None if longest is None else float(longest))


def slowest(shop_id: int, hours: int, limit: int = 20) -> "QuerySet[Order]":
    """The orders behind the longest delays."""
    rows = Order.objects.filter(shop=shop_id, ordered_at__gte=clock.now() - timedelta(hours=hours))
    waited = ExpressionWrapper(F("imported_at") - F("ordered_at"), output_field=DurationField())
    rows = rows.annotate(waited=waited).only("pk", "channel_order_no", "ordered_at", "imported_at", "shop")
    return rows.order_by("-waited")[:limit]


def spans(last: date) -> tuple[date, date | None]:
    """The last day of the two weeks before, and of the two weeks after (None when there is none yet)."""
    after = last + timedelta(days=DAYS)
    newest = clock.today()
    return last - timedelta(days=DAYS), None if last >= newest else min(after, newest)
