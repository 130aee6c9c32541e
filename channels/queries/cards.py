"""What 店舗・モール shows of each shop, in a fixed number of queries."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db.models import Count, Min, QuerySet

from channels.models import Connection, CredentialEvent, Listing, QuarantinedOrder
from channels.queries.health import Verdict, verdict_of
from channels.queries.listings import STATES
from oms.kernel import clock

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


@dataclass(frozen=True, slots=True)
class Card:
    connection: Connection
    verdict: Verdict
    figures: Figures = field(default_factory=Figures)

    @property
    def needs_someone(self) -> bool:
        """Something here stays wrong until a person acts."""
        f = self.figures
        return self.verdict.tone == "danger" or bool(f.refused or f.unmapped or f.quarantined or f.failed_notices)


def cards(shop_ids: Sequence[int] | None = None) -> list[Card]:
    """All shops, active ones first; or these."""
    rows = connections().order_by("-shop__active", "shop__code")
    if shop_ids is not None:
        rows = rows.filter(shop__in=shop_ids)
    figures, now = _figures(), clock.now()
    return [Card(row, verdict_of(row, now), figures.get(row.shop_id, Figures())) for row in rows]


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
    facts = [(_facts(card), card.figures) for card in shown]
    return hashlib.blake2b(repr((facts, clock.now().strftime("%H%M"))).encode(), digest_size=10).hexdigest()


def _facts(card: Card) -> tuple[object, ...]:
    row = card.connection
    return (
        row.pk, row.shop.name, row.shop.active, card.verdict, row.import_paused, row.publish_paused, row.notices_paused,
        row.last_import_at, row.last_import_count, row.last_push_at, row.import_error, row.publish_error,
        row.secrets_changed_at,
    )  # fmt: skip


def journal(connection: Connection, limit: int = 20) -> "QuerySet[CredentialEvent]":
    """What people and the system did to the shop's connection, the newest first."""
    rows = CredentialEvent.objects.filter(connection=connection).select_related("by", "connection__shop")
    rows = rows.defer("connection__secrets")
    return rows.order_by("-id")[:limit]
