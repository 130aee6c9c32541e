"""The dashboards' numbers over a period and shops. Sums come from `DayFigure`; what is little is counted as it is.

Every count carries the address of a list that holds exactly so many rows.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from channels.models import PushLog
from channels.queries.budgets import Limit, limits_of, room
from oms.kernel import clock, scope
from oms.kernel.typed import typed_day
from orders.decide import numbers
from orders.filter_ranges import midnight
from orders.filters import WAITING
from orders.models import (
    DayFigure,
    FigureState,
    Order,
    OrderEvent,
    OrderFigure,
    ReviewDecision,
    ReviewReason,
    Shop,
)
from orders.models.order import Stage

OPEN_STAGES = [stage for stage in Stage.values if stage not in {Stage.SHIPPED, Stage.COMPLETED, Stage.CANCELLED}]


@dataclass(frozen=True, slots=True)
class Period:
    """Days in Tokyo, both included. `code` names one of the choices, "" when the days were typed."""

    code: str
    since: date
    until: date
    shops: tuple[int, ...] = ()

    @property
    def days(self) -> list[date]:
        return [self.since + timedelta(days=n) for n in range((self.until - self.since).days + 1)]

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """The first moment, and the first one after it."""
        return midnight(self.since), midnight(self.until + timedelta(days=1))

    def query(self, **more: Any) -> str:
        """For the own lists: the days, the shops and what else is asked."""
        pairs = [("from", self.since.isoformat()), ("to", self.until.isoformat())]
        return urlencode([*pairs, *(("shop", pk) for pk in self.shops), *more.items()])


@dataclass(frozen=True, slots=True)
class Counted:
    """A number with the list that holds its rows."""

    n: int
    url: str
    label: str = ""


@dataclass(slots=True)
class Sums:
    """`n[name][day, shop]` and `amount[name][day, shop]`, `times[name, shop]` as (step, count)."""

    n: dict[str, dict[tuple[date, int], int]] = field(default_factory=lambda: defaultdict(dict))
    amount: dict[str, dict[tuple[date, int], int]] = field(default_factory=lambda: defaultdict(dict))
    times: dict[tuple[str, int], list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def count(self, name: str, *, shop: int | None = None, day: date | None = None) -> int:
        return _picked(self.n[name], shop, day)

    def sum(self, name: str, *, shop: int | None = None, day: date | None = None) -> int:
        return _picked(self.amount[name], shop, day)

    def spread(self, name: str, shop: int | None = None) -> list[tuple[int, int]]:
        return [pair for (one, of), pairs in self.times.items() if one == name and shop in (None, of) for pair in pairs]


def _picked(found: Mapping[tuple[date, int], int], shop: int | None, day: date | None) -> int:
    return sum(n for (on, of), n in found.items() if shop in (None, of) and day in (None, on))


def sums(period: Period) -> Sums:
    """Two queries, however many orders stand behind them."""
    rows = DayFigure.objects.filter(day__range=(period.since, period.until))
    if period.shops:
        rows = rows.filter(shop__in=period.shops)
    found = Sums()
    plain = rows.filter(name__in=numbers.NUMBERS).values_list("name", "day", "shop", "n", "amount")
    for name, day, shop, n, amount in plain.order_by():
        found.n[name][day, shop] = n
        found.amount[name][day, shop] = amount
    spread = rows.filter(name__in=numbers.TIMES).values("name", "shop", "step").annotate(total=Sum("n"))
    for name, shop, step, n in spread.order_by().values_list("name", "shop", "step", "total"):
        found.times[name, shop].append((step, n))
    return found


def orders_url(code: str, period: Period, shop: int | None = None) -> str:
    """The desk's list of the orders that one number counts."""
    pairs: list[tuple[str, Any]] = [
        ("number", code),
        ("number_from", period.since.isoformat()),
        ("number_to", period.until.isoformat()),
    ]
    pairs += [("shop", pk) for pk in ([shop] if shop else period.shops)]
    return f"{reverse('orders:list')}?{urlencode(pairs)}"


@dataclass(frozen=True, slots=True)
class ShopRow:
    """One shop of the table, its rates in percent; None where nothing was counted."""

    shop: Shop
    orders: Counted
    sales: int
    late: Counted
    shipped: Counted
    late_rate: float | None
    late_limit: Limit
    late_room: int | None
    fault: Counted
    own: Counted
    fault_rate: float | None
    fault_limit: Limit
    fault_room: int | None
    import_median: float | None
    pushes: "Pushes"


