"""The numbers' facts, kept beside the orders: one row per order, and their sums by day and shop.

A sweep reads what has been written since the last one (new orders, journal, oversell cases), writes those orders' rows
anew and rebuilds the days they stand in, all in one transaction: a sum is always the sum of its rows, however often
the sweep runs and wherever it is killed. Exchanges and resends are orders of our own making, no buyer's: they have no
row and count nowhere.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q, Sum

from fulfillment.queries.freight import freights
from fulfillment.queries.profit import READS, profits
from oms.kernel import clock
from orders.channel_order import MOVED_IN
from orders.decide.numbers import DAY_OF, NO_TOUCH, NUMBERS, STEPS_PER_E, TIMES
from orders.models import DayFigure, FigureState, Order, OrderFigure
from orders.services.internal import INTERNAL

LOCK = 7_402_251  # advisory: one sweep at a time
SLICE = 5_000
AT_ONCE = 50_000
LONGEST_CARD_S = 600  # a card that stood open longer was not worked at
LOOK_BACK = timedelta(minutes=15)  # a transaction that was open meanwhile commits its older ids later

Place = tuple[str, date, int]  # basis, day, shop

CHANGED = """
SELECT id FROM (
    (SELECT id FROM orders_order WHERE id > %(order_id)s ORDER BY id LIMIT %(most)s)
    UNION SELECT order_id FROM orders_orderevent WHERE id > %(event_id)s AND order_id <= %(order_id)s
    UNION SELECT order_id FROM channels_oversellcase WHERE opened_at >= %(since)s
) AS found ORDER BY id
"""

# Where reading starts next time: behind everything older than the look-back, or behind what this time took.
NEXT_CURSORS = """
SELECT coalesce((SELECT min(id) - 1 FROM orders_orderevent WHERE id > %(event_id)s AND at >= %(since)s),
                (SELECT max(id) FROM orders_orderevent), 0),
       coalesce((SELECT min(id) - 1 FROM orders_order WHERE id > %(order_id)s AND imported_at >= %(since)s),
                (SELECT max(id) FROM orders_order), 0)
"""

# A click on one order is a single touch; a bulk run, or one action that met several orders, is none.
FIGURES = """
WITH chosen AS MATERIALIZED (SELECT * FROM orders_order WHERE id = ANY(%(ids)s)),
touched AS (
    SELECT e.order_id, count(DISTINCT e.click) AS n, count(DISTINCT e.click) FILTER (WHERE NOT e.many) AS single
      FROM (SELECT v.order_id, coalesce(nullif(v.action, ''), v.id::text) AS click,
                   v.action <> '' AND (EXISTS (SELECT FROM orders_orderevent w
                                                WHERE w.action = v.action AND w.action <> ''
                                                  AND w.order_id <> v.order_id)
                       OR EXISTS (SELECT FROM orders_bulkrun b
                                   WHERE b.key = CASE WHEN v.action ~ '^[0-9a-f]{32}$' THEN v.action::uuid END)) AS many
              FROM orders_orderevent v JOIN chosen o ON o.id = v.order_id
             WHERE v.by_id IS NOT NULL AND v.kind <> ALL(%(no_touch)s)
               AND (v.kind = 'instructed' OR v.at <= coalesce(o.instructed_at, o.shipped_at, 'infinity'))) e
     GROUP BY e.order_id),
cards AS (
    SELECT d.order_id, count(DISTINCT d.action) FILTER (WHERE m.orders = 1) AS n,
           sum(least(%(longest)s, greatest(0, extract(epoch FROM d.decided_at - d.shown_at))) / m.cards)::int AS s
      FROM orders_reviewdecision d
      JOIN LATERAL (SELECT count(*) AS cards, count(DISTINCT w.order_id) AS orders FROM orders_reviewdecision w
                     WHERE w.action = d.action AND w.undone_at IS NULL) m ON true
     WHERE d.order_id = ANY(%(ids)s) AND d.undone_at IS NULL GROUP BY d.order_id),
freight AS (SELECT * FROM unnest(%(freight_ids)s::bigint[], %(freight_yen)s::bigint[]) AS f(order_id, yen)),
gain AS (SELECT * FROM unnest(%(gain_ids)s::bigint[], %(gain_yen)s::bigint[], %(gain_net)s::bigint[])
             AS g(order_id, yen, net)),
sent AS (
    SELECT l.order_id, count(DISTINCT s.id) AS n
      FROM orders_orderline l JOIN fulfillment_shipmentline sl ON sl.order_line_id = l.id
      JOIN fulfillment_shipment s ON s.id = sl.shipment_id AND s.state IN ('shipped', 'returned')
     WHERE l.order_id = ANY(%(ids)s) GROUP BY l.order_id)
INSERT INTO orders_orderfigure (order_id, shop_id, ordered_on, shipped_on, cancelled_on, by_channel, cancelled, late,
                                fault, oversold, returned, known, touches, single_touches, parcels, import_s,
                                release_s, total, freight, card_s, other_touches, profit, net_sales)
