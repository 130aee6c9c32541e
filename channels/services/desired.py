"""From marks to wanted quantities: which SKUs changed, and what each of their listings should show now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from channels.decide.quantity import Told, decide
from channels.models import Listing
from channels.services.rules import seats_of
from inventory.models import PublisherMark
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.sql import update_rows

MARKS = 20_000


def consume_marks() -> set[int]:
    """Turn the stock door's marks into desired quantities; returns the shops that now have something to push."""
    with transaction.atomic():
        marks = list(
            PublisherMark.objects.select_for_update(skip_locked=True)
            .order_by("pk")
            .values_list("pk", "sku_id", "at")[:MARKS]
        )
        if not marks:
            return set()
        PublisherMark.objects.filter(pk__in=[pk for pk, _sku, _at in marks]).delete()
        changed_at: dict[int, datetime] = {}
        for _pk, sku, at in marks:
            changed_at[sku] = min(at, changed_at.get(sku, at))
        return refresh_desired(with_bundles(changed_at))


def with_bundles(changed_at: Mapping[int, datetime]) -> dict[int, datetime]:
    """Also the sets that hang on these SKUs, changed when their first component did."""
    found = dict(changed_at)
    for component, bundles in stock.bundles_of(changed_at).items():
        for bundle in bundles:
            found[bundle] = min(changed_at[component], found.get(bundle, changed_at[component]))
    return found


def mark(sku_ids: Iterable[int | None]) -> None:
    """Have these SKUs looked at again, for another cause than their stock. Call it inside a transaction or not."""
    now = clock.now()
    PublisherMark.objects.bulk_create(PublisherMark(sku_id=sku, at=now) for sku in sorted({s for s in sku_ids if s}))


def refresh_desired(changed_at: Mapping[int, datetime], *, shop_id: int | None = None) -> set[int]:
    """Recompute `desired` of the listings of these SKUs, of all shops or one; returns the shops where it changed.

    `changed_at` is when each SKU's stock changed: the clock of the publish delay starts there. Locks the listings.
    """
    listings = list(
        Listing.objects.select_for_update(no_key=True)
        .filter(sku__in=changed_at)
        .exclude(mode=Listing.Mode.STOPPED)
        .order_by("pk")
    )
    told = decisions(listings)
    rows, touched = [], set()
    for listing in listings:
        if shop_id is not None and listing.shop_id != shop_id:
            continue
        row = changed(listing, told[listing.pk], changed_at[listing.sku_id or 0])
        if row is not None:
            rows.append(row)
            if row[2] is not None:
                touched.add(listing.shop_id)
    columns = {"desired": "int", "desired_at": "timestamptz", "next_try_at": "timestamptz", "hot": "bool"}
    update_rows("channels_listing", columns, rows)
    return touched


def decisions(listings: Sequence[Listing]) -> dict[int, Told]:
    """What each of these (mapped) listings should show; pass all listings of a SKU together."""
    told: dict[int, Told] = {}
    for seats in seats_of(listings).values():
        told |= decide(seats)
    return told


Row = tuple[int, int, datetime | None, datetime | None, bool]


def changed(listing: Listing, told: Told, changed_at: datetime) -> Row | None:
    """The listing's new values (id, desired, desired_at, next_try_at, hot), or None when all is as it was. Pure."""
    wanted = told.quantity
    if told.keeps and listing.sent is not None:
        if (wanted, None, told.hot) == (listing.desired, listing.desired_at, listing.hot):
            return None
        return listing.pk, wanted, None, None, told.hot
    differs = wanted != listing.desired or (listing.sent is None and listing.desired_at is None)
    if told.alone:  # sales changed what it shows, although what was wanted last is the same
        differs = differs or listing.desired_at is None
    if not differs:
        return None if told.hot == listing.hot else _only_heat(listing, told)
    # Fewer to show is urgent: it does not wait out the pause after a refusal.
    pause = None if wanted < (listing.desired or 0) else listing.next_try_at
    return listing.pk, wanted, listing.desired_at or changed_at, pause, told.hot


def _only_heat(listing: Listing, told: Told) -> Row:
    return listing.pk, told.quantity, listing.desired_at, listing.next_try_at, told.hot
