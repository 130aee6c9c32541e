"""What each shop sells: imported from the channel daily, matched to SKUs where the code leaves no doubt."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from channels.connectors.contract import ListingInfo
from channels.models import Connection, Listing
from channels.services import desired, mapping, matching, publishing_journal, shops
from channels.services.mapping import Decision
from channels.services.publishing_journal import Event
from channels.services.wake import wake_publisher
from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.services import setting_versions
from oms.kernel.services.setting_versions import Change

EVERY = timedelta(days=1)
TRIED_AGAIN_AFTER = timedelta(hours=12)  # a reading that ended before its last page; longer than the longest takes


def due() -> list[int]:
    """Connections whose listings were not imported for a day; each is claimed, so it is returned once. A reading that
    fails, or whose worker dies, is due again after half a day."""
    now = clock.now()
    claimed = now - EVERY + TRIED_AGAIN_AFTER
    rows = (
        Connection.objects.filter(Q(listings_at__isnull=True) | Q(listings_at__lt=now - EVERY))
        .filter(shop__active=True, last_import_at__isnull=False, publish_paused=False)
        .exclude(health=Connection.Health.STOPPED)
        .exclude(secrets=b"")
    )
    return [
        pk
        for pk, at in rows.order_by("pk").values_list("pk", "listings_at")
        if Connection.objects.filter(pk=pk, listings_at=at).update(listings_at=claimed)
    ]


def import_listings(connection: Connection) -> dict[str, int]:
    """Fetch every listing of the shop, and propose SKUs for those without; returns counts seen, new and mapped.
    Raises ChannelError."""
    begun = clock.now()
    this = Connection.objects.filter(pk=connection.pk)
    this.update(listings_at=begun - EVERY + TRIED_AGAIN_AFTER)
    counts = {"seen": 0, "new": 0, "mapped": 0}
    for page in shops.connector_of(connection).list_listings():
        stored = store(connection, page)
        counts = {name: counts[name] + stored[name] for name in counts}
    this.update(listings_at=begun)
    matching.propose(connection.shop_id)
    return counts


def summary(counts: Mapping[str, int]) -> str:
    """The counts of `import_listings` as a sentence."""
    return said("出品%(seen)d件（新規%(new)d件、対応済み%(mapped)d件）を取り込みました。", **counts)


@transaction.atomic
def store(connection: Connection, page: Sequence[ListingInfo]) -> dict[str, int]:
    """Write one page: new listings are matched by exact code, then by a JAN that only one SKU has."""
    known = {
        listing.code: listing
        for listing in Listing.objects.filter(shop=connection.shop, code__in=[info.code for info in page])
    }
    sku_of = _matches([info for info in page if info.code not in known or known[info.code].sku_id is None])
    now = clock.now()
    rows, sure = [], []
    for info in page:
        listing = known.get(info.code) or _new_listing(connection, info)
        listing.channel_sku, listing.name = info.channel_sku, info.name[:300]
        listing.jan, listing.seen_at = info.jan[:14], now
        if listing.sku_id is None and info.code in sku_of:
            sure.append(Decision(connection.shop_id, info.channel_sku, sku_of[info.code]))
        if info.quantity is not None:
            listing.confirmed, listing.confirmed_at = info.quantity, now
        rows.append(listing)
    Listing.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["shop", "code"],
        update_fields=["channel_sku", "name", "jan", "seen_at", "confirmed", "confirmed_at"],
    )
    mapping.map_codes(sure, how="import")
    return {
        "seen": len(page),
        "new": sum(info.code not in known for info in page),
        "mapped": sum(row.sku_id is not None for row in rows) + len(sure),
    }


COLUMNS = ("mode", "fixed_quantity", "buffer", "share", "cap")


def change(listing_id: int, *, by: User | None = None, **values: Any) -> Listing:
    """Change how one listing is told its stock; see `change_many`."""
    change_many([listing_id], values, by=by)
    return Listing.objects.get(pk=listing_id)


@transaction.atomic
def change_many(listing_ids: Sequence[int], values: Mapping[str, Any], *, by: User | None) -> int:
    """Set these columns (of `COLUMNS`; an empty override is None) on these listings; returns how many changed.

    Each change is journaled. The publisher works the quantities out anew and sends them, also when a listing had been
    stopped and the channel may show anything by now.
    """
    if unknown := values.keys() - set(COLUMNS):
        raise ValueError(f"not how a listing is told its stock: {unknown}")
    changed, events = [], []
    versions: list[Change] = []
    for listing in Listing.objects.select_for_update(no_key=True).filter(pk__in=listing_ids).order_by("pk"):
        differs = {name: [getattr(listing, name), new] for name, new in values.items() if getattr(listing, name) != new}
        if not differs:
            continue
        if listing.mode == Listing.Mode.STOPPED and "mode" in differs:
            listing.sent, listing.desired_at = None, None
        before = told(listing)
        for name, (_before, new) in differs.items():
            setattr(listing, name, new)
        versions.append(Change(str(listing.pk), listing.code, before, told(listing)))
        listing.failures, listing.next_try_at = 0, None
        changed.append(listing)
        events.append(Event("listing", differs, shop_id=listing.shop_id, listing_id=listing.pk, sku_id=listing.sku_id))
    if changed:
        Listing.objects.bulk_update(
            changed, [*COLUMNS, "sent", "desired_at", "failures", "next_try_at"], batch_size=1000
        )  # rows locked above, in order
        publishing_journal.write(events, by=by)
        setting_versions.keep_many("listing", versions, by=by)
        desired.mark(listing.sku_id for listing in changed)
        wake_publisher()
    return len(changed)


def told(listing: Listing) -> dict[str, Any]:
    """What a version keeps of it."""
    return {name: getattr(listing, name) for name in COLUMNS}


def _new_listing(connection: Connection, info: ListingInfo) -> Listing:
    """Where the channel keeps the stock itself, nothing is ever pushed."""
    mode = Listing.Mode.STOPPED if info.channel_keeps_stock else Listing.Mode.NORMAL
    return Listing(shop=connection.shop, code=info.code, mode=mode)


def _matches(infos: Sequence[ListingInfo]) -> dict[str, int]:
    """Listing code → SKU, for the sure cases: a SKU's own code (whole, or the channel's variant part), a unique JAN."""
    names = {info.code: _names(info) for info in infos}
    wanted = {name for own in names.values() for name in own}
    by_code = {code.upper(): pk for pk, code in Sku.objects.filter(code__in=wanted).values_list("pk", "code")}
    jans = {info.jan for info in infos} - {""}
    by_jan: dict[str, list[int]] = {}
    for pk, jan in Sku.objects.filter(jan__in=jans).values_list("pk", "jan"):
        by_jan.setdefault(jan, []).append(pk)
    found = {}
    for info in infos:
        same_code = next((by_code[name.upper()] for name in names[info.code] if name.upper() in by_code), None)
        same_jan = by_jan.get(info.jan, [])
        if same_code is not None or len(same_jan) == 1:
            found[info.code] = same_jan[0] if same_code is None else same_code
    return found


def _names(info: ListingInfo) -> list[str]:
    """What of a listing may be a SKU's code, as written and in capitals (malls store codes in small letters)."""
    whole = [info.channel_sku, info.code]
    parts = [re.split(r"[:/]", text)[-1] for text in whole]
    return [name for text in dict.fromkeys([*whole, *parts]) if text for name in (text, text.upper())]
