"""What 店舗・モール shows of each shop, in a fixed number of queries."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db.models import Count, Min, QuerySet

from channels.decide.windows import next_start
from channels.models import (
    Connection,
    Credential,
    CredentialEvent,
    Listing,
    Protection,
    QuarantinedOrder,
    Renewal,
)
from channels.queries.budgets import Budget, budgets
from channels.queries.health import QUOTA_CALLS, QUOTA_WINDOW, Ending, Verdict, verdict_of
from channels.queries.listings import STATES
from channels.services.expiry import step_of
from channels.services.rules import calendars
from oms.kernel import clock
from orders.queries import visible

WAITING, REFUSED, UNMAPPED = (STATES[state][1] for state in ("waiting", "error", "unmapped"))

NOTICES = """
SELECT o.shop_id, count(*) FILTER (WHERE e.state = 'failed'), count(*) FILTER (WHERE e.state <> 'failed')
  FROM kernel_effect e JOIN orders_order o ON o.id = (e.payload->>'order')::bigint
 WHERE e.state IN ('failed', 'waiting', 'running') AND e.kind LIKE 'channel\\_%'
 GROUP BY o.shop_id
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one shop; each has a list behind it."""

    listings: int = 0
    waiting: int = 0
    waiting_since: datetime | None = None
    refused: int = 0
    unmapped: int = 0
    quarantined: int = 0
    failed_notices: int = 0
    waiting_notices: int = 0


# Per shop: calls of the last hour, the tightest limit's use in ten minutes, notices of the last day.
TRAFFIC = """
SELECT s.id, hour.n, hour.failed, quota.used, notice.ok, notice.failed, notice.last_ok
  FROM orders_shop s,
LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE NOT ok) AS failed
           FROM channels_apicall c WHERE c.shop_id = s.id AND c.at >= %(hour)s) hour,
LATERAL (SELECT max(used) AS used FROM (
             SELECT sum(limit_s) / %(window_s)s AS used FROM channels_apicall c
              WHERE c.shop_id = s.id AND c.at > %(window)s
              GROUP BY bucket HAVING count(*) >= %(calls)s) b) quota,
LATERAL (SELECT count(*) FILTER (WHERE ok) AS ok, count(*) FILTER (WHERE NOT ok) AS failed,
                max(at) FILTER (WHERE ok) AS last_ok
           FROM channels_apicall c WHERE c.shop_id = s.id AND c.purpose = 'notice' AND c.at >= %(day)s) notice
"""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went over the wire; `quota` is a share, 0 to 1."""

    calls: int = 0
    failed: int = 0
    quota: float | None = None
    notices: int = 0
    notices_failed: int = 0
    notice_at: datetime | None = None

    @property
    def percent(self) -> int:
        return round(100 * (self.quota or 0))


@dataclass(frozen=True, slots=True)
class Card:
    connection: Connection
    verdict: Verdict
    figures: Figures = field(default_factory=Figures)
    traffic: Traffic = field(default_factory=Traffic)
    budgets: Sequence[Budget] = ()
    endings: Sequence[Credential] = ()  # credentials that end, the next one first
    protection: Protection | None = None
    renewal: Renewal | None = None
    maintenance: datetime | None = None  # when the mall's next window opens, or the open one opened

    @property
    def ending(self) -> Ending | None:
        """The next credential to end, when it stands at a warning step."""
        now = clock.now()
        for row in self.endings[:1]:
            step = step_of(row.issued_at, row.expires_at, now)
            if step is not None and row.expires_at is not None:
                return Ending(step, row.expires_at)
        return None

    @property
    def stopped_since(self) -> datetime | None:
        """Since when import and push stand still because the credentials are refused."""
        return self.connection.stopped_since if self.connection.health == Connection.Health.STOPPED else None

    @property
    def needs_someone(self) -> bool:
        """Something here stays wrong until a person acts."""
        f = self.figures
        return self.verdict.tone == "danger" or bool(f.refused or f.unmapped or f.quarantined or f.failed_notices)


