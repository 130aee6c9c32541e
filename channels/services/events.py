"""Orders that a channel says have changed, taken in within seconds. The poll stays the safety net behind it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from django.core.cache import cache
from django.db import connection as database

from channels.connectors.contract import (
    Change,
    ChannelError,
    Connector,
    CredentialsRefused,
    RawOrder,
    Refused,
    Unreadable,
)
from channels.connectors.limits import unattended
from channels.connectors.registry import CONNECTORS, connector_class
from channels.models import Connection
from channels.models import RawOrder as RawOrderRow
from channels.services import intake, shops
from channels.services.intake import Busy, Pulled
from oms.kernel.said import said

log = structlog.get_logger(__name__)

MOST_TRIES = 5
LOCK_CLASS = 7104
PAUSE_S = {True: 30, False: 300}  # wall seconds after a trouble that passes by itself, and after another one


def due() -> list[int]:
    """Connections to listen for: their connector tells of changes, they run, and nothing was wrong a moment ago."""
    telling = [channel for channel in CONNECTORS if connector_class(channel).capabilities.events]
    rows = (
        Connection.objects.filter(shop__active=True, import_paused=False, shop__channel__in=telling)
        .exclude(health=Connection.Health.STOPPED)
        .exclude(secrets=b"")
    )
    ids = list(rows.values_list("pk", flat=True))
    paused = cache.get_many([_pause_key(pk) for pk in ids])
    return [pk for pk in ids if _pause_key(pk) not in paused]


def listen(connection: Connection) -> Pulled:
    """Take in what the channel says has changed, until nothing more is told. Raises Busy or ChannelError (recorded).

    A batch counts as handled only after its orders are stored; whoever dies before gets it again.
    """
    pulled, again = Pulled(), set[str]()
    with _only_listener(connection):
        try:
            connector = shops.connector_of(connection)
            for changes in connector.changed_orders(again):
                again.update(_take(connection, connector, changes, pulled))
        except ChannelError as error:
            _note_trouble(connection, error)
            raise
    if pulled.fetched:
        log.info("changes_heard", shop=connection.shop.code, **pulled.as_json())
    return pulled


def _take(connection: Connection, connector: Connector, changes: Sequence[Change], pulled: Pulled) -> set[str]:
    """Store the batch; returns the numbers that shall come again.

    When the channel fails in the middle, what was read is stored and the error goes on: the batch comes again, and
    its stored part is then recognised.
    """
    raws: list[RawOrder] = []
    again: set[str] = set()
    current = _current(connection, changes)
    try:
        for change in changes:
            if change in current:
                continue
            raw = _read(connection, connector, change, again)
            if raw is not None:
                raws.append(raw)
    finally:
        if raws:
            pulled.fetched += len(raws)
            intake.take_raw(connection, connector, raws, pulled)
    return again


def _read(connection: Connection, connector: Connector, change: Change, again: set[str]) -> RawOrder | None:
    """The order now. One that cannot be read is tried again some times and then goes to quarantine."""
    try:
        with unattended():
            raw = connector.fetch_order(change)
        problem: ChannelError = Unreadable(said("モールから変更の通知がありましたが、この注文が見つかりません。"))
    except (Refused, Unreadable) as refused:
        raw, problem = None, refused
    if raw is not None:
        return raw
    if change.tries < MOST_TRIES:
        again.add(str(change))
    else:
        intake.quarantine(connection, str(change), None, problem)
        log.warning("change_not_read", shop=connection.shop.code, order=str(change), cause=problem.detail)
    return None


def _current(connection: Connection, changes: Sequence[Change]) -> set[str]:
    """Orders whose stored version is as new as the change: it was told twice, or the poll was faster."""
    stored = RawOrderRow.objects.filter(
        shop_id=connection.shop_id,
        channel_order_no__in=[str(change) for change in changes],
        is_current=True,
        applied=True,
        updated_at__isnull=False,
    ).values_list("channel_order_no", "updated_at")
    told = {str(change): change.at for change in changes}
    return {no for no, updated_at in stored if (at := told[no]) is not None and updated_at and updated_at >= at}


@contextmanager
def _only_listener(connection: Connection) -> Iterator[None]:
    """One listener per shop, so that a slow one does not fill all workers. Raises Busy."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, connection.pk])
        if not cursor.fetchone()[0]:
            raise Busy
    try:
        yield
    finally:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, connection.pk])


def _note_trouble(connection: Connection, error: ChannelError) -> None:
    """Listening pauses; the shop's journal gets the cause once an hour, the shop its state when a person must act."""
    cache.set(_pause_key(connection.pk), 1, PAUSE_S[error.retry])
    log.warning("events_failed", shop=connection.shop.code, error=type(error).__name__, detail=error.detail)
    if isinstance(error, CredentialsRefused):
        shops.note_failure(connection, error)
    elif not error.retry and cache.add(f"events:told:{connection.pk}:{error.cause}", 1, 3600):
        shops.journal(connection, "events_failed", error.cause)


def _pause_key(connection_id: int) -> str:
    return f"events:pause:{connection_id}"
