"""Orders come in: fetched from the channel, archived as they came, understood, and handed to the desk.

The raw payload is kept first, so that nothing that reached us can be lost. What cannot be understood or stored goes to
quarantine with its payload and a plain cause; the rest of the batch goes on. The cursor moves only over ranges that
were read to the end.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection as database
from django.db import transaction
from django.utils.translation import gettext as _

from channels.connectors.contract import ChannelError, Connector, Fetched, RawOrder, Unreadable
from channels.models import Connection, QuarantinedOrder
from channels.models import RawOrder as RawOrderRow
from channels.services import credentials, mapping, oversell, pace, shops
from channels.services.patience import within
from oms.kernel import clock
from orders.channel_order import ChannelOrder
from orders.models import Order
from orders.services.intake import Outcome, take_in

log = structlog.get_logger(__name__)

FIRST_LOOK_BACK = timedelta(days=7)
OVERLAP = timedelta(minutes=15)


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
        begin = since or (connection.cursor - OVERLAP if connection.cursor else started - FIRST_LOOK_BACK)
        pulled = Pulled()
        try:
            connector = shops.connector_of(connection)
            cursor = None
            for page in connector.fetch_orders(begin, started):
                _take_page(connection, connector, page, pulled)
                cursor = page.cursor or cursor
        except ChannelError as error:
            shops.note_failure(connection, error)
            Connection.objects.filter(pk=connection.pk).update(import_error=error.cause[:500])
            raise
        except Exception as crash:
            cause = _("プログラムのエラーで取り込みが止まりました（%(name)s）。管理者に連絡してください。")
            Connection.objects.filter(pk=connection.pk).update(import_error=cause % {"name": type(crash).__name__})
            raise
        _record_success(connection, cursor or started, started, pulled)
        return pulled


def _record_success(connection: Connection, cursor: datetime, started: datetime, pulled: Pulled) -> None:
    shops.note_success(connection)
    Connection.objects.filter(pk=connection.pk).update(
        cursor=max(cursor, connection.cursor) if connection.cursor else cursor,
        last_import_at=clock.now(),
        last_import_count=pulled.created + pulled.updated,
        import_error="",
    )
    pace.look_again(connection.shop)
    log.info("orders_pulled", shop=connection.shop.code, **pulled.as_json())


def _take_page(connection: Connection, connector: Connector, page: Fetched, pulled: Pulled) -> None:
    pulled.fetched += len(page.orders) + len(page.problems)
    for no, error in page.problems:
        quarantine(connection, no, None, error)
        pulled.quarantined += 1
    take_raw(connection, connector, page.orders, pulled)


def take_raw(connection: Connection, connector: Connector, raws: Sequence[RawOrder], pulled: Pulled) -> None:
    """Archive, parse and store these payloads."""
    archived = archive(connection, raws)
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
            _("注文データの形が想定と違うため読み取れません。"), detail=f"{type(error).__name__}: {error}"
        ) from error


def _note_delay(connection: Connection, orders: Iterable[ChannelOrder], created: Sequence[str]) -> None:
    new = set(created)
    times = [order.ordered_at for order in orders if order.channel_order_no in new]
    if times:
        delay = sorted((clock.now() - at).total_seconds() for at in times)[len(times) // 2]
        Connection.objects.filter(pk=connection.pk).update(import_delay_s=max(delay, 0))
        pace.note_delay(connection.shop_id, "import_delay_s", max(delay, 0))


@transaction.atomic
def archive(connection: Connection, raws: Sequence[RawOrder]) -> dict[str, int]:
    """Keep every payload that differs from the order's current one; returns order number → row id.

    The digest is over the clear text, the stored payload is encrypted.
    """
    latest = {raw.channel_order_no: raw for raw in raws}
    if not latest:
        return {}
    now = clock.now()
    _one_archivist(connection.shop_id)
    digests = {
        no: hashlib.sha256(raw.payload.encode("utf-8", "surrogatepass")).hexdigest() for no, raw in latest.items()
    }
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT channel_order_no, id, digest FROM channels_raworder "
            "WHERE shop_id = %s AND channel_order_no = ANY(%s) AND is_current FOR NO KEY UPDATE",
            [connection.shop_id, list(latest)],
        )
        current = {no: (pk, digest) for no, pk, digest in cursor.fetchall()}
    same = [no for no in latest if no in current and current[no][1] == digests[no]]
    changed = [no for no in latest if no not in same]
    RawOrderRow.objects.filter(pk__in=[current[no][0] for no in same]).update(last_seen_at=now)
    RawOrderRow.objects.filter(pk__in=[current[no][0] for no in changed if no in current]).update(is_current=False)
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
        )
        for no in changed
    )
    return {no: current[no][0] for no in same} | {row.channel_order_no: row.pk for row in fresh}


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
        row = quarantined.raw
        raw: RawOrder | None = RawOrder(row.channel_order_no, payload_of(row), row.content_type, row.updated_at)
    else:
        raw = within(lambda: connector.fetch_order(quarantined.channel_order_no), limit_s)
    if raw is None:
        raise Unreadable(_("モールにこの注文が見つかりません。"))
    take_raw(connection, connector, [raw], pulled)
    return pulled


def pull_order(connection: Connection, channel_order_no: str, *, limit_s: float | None = None) -> Pulled:
    """Import one order now, whatever the cursor. Raises ChannelError; an unknown order raises Unreadable."""
    connector = shops.connector_of(connection)
    raw = within(lambda: connector.fetch_order(channel_order_no), limit_s)
    if raw is None:
        raise Unreadable(_("モールにこの注文が見つかりません。注文番号を確かめてください。"))
    pulled = Pulled(fetched=1)
    take_raw(connection, connector, [raw], pulled)
    return pulled


def order_of(connection: Connection, channel_order_no: str) -> Order:
    return Order.objects.select_related("shop").get(shop=connection.shop, channel_order_no=channel_order_no)
