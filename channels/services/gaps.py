"""The daily comparison: does the desk hold every order number that the channel names? What is missing is fetched.

A missing number is written down before anything is fetched, so that it stays known whatever happens next; it is closed
by the order itself, however that came. `audit` names what is still open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from channels.connectors.contract import ChannelError, Connector
from channels.models import Connection, DayCheck, MissedOrder, QuarantinedOrder
from channels.services import intake, shops
from channels.services.intake import Pulled
from oms.kernel import clock
from oms.kernel.said import said
from orders.models import Order

log = structlog.get_logger(__name__)

SETTLED_AFTER = timedelta(minutes=30)  # what was ordered just now may still come with the next poll
AT_NIGHT = time(3, 0)  # Tokyo time
AGAIN_AFTER = timedelta(hours=1)
LOOK_BACK_DAYS = 7
BY_WINDOW_FROM = 20  # so many missing numbers are read as a range rather than one by one
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Compared:
    """The outcome of one comparison, in numbers of orders."""

    day: date
    there: int
    here: int
    held: int
    fetched: int
    missing: int

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"day": self.day.isoformat()}


def bounds(day: date) -> tuple[datetime, datetime]:
    """Begin and end of a day in Tokyo."""
    return _midnight(day), _midnight(day + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, clock.TOKYO)


def compare(connection: Connection, day: date) -> Compared:
    """Compare a day (today: its past hours), fetch what is missing, and write down what came of it.

    The calls run outside any transaction. Raises ChannelError when the channel does not tell its numbers; the day's
    row then says why.
    """
    since, end = bounds(day)
    until = max(min(end, clock.now() - SETTLED_AFTER), since)
    connector = shops.connector_of(connection)
    try:
        there = _numbers_there(connector, since, until)
        missing = note_missing(connection, day, there)
        _fetch(connection, connector, {no: there[no] for no in missing})
    except ChannelError as error:
        shops.note_failure(connection, error)
        _write_error(connection, day, until, error.cause)
        raise
    return _write_outcome(connection, day, until, there)


def _numbers_there(connector: Connector, since: datetime, until: datetime) -> dict[str, datetime]:
    if until <= since:
        return {}
    pages = connector.order_numbers(since, until)
    return {no: at for page in pages for no, at in page if since <= at < until}


@transaction.atomic
def note_missing(connection: Connection, day: date, there: dict[str, datetime]) -> list[str]:
    """Write down the numbers that are neither on the desk nor in quarantine; returns them, the oldest order first."""
    absent = sorted(there.keys() - _here(connection, there) - _held(connection, there), key=lambda no: (there[no], no))
    now = clock.now()
    MissedOrder.objects.bulk_create(
        [
            MissedOrder(shop_id=connection.shop_id, day=day, channel_order_no=no, ordered_at=there[no], found_at=now)
            for no in absent
        ],
        ignore_conflicts=True,
    )
    MissedOrder.objects.filter(shop=connection.shop_id, channel_order_no__in=absent).update(resolved_at=None)
    return absent


def _here(connection: Connection, numbers: Iterable[str]) -> set[str]:
    rows = Order.objects.filter(shop=connection.shop_id, channel_order_no__in=list(numbers))
    return set(rows.values_list("channel_order_no", flat=True))


def _held(connection: Connection, numbers: Iterable[str]) -> set[str]:
    rows = QuarantinedOrder.objects.filter(
        shop=connection.shop_id, channel_order_no__in=list(numbers), resolved_at__isnull=True
    )
    return set(rows.values_list("channel_order_no", flat=True))


def _fetch(connection: Connection, connector: Connector, missing: dict[str, datetime]) -> None:
    """Bring them in: many as a range of time, the rest one by one, the oldest first."""
    if len(missing) >= BY_WINDOW_FROM:
        pulled = Pulled()
        first, last = min(missing.values()), max(missing.values())
        for page in connector.fetch_orders(first - timedelta(seconds=1), last + timedelta(seconds=1)):
            wanted = [raw for raw in page.orders if raw.channel_order_no in missing]
            intake.take_raw(connection, connector, wanted, pulled)
    left = missing.keys() - _here(connection, missing) - _held(connection, missing)
    for no in sorted(left, key=lambda no: (missing[no], no))[:AT_ONCE]:
        _fetch_one(connection, connector, no)


def _fetch_one(connection: Connection, connector: Connector, no: str) -> None:
    """One that does not come says why on its row; only a channel that is closed altogether stops the others."""
    try:
        raw = connector.fetch_order(no)
        cause = "" if raw else said("モールが注文の内容を返しません。少し後にもう一度照合します。")
        if raw is not None:
            intake.take_raw(connection, connector, [raw], Pulled())
    except ChannelError as error:
        cause = error.cause
        if error.retry:
            raise
    MissedOrder.objects.filter(shop=connection.shop_id, channel_order_no=no).update(cause=cause[:500])


@transaction.atomic
def _write_outcome(connection: Connection, day: date, until: datetime, there: dict[str, datetime]) -> Compared:
    now = clock.now()
    here, held = _here(connection, there), _held(connection, there)
    rows = MissedOrder.objects.filter(shop=connection.shop_id, day=day)
    rows.filter(channel_order_no__in=here | held, resolved_at__isnull=True).update(resolved_at=now, cause="")
    outcome = Compared(
        day=day,
        there=len(there),
        here=len(here),
        held=len(held),
        fetched=rows.filter(channel_order_no__in=here).count(),
        missing=len(there.keys() - here - held),
    )
    DayCheck.objects.update_or_create(
        shop_id=connection.shop_id,
        day=day,
        defaults={
            "until": until,
            "there": outcome.there,
            "here": outcome.here,
            "held": outcome.held,
            "fetched": outcome.fetched,
            "missing": outcome.missing,
            "numbers": sorted(there),
            "checked_at": now,
            "error": "",
        },
    )
    log.info("day_compared", shop=connection.shop.code, **outcome.as_json())
    return outcome


def _write_error(connection: Connection, day: date, until: datetime, cause: str) -> None:
    DayCheck.objects.update_or_create(
        shop_id=connection.shop_id,
        day=day,
        defaults={"checked_at": clock.now(), "error": cause[:500]},
        create_defaults={"checked_at": clock.now(), "error": cause[:500], "until": _midnight(day)},
    )


def due() -> list[tuple[int, date]]:
    """(connection, day) whose comparison has come; each is claimed, so it is returned once.

    Once a night yesterday and today's hours so far; days of the last week that failed or miss orders hourly.
    """
    now = clock.now()
    today = clock.in_tokyo(now).date()
    tonight = datetime.combine(today, AT_NIGHT, clock.TOKYO)
    connections = list(
        Connection.objects.filter(shop__active=True, import_paused=False, last_import_at__isnull=False)
        .exclude(health=Connection.Health.STOPPED)
        .exclude(secrets=b"")
        .order_by("pk")
        .values_list("pk", "shop")
    )
    wanted = []
    for pk, shop_id in connections:
        if now >= tonight:
            days = [day for day in (today - timedelta(days=1), today) if _claim(shop_id, day, before=tonight, now=now)]
            wanted += [(pk, day) for day in days]
        wanted += [
            (pk, day) for day in _open_days(shop_id, today) if _claim(shop_id, day, before=now - AGAIN_AFTER, now=now)
        ]
    return wanted


def _claim(shop_id: int, day: date, *, before: datetime, now: datetime) -> bool:
    """Who moves the time of the check has the work; a worker that dies leaves an unfinished day, due again later."""
    row, created = DayCheck.objects.get_or_create(
        shop_id=shop_id, day=day, defaults={"checked_at": now, "until": _midnight(day)}
    )
    return created or bool(DayCheck.objects.filter(pk=row.pk, checked_at__lt=before).update(checked_at=now))


def _open_days(shop_id: int, today: date) -> Sequence[date]:
    """Days that are not settled: something is missing, the channel did not answer, or a worker died over it."""
    rows = DayCheck.objects.filter(shop=shop_id, day__gte=today - timedelta(days=LOOK_BACK_DAYS))
    unsettled = [
        row.day
        for row in rows.filter(Q(missing__gt=0) | ~Q(error="") | Q(there=0)).only("day", "until", "missing", "error")
        if row.missing or row.error or row.until <= _midnight(row.day)
    ]
    return sorted(unsettled)
