"""個人情報の保存期間: each shop's days with what is due, exempt orders, and what was erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Max, QuerySet, Sum
from django.db.models.functions import TruncMonth

from oms.kernel.clock import TOKYO
from orders.decide.privacy import CHANNEL_DAYS, is_longer_than_allowed
from orders.filter_ranges import midnight
from orders.models import LegalHold, PrivacyEvent, Retention, Shop
from orders.services import privacy

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ShopDays:
    """`days` that hold, None for ever; `own`: the company's word, not the channel's. `due` orders go with the next
    run."""

    shop: Shop
    days: int | None
    own: bool
    channel_days: int | None
    warned: bool
    due: int


def shop_days() -> list[ShopDays]:
    days = privacy.kept_days()
    due = privacy.due_counts(days)
    own = set(Retention.objects.values_list("shop", flat=True))
    return [
        ShopDays(
            shop,
            days[shop.pk],
            shop.pk in own,
            CHANNEL_DAYS.get(shop.channel),
            is_longer_than_allowed(shop.channel, days[shop.pk]),
            due.get(shop.pk, 0),
        )
        for shop in Shop.objects.order_by("channel", "code")
    ]


def holds() -> Sequence[LegalHold]:
    """The newest exempt orders."""
    return list(LegalHold.objects.select_related("order__shop", "by").order_by("-at", "-pk")[:MOST_SHOWN])


def events() -> QuerySet[PrivacyEvent]:
    return PrivacyEvent.objects.select_related("shop", "by")


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased of one shop in one month; `shop` None: members. `rule`: the days as they stand now."""

    month: date
    shop: Shop | None
    count: int
    runs: int
    last: Any
    days: int | None = None


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """消去の報告 of some days: by month and shop, what is exempt, and what is due and not erased yet."""

    rows: list[Erasure]
    orders: int
    members: int
    held: int
    due: int


def report(since: date, until: date) -> ErasureReport:
    """Days in Tokyo, both included. A fixed number of queries."""
    events = PrivacyEvent.objects.filter(at__gte=midnight(since), at__lt=midnight(until + timedelta(days=1)))
    gone = events.filter(kind__in=[PrivacyEvent.Kind.ERASED, PrivacyEvent.Kind.MEMBERS]).order_by()
    grouped = gone.annotate(month=TruncMonth("at", tzinfo=TOKYO)).values("month", "shop", "kind")
    found = list(grouped.annotate(total=Sum("count"), runs=Count("pk"), last=Max("at")).order_by("-month", "shop"))
    shops, days = Shop.objects.in_bulk({row["shop"] for row in found if row["shop"]}), privacy.kept_days()
    rows = [
        Erasure(
            row["month"].date(), shops.get(row["shop"]), row["total"], row["runs"], row["last"], days.get(row["shop"])
        )
        for row in found
    ]
    return ErasureReport(
        rows,
        orders=sum(row["total"] for row in found if row["kind"] == PrivacyEvent.Kind.ERASED),
        members=sum(row["total"] for row in found if row["kind"] == PrivacyEvent.Kind.MEMBERS),
        held=LegalHold.objects.count(),
        due=sum(privacy.due_counts(days).values()),
    )
