"""The rule of a listing: its own values, else its shop's, else none. And everything `decide` wants to know of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database

from channels.decide import windows
from channels.decide.pace import CAREFUL, ENOUGH_SALES, likely_at_most
from channels.decide.quantity import FIXED, LAST_UNIT, NORMAL, Rule, Seat
from channels.models import Connection, Listing, MaintenanceWindow, PublishRule
from channels.services import pace
from channels.services.supply import supplies, whole_pieces
from oms.kernel import clock
from orders.models import Shop

CLOCKS_AGREE_S = 2  # a mall's clock may run ahead of ours, and tells whole seconds

# What was sold of a listing since it was told its quantity. Only the newest lines of a SKU can be that young.
SOLD_SINCE = """
SELECT li.id, sum(l.quantity)::int
  FROM channels_listing li
 CROSS JOIN LATERAL (SELECT l.order_id, l.quantity, l.channel_sku FROM orders_orderline l
                      WHERE l.sku_id = li.sku_id ORDER BY l.id DESC LIMIT 1000) l
  JOIN orders_order o ON o.id = l.order_id AND o.shop_id = li.shop_id AND o.cancelled_at IS NULL
 WHERE li.id = ANY(%s) AND l.channel_sku = li.channel_sku AND li.sent_at IS NOT NULL
   AND CASE WHEN li.sent_relative THEN o.imported_at > li.sent_at
            ELSE o.ordered_at > li.sent_at + %s * interval '1 second' END
 GROUP BY li.id
"""


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What the seats of one shop share."""

    rule: PublishRule
    delay_s: float
    import_age_s: float
    cursor: datetime | None
    relative: bool
    phase: str  # of its maintenance calendar


def shop_facts(shop_ids: Collection[int]) -> dict[int, ShopFacts]:
    """By shop; a shop without a rule of its own gets the usual one (not stored)."""
    now = clock.now()
    stored = {rule.shop_id: rule for rule in PublishRule.objects.filter(shop__in=shop_ids)}
    cursors = dict(Connection.objects.filter(shop__in=shop_ids).values_list("shop", "cursor"))
    calendar = calendars(shop_ids)
    found = {}
    for shop in Shop.objects.filter(pk__in=shop_ids).only("pk", "capabilities"):
        rule = stored.get(shop.pk) or PublishRule(shop_id=shop.pk)
        cursor = cursors.get(shop.pk)
        delay, age = pace.delay_of(rule, shop.capabilities, cursor)
        lead = timedelta(minutes=rule.maintenance_lead_min)
        phase = windows.phase(calendar.get(shop.pk, []), now, lead)
        found[shop.pk] = ShopFacts(rule, delay, age, cursor, bool(shop.capabilities.get("relative_stock")), phase)
    return found


def calendars(shop_ids: Collection[int]) -> dict[int, list[windows.Window]]:
    """Each shop's maintenance windows; shops without any are left out."""
    found: dict[int, list[windows.Window]] = {}
    for row in MaintenanceWindow.objects.filter(shop__in=shop_ids):
        window = windows.Window(row.minutes, row.starts_at, row.weekday, row.start_time)
        found.setdefault(row.shop_id, []).append(window)
    return found


def rule_of(listing: Listing, shop: PublishRule) -> Rule:
    return Rule(
        mode=listing.mode,
        fixed=listing.fixed_quantity,
        buffer=shop.buffer if listing.buffer is None else listing.buffer,
        share=shop.share if listing.share is None else listing.share,
        cap=shop.cap if listing.cap is None else listing.cap,
        priority=shop.priority,
        adaptive=shop.adaptive,
        hot_below=shop.hot_below,
        hot_per_minute=shop.hot_per_minute,
    )


def seats_of(listings: Sequence[Listing]) -> dict[int, list[Seat]]:
    """SKU → the seats of these listings (mapped ones; all of a SKU's, or its units are parted wrongly)."""
    shops = {listing.shop_id for listing in listings}
    skus = {listing.sku_id for listing in listings if listing.sku_id}
    facts, supply, speed = shop_facts(shops), supplies(skus, shops), pace.speeds(skus)
    fast = {sku for (_shop, sku), sells in speed.items() if sells.sales >= ENOUGH_SALES}
    watched = [item for item in listings if item.mode == LAST_UNIT or (item.mode == NORMAL and item.sku_id in fast)]
    sold = sold_since([listing.pk for listing in watched])
    whole = whole_pieces({(x.shop_id, x.sku_id, x.units) for x in listings if x.sku_id and x.units > 1})
    seats: dict[int, list[Seat]] = {}
    for listing in listings:
        if listing.sku_id is None:
            continue
        pair = (listing.shop_id, listing.sku_id)
        seat = seat_of(
            listing,
            facts[listing.shop_id],
            supply[pair],
            speed=speed.get(pair, pace.Speed()),
            sold=sold.get(listing.pk, 0),
            whole=whole.get((*pair, listing.units)),
        )
        seats.setdefault(listing.sku_id, []).append(seat)
    return seats


def seat_of(
    listing: Listing, shop: ShopFacts, supply: int, *, speed: pace.Speed, sold: int, whole: int | None = None
) -> Seat:
    """`sold`: of the listing, since it was told its quantity. `whole`: as in `Seat`. Pure."""
    shows = shown_now(listing, sold)
    holds = max(shows, listing.sending or 0) + _unsettled(listing, shop, speed.per_minute)
    return Seat(
        id=listing.pk,
        rule=rule_of(listing, shop.rule),
        supply=supply,
        units=listing.units,
        whole=whole,
        pace=speed.per_minute,
        sales=speed.sales,
        delay_s=shop.delay_s,
        import_age_s=shop.import_age_s,
        holds=holds * listing.units,
        shows=shows * listing.units,
        relative=shop.relative and listing.mode != FIXED,
        extra=shop.rule.maintenance_buffer if shop.phase else 0,
    )


def shown_now(listing: Listing, sold: int) -> int:
    """What the channel shows by our books: what it was told (or said itself, if never told) without what it sold."""
    told = listing.sent if listing.sent is not None else listing.confirmed
    return max(0, (told or 0) - sold)


def _unsettled(listing: Listing, shop: ShopFacts, speed: float) -> int:
    """Sold before the last push and not imported yet: the push wiped it out at the channel, the order still comes."""
    if listing.sent_relative or listing.sent_at is None or not listing.sent_before:
        return 0
    if shop.cursor is not None and shop.cursor >= listing.sent_at:
        return 0
    since = (listing.sent_at - shop.cursor).total_seconds() if shop.cursor else shop.import_age_s
    return min(listing.sent_before, likely_at_most(speed * since / 60 / listing.units, CAREFUL))


def sold_since(listing_ids: Sequence[int]) -> dict[int, int]:
    """Listing → units of it in orders that came after it was told its quantity; listings without any are left out."""
    if not listing_ids:
        return {}
    with database.cursor() as cursor:
        cursor.execute(SOLD_SINCE, [list(listing_ids), CLOCKS_AGREE_S])
        return dict(cursor.fetchall())
