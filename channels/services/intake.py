"""Orders come in: fetched from the channel, archived as they came, understood, and handed to the desk.

The raw payload is kept first, so that nothing that reached us can be lost: what a killed worker left between keeping
and storing is taken up by the next import. What cannot be understood or stored goes to quarantine with its payload and
a plain cause; the rest of the batch goes on. The cursor moves only over ranges that were read to the end and join what
was read before. A long range is taken in by order time, so that who ordered first is served first.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection as database
from django.db import transaction
from django.db.models import Exists, OuterRef

from channels.connectors.contract import ChannelError, Connector, Fetched, RawOrder, Unreadable
from channels.models import Connection, QuarantinedOrder
from channels.models import RawOrder as RawOrderRow
from channels.services import catch_up, credentials, mapping, oversell, pace, shops
from channels.services.patience import within
from oms.kernel import clock
from oms.kernel.said import said
from orders.channel_order import ChannelOrder
from orders.models import Order
from orders.services.intake import Outcome, take_in

log = structlog.get_logger(__name__)

FIRST_LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(minutes=15)
LONGEST = timedelta(days=1)  # a longer arrears is read in parts, each confirmed by itself
BY_ORDER_TIME = timedelta(hours=1)  # a range longer than this is taken in by order time
CHUNK = 200
LEFT_AFTER = timedelta(minutes=1)


@dataclass
class Pulled:
    """What one import brought, by order."""

    fetched: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


class Busy(Exception):
    """Another worker imports this shop right now."""


@contextmanager
def only_one(connection: Connection) -> Iterator[None]:
    """One importer per shop (a session lock on the database, released when the process dies). Raises Busy."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, connection.pk])
        if not cursor.fetchone()[0]:
            raise Busy
    try:
        yield
    finally:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, connection.pk])


LOCK_CLASS = 7101
ARCHIVE_LOCK_CLASS = 7103


def pull(connection: Connection, *, since: datetime | None = None) -> Pulled:
    """Import what is new or changed. Raises ChannelError (recorded on the shop) or Busy; what was read stays read."""
    with only_one(connection):
        connection.refresh_from_db()
        started = clock.now()
        pulled = Pulled()
        try:
            connector = shops.connector_of(connection)
            announced = catch_up.begin(connection, started)
            take_up_left(connection, connector, pulled)
            for begin, end in ranges(connection.cursor, since, started):
                reached = _read_range(connection, connector, begin, end, pulled)
                _confirm_range(connection, begin, reached)
        except ChannelError as error:
            shops.note_failure(connection, error)
            Connection.objects.filter(pk=connection.pk).update(import_error=error.cause[:500])
            raise
        except Exception as crash:
            cause = said(
                "プログラムのエラーで取り込みが止まりました（%(name)s）。管理者に連絡してください。",
                name=type(crash).__name__,
            )
            Connection.objects.filter(pk=connection.pk).update(import_error=cause)
            raise
        _record_success(connection, pulled)
        if announced is not None:
            catch_up.end(announced)
        return pulled


def ranges(cursor: datetime | None, since: datetime | None, now: datetime) -> list[tuple[datetime, datetime]]:
    """What to read: from `since` when it is given, else from the cursor with an overlap; long arrears in parts.

    A cursor in the future (a clock that was wrong) counts as now.
    """
    if since is not None:
        return [(since, now)]
    if cursor is None:
        return [(now - FIRST_LOOK_BACK, now)]
    begin = min(cursor, now) - OVERLAP
    parts = []
    while now - begin > LONGEST + OVERLAP:
        parts.append((begin, begin + LONGEST))
        begin += LONGEST - OVERLAP
    return [*parts, (begin, now)]


def _read_range(
    connection: Connection, connector: Connector, begin: datetime, end: datetime, pulled: Pulled
) -> datetime:
    """Read everything between; returns how far the channel says it was read, never beyond `end`."""
    cursor = None
    aside: dict[str, tuple[datetime, int]] = {}
    for page in connector.fetch_orders(begin, end):
        if end - begin > BY_ORDER_TIME:
            _put_aside(connection, connector, page, aside, pulled)
        else:
            _take_page(connection, connector, page, pulled)
        cursor = page.cursor or cursor
    ids = [raw_id for _at, raw_id in sorted(aside.values())]
    for start in range(0, len(ids), CHUNK):
        take_archived(connection, connector, ids[start : start + CHUNK], pulled)
    return min(cursor or end, end)


