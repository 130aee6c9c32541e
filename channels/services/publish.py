"""Stock goes out: state-based, so that a push may be repeated, reordered or lost and still converges.

A listing holds what it should show (`desired`), what was last put on the wire (`sent`) and what the channel said
(`confirmed`). Marks left by the stock door say which SKUs to look at; the difference is pushed, scarce SKUs first,
and what the channel shows instead is read back and healed.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

import structlog
from django.db import connection as database
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from channels.connectors import http
from channels.connectors.contract import ChannelError, Connector, StockPush, StockResult
from channels.models import Connection, Listing, PushLog
from channels.services import shops
from inventory.models import PublisherMark
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.sql import update_rows

log = structlog.get_logger(__name__)

MARKS = 20_000
LOCK_CLASS = 7102
READ_BACK_BATCH = 200
MAX_PAUSE_S = 600
SAY_AGAIN = 3  # pushes of one number that a channel does not show


@dataclass
class Pushed:
    """What one push did; `failed` maps a listing code to its plain cause."""

    pushed: int = 0
    confirmed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    delays_s: list[float] = field(default_factory=list, compare=False)  # stock change → request on the wire


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
        for component, bundles in stock.bundles_of(changed_at).items():
            for bundle in bundles:
                changed_at[bundle] = min(changed_at[component], changed_at.get(bundle, changed_at[component]))
        return refresh_desired(changed_at)


def refresh_desired(changed_at: dict[int, datetime], *, shop_id: int | None = None) -> set[int]:
    """Recompute `desired` of the listings of these SKUs, of all shops or one; returns the shops where it changed.

    `changed_at` is when each SKU's stock changed: the clock of the publish delay starts there.
    """
    listings = list(
        Listing.objects.select_for_update(no_key=True)
        .filter(sku__in=changed_at, **({"shop": shop_id} if shop_id else {}))
        .exclude(mode=Listing.Mode.STOPPED)
        .order_by("pk")
    )
    free = stock.available({listing.sku_id for listing in listings if listing.sku_id})
    rows, touched = [], set()
    for listing in listings:
        wanted = desired_quantity(listing, free.get(listing.sku_id or 0, 0))
        if wanted != listing.desired or (listing.sent is None and listing.desired_at is None):
            # Fewer to show is urgent: it does not wait out the pause after a refusal.
            pause = None if wanted < (listing.desired or 0) else listing.next_try_at
            rows.append((listing.pk, wanted, listing.desired_at or changed_at[listing.sku_id or 0], pause))
            touched.add(listing.shop_id)
    columns = {"desired": "int", "desired_at": "timestamptz", "next_try_at": "timestamptz"}
    update_rows("channels_listing", columns, rows)
    return touched


def desired_quantity(listing: Listing, available: int) -> int:
    """What the listing should show: `clamp(floor((available − buffer) ÷ units), 0, cap)`, or as its mode says."""
    if listing.mode == Listing.Mode.SOLD_OUT:
        return 0
    if listing.mode == Listing.Mode.FIXED:
        return listing.fixed_quantity
    quantity = max(0, available - listing.buffer) // listing.units
    return quantity if listing.cap is None else min(quantity, listing.cap)


def due(shop_id: int) -> "list[Listing]":
    """Listings whose wanted quantity is not on the wire yet, scarce ones first."""
    now = clock.now()
    return list(
        Listing.objects.filter(
            Q(next_try_at__isnull=True) | Q(next_try_at__lte=now),
            shop=shop_id,
            desired_at__isnull=False,
            sku__isnull=False,
        )
        .exclude(mode=Listing.Mode.STOPPED)
        .order_by("desired", "desired_at")
    )


@contextmanager
def only_one(connection: Connection) -> Iterator[bool]:
    """One pusher per shop; False when another is at it (it will take what is due)."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, connection.pk])
        free = bool(cursor.fetchone()[0])
    try:
        yield free
    finally:
        if free:
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, connection.pk])


def push_shop(connection: Connection) -> Pushed:
    """Push everything due for a shop. Raises ChannelError when the shop cannot be reached at all (recorded)."""
    result = Pushed()
    with only_one(connection) as free:
        if not free or connection.publish_paused:
            return result
        waiting = due(connection.shop_id)
        if not waiting:
            return result
        connector = shops.connector_of(connection)
        size = max(1, connector.capabilities.stock_batch)
        try:
            for start in range(0, len(waiting), size):
                _push_batch(connector, waiting[start : start + size], result)
        except ChannelError as error:
            shops.note_failure(connection, error)
            Connection.objects.filter(pk=connection.pk).update(publish_error=error.cause[:500])
            raise
        _record(connection, result)
    return result


def _record(connection: Connection, result: Pushed) -> None:
    shops.note_success(connection)
    error = next(iter(result.failed.values()), "")
    delay = {"publish_delay_s": median(result.delays_s)} if result.delays_s else {}
    Connection.objects.filter(pk=connection.pk).update(last_push_at=clock.now(), publish_error=error[:500], **delay)


def _push_batch(connector: Connector, batch: Sequence[Listing], result: Pushed) -> None:
    """One batch: what is wanted now, not what was wanted when the batch was planned."""
    by_code = {listing.code: listing for listing in batch}
    wanted = dict(Listing.objects.filter(pk__in=[item.pk for item in batch]).values_list("code", "desired"))
    asked_at, earlier = clock.now(), http.last_sent_at()
    items = [StockPush(code, quantity) for code, quantity in wanted.items() if quantity is not None]
    for answer in connector.push_stock(items):  # as they come: a slow batch must not hold back what went before
        latest = http.last_sent_at()
        sent_at = latest if latest and latest is not earlier else asked_at
        listing = by_code[answer.listing_code]
        if answer.ok:
            _note_sent(listing, wanted[listing.code] or 0, answer, sent_at)
            if listing.desired_at:
                result.delays_s.append(max(0.0, (sent_at - listing.desired_at).total_seconds()))
            result.pushed += 1
            result.confirmed += answer.confirmed is not None
        else:
            _note_error(listing, answer.error, sent_at)
            result.failed[listing.code] = answer.error


