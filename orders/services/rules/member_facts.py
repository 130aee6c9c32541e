"""What rules may ask about an order's member: the company's own word on the person, and what was bought before, in
whatever channel. A fixed number of queries for a batch, only those that are asked for."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import connection

from orders.decide import returns as returning
from orders.decide.rules.engine import Facts
from orders.decide.rules.operators import fold

# What the company says of the person; a promise is for orders that come after it.
PROFILE = """
SELECT o.id, coalesce(r.code, ''), r.level, coalesce(r.is_vip, false), extract(month FROM m.birthday)::int,
       extract(month FROM m.birthday) = extract(month FROM o.ordered_at AT TIME ZONE 'Asia/Tokyo'), m.store_member,
       EXISTS (SELECT FROM customers_membernote n
                WHERE n.member_id = m.id AND n.promise AND n.done_at IS NULL AND n.at <= o.ordered_at)
  FROM orders_order o JOIN customers_member m ON m.id = o.member_id LEFT JOIN customers_rank r ON r.id = m.rank_id
 WHERE o.id = ANY(%s)
"""
PROFILED = (
    "member_rank", "member_rank_level", "vip_rank", "birth_month", "in_birth_month", "store_member", "open_promise",
)  # fmt: skip
NOBODY = ("", None, False, None, False, False, False)
# What the same member bought before this order, in whatever channel.
EARLIER = """
SELECT o.id, count(m.id), coalesce(sum(m.total), 0)::bigint, max(m.ordered_at)
  FROM orders_order o JOIN orders_order m ON m.member_id = o.member_id AND m.cancelled_at IS NULL
       AND (m.ordered_at, m.id) < (o.ordered_at, o.id)
       AND m.ordered_at >= o.ordered_at - make_interval(days => %s)
 WHERE o.id = ANY(%s) GROUP BY o.id
"""
EARLIER_SKUS = """
SELECT o.id, array_agg(DISTINCT k.code)
  FROM orders_order o JOIN orders_order m ON m.member_id = o.member_id AND m.cancelled_at IS NULL
       AND (m.ordered_at, m.id) < (o.ordered_at, o.id)
  JOIN orders_orderline l ON l.order_id = m.id AND l.quantity > 0 JOIN inventory_sku k ON k.id = l.sku_id
 WHERE o.id = ANY(%s) GROUP BY o.id
"""
# What came for nothing with them, whoever put it there.
EARLIER_GIFTS = """
SELECT o.id, array_agg(DISTINCT k.code)
  FROM orders_order o JOIN orders_order m ON m.member_id = o.member_id AND m.cancelled_at IS NULL
       AND (m.ordered_at, m.id) < (o.ordered_at, o.id)
  JOIN orders_orderline l ON l.order_id = m.id AND l.quantity > 0 AND l.amount = 0
  JOIN inventory_sku k ON k.id = l.sku_id
 WHERE o.id = ANY(%s) GROUP BY o.id
"""
EARLIER_CHANNELS = """
SELECT o.id, array_agg(DISTINCT s.channel)
  FROM orders_order o JOIN orders_order m ON m.member_id = o.member_id AND m.cancelled_at IS NULL
       AND (m.ordered_at, m.id) < (o.ordered_at, o.id)
  JOIN orders_shop s ON s.id = m.shop_id
 WHERE o.id = ANY(%s) GROUP BY o.id
"""
# What this order's own rules put onto its member is left out, as everything rules did to the order is.
MEMBER_TAGS = """
SELECT o.id, array_agg(DISTINCT t.tag)
  FROM orders_order o JOIN customers_membertag t ON t.member_id = o.member_id
       AND t.source_order IS DISTINCT FROM o.id
 WHERE o.id = ANY(%s) GROUP BY o.id