def _confirm_range(connection: Connection, begin: datetime, reached: datetime) -> None:
    """Move the cursor, forwards only, and only when this range joins what was read before: else a hole would stay."""
    if connection.cursor is None or begin <= connection.cursor < reached:
        connection.cursor = reached
        Connection.objects.filter(pk=connection.pk).update(cursor=reached)


def _record_success(connection: Connection, pulled: Pulled) -> None:
    shops.note_success(connection)
    Connection.objects.filter(pk=connection.pk).update(
        last_import_at=clock.now(),
        last_import_count=pulled.created + pulled.updated,
        import_error="",
    )
    pace.look_again(connection.shop)
    log.info("orders_pulled", shop=connection.shop.code, **pulled.as_json())


def _put_aside(
    connection: Connection,
    connector: Connector,
    page: Fetched,
    aside: dict[str, tuple[datetime, int]],
    pulled: Pulled,
) -> None:
    """Keep a page's payloads, and remember their order times."""
    _note_page(connection, page, pulled)
    archived, older = _archive(connection, page.orders)
    pulled.unchanged += len(older)
    for raw in page.orders:
        no = raw.channel_order_no
        if no in older:
            continue
        try:
            aside[no] = (_parsed(connector, raw).ordered_at, archived[no])
        except ChannelError as error:
            quarantine(connection, no, archived[no], error)
            pulled.quarantined += 1


def take_archived(connection: Connection, connector: Connector, raw_ids: Sequence[int], pulled: Pulled) -> None:
    """Take in kept payloads, in this order."""
    rows = RawOrderRow.objects.in_bulk(raw_ids)
    raws = [_raw_of(rows[raw_id]) for raw_id in raw_ids if raw_id in rows]
    _understand(connection, connector, raws, {row.channel_order_no: row.pk for row in rows.values()}, pulled)


