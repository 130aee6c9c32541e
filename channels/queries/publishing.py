"""What the publishing screens show: shops with their rules, and why a SKU's number is what it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.decide.quantity import Seat, Told, decide
from channels.decide.windows import ends_at
from channels.models import Listing, PublishingEvent, PublishRule, PushLog, SkuRule, StockComparison
from channels.queries.listings import tone_of
from channels.services.rules import calendars, rule_of, seats_of, shop_facts
from inventory.models import Location, Sku
from oms.kernel import clock
from orders.models import Shop
from orders.services.manual import CHANNEL as BY_HAND

LATEST = 50


@dataclass(frozen=True, slots=True)
class ShopRow:
    shop: Shop
    rule: PublishRule
    phase: str
    until: datetime | None
    latest: StockComparison | None


def shop_rows() -> list[ShopRow]:
    """Every active shop with its rule, its maintenance and its last comparison. A fixed number of queries."""
    shops = list(Shop.objects.filter(active=True).exclude(channel=BY_HAND).order_by("code"))
    ids = [shop.pk for shop in shops]
    facts, calendar, now = shop_facts(ids), calendars(ids), clock.now()
    runs = StockComparison.objects.filter(shop__in=ids).order_by("shop_id", "-pk").distinct("shop_id")
    latest = {run.shop_id: run for run in runs}
    return [
        ShopRow(
            shop,
            facts[shop.pk].rule,
            facts[shop.pk].phase,
            ends_at(calendar.get(shop.pk, []), now),
            latest.get(shop.pk),
        )
        for shop in shops
    ]


@dataclass(frozen=True, slots=True)
class Why:
    """One listing of a SKU: what decides its number, and what became of it."""

    listing: Listing
    seat: Seat
    told: Told
    tone: str

    @property
    def held_back(self) -> int:
        return self.seat.rule.buffer + self.seat.extra + self.told.reserve


def sku_page(sku: Sku) -> dict[str, Any]:
    """Everything the page of one SKU's published stock shows."""
    listings = list(Listing.objects.select_related("shop").filter(sku=sku).order_by("shop__code", "code"))
    rule = SkuRule.objects.filter(sku=sku).first()
    return {
        "sku": sku,
        "rows": _reasons(listings),
        "stopped": [listing for listing in listings if listing.mode == Listing.Mode.STOPPED],
        "safety": rule.safety_stock if rule else 0,
        "pushes": list(
            PushLog.objects.select_related("listing__shop").filter(listing__sku=sku).order_by("-pk")[:LATEST]
        ),
        "events": list(_events().filter(sku=sku)[:LATEST]),
    }


def _reasons(listings: Sequence[Listing]) -> list[Why]:
    active = [listing for listing in listings if listing.mode != Listing.Mode.STOPPED]
    now, found = clock.now(), []
    for seats in seats_of(active).values():
        told = decide(seats)
        seat_by_id = {seat.id: seat for seat in seats}
        found += [
            Why(listing, seat_by_id[listing.pk], told[listing.pk], tone_of(listing, now))
            for listing in active
            if listing.pk in seat_by_id
        ]
    return found


def _events() -> Any:
    return PublishingEvent.objects.select_related("shop", "listing", "by").order_by("-pk")


def shop_events(shop_id: int) -> list[PublishingEvent]:
    return list(_events().filter(shop=shop_id, listing=None)[:LATEST])


def comparisons(shop_id: int) -> list[StockComparison]:
    return list(StockComparison.objects.select_related("by").filter(shop=shop_id).order_by("-pk")[:10])


def places() -> list[Location]:
    return list(Location.objects.filter(sells_online=True, active=True).order_by("priority", "pk"))


__all__ = ["Why", "comparisons", "places", "rule_of", "shop_events", "shop_rows", "sku_page"]
