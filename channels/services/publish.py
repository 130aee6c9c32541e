"""Stock goes out: state-based, so that a push may be repeated, reordered or lost and still converges.

A listing holds what it should show (`desired`), what was last put on the wire (`sent`) and what the channel said
(`confirmed`). Marks left by the stock door say which SKUs to look at; the difference is pushed, scarce SKUs first,
and what the channel shows instead is read back and healed.
"""

import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models import F, Q, QuerySet

from channels.connectors import http
from channels.connectors.contract import ChannelError, Connector, StockAdjust, StockPush, StockResult
from channels.decide.windows import ends_at
from channels.models import Connection, Listing, PushLog
from channels.services import pace, shops
from channels.services.desired import consume_marks, refresh_desired
from channels.services.rules import calendars, shown_now, sold_since
from oms.kernel import clock
from oms.kernel.said import said
from oms.kernel.sql import update_rows
from orders.models import Shop

__all__ = ["Pushed", "consume_marks", "due", "push_all", "push_shop", "read_back", "refresh_desired"]


HOT_BATCH = 100
BOOK_AT_ONCE = 500
BOOK_AFTER_S = 0.3  # of wall time
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


def due(shop_id: int, limit: int | None = None) -> list[Listing]:
    """Listings whose wanted quantity is not on the wire yet: what sells fast first, then the scarce ones."""
    now = clock.now()
    rows = (
        Listing.objects.filter(
            Q(next_try_at__isnull=True) | Q(next_try_at__lte=now),
            shop=shop_id,
            desired_at__isnull=False,
            sku__isnull=False,
        )
        .exclude(mode=Listing.Mode.STOPPED)
        .order_by("-hot", "desired", "desired_at", "pk")
    )
    return list(rows if limit is None else rows[:limit])


def next_batch(shop_id: int, size: int, done: Container[tuple[int, int | None]]) -> list[Listing]:
    """What goes out next, as things stand now: a change of a scarce SKU overtakes a long run of others. What sells
    fast goes in small requests of its own. `done`: what this run told already, (listing, quantity)."""
    waiting = [item for item in due(shop_id, size) if (item.pk, item.desired) not in done]
    hot = [item for item in waiting if item.hot]
    return hot if 0 < len(hot) <= HOT_BATCH else waiting  # very many of them fill requests anyway


@contextmanager
def exclusively(lock_class: int, connection_id: int) -> Iterator[bool]:
    """One worker per shop and kind of work, over all processes; False when another is at it."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [lock_class, connection_id])
        free = bool(cursor.fetchone()[0])
    try:
        yield free
    finally:
        if free:
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [lock_class, connection_id])


def push_shop(connection: Connection) -> Pushed:
    """Push everything due for a shop; nothing while it is paused or under maintenance, what is due stays due.

    Raises ChannelError when the shop cannot be reached at all (recorded).
    """
    result = Pushed()
    with exclusively(LOCK_CLASS, connection.pk) as free:  # another one will take what is due
        if not free or connection.publish_paused or under_maintenance(connection.shop_id) is not None:
            return result
        if not due(connection.shop_id, 1):
            return result
        connector = shops.connector_of(connection)
        size = max(1, connector.capabilities.stock_batch)
        done: set[tuple[int, int | None]] = set()
        try:
            while batch := next_batch(connection.shop_id, size, done):
                done |= {(item.pk, item.desired) for item in batch}
                _push_batch(connector, batch, result)
        except ChannelError as error:
            shops.note_failure(connection, error)
            Connection.objects.filter(pk=connection.pk).update(publish_error=error.cause[:500])
            raise
        _record(connection, result)
    return result


def under_maintenance(shop_id: int) -> datetime | None:
    """When the mall's maintenance that goes on now will end; None when there is none."""
    return ends_at(calendars([shop_id]).get(shop_id, []), clock.now())


def _record(connection: Connection, result: Pushed) -> None:
    shops.note_success(connection)
    error = next(iter(result.failed.values()), "")
    delay = {"publish_delay_s": median(result.delays_s)} if result.delays_s else {}
    Connection.objects.filter(pk=connection.pk).update(last_push_at=clock.now(), publish_error=error[:500], **delay)
    if result.delays_s:
        pace.note_delay(connection.shop_id, "push_delay_s", median(result.delays_s))