def take_up_left(connection: Connection, connector: Connector, pulled: Pulled) -> None:
    """Take in payloads that a worker kept and then died before storing their orders."""
    held = QuarantinedOrder.objects.filter(
        shop=OuterRef("shop"), channel_order_no=OuterRef("channel_order_no"), resolved_at__isnull=True
    )
    left = (
        RawOrderRow.objects.filter(
            shop=connection.shop_id, is_current=True, applied=False, first_seen_at__lt=clock.now() - LEFT_AFTER
        )
        .exclude(Exists(held))
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    ids = list(left)
    pulled.fetched += len(ids)
    for start in range(0, len(ids), CHUNK):
        take_archived(connection, connector, ids[start : start + CHUNK], pulled)


def _raw_of(row: RawOrderRow) -> RawOrder:
    return RawOrder(row.channel_order_no, payload_of(row), row.content_type, row.updated_at)


def _take_page(connection: Connection, connector: Connector, page: Fetched, pulled: Pulled) -> None:
    _note_page(connection, page, pulled)
    take_raw(connection, connector, page.orders, pulled)


def _note_page(connection: Connection, page: Fetched, pulled: Pulled) -> None:
    pulled.fetched += len(page.orders) + len(page.problems)
    for no, error in page.problems:
        quarantine(connection, no, None, error)
        pulled.quarantined += 1


def take_raw(connection: Connection, connector: Connector, raws: Sequence[RawOrder], pulled: Pulled) -> None:
    """Archive, parse and store these payloads; one that is older than what we hold is kept and not applied."""
    archived, older = _archive(connection, raws)
    pulled.unchanged += len(older)
    _understand(connection, connector, [raw for raw in raws if raw.channel_order_no not in older], archived, pulled)


def _understand(
    connection: Connection,
    connector: Connector,
    raws: Sequence[RawOrder],
    archived: dict[str, int],
    pulled: Pulled,
) -> None:
    """Parse and store archived payloads."""
    orders: list[ChannelOrder] = []
    for raw in raws:
        try:
            orders.append(_parsed(connector, raw))
        except ChannelError as error:
            quarantine(connection, raw.channel_order_no, archived[raw.channel_order_no], error)
            pulled.quarantined += 1
    codes = [line.channel_sku for order in orders for line in order.lines]
    before = {order.channel_order_no for order in orders}
    outcome = take_in(connection.shop, orders, sku_of=mapping.sku_map(connection.shop, codes))
    for no, cause in outcome.failed:
        quarantine(connection, no, archived.get(no), Unreadable(cause))
    pulled.created += len(outcome.created)
    pulled.updated += len(outcome.updated)
    pulled.unchanged += len(outcome.unchanged) + len(outcome.stale)
    pulled.quarantined += len(outcome.failed)
    _close(connection, before - {no for no, _cause in outcome.failed}, archived)
    after_storing(connection, orders, outcome)


def after_storing(connection: Connection, orders: Sequence[ChannelOrder], outcome: Outcome) -> None:
    """What the publisher learns of an import: delays, speeds, and what was sold that is not there."""
    _note_delay(connection, orders, outcome.created)
    pace.note_sales(connection.shop, outcome.created)
    oversell.open_for(connection.shop, outcome.created + outcome.updated)


def _parsed(connector: Connector, raw: RawOrder) -> ChannelOrder:
    """Whatever goes wrong inside one payload concerns this one order only."""
    try:
        return connector.parse(raw.payload)
    except ChannelError:
        raise
    except Exception as error:
        raise Unreadable(
            said("注文データの形が想定と違うため読み取れません。"), detail=f"{type(error).__name__}: {error}"
        ) from error


def _note_delay(connection: Connection, orders: Iterable[ChannelOrder], created: Sequence[str]) -> None:
    new = set(created)
    times = [order.ordered_at for order in orders if order.channel_order_no in new]
    if times:
        delay = sorted((clock.now() - at).total_seconds() for at in times)[len(times) // 2]
        Connection.objects.filter(pk=connection.pk).update(import_delay_s=max(delay, 0))
        pace.note_delay(connection.shop_id, "import_delay_s", max(delay, 0))


def archive(connection: Connection, raws: Sequence[RawOrder]) -> dict[str, int]:
    """Keep every payload that differs from the order's current one; returns order number → row id.

    The digest is over the clear text, the stored payload is encrypted.
    """
    return _archive(connection, raws)[0]


@transaction.atomic
def _archive(connection: Connection, raws: Sequence[RawOrder]) -> tuple[dict[str, int], set[str]]:
    """`archive`, and the numbers whose payload is older than the current one by the channel's own update time."""
    latest = {raw.channel_order_no: raw for raw in raws}
    if not latest:
        return {}, set()
    now = clock.now()
    _one_archivist(connection.shop_id)
    digests = {
        no: hashlib.sha256(raw.payload.encode("utf-8", "surrogatepass")).hexdigest() for no, raw in latest.items()
    }
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT channel_order_no, id, digest, updated_at FROM channels_raworder "
            "WHERE shop_id = %s AND channel_order_no = ANY(%s) AND is_current FOR NO KEY UPDATE",
            [connection.shop_id, list(latest)],
        )
        current = {no: (pk, digest, at) for no, pk, digest, at in cursor.fetchall()}
    same = [no for no in latest if no in current and current[no][1] == digests[no]]
    older = {no for no, raw in latest.items() if no in current and no not in same and _before(raw, current[no][2])}
    changed = [no for no in latest if no not in same and no not in older]
    RawOrderRow.objects.filter(pk__in=[current[no][0] for no in same]).update(last_seen_at=now)
    RawOrderRow.objects.filter(pk__in=[current[no][0] for no in changed if no in current]).update(is_current=False)
    kept = _seen_again(connection.shop_id, {no: digests[no] for no in older}, now)
    fresh = RawOrderRow.objects.bulk_create(
        RawOrderRow(
            shop_id=connection.shop_id,
            channel_order_no=no,
            digest=digests[no],
            payload=credentials.encrypt(latest[no].payload.encode("utf-8", "surrogatepass")),
            content_type=latest[no].content_type,
            updated_at=latest[no].updated_at,
            first_seen_at=now,
            last_seen_at=now,
            is_current=no not in older,
        )
        for no in [*changed, *(older - kept.keys())]
    )
    ids = {no: current[no][0] for no in same} | kept | {row.channel_order_no: row.pk for row in fresh}
    return ids, older


def _before(raw: RawOrder, moment: datetime | None) -> bool:
    return bool(moment and raw.updated_at and raw.updated_at < moment)


def _seen_again(shop_id: int, digests: dict[str, str], now: datetime) -> dict[str, int]:
    """Older payloads that are kept already: number → row id; seen once more."""
    if not digests:
        return {}
    rows = RawOrderRow.objects.filter(shop=shop_id, channel_order_no__in=digests, is_current=False)
    kept = {no: pk for no, pk, digest in rows.values_list("channel_order_no", "pk", "digest") if digest == digests[no]}
    RawOrderRow.objects.filter(pk__in=kept.values()).update(last_seen_at=now)
    return kept


def _one_archivist(shop_id: int) -> None:
    """A person and the poll may bring the same order at once: one after the other decides which is the current one."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ARCHIVE_LOCK_CLASS, shop_id])


def quarantine(connection: Connection, no: str, raw_id: int | None, error: ChannelError) -> None:
    """Keep an order that could not be taken in; the same order again raises its count."""
    row, created = QuarantinedOrder.objects.get_or_create(
        shop_id=connection.shop_id,
        channel_order_no=no[:64],
        resolved_at=None,
        defaults={"raw_id": raw_id, "cause": error.cause[:500], "detail": error.detail, "at": clock.now()},
    )
    if not created:
        row.raw_id, row.cause, row.detail = raw_id or row.raw_id, error.cause[:500], error.detail
        row.attempts += 1
        row.save(update_fields=["raw", "cause", "detail", "attempts"])


def _close(connection: Connection, taken: set[str], archived: dict[str, int]) -> None:
    """Orders that were taken in leave the quarantine."""
    QuarantinedOrder.objects.filter(
        shop_id=connection.shop_id, channel_order_no__in=taken, resolved_at__isnull=True
    ).update(resolved_at=clock.now())
    RawOrderRow.objects.filter(pk__in=[archived[no] for no in taken if no in archived], applied=False).update(
        applied=True
    )


def payload_of(row: RawOrderRow) -> str:
    """The payload in the clear."""
    return credentials.decrypt(bytes(row.payload)).decode("utf-8", "surrogatepass")


def replay(quarantined: QuarantinedOrder, *, limit_s: float | None = None) -> Pulled:
    """Try a quarantined order again: from its kept payload, else fetched anew. The row closes when it is taken in."""
    connection = Connection.objects.select_related("shop").get(shop=quarantined.shop)
    connector = shops.connector_of(connection)
    pulled = Pulled(fetched=1)
    if quarantined.raw:
        raw: RawOrder | None = _raw_of(quarantined.raw)
    else:
        raw = within(lambda: connector.fetch_order(quarantined.channel_order_no), limit_s)
    if raw is None:
        raise Unreadable(said("モールにこの注文が見つかりません。"))
    take_raw(connection, connector, [raw], pulled)
    return pulled


def pull_order(connection: Connection, channel_order_no: str, *, limit_s: float | None = None) -> Pulled:
    """Import one order now, whatever the cursor. Raises ChannelError; an unknown order raises Unreadable."""
    connector = shops.connector_of(connection)
    raw = within(lambda: connector.fetch_order(channel_order_no), limit_s)
    if raw is None:
        raise Unreadable(said("モールにこの注文が見つかりません。注文番号を確かめてください。"))
    pulled = Pulled(fetched=1)
    take_raw(connection, connector, [raw], pulled)
    return pulled


def order_of(connection: Connection, channel_order_no: str) -> Order:
    return Order.objects.select_related("shop").get(shop=connection.shop, channel_order_no=channel_order_no)