def shop_rows(shops: Sequence[Shop], period: Period, found: Sums, delays: Mapping[int, "Pushes"]) -> list[ShopRow]:
    limits = limits_of(shops)
    return [_shop_row(shop, period, found, limits, delays.get(shop.pk, Pushes())) for shop in shops]


def _shop_row(
    shop: Shop, period: Period, found: Sums, limits: Mapping[tuple[int, str], Limit], pushes: "Pushes"
) -> ShopRow:
    def counted(code: str) -> Counted:
        return Counted(found.count(code, shop=shop.pk), orders_url(code, period, shop.pk))

    late, shipped, fault, own = counted("late"), counted("shipped"), counted("fault"), counted("own")
    late_limit, fault_limit = limits[shop.pk, "late"], limits[shop.pk, "cancel"]
    return ShopRow(
        shop,
        counted("orders"),
        found.sum("sold", shop=shop.pk),
        late,
        shipped,
        percent(late.n, shipped.n),
        late_limit,
        _room("late", late.n, shipped.n, late_limit),
        fault,
        own,
        percent(fault.n, own.n),
        fault_limit,
        _room("cancel", fault.n, own.n, fault_limit),
        numbers.quantile(found.spread("import_s", shop.pk), 0.5),
        pushes,
    )


def _room(kind: str, bad: int, total: int, limit: Limit) -> int | None:
    return None if limit.percent is None else room(kind, bad, total, limit.percent)


@dataclass(frozen=True, slots=True)
class ProfitRow:
    """粗利 of one channel's shops: the orders counted (with the list of exactly these), yen, share of net sales."""

    label: str
    counted: Counted
    net: int
    yen: int
    each: int | None
    percent: float | None


def profit_rows(shops: Sequence[Shop], period: Period, found: Sums) -> list[ProfitRow]:
    """By channel, and all of them together at the end."""
    channels: dict[str, list[Shop]] = defaultdict(list)
    for shop in shops:
        channels[shop.channel].append(shop)
    rows = [_profit_row(str(own[0].channel_label), own, period, found) for own in channels.values()]
    return [*rows, _profit_row(_("合計"), shops, period, found)] if len(rows) > 1 else rows


def _profit_row(label: str, shops: Sequence[Shop], period: Period, found: Sums) -> ProfitRow:
    own = [shop.pk for shop in shops]
    n = sum(found.count("profited", shop=pk) for pk in own)
    yen, net = (sum(found.sum(name, shop=pk) for pk in own) for name in ("profited", "profited_net"))
    url = f"{reverse('pages:number-profits')}?{replace(period, shops=tuple(own)).query()}"
    return ProfitRow(label, Counted(n, url), net, yen, round(yen / n) if n else None, percent(yen, net))


def profits(period: Period) -> "QuerySet[OrderFigure]":
    """The orders that `profit_rows` counts and adds up."""
    rows = OrderFigure.objects.filter(numbers.listed("profited", period.since, period.until))
    return rows.filter(shop__in=period.shops) if period.shops else rows


def percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


@dataclass(frozen=True, slots=True)
class Pushes:
    """Stock changes told to one shop's channel: seconds from the change to the request, and for those that the channel
    has confirmed (`told`) to that."""

    n: int = 0
    median: float | None = None
    p95: float | None = None
    worst: float | None = None
    told: int = 0
    told_median: float | None = None
    told_p95: float | None = None
    told_worst: float | None = None


DELAYS = """
SELECT coalesce(l.shop_id, 0), count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY d.s),
       percentile_disc(0.95) WITHIN GROUP (ORDER BY d.s), max(d.s), count(d.c),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY d.c) FILTER (WHERE d.c IS NOT NULL),
       percentile_disc(0.95) WITHIN GROUP (ORDER BY d.c) FILTER (WHERE d.c IS NOT NULL), max(d.c)
  FROM channels_pushlog p JOIN channels_listing l ON l.id = p.listing_id,
LATERAL (SELECT greatest(0, extract(epoch FROM p.sent_at - p.changed_at))::float AS s,
                CASE WHEN p.confirmed_at IS NOT NULL
                     THEN greatest(0, extract(epoch FROM p.confirmed_at - p.changed_at))::float END AS c) d
 WHERE p.sent_at >= %(since)s AND p.sent_at < %(until)s AND p.error = '' AND (%(all)s OR l.shop_id = ANY(%(shops)s))
 GROUP BY GROUPING SETS ((l.shop_id), ())
"""


def publish_delays(period: Period) -> dict[int, Pushes]:
    """By shop; 0 is all of them together."""
    since, until = period.moments
    values: dict[str, Any] = {"since": since, "until": until, "all": not period.shops, "shops": list(period.shops)}
    with connection.cursor() as cursor:
        cursor.execute(DELAYS, values)
        return {shop: Pushes(*figures) for shop, *figures in cursor.fetchall()}