def _push_batch(connector: Connector, batch: Sequence[Listing], result: Pushed) -> None:
    """One batch: what is wanted now, not what was wanted when the batch was planned."""
    now_wanted = _put_on_the_way([item.pk for item in batch])
    by_code = {listing.code: listing for listing in now_wanted}
    adjustable = _adjustable(connector, now_wanted)
    answered = _Answered(result, _unheard_since(now_wanted))
    asked_at, earlier = clock.now(), http.last_sent_at()
    try:
        for answer in _tell(connector, now_wanted, adjustable):
            latest = http.last_sent_at()
            sent_at = latest if latest and latest is not earlier else asked_at
            answered.add(by_code[answer.listing_code], answer, sent_at, answer.listing_code in adjustable)
    finally:
        answered.write()


@transaction.atomic
def _put_on_the_way(listing_ids: Sequence[int]) -> list[Listing]:
    """The listings as wanted now. What leaves us counts as shown from here on: no answer may ever come."""
    rows = Listing.objects.select_for_update(no_key=True).filter(pk__in=listing_ids, desired__isnull=False)
    listings = list(rows.order_by("pk"))
    update_rows("channels_listing", {"sending": "int"}, [(item.pk, item.desired) for item in listings])
    order = {pk: place for place, pk in enumerate(listing_ids)}
    return sorted(listings, key=lambda item: order[item.pk])


def _tell(connector: Connector, listings: Sequence[Listing], adjustable: Container[str]) -> Iterator[StockResult]:
    """Differences where they protect sales that nobody told us of yet, absolute numbers else."""
    if changing := [listing for listing in listings if listing.code in adjustable]:
        sold = sold_since([listing.pk for listing in changing])
        deltas = {
            listing.code: (listing.desired or 0) - shown_now(listing, sold.get(listing.pk, 0)) for listing in changing
        }
        yield from (StockResult(code, ok=True) for code, delta in deltas.items() if delta == 0)
        changes = [StockAdjust(code, delta) for code, delta in deltas.items() if delta]
        if changes:
            yield from connector.adjust_stock(changes)
    items = [StockPush(item.code, item.desired or 0) for item in listings if item.code not in adjustable]
    if items:
        yield from connector.push_stock(items)


def _adjustable(connector: Connector, listings: Sequence[Listing]) -> set[str]:
    """Codes that are told a difference: fast sellers whose number at the channel we know (nothing failed, nothing is
    on its way without an answer; `listings` as they were before this push)."""
    if not getattr(connector.capabilities, "relative_stock", False):
        return set()
    known = (item for item in listings if item.sent is not None and item.sending is None and not item.failures)
    return {item.code for item in known if item.hot and item.mode != Listing.Mode.FIXED}


SENT = """
UPDATE channels_listing AS l SET
  sent = v.quantity, sent_at = v.sent_at, sent_relative = v.relative, sending = NULL,
  sent_before = CASE WHEN v.unheard THEN greatest(l.sent, l.sent_before) ELSE l.sent END,
  error = '', failures = 0, next_try_at = NULL,
  desired_at = CASE WHEN l.desired = v.quantity THEN NULL ELSE l.desired_at END,
  confirmed = coalesce(v.confirmed, l.confirmed),
  confirmed_at = CASE WHEN v.confirmed IS NULL THEN l.confirmed_at ELSE %s END
 FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[], %s::bool[], %s::bool[], %s::int[])
   AS v(id, quantity, sent_at, relative, unheard, confirmed)
WHERE l.id = v.id
"""


