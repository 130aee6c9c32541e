"""Handing out review cards so that two people never decide on the same order.

A claim ends by itself after `LASTS`, or when its holder is handed another card.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction

from oms.kernel import clock, scope
from oms.kernel.models import User
from orders.models import ReviewClaim
from orders.models.reason import Level

LASTS = timedelta(minutes=10)

# Waiting reasons of one kind in the order of their urgency, but for what others have before their eyes. A row that
# another request is just handing out is passed over.
NEXT = """
SELECT r.id, r.order_id
  FROM orders_reviewreason r JOIN orders_order o ON o.id = r.order_id
 WHERE r.code = %(code)s AND r.state = 'open' AND r.level = '{level}' AND o.stage = ANY(%(stages)s)
   AND NOT EXISTS (SELECT 1 FROM orders_reviewclaim c
                    WHERE c.order_id = r.order_id AND c.until > %(now)s AND c.by_id <> %(by)s)
   AND {place}{shops}
 ORDER BY o.ship_by NULLS LAST, o.id
 LIMIT 1 FOR NO KEY UPDATE OF r SKIP LOCKED
"""
OWN_SHOPS = " AND o.shop_id = ANY(%(shops)s)"
AT = "r.order_id = %(at)s"
BEHIND = """(COALESCE(o.ship_by, 'infinity'), o.id) >
            (SELECT COALESCE(a.ship_by, 'infinity'), a.id FROM orders_order a WHERE a.id = %(after)s)"""


@dataclass(frozen=True, slots=True)
class Handed:
    reason_id: int
    order_id: int
    shown_at: datetime


# Whoever comes second gets nothing back and looks for another card.
CLAIM = """
INSERT INTO orders_reviewclaim AS c (order_id, by_id, code, shown_at, until)
VALUES (%(order)s, %(by)s, %(code)s, %(now)s, %(until)s)
ON CONFLICT (order_id) DO UPDATE
   SET by_id = excluded.by_id, code = excluded.code, until = excluded.until,
       shown_at = CASE WHEN c.by_id = excluded.by_id AND c.code = excluded.code AND c.until > %(now)s
                       THEN c.shown_at ELSE excluded.shown_at END
 WHERE c.by_id = excluded.by_id OR c.until <= %(now)s
RETURNING shown_at
"""
TRIES = 5


@dataclass(frozen=True, slots=True)
class Queue:
    """Which open reasons are handed out: of one kind and level, on orders in these stages."""

    code: str
    stages: Sequence[str]
    level: Level = Level.BLOCK


def hand_out(queue: Queue, *, by: User, after: int | None = None, at: int | None = None) -> Handed | None:
    """The next card of a queue for this person: order `at`, else the one behind `after`, else the first. The same card
    asked for again keeps the moment it was first shown. None when nothing is left that nobody else has."""
    for _attempt in range(TRIES):
        # The same person may ask in two tabs at once: whose claim comes second finds the first and asks again.
        with suppress(IntegrityError), transaction.atomic():
            row = _next(queue, by, after, at)
            if row is None:
                release(by)
                return None
            reason_id, order_id = row
            if since := _claim(order_id, queue.code, by):
                return Handed(reason_id, order_id, since)
    return None


def _next(queue: Queue, by: User, after: int | None, at: int | None) -> tuple[int, int] | None:
    values: dict[str, Any] = {
        "code": queue.code,
        "stages": list(queue.stages),
        "now": clock.now(),
        "by": by.pk,
        "at": at,
        "after": after,
        "shops": list(scope.current().shops),
    }
    with connection.cursor() as cursor:
        for place, asked in ((AT, at), (BEHIND, after), ("true", 0)):
            if asked is not None:
                own = OWN_SHOPS if values["shops"] else ""
                cursor.execute(NEXT.format(level=queue.level.value, place=place, shops=own), values)
                if row := cursor.fetchone():
                    return int(row[0]), int(row[1])
    return None


def _claim(order_id: int, code: str, by: User) -> datetime | None:
    """Since when the card is this person's; None when somebody else was quicker."""
    now = clock.now()
    ReviewClaim.objects.filter(by=by).exclude(order=order_id).delete()
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"order": order_id, "by": by.pk, "code": code, "now": now, "until": now + LASTS})
        row = cursor.fetchone()
    return row[0] if row else None


def release(by: User) -> None:
    """This person has no card before their eyes any more."""
    ReviewClaim.objects.filter(by=by).delete()


def shown_at(order_id: int, by: User) -> datetime:
    """Since when this person has looked at the order; now, when it was not handed out to them."""
    claim = ReviewClaim.objects.filter(order=order_id, by=by).first()
    return claim.shown_at if claim else clock.now()


def holder(order_id: int, *, other_than: User) -> str:
    """Who else has a card of this order before their eyes; empty when nobody has."""
    claim = (
        ReviewClaim.objects.filter(order=order_id, until__gt=clock.now()).exclude(by=other_than).select_related("by")
    )
    found = claim.first()
    return str(found.by) if found else ""
