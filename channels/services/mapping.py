"""What a channel's product code stands for (商品対応表): decided in batches, learned, undone, all of it journaled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from channels.models import Listing, ListingEvent, Proposal
from inventory.models import PublisherMark, Sku
from inventory.queries.release_day import release_day
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.services import setting_versions
from oms.kernel.services.setting_versions import Change
from oms.kernel.sql import update_rows
from orders.models import Order, OrderLine, Shop
from orders.services import journal, order_release, review, set_parts
from orders.services.intake_rows import Mapped
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.reservation import line_ids_of, want_of
from orders.services.waiting import promisable


@dataclass(frozen=True, slots=True)
class Decision:
    """A shop's code stands for so many pieces of a SKU (or of a set)."""

    shop_id: int
    channel_sku: str
    sku_id: int
    units: int = 1


def sku_map(shop: Shop, channel_skus: Sequence[str]) -> dict[str, Mapped]:
    """Known codes → SKU. A code without listing that equals a SKU's own code is taken as that SKU."""
    wanted = list(set(channel_skus))
    rows = Listing.objects.filter(shop=shop, channel_sku__in=wanted, sku__isnull=False).values_list(
        "channel_sku", "sku", "sku__code", "units", release_day("sku__"), "sku__jan"
    )
    found = {channel_sku: Mapped(sku, code, units, day, jan) for channel_sku, sku, code, units, day, jan in rows}
    known = set(Listing.objects.filter(shop=shop, channel_sku__in=wanted).values_list("channel_sku", flat=True))
    rest = [code for code in wanted if code not in known]
    alike = Sku.objects.filter(code__in=rest, active=True).values_list("pk", "code", release_day(), "jan")
    same = alike if rest else []
    return found | {code: Mapped(pk, code, 1, release, jan) for pk, code, release, jan in same}


def map_code(shop: Shop, channel_sku: str, sku: Sku, *, units: int = 1, actor: Actor = SYSTEM) -> list[int]:
    """`map_codes` of one code."""
    return map_codes([Decision(shop.pk, channel_sku, sku.pk, units)], actor=actor, how="person")


@transaction.atomic
def map_codes(decisions: Sequence[Decision], *, actor: Actor = SYSTEM, how: str) -> list[int]:
    """Map codes from now on, and give them to the lines that wait for them; returns the orders that moved on.

    Every listing of a code follows; a code without listing gets one, so that the next order knows it. Leaves the
    publisher's marks, so that the listings are told their stock. Locks the orders by pk, then stock once, last.
    `how` goes into the journal: "person", "proposal", "csv:12", "import".
    """
    wanted = {(decision.shop_id, decision.channel_sku): decision for decision in decisions}
    if not wanted:
        return []
    _write_listings(wanted, actor=actor, how=how)
    now = clock.now()
    PublisherMark.objects.bulk_create(
        PublisherMark(sku_id=sku_id, at=now) for sku_id in sorted({decision.sku_id for decision in wanted.values()})
    )
    return _give_to_waiting_lines(wanted, actor)


def _write_listings(wanted: Mapping[tuple[int, str], Decision], *, actor: Actor, how: str) -> None:
    listings = listings_of(list(wanted))
    known = {(listing.shop_id, listing.channel_sku) for listing in listings}
    made = Listing.objects.bulk_create(
        Listing(shop_id=shop_id, code=code, channel_sku=code)
        for shop_id, code in wanted
        if (shop_id, code) not in known
    )
    changed = []
    for listing in [*listings, *made]:
        decision = wanted[listing.shop_id, listing.channel_sku]
        if (listing.sku_id, listing.units) != (decision.sku_id, decision.units):
            changed.append((listing, decision))
    update_rows(
        "channels_listing",
        {"sku_id": "bigint", "units": "smallint"},
        [(listing.pk, decision.sku_id, decision.units) for listing, decision in changed],
    )
    note(
        ListingEvent.Kind.MAPPED,
        [(listing, said_of(listing.sku_id, listing.units), said_of(d.sku_id, d.units)) for listing, d in changed],
        by=actor.by,
        how=how,
    )
    Proposal.objects.filter(listing__in=[listing.pk for listing in listings]).delete()