@dataclass
class _Answered:
    """Answers of one batch on their way into the books: many in one statement, but none kept back for long, so that a
    slow batch does not hold back what went before. What a crash loses is still due, and told again."""

    result: Pushed
    unheard: set[int]
    rows: list[tuple[Listing, StockResult, datetime, bool]] = field(default_factory=list)
    written: float = field(default_factory=time.monotonic)

    def add(self, listing: Listing, answer: StockResult, sent_at: datetime, relative: bool) -> None:
        self.rows.append((listing, answer, sent_at, relative))
        if len(self.rows) >= BOOK_AT_ONCE or time.monotonic() - self.written > BOOK_AFTER_S:
            self.write()

    def write(self) -> None:
        rows, self.rows, self.written = self.rows, [], time.monotonic()
        if not rows:
            return
        sent = [row for row in rows if row[1].ok]
        refused = [row for row in rows if not row[1].ok]
        with transaction.atomic():
            ids = [listing.pk for listing, *_rest in rows]
            list(Listing.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
            self._write_sent(sent)
            _write_refused(refused)
            _journal(rows)
        for listing, answer, sent_at, _relative in sent:
            self.result.pushed += 1
            self.result.confirmed += answer.confirmed is not None
            if listing.desired_at:
                self.result.delays_s.append(max(0.0, (sent_at - listing.desired_at).total_seconds()))
        self.result.failed |= {listing.code: answer.error for listing, answer, _at, _relative in refused}

    def _write_sent(self, rows: Sequence[tuple[Listing, StockResult, datetime, bool]]) -> None:
        """On the wire. What has changed meanwhile stays due."""
        if not rows:
            return
        values = [
            (item.pk, item.desired or 0, sent_at, relative, item.pk in self.unheard, answer.confirmed)
            for item, answer, sent_at, relative in rows
        ]
        with database.cursor() as cursor:
            cursor.execute(SENT, [clock.now(), *(list(column) for column in zip(*values, strict=True))])


def _write_refused(rows: Sequence[tuple[Listing, StockResult, datetime, bool]]) -> None:
    """The channel refused these: each waits longer each time, and the rest goes on."""
    now = clock.now()
    columns = {"error": "text", "failures": "smallint", "next_try_at": "timestamptz"}
    update_rows(
        "channels_listing",
        columns,
        [
            (item.pk, answer.error[:300], item.failures + 1, now + _pause(item.failures))
            for item, answer, _sent_at, _relative in rows
        ],
    )


def _pause(failures: int) -> timedelta:
    return timedelta(seconds=min(2 ** min(failures + 2, 10), MAX_PAUSE_S))


def _journal(rows: Sequence[tuple[Listing, StockResult, datetime, bool]]) -> None:
    now = clock.now()
    PushLog.objects.bulk_create(
        PushLog(
            listing=listing,
            quantity=listing.desired or 0,
            changed_at=listing.desired_at or sent_at,
            sent_at=sent_at,
            confirmed_at=now if answer.ok and answer.confirmed is not None else None,
            error="" if answer.ok else answer.error[:300],
        )
        for listing, answer, sent_at, _relative in rows
    )


def _unheard_since(listings: Sequence[Listing]) -> set[int]:
    """Listings whose orders from before their last push may still be on their way to us."""
    cursors = dict(
        Connection.objects.filter(shop__in={item.shop_id for item in listings}).values_list("shop", "cursor")
    )
    found = set()
    for item in listings:
        cursor = cursors.get(item.shop_id)
        if item.sent_at is not None and (cursor is None or cursor < item.sent_at):
            found.add(item.pk)
    return found


def read_back(connection: Connection, codes: Iterable[str] | None = None) -> int:
    """Read what the channel shows for listings that were sent and not confirmed; heals differences. Returns how many
    are confirmed now. With `codes`, reads exactly those.

    Fewer shown than sent may be a sale: that is told again only once our books know every order of that time.
    """
    heal_settled(connection)
    rows = Listing.objects.filter(shop=connection.shop, sent__isnull=False, desired_at__isnull=True)
    if codes is None:
        rows = rows.filter(
            Q(confirmed_at__isnull=True) | Q(confirmed_at__lt=F("sent_at")),
            sent_at__lt=clock.now() - shows_after(connection.shop.capabilities),
        )
    else:
        rows = rows.filter(code__in=list(codes))
    listings = {listing.code: listing for listing in rows.order_by("sent_at")[:READ_BACK_BATCH]}
    if not listings:
        return 0
    shown = shops.connector_of(connection).read_stock(list(listings))
    note_missing([listing for code, listing in listings.items() if code not in shown])
    return sum(_note_shown(listings[code], quantity) for code, quantity in shown.items() if code in listings)


def note_missing(listings: Sequence[Listing]) -> None:
    """Looked at, so that they do not hold back the others; the next change is pushed, and looked for, again."""
    Listing.objects.filter(pk__in=[listing.pk for listing in listings]).update(
        confirmed=None,
        confirmed_at=clock.now(),
        error=said("モールにこの商品が見つかりません。モールで出品を確かめてください。"),
    )


def shows_after(capabilities: Mapping[str, Any]) -> timedelta:
    """An earlier look would take a quantity that is on its way for a lost one."""
    return timedelta(seconds=float(capabilities.get("stock_shows_after_s", 20)))


@transaction.atomic
def _note_shown(listing: Listing, quantity: int) -> bool:
    now = clock.now()
    Listing.objects.filter(pk=listing.pk).update(confirmed=quantity, confirmed_at=now)
    sent = listing.sent or 0
    if quantity == sent:
        _note_confirmed(listing, now)
        return True
    if quantity > sent:
        tell_again(listing, quantity)
    return False


def _note_confirmed(listing: Listing, now: datetime) -> None:
    PushLog.objects.filter(listing=listing, confirmed_at__isnull=True, error="", quantity=listing.sent or 0).update(
        confirmed_at=now
    )


def unsettled(shop: Shop) -> QuerySet[Listing]:
    """Listings at which the channel was seen to show less than it was told, and nothing has explained it."""
    return Listing.objects.filter(
        shop=shop,
        sku__isnull=False,
        desired_at__isnull=True,
        confirmed__lt=F("sent"),
        confirmed_at__gte=F("sent_at"),
        error="",
    ).exclude(mode=Listing.Mode.STOPPED)


def heal_settled(connection: Connection) -> int:
    """Less than told was shown, and every order of that time is imported: what no sale explains is told again.
    Returns how many listings that were. A shop whose orders are not imported cannot be waited for."""
    rows = unsettled(connection.shop)
    if connection.cursor is not None and not connection.import_paused:
        rows = rows.filter(confirmed_at__lte=connection.cursor)
    listings = list(rows.order_by("confirmed_at")[:READ_BACK_BATCH])
    sold = sold_since([listing.pk for listing in listings])
    healed = 0
    for listing in listings:
        if listing.confirmed != shown_now(listing, sold.get(listing.pk, 0)):
            healed += tell_again(listing, listing.confirmed or 0)
    return healed


@transaction.atomic
def tell_again(listing: Listing, shown: int) -> bool:
    """The channel shows something else than it was told; False when it has been told in vain, which stands as its error
    until the next change."""
    if _told_in_vain(listing):
        Listing.objects.filter(pk=listing.pk).update(
            error=said(
                "モールの在庫数が%(shown)dのままです（送信数 %(sent)d）。モールの設定を確かめてください。",
                shown=shown,
                sent=listing.sent,
            )
        )
        return False
    now = clock.now()
    Listing.objects.filter(pk=listing.pk, desired_at__isnull=True).update(desired_at=now, failures=0, next_try_at=None)
    return True


def _told_in_vain(listing: Listing) -> bool:
    """The last pushes said the same, went through, and never showed: once more would not help, the next change may."""
    last = PushLog.objects.filter(listing=listing).order_by("-pk").values_list("quantity", "error", "confirmed_at")
    pushes = list(last[:SAY_AGAIN])
    return len(pushes) == SAY_AGAIN and all(push == (listing.sent, "", None) for push in pushes)


def push_all(connection: Connection, *, sku_codes: Sequence[str] = ()) -> Pushed:
    """Publish now: what is due, and of `sku_codes` also what the channel was told already. (Everything: compare it
    with the channel, `channels.services.compare.now`, then push.)"""
    consume_marks()
    if sku_codes:
        rows = Listing.objects.filter(shop=connection.shop, sku__code__in=sku_codes)
        now = clock.now()
        with transaction.atomic():
            refresh_desired(dict.fromkeys(rows.values_list("sku", flat=True), now))
            rows.filter(desired__isnull=False).update(desired_at=now, next_try_at=None)
    return push_shop(connection)