@transaction.atomic
def _note_sent(listing: Listing, quantity: int, answer: StockResult, sent_at: datetime) -> None:
    """On the wire. If more changed meanwhile, the listing stays due."""
    now = clock.now()
    confirmed = {"confirmed": answer.confirmed, "confirmed_at": now} if answer.confirmed is not None else {}
    Listing.objects.filter(pk=listing.pk).update(
        sent=quantity, sent_at=sent_at, error="", failures=0, next_try_at=None, **confirmed
    )
    Listing.objects.filter(pk=listing.pk, desired=quantity).update(desired_at=None)
    PushLog.objects.create(
        listing=listing,
        quantity=quantity,
        changed_at=listing.desired_at or sent_at,
        sent_at=sent_at,
        confirmed_at=now if answer.confirmed is not None else None,
    )


def _note_error(listing: Listing, error: str, sent_at: datetime) -> None:
    """The channel refused this one: it waits longer each time, and the rest goes on."""
    pause = timedelta(seconds=min(2 ** min(listing.failures + 2, 10), MAX_PAUSE_S))
    Listing.objects.filter(pk=listing.pk).update(
        error=error[:300], failures=F("failures") + 1, next_try_at=clock.now() + pause
    )
    PushLog.objects.create(
        listing=listing,
        quantity=listing.desired or 0,
        changed_at=listing.desired_at or sent_at,
        sent_at=sent_at,
        error=error[:300],
    )


def read_back(connection: Connection, codes: Iterable[str] | None = None) -> int:
    """Read what the channel shows for listings that were sent and not confirmed; heals differences. Returns how many
    are confirmed now. With `codes`, reads exactly those."""
    rows = Listing.objects.filter(shop=connection.shop, sent__isnull=False, desired_at__isnull=True)
    if codes is None:
        rows = rows.filter(
            Q(confirmed_at__isnull=True) | Q(confirmed_at__lt=F("sent_at")),
            sent_at__lt=clock.now() - _shows_after(connection),
        )
    else:
        rows = rows.filter(code__in=list(codes))
    listings = {listing.code: listing for listing in rows.order_by("sent_at")[:READ_BACK_BATCH]}
    if not listings:
        return 0
    shown = shops.connector_of(connection).read_stock(list(listings))
    _note_missing([listing for code, listing in listings.items() if code not in shown])
    return sum(_note_shown(listings[code], quantity) for code, quantity in shown.items() if code in listings)


def _note_missing(listings: Sequence[Listing]) -> None:
    """Looked at, so that they do not hold back the others; the next change is pushed, and looked for, again."""
    Listing.objects.filter(pk__in=[listing.pk for listing in listings]).update(
        confirmed=None,
        confirmed_at=clock.now(),
        error=_("モールにこの商品が見つかりません。モールで出品を確かめてください。"),
    )


def _shows_after(connection: Connection) -> timedelta:
    """An earlier look would take a quantity that is on its way for a lost one."""
    return timedelta(seconds=float(connection.shop.capabilities.get("stock_shows_after_s", 20)))


@transaction.atomic
def _note_shown(listing: Listing, quantity: int) -> bool:
    now = clock.now()
    Listing.objects.filter(pk=listing.pk).update(confirmed=quantity, confirmed_at=now)
    if quantity == listing.sent:
        PushLog.objects.filter(listing=listing, confirmed_at__isnull=True, error="", quantity=quantity).update(
            confirmed_at=now
        )
        return True
    if _told_in_vain(listing):
        Listing.objects.filter(pk=listing.pk).update(
            error=_("モールの在庫数が%(shown)dのままです（送信数 %(sent)d）。モールの設定を確かめてください。")
            % {"shown": quantity, "sent": listing.sent}
        )
        return False
    # The channel shows something else (a sale we have not seen, or a lost push): say it again.
    Listing.objects.filter(pk=listing.pk, desired_at__isnull=True).update(desired_at=now, failures=0, next_try_at=None)
    return False


def _told_in_vain(listing: Listing) -> bool:
    """The last pushes said the same, went through, and never showed: once more would not help, the next change may."""
    last = PushLog.objects.filter(listing=listing).order_by("-pk").values_list("quantity", "error", "confirmed_at")
    pushes = list(last[:SAY_AGAIN])
    return len(pushes) == SAY_AGAIN and all(push == (listing.sent, "", None) for push in pushes)


def push_all(connection: Connection, *, sku_codes: Sequence[str] = (), full: bool = False) -> Pushed:
    """Publish now: what is due, and with `full` or `sku_codes` also what the channel was told already."""
    consume_marks()
    rows = Listing.objects.filter(shop=connection.shop, sku__isnull=False)
    if sku_codes:
        rows = rows.filter(sku__code__in=sku_codes)
    if sku_codes or full:
        now = clock.now()
        with transaction.atomic():
            refresh_desired(dict.fromkeys(rows.values_list("sku", flat=True), now))
            rows.filter(desired__isnull=False).update(desired_at=now, next_try_at=None)
    return push_shop(connection)