def listings_of(codes: Sequence[tuple[int, str]]) -> list[Listing]:
    """Every listing that carries one of these (shop, channel's code), locked by pk."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.id FROM channels_listing l JOIN unnest(%s::bigint[], %s::text[]) AS w(shop_id, channel_sku) "
            "USING (shop_id, channel_sku)",
            [[shop_id for shop_id, _code in codes], [code for _shop, code in codes]],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    return list(Listing.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))


def _give_to_waiting_lines(wanted: Mapping[tuple[int, str], Decision], actor: Actor) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [[shop for shop, _code in wanted], [code for _shop, code in wanted]])
        waiting = cursor.fetchall()
    orders = sorted({order for _line, order, *_rest in waiting})
    if not orders:
        return []
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=orders).order_by("pk").values_list("pk"))
    skus = Sku.objects.annotate(released_on=release_day()).in_bulk({decision.sku_id for decision in wanted.values()})
    chosen = {line: wanted[shop, code] for line, _order, shop, code, *_rest in waiting}
    update_rows(
        "orders_orderline",
        {"sku_id": "bigint", "units": "int", "release_date": "date"},
        [(line, d.sku_id, d.units, skus[d.sku_id].released_on) for line, d in chosen.items()],
    )
    set_parts.keep_anew([(line, chosen[line].sku_id, chosen[line].units, rate) for line, *_rest, rate in waiting])
    given = sorted({(order, code, skus[chosen[line].sku_id].code) for line, order, _shop, code, *_rest in waiting})
    journal.write([Entry(order, "mapped", f"{code} → {sku}") for order, code, sku in given], actor=actor)
    order_release.follow_lines(orders)
    ours = set(promisable().filter(pk__in=chosen).values_list("pk", flat=True))
    wants = [
        want_of(line, chosen[line].sku_id, quantity * chosen[line].units, ship_by, ordered_at)
        for line, _order, _shop, _code, quantity, ship_by, ordered_at, _rate in waiting
        if line in ours
    ]
    granted = stock.grant(set_parts.requests_for(wants), kind="reserve")
    OrderLine.objects.filter(pk__in=line_ids_of(granted)).update(reserved=True)
    review.reevaluate(orders, actor=actor)
    return orders


# Lines of standing orders without SKU whose code is decided now. The partial index `line_unmapped` serves it.
WAITING = """
SELECT l.id, o.id, o.shop_id, l.channel_sku, l.quantity, o.ship_by, o.ordered_at, l.tax_rate
  FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
  JOIN unnest(%s::bigint[], %s::text[]) AS w(shop_id, channel_sku)
    ON w.shop_id = o.shop_id AND w.channel_sku = l.channel_sku
 WHERE l.sku_id IS NULL AND o.cancelled_at IS NULL ORDER BY l.id
"""


@transaction.atomic
def unmap(listing_ids: Sequence[int], *, by: User | None, how: str = "person") -> int:
    """Take the SKU away: the next order of the code waits in review, its stock is told no more. Orders that hold the
    SKU keep it. Returns how many changed."""
    rows = list(
        Listing.objects.select_for_update(no_key=True).filter(pk__in=listing_ids, sku__isnull=False).order_by("pk")
    )
    Listing.objects.filter(pk__in=[row.pk for row in rows]).update(sku=None, units=1, desired_at=None, error="")
    note(ListingEvent.Kind.UNMAPPED, [(row, said_of(row.sku_id, row.units), "") for row in rows], by=by, how=how)
    return len(rows)


@transaction.atomic
def delete(listing_ids: Sequence[int], *, by: User | None, how: str = "person") -> int:
    """Forget listings; the journal keeps what they stood for. One that the channel still has comes back, unmapped,
    with the next import of listings."""
    rows = list(Listing.objects.select_for_update(no_key=True).filter(pk__in=listing_ids).order_by("pk"))
    note(ListingEvent.Kind.DELETED, [(row, said_of(row.sku_id, row.units), "") for row in rows], by=by, how=how)
    Listing.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def said_of(sku_id: int | None, units: int) -> tuple[int | None, int]:
    """What the journal says of a mapping: kept as a pair until `note` knows the SKUs' codes."""
    return (sku_id, units)


Said = tuple[int | None, int] | str


def note(kind: str, rows: Sequence[tuple[Listing, Said, Said]], *, by: User | None, how: str) -> None:
    """Append to the journal of mappings: (listing, before, after); SKUs are written by their codes, CHAIR ×2."""
    pairs = [said for _listing, before, after in rows for said in (before, after) if not isinstance(said, str)]
    codes = dict(Sku.objects.filter(pk__in={pk for pk, _units in pairs if pk}).values_list("pk", "code"))
    now = clock.now()

    def words(said: Said) -> str:
        if isinstance(said, str):
            return said
        pk, units = said
        return "" if pk is None else codes[pk] if units == 1 else f"{codes[pk]} ×{units}"

    ListingEvent.objects.bulk_create(
        ListingEvent(
            shop_id=listing.shop_id,
            code=listing.code,
            channel_sku=listing.channel_sku,
            kind=kind,
            before=words(before)[:80],
            after=words(after)[:80],
            how=how[:30],
            at=now,
            by=by,
        )
        for listing, before, after in rows
    )
    if by is not None and kind != ListingEvent.Kind.CHANGED:
        _keep_versions(rows, by)


def ref_of(shop_id: int, code: str) -> str:
    """How the versions of a code's mapping name it."""
    return f"{shop_id}/{code}"


def _keep_versions(rows: Sequence[tuple[Listing, Said, Said]], by: User) -> None:
    """What people decided, one version per code; what an import found by itself is no decision."""
    changes = {
        ref_of(listing.shop_id, listing.channel_sku): Change(
            ref_of(listing.shop_id, listing.channel_sku), listing.channel_sku, _content(before), _content(after)
        )
        for listing, before, after in rows
    }
    setting_versions.keep_many("mapping", list(changes.values()), by=by)


def _content(said: Said) -> dict[str, int] | None:
    if isinstance(said, str) or said[0] is None:
        return None
    return {"sku": said[0], "units": said[1]}


def name_of(shop: Shop, channel_sku: str) -> str:
    """What the channel calls this code, as far as we know."""
    name = Listing.objects.filter(shop=shop, channel_sku=channel_sku).values_list("name", flat=True).first()
    return name or ""