def pushes(period: Period, *, told: bool = False) -> "QuerySet[PushLog]":
    """The quantities that `publish_delays` measures; `told` only those that the channel has confirmed."""
    since, until = period.moments
    rows = PushLog.objects.filter(sent_at__gte=since, sent_at__lt=until, error="")
    if told:
        rows = rows.filter(confirmed_at__isnull=False)
    return rows.filter(listing__shop__in=period.shops) if period.shops else rows


def actions(period: Period, *, code: str = "") -> "QuerySet[OrderEvent]":
    """What people did to orders: one row per click, however many orders it met. Shipping is not counted. `code`: only
    to orders on which this reason was raised in the period."""
    since, until = period.moments
    events = OrderEvent.objects.filter(by__isnull=False, at__gte=since, at__lt=until)
    events = _of_reason(events.exclude(kind__in=numbers.NO_TOUCH), period, code)
    same = OrderEvent.objects.filter(action=OuterRef("action"), id__lt=OuterRef("id"), by__isnull=False)
    same = _of_reason(same.exclude(kind__in=numbers.NO_TOUCH).exclude(action=""), period, code)
    if code:
        same = same.filter(at__gte=since, at__lt=until)
    return events.filter(Q(action="") | ~Exists(same))


def _of_reason(events: "QuerySet[OrderEvent]", period: Period, code: str) -> "QuerySet[OrderEvent]":
    if period.shops:
        events = events.filter(order__shop__in=period.shops)
    return events.filter(order__in=reasons(period, code=code).values("order")) if code else events


CLICKS = """
SELECT r.code, count(DISTINCT CASE WHEN e.action = '' THEN e.id::text ELSE 'click ' || e.action END)
  FROM (SELECT DISTINCT r.order_id, r.code FROM orders_reviewreason r JOIN orders_order o ON o.id = r.order_id
         WHERE r.raised_at >= %(since)s AND r.raised_at < %(until)s
           AND (%(all)s OR o.shop_id = ANY(%(shops)s))) r
  JOIN orders_orderevent e ON e.order_id = r.order_id
 WHERE e.by_id IS NOT NULL AND e.at >= %(since)s AND e.at < %(until)s AND NOT e.kind = ANY(%(no_touch)s)
 GROUP BY 1
"""