SELECT o.id, o.shop_id, (o.ordered_at AT TIME ZONE 'Asia/Tokyo')::date,
       CASE WHEN NOT o.fulfilled_by_channel AND NOT (o.flags @> %(moved_in)s::varchar[]) 
            THEN (o.shipped_at AT TIME ZONE 'Asia/Tokyo')::date END,
       (o.cancelled_at AT TIME ZONE 'Asia/Tokyo')::date,
       o.fulfilled_by_channel, o.cancelled_at IS NOT NULL,
       coalesce(o.shipped_at > o.ship_by, false) AND NOT o.fulfilled_by_channel,
       o.cancelled_at IS NOT NULL AND NOT o.cancel_requested AND EXISTS (
           SELECT FROM orders_orderevent e WHERE e.order_id = o.id AND e.kind = 'cancelled' AND e.by_id IS NOT NULL),
       EXISTS (SELECT FROM channels_oversellcase c WHERE c.order_id = o.id),
       EXISTS (SELECT FROM orders_returncase r WHERE r.order_id = o.id AND r.state NOT IN ('rejected', 'withdrawn')),
       o.member_id IS NOT NULL, coalesce(t.n, 0), coalesce(t.single, 0),
       CASE WHEN o.shipped_at IS NULL THEN 0 ELSE coalesce(s.n, 1) END,
       CASE WHEN NOT (o.flags @> %(moved_in)s::varchar[])
            THEN greatest(0, extract(epoch FROM o.imported_at - o.ordered_at))::int END,
       greatest(0, extract(epoch FROM o.instructed_at - o.imported_at))::int, coalesce(o.total, 0),
       CASE WHEN o.shipped_at IS NOT NULL THEN f.yen END, coalesce(c.s, 0),
       greatest(0, coalesce(t.single, 0) - coalesce(c.n, 0)),
       CASE WHEN o.shipped_at IS NOT NULL THEN g.yen END, CASE WHEN o.shipped_at IS NOT NULL THEN g.net END
  FROM chosen o LEFT JOIN touched t ON t.order_id = o.id LEFT JOIN sent s ON s.order_id = o.id
  LEFT JOIN cards c ON c.order_id = o.id LEFT JOIN freight f ON f.order_id = o.id
  LEFT JOIN gain g ON g.order_id = o.id
 WHERE NOT (o.flags @> %(internal)s::varchar[])
 ORDER BY o.id
ON CONFLICT (order_id) DO UPDATE SET
    shop_id = excluded.shop_id, ordered_on = excluded.ordered_on, shipped_on = excluded.shipped_on,
    cancelled_on = excluded.cancelled_on, by_channel = excluded.by_channel, cancelled = excluded.cancelled,
    late = excluded.late, fault = excluded.fault, oversold = excluded.oversold,
    returned = excluded.returned, known = excluded.known,
    touches = excluded.touches, single_touches = excluded.single_touches, parcels = excluded.parcels,
    import_s = excluded.import_s, release_s = excluded.release_s, total = excluded.total,
    freight = CASE WHEN (orders_orderfigure.shipped_on, orders_orderfigure.parcels)
                        IS NOT DISTINCT FROM (excluded.shipped_on, excluded.parcels)
                   THEN coalesce(orders_orderfigure.freight, excluded.freight) ELSE excluded.freight END,
    card_s = excluded.card_s, other_touches = excluded.other_touches,
    profit = CASE WHEN {same} THEN coalesce(orders_orderfigure.profit, excluded.profit) ELSE excluded.profit END,
    net_sales = CASE WHEN {same} THEN coalesce(orders_orderfigure.net_sales, excluded.net_sales)
                     ELSE excluded.net_sales END
 WHERE orders_orderfigure IS DISTINCT FROM excluded
RETURNING shop_id, ordered_on, shipped_on, cancelled_on
"""
# What was sent, and for how much, is what it was: a cost that changes later leaves the profit.
SAME = """orders_orderfigure.freight IS NOT DISTINCT FROM coalesce(orders_orderfigure.freight, excluded.freight)
         AND (orders_orderfigure.shipped_on, orders_orderfigure.parcels, orders_orderfigure.total)
             IS NOT DISTINCT FROM (excluded.shipped_on, excluded.parcels, excluded.total)"""


def refresh() -> int:
    """Take in everything new; returns how many orders were looked at. 0 when another sweep is at it."""
    looked_at = 0
    while found := _sweep():
        looked_at += found
        if found < AT_ONCE:
            break
    return looked_at


def rebuild(order_ids: Sequence[int]) -> None:
    """Write these orders' rows and their days anew."""
    with transaction.atomic():
        _take_lock()
        _write(order_ids)


