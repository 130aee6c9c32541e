"""How many late shipments and cancellations a shop may still have: counted from its orders, against the channel's
limit, declared by the connector or set by an administrator. Each number has a list on the desk. Exchanges and resends,
which no channel knows, do not count."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.core.cache import cache
from django.db import connection as database
from django.utils.functional import Promise

from channels.connectors.registry import CONNECTORS, connector_class
from channels.models import ServiceLimit
from oms.kernel import clock
from orders.models import Shop

Kind = ServiceLimit.Kind
USUAL_DAYS = 30
FRESH_S = 30

# Parameters: shops' ids, the first moments of their two windows. The lists behind are the desk's `late` and `fault`.
COUNTS = """
SELECT s.id, shipped.late, shipped.n, cancelled.n, ordered.n
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS s(id, late_since, cancel_since),
LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE o.shipped_at > o.ship_by) AS late
           FROM orders_order o
          WHERE o.shop_id = s.id AND o.shipped_at >= s.late_since AND NOT o.fulfilled_by_channel
            AND NOT 'internal' = ANY(o.flags)) shipped,
LATERAL (SELECT count(*) AS n FROM orders_order o
          WHERE o.shop_id = s.id AND o.cancelled_at >= s.cancel_since AND NOT o.cancel_requested
            AND NOT 'internal' = ANY(o.flags)
            AND EXISTS (SELECT FROM orders_orderevent e
                         WHERE e.order_id = o.id AND e.kind = 'cancelled' AND e.by_id IS NOT NULL)) cancelled,
LATERAL (SELECT count(*) AS n FROM orders_order o
          WHERE o.shop_id = s.id AND o.ordered_at >= s.cancel_since AND NOT o.fulfilled_by_channel
            AND NOT 'internal' = ANY(o.flags)) ordered
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """`percent` is None where the channel publishes none and nobody set one."""

    percent: float | None
    days: int
    own: bool = False

    @property
    def since(self) -> date:
        return clock.today() - timedelta(days=self.days - 1)


@dataclass(frozen=True, slots=True)
class Budget:
    """`room` is how many more may go wrong before the limit is passed; None without a limit."""

    kind: str
    limit: Limit
    bad: int
    total: int

    @property
    def label(self) -> str | Promise:
        return Kind(self.kind).label

    @property
    def rate(self) -> float:
        """Percent."""
        return 100 * self.bad / self.total if self.total else 0.0

    @property
    def room(self) -> int | None:
        return None if self.limit.percent is None else room(self.kind, self.bad, self.total, self.limit.percent)

    @property
    def tone(self) -> str:
        if self.room is None or not self.total:
            return "neutral"
        if self.room < 0 or (self.room == 0 and self.bad):
            return "danger"
        return "attention" if self.bad and self.rate > 0.7 * (self.limit.percent or 0) else "done"

    @property
    def query(self) -> str:
        """The desk's filter of the orders that went wrong; the shop is added by the template."""
        if self.kind == Kind.LATE:
            return f"late=1&shipped_from={self.limit.since.isoformat()}"
        return f"fault=1&cancelled_from={self.limit.since.isoformat()}"

    @property
    def all_query(self) -> str:
        since = self.limit.since.isoformat()
        return f"shipped_from={since}&own=1" if self.kind == Kind.LATE else f"ordered_from={since}&own=1"


def room(kind: str, bad: int, total: int, percent: float) -> int:
    """The most further cases that keep the share within the limit; below 0: so many too many already.

    A late shipment is one more shipment, too; a cancellation is of an order that counts already.
    """
    share = percent / 100
    if kind == Kind.LATE and share < 1:
        return math.floor((share * total - bad) / (1 - share) + 1e-9)
    return math.floor(share * total - bad + 1e-9)


def limits_of(shops: Sequence[Shop]) -> dict[tuple[int, str], Limit]:
    """One query."""
    rows = ServiceLimit.objects.filter(shop__in=[shop.pk for shop in shops])
    found = {(row.shop_id, row.kind): Limit(row.percent, row.days, own=True) for row in rows}
    for shop in shops:
        declared = connector_class(shop.channel).service_terms if shop.channel in CONNECTORS else {}
        for kind in Kind.values:
            term = declared.get(kind)
            usual = Limit(term.percent, term.days) if term else Limit(None, USUAL_DAYS)
            found.setdefault((shop.pk, kind), usual)
    return found


def budgets(shops: Sequence[Shop]) -> dict[int, list[Budget]]:
    """Both budgets of each shop: one query for the limits, one for the orders; at most half a minute old."""
    if not shops:
        return {}
    limits = limits_of(shops)
    windows = [
        (shop.pk, midnight(limits[shop.pk, Kind.LATE].since), midnight(limits[shop.pk, Kind.CANCEL].since))
        for shop in sorted(shops, key=lambda shop: shop.pk)
    ]
    name = hashlib.blake2b(repr(windows).encode(), digest_size=10).hexdigest()
    counted = cache.get_or_set(f"budgets:{name}", lambda: _counts(windows), FRESH_S)
    return {
        shop_id: [
            Budget(Kind.LATE, limits[shop_id, Kind.LATE], late, shipped),
            Budget(Kind.CANCEL, limits[shop_id, Kind.CANCEL], cancelled, ordered),
        ]
        for shop_id, late, shipped, cancelled, ordered in counted or []
    }


def _counts(windows: Sequence[tuple[int, datetime, datetime]]) -> list[tuple[int, int, int, int, int]]:
    with database.cursor() as cursor:
        cursor.execute(COUNTS, [list(column) for column in zip(*windows, strict=True)])
        return cursor.fetchall()


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, clock.TOKYO)