def clicks_by_reason(period: Period) -> dict[str, int]:
    """How many rows `actions` has for each code."""
    since, until = period.moments
    values: dict[str, Any] = {
        "since": since, "until": until, "all": not period.shops, "shops": list(period.shops),
        "no_touch": list(numbers.NO_TOUCH),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(CLICKS, values)
        return dict(cursor.fetchall())


def reasons(period: Period, *, code: str = "", outcome: str = "") -> "QuerySet[ReviewReason]":
    """Reasons raised in the period; `outcome`: "decided" by a person, "itself" resolved, "open"."""
    since, until = period.moments
    rows = ReviewReason.objects.filter(raised_at__gte=since, raised_at__lt=until)
    if period.shops:
        rows = rows.filter(order__shop__in=period.shops)
    if code:
        rows = rows.filter(code=code)
    return rows.filter(OUTCOMES[outcome]) if outcome in OUTCOMES else rows


OUTCOMES: Mapping[str, Q] = {
    "decided": Q(state="accepted"),
    "itself": Q(state="auto_resolved"),
    "open": Q(state="open"),
}

REASONS = """
SELECT r.code, count(*), count(*) FILTER (WHERE r.state = 'accepted'),
       count(*) FILTER (WHERE r.state = 'auto_resolved'),
       count(*) FILTER (WHERE r.state = 'open'),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.closed_at - r.raised_at)::float)
           FILTER (WHERE r.state = 'accepted')
  FROM orders_reviewreason r JOIN orders_order o ON o.id = r.order_id
 WHERE r.raised_at >= %(since)s AND r.raised_at < %(until)s AND (%(all)s OR o.shop_id = ANY(%(shops)s))
 GROUP BY GROUPING SETS ((r.code), ()) ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """`median_s`: from the moment it was raised to the person's decision."""

    code: str
    raised: int
    decided: int
    itself: int
    open: int
    median_s: float | None


def reason_rows(period: Period) -> tuple[ReasonRow, list[ReasonRow]]:
    """The sum of all, and each code, the most frequent first."""
    since, until = period.moments
    values: dict[str, Any] = {"since": since, "until": until, "all": not period.shops, "shops": list(period.shops)}
    with connection.cursor() as cursor:
        cursor.execute(REASONS, values)
        rows = [ReasonRow(code or "", *figures) for code, *figures in cursor.fetchall()]
    whole = next((row for row in rows if not row.code), ReasonRow("", 0, 0, 0, 0, None))
    return whole, [row for row in rows if row.code]


def decisions(period: Period) -> "QuerySet[ReviewDecision]":
    """Decisions on cards of the inbox that stand; one press that decided several orders is one for each of them."""
    since, until = period.moments
    rows = ReviewDecision.objects.filter(decided_at__gte=since, decided_at__lt=until, undone_at=None)
    return rows.filter(order__shop__in=period.shops) if period.shops else rows


CARD_TIME = """
SELECT count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY t.s), percentile_disc(0.9) WITHIN GROUP (ORDER BY t.s)
  FROM orders_reviewdecision d JOIN orders_order o ON o.id = d.order_id,
LATERAL (SELECT greatest(0, extract(epoch FROM d.decided_at - d.shown_at))::float AS s) t
 WHERE d.decided_at >= %(since)s AND d.decided_at < %(until)s AND d.undone_at IS NULL
   AND (%(all)s OR o.shop_id = ANY(%(shops)s))
"""


@dataclass(frozen=True, slots=True)
class CardTime:
    """Seconds from the moment a card was shown to its decision, over `n` decisions."""

    n: int = 0
    median: float | None = None
    p90: float | None = None


def card_time(period: Period) -> CardTime:
    """One query."""
    since, until = period.moments
    values: dict[str, Any] = {"since": since, "until": until, "all": not period.shops, "shops": list(period.shops)}
    with connection.cursor() as cursor:
        cursor.execute(CARD_TIME, values)
        return CardTime(*cursor.fetchone())


@dataclass(frozen=True, slots=True)
class StageAge:
    """Orders of one stage by how long they have stood there (`orders.filters.WAITING`), now."""

    stage: str
    parts: tuple[Counted, ...]

    @property
    def total(self) -> int:
        return sum(part.n for part in self.parts)


def stage_ages(shops: Sequence[int]) -> list[StageAge]:
    now = clock.now()
    day, three = now - timedelta(days=1), now - timedelta(days=3)
    rows = Order.objects.filter(stage__in=OPEN_STAGES)
    if shops:
        rows = rows.filter(shop__in=shops)
    fresh, old = Q(stage_since__gt=day), Q(stage_since__lte=three)
    counted = {
        stage: figures
        for stage, *figures in rows.order_by()
        .values("stage")
        .annotate(a=Count("pk", filter=fresh), b=Count("pk", filter=~fresh & ~old), c=Count("pk", filter=old))
        .values_list("stage", "a", "b", "c")
    }
    return [
        StageAge(stage, tuple(_waiting(stage, code, n, shops) for code, n in zip(WAITING, counted[stage], strict=True)))
        for stage in OPEN_STAGES
        if stage in counted
    ]


def _waiting(stage: str, code: str, n: int, shops: Sequence[int]) -> Counted:
    query = urlencode([("stage", stage), ("waiting", code), *(("shop", pk) for pk in shops)])
    return Counted(n, f"{reverse('orders:list')}?{query}", str(WAITING[code][0]))


def swept_at() -> datetime | None:
    return FigureState.objects.aggregate(at=Max("swept_at"))["at"]


def chosen_period(query: Any, shops: Sequence[Shop]) -> Period:
    """What the URL asks for, of the person's `shops`; days that cannot be read, or are the wrong way round, give the
    usual thirty."""
    known = {shop.pk for shop in shops}
    asked = tuple(int(pk) for pk in query.getlist("shop") if pk.isdecimal() and len(pk) < 18 and int(pk) in known)
    asked = asked or scope.current().shops
    today, code = clock.today(), query.get("period", "")
    since, until = typed_day(query.get("from", "")), typed_day(query.get("to", ""))
    if not code and since and until and since <= until and (until - since).days <= LONGEST:
        return Period("", since, until, asked)
    code = code if code in PERIODS else "30"
    since = today.replace(day=1) if code == "month" else today - timedelta(days=PERIODS[code] - 1)
    return Period(code, since, today, asked)


PERIODS: Mapping[str, int] = {"today": 1, "7": 7, "30": 30, "90": 90, "month": 0}
LONGEST = 366


def period_choices() -> list[tuple[str, str]]:
    return [("today", _("今日")), ("7", _("7日間")), ("30", _("30日間")), ("90", _("90日間")), ("month", _("今月"))]