@transaction.atomic
def _sweep() -> int:
    if not _take_lock():
        return 0
    state, _made = FigureState.objects.get_or_create(pk=1)
    now = clock.now()
    since = (state.swept_at or now) - LOOK_BACK
    values: dict[str, Any] = {"order_id": state.order_id, "event_id": state.event_id, "since": since, "most": AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, values)
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(NEXT_CURSORS, values | {"since": now - LOOK_BACK})
        event_id, order_id = cursor.fetchone()
    _write(ids)
    fresh = [pk for pk in ids if pk > state.order_id]
    if len(fresh) >= AT_ONCE:  # more new orders wait than one sweep takes
        order_id, event_id = min(order_id, fresh[AT_ONCE - 1]), state.event_id
    FigureState.objects.filter(pk=1).update(
        event_id=max(event_id, state.event_id), order_id=max(order_id, state.order_id), swept_at=now
    )
    return len(ids)


def _take_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _write(order_ids: Sequence[int]) -> None:
    places: set[Place] = set()
    for start in range(0, len(order_ids), SLICE):
        ids = list(order_ids[start : start + SLICE])
        before = OrderFigure.objects.filter(pk__in=ids).values_list(
            "pk", "shop_id", "ordered_on", "shipped_on", "cancelled_on"
        )
        stood = list(before)
        paid = {order: one.yen for order, one in freights(ids).items() if one.known}
        gains = _gains(ids)
        with connection.cursor() as cursor:
            values: dict[str, Any] = {
                "ids": ids,
                "longest": LONGEST_CARD_S,
                "freight_ids": list(paid),
                "freight_yen": list(paid.values()),
                "gain_ids": list(gains),
                "gain_yen": [yen for yen, _net in gains.values()],
                "gain_net": [net for _yen, net in gains.values()],
                "no_touch": list(NO_TOUCH),
                "moved_in": [MOVED_IN],
                "internal": [INTERNAL],
            }
            cursor.execute(FIGURES.replace("{same}", SAME), values)
            written = cursor.fetchall()
        dropped, _each = OrderFigure.objects.filter(pk__in=ids, order__flags__contains=[INTERNAL]).delete()
        if written or dropped:
            places |= _places(row[1:] for row in stood) | _places(written)
    _sum_up(places)


def _gains(order_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """粗利 and net sales of the shipped ones whose goods' costs are all known. Four queries; one if none is shipped."""
    shipped = Order.objects.filter(pk__in=order_ids, shipped_at__isnull=False)
    found = profits(list(shipped.values("id", *READS)))
    return {order: (one.yen, one.net) for order, (one, _freight) in found.items() if one.yen is not None}


def _places(rows: Iterable[Sequence[Any]]) -> set[Place]:
    return {
        (basis, day, shop_id)
        for shop_id, *days in rows
        for basis, day in zip(DAY_OF, days, strict=True)
        if day is not None
    }


def _sum_up(places: set[Place]) -> None:
    """Rebuild the sums of these days from their rows."""
    for basis in DAY_OF:
        by_day: dict[date, set[int]] = {}
        for one, day, shop_id in places:
            if one == basis:
                by_day.setdefault(day, set()).add(shop_id)
        days = sorted(by_day)
        for start in range(0, len(days), 60):
            _sum_days(basis, {day: by_day[day] for day in days[start : start + 60]})


def _sum_days(basis: str, wanted: dict[date, set[int]]) -> None:
    shops = sorted(set().union(*wanted.values()))
    DayFigure.objects.filter(basis=basis, day__in=list(wanted), shop__in=shops).delete()
    DayFigure.objects.bulk_create(
        [*_counts(basis, list(wanted), shops), *_spreads(basis, list(wanted), shops)], batch_size=2000
    )


def _counts(basis: str, days: Sequence[date], shops: Sequence[int]) -> list[DayFigure]:
    own = {code: number for code, number in NUMBERS.items() if number.basis == basis}
    asked: dict[str, Any] = {f"n_{code}": Count("pk", filter=number.condition) for code, number in own.items()}
    asked |= {f"sum_{c}": Sum(one.amount, filter=one.condition, default=0) for c, one in own.items() if one.amount}
    day = DAY_OF[basis]
    rows = OrderFigure.objects.filter(Q(**{f"{day}__in": days}), shop__in=shops).values(day, "shop").annotate(**asked)
    return [
        DayFigure(basis=basis, day=row[day], shop_id=row["shop"], name=code, n=n, amount=row.get(f"sum_{code}", 0))
        for row in rows.order_by()
        for code in own
        if (n := row[f"n_{code}"])
    ]


SPREAD = """
SELECT {day}, shop_id, floor(ln(1 + {column}) * {steps})::int AS step, count(*)
  FROM orders_orderfigure WHERE {day} = ANY(%s) AND shop_id = ANY(%s) AND {column} IS NOT NULL GROUP BY 1, 2, 3
"""


def _spreads(basis: str, days: Sequence[date], shops: Sequence[int]) -> list[DayFigure]:
    found = []
    for name, (of, column) in TIMES.items():
        if of != basis:
            continue
        with connection.cursor() as cursor:
            statement = SPREAD.format(day=DAY_OF[basis], column=column, steps=STEPS_PER_E)
            cursor.execute(statement, [list(days), list(shops)])
            found += [
                DayFigure(basis=basis, day=day, shop_id=shop, name=name, step=step, n=n)
                for day, shop, step, n in cursor.fetchall()
            ]
    return found