"""
# What came back of the same member's earlier orders: cases, orders with one, parcels that nobody took.
RETURNS = """
SELECT o.id, count(c.id), count(DISTINCT m.id), count(DISTINCT c.order_id),
       count(c.id) FILTER (WHERE c.kind = 'undelivered' OR c.reason = 'refused')
  FROM orders_order o JOIN orders_order m ON m.member_id = o.member_id AND m.cancelled_at IS NULL
       AND (m.ordered_at, m.id) < (o.ordered_at, o.id)
       AND m.ordered_at >= o.ordered_at - make_interval(days => %s)
  LEFT JOIN orders_returncase c ON c.order_id = m.id AND c.state = ANY(%s)
 WHERE o.id = ANY(%s) GROUP BY o.id
"""
EVER = 36_500  # days
MEMBER_SETS = {  # field → (order, texts)
    "member_skus": EARLIER_SKUS,
    "member_gifts": EARLIER_GIFTS,
    "member_channels": EARLIER_CHANNELS,
    "member_tags": MEMBER_TAGS,
}


def add(facts: Mapping[int, Facts], ids: Sequence[int], keys: Collection[str], now: datetime) -> None:
    """Put what is asked of the orders' members among their facts."""
    _add_profile(facts, ids, keys)
    _add_earlier(facts, ids, keys, now)
    _add_returns(facts, ids, keys)


def _add_profile(facts: Mapping[int, Facts], ids: Sequence[int], keys: Collection[str]) -> None:
    if not any(key in keys for key in PROFILED):
        return
    with connection.cursor() as cursor:
        cursor.execute(PROFILE, [list(ids)])
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    for id_, own in facts.items():
        rank, level, vip, month, is_now, card, promise = found.get(id_, NOBODY)
        born = str(month) if month else ""
        own |= dict(zip(PROFILED, (rank, level, vip, born, bool(is_now), card, promise), strict=True))


def _add_earlier(facts: Mapping[int, Facts], ids: Sequence[int], keys: Collection[str], now: datetime) -> None:
    """One query per span of days that is asked for."""
    spans: dict[int, set[str]] = defaultdict(set)
    for key in keys:
        name, _colon, days = key.partition(":")
        if name in {"member_orders", "member_amount", "first_order", "last_order_days"}:
            spans[int(days or EVER)].add(key)
    for span, wanted in spans.items():
        with connection.cursor() as cursor:
            cursor.execute(EARLIER, [span, list(ids)])
            found = {row[0]: row[1:] for row in cursor.fetchall()}
        for id_, own in facts.items():
            _put_member(own, wanted, found.get(id_, (0, 0, None)), now)
    for key, statement in MEMBER_SETS.items():
        if key in keys:
            with connection.cursor() as cursor:
                cursor.execute(statement, [list(ids)])
                found_sets = dict(cursor.fetchall())
            for id_, own in facts.items():
                own[key] = frozenset(fold(text) for text in found_sets.get(id_, ()))


def _put_member(own: Facts, wanted: Collection[str], earlier: tuple[int, int, datetime | None], now: datetime) -> None:
    """Somebody without a member is nobody we know: no orders before, and not a first order either."""
    orders, amount, last = earlier
    for key in wanted:
        match key.partition(":")[0]:
            case "member_orders":
                own[key] = orders
            case "member_amount":
                own[key] = amount
            case "first_order":
                own[key] = own["member_id"] is not None and orders == 0
            case "last_order_days":
                own[key] = (now - last).days if last else None


def _add_returns(facts: Mapping[int, Facts], ids: Sequence[int], keys: Collection[str]) -> None:
    """One query per span of days that is asked for."""
    spans: dict[int, set[str]] = defaultdict(set)
    for key in keys:
        name, _colon, days = key.partition(":")
        if name in {"member_returns", "member_return_percent", "member_refusals"}:
            spans[int(days or EVER)].add(key)
    for span, wanted in spans.items():
        with connection.cursor() as cursor:
            cursor.execute(RETURNS, [span, list(returning.LIVE), list(ids)])
            found = {row[0]: row[1:] for row in cursor.fetchall()}
        for id_, own in facts.items():
            cases, orders, with_case, refused = found.get(id_, (0, 0, 0, 0))
            values = {
                "member_returns": cases,
                "member_return_percent": round(100 * with_case / orders, 1) if orders else 0,
                "member_refusals": refused,
            }
            own |= {key: values[key.partition(":")[0]] for key in wanted}