def cards(shop_ids: Sequence[int] | None = None) -> list[Card]:
    """All shops, active ones first; or these."""
    rows = visible.of_shops(connections(), "shop").order_by("-shop__active", "shop__code")
    if shop_ids is not None:
        rows = rows.filter(shop__in=shop_ids)
    shown = list(rows)
    figures, traffic, now = _figures(), _traffic(), clock.now()
    spent = budgets([row.shop for row in shown if row.shop.active])
    endings = _by_connection(Credential.objects.filter(expires_at__isnull=False).order_by("expires_at", "pk"))
    for row in shown:  # so that naming a credential needs no query
        for credential in endings.get(row.pk, ()):
            credential.connection = row
    protections = _by_connection(Protection.objects.filter(lifted_at__isnull=True))
    calendar = calendars([row.shop_id for row in shown])
    renewals = _by_connection(Renewal.objects.filter(state__in=Renewal.OPEN).defer("fresh", "old"))
    return [
        Card(
            row,
            verdict_of(row, now),
            figures.get(row.shop_id, Figures()),
            traffic.get(row.shop_id, Traffic()),
            spent.get(row.shop_id, ()),
            endings.get(row.pk, ()),
            next(iter(protections.get(row.pk, ())), None),
            next(iter(renewals.get(row.pk, ())), None),
            next_start(calendar.get(row.shop_id, ()), now),
        )
        for row in shown
    ]


def _by_connection(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.connection_id, []).append(row)
    return found


def _traffic() -> dict[int, Traffic]:
    now = clock.now()
    values: dict[str, Any] = {
        "hour": now - timedelta(hours=1),
        "day": now - timedelta(days=1),
        "window": now - QUOTA_WINDOW,
        "window_s": QUOTA_WINDOW.total_seconds(),
        "calls": QUOTA_CALLS,
    }
    with database.cursor() as cursor:
        cursor.execute(TRAFFIC, values)
        return {shop_id: Traffic(*figures) for shop_id, *figures in cursor.fetchall()}


def connections() -> "QuerySet[Connection]":
    """Connections with what screens show of them; never the secrets."""
    return Connection.objects.select_related("shop", "secrets_changed_by").defer("secrets")


LISTED = ("listings", "waiting", "waiting_since", "refused", "unmapped")


def _figures() -> dict[int, Figures]:
    counted: dict[int, dict[str, Any]] = {
        shop: dict(zip(LISTED, values, strict=True))
        for shop, *values in Listing.objects.order_by()
        .values("shop")
        .annotate(
            listings=Count("pk"),
            waiting=Count("pk", filter=WAITING),
            waiting_since=Min("desired_at", filter=WAITING),
            refused=Count("pk", filter=REFUSED),
            unmapped=Count("pk", filter=UNMAPPED),
        )
        .values_list("shop", *LISTED)
    }
    held = QuarantinedOrder.objects.filter(resolved_at__isnull=True).order_by().values("shop").annotate(n=Count("pk"))
    for row in held:
        counted.setdefault(row["shop"], {})["quarantined"] = row["n"]
    for shop_id, failed, waiting in _notices():
        counted.setdefault(shop_id, {}).update(failed_notices=failed, waiting_notices=waiting)
    return {shop_id: Figures(**values) for shop_id, values in counted.items()}


def _notices() -> list[tuple[int, int, int]]:
    with database.cursor() as cursor:
        cursor.execute(NOTICES)
        return cursor.fetchall()


def token(shown: Sequence[Card]) -> str:
    """Equal as long as the cards would look the same; ages are told by the minute."""
    facts = [(_facts(card), card.figures, card.traffic, card.budgets) for card in shown]
    return hashlib.blake2b(repr((facts, clock.now().strftime("%H%M"))).encode(), digest_size=10).hexdigest()


def _facts(card: Card) -> tuple[object, ...]:
    row = card.connection
    return (
        row.pk, row.shop.name, row.shop.active, card.verdict, row.import_paused, row.publish_paused, row.notices_paused,
        row.last_import_at, row.last_import_count, row.last_push_at, row.import_error, row.publish_error,
        row.secrets_changed_at, [one.expires_at for one in card.endings], card.protection, card.renewal,
    )  # fmt: skip


def journal(connection: Connection, limit: int = 20) -> "QuerySet[CredentialEvent]":
    """What people and the system did to the shop's connection, the newest first."""
    rows = CredentialEvent.objects.filter(connection=connection).select_related("by", "connection__shop")
    rows = rows.defer("connection__secrets")
    return rows.order_by("-id")[:limit]
