"""After a pause: which orders the import caught up with, announced to everybody until read."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet

from channels.models import CatchUp, CatchUpRead, Connection
from oms.kernel import clock
from oms.kernel.models import User
from orders.models import Order

ANNOUNCED_AFTER = timedelta(minutes=30)


def begin(connection: Connection, started: datetime) -> CatchUp | None:
    """The announcement that this import will make, or None after a usual pause.

    One that a dead worker left open is carried on, so that its orders are counted too.
    """
    left = CatchUp.objects.filter(shop=connection.shop_id, ended_at__isnull=True).first()
    if left is not None:
        return left
    last = connection.last_import_at
    if last is None or connection.cursor is None or started - last < ANNOUNCED_AFTER:
        return None
    return CatchUp.objects.create(shop_id=connection.shop_id, since=last, until=started)


@transaction.atomic
def end(catch_up: CatchUp) -> None:
    """Count what came since the import began, from the stored orders; nothing new needs no announcement."""
    now = clock.now()
    found = orders_of(catch_up, until=now).aggregate(n=Count("pk"), first=Min("ordered_at"), last=Max("ordered_at"))
    if not found["n"]:
        CatchUp.objects.filter(pk=catch_up.pk).delete()
        return
    CatchUp.objects.filter(pk=catch_up.pk, ended_at__isnull=True).update(
        ended_at=now, orders=found["n"], first_order_at=found["first"], last_order_at=found["last"]
    )


def orders_of(catch_up: CatchUp, *, until: datetime | None = None) -> "QuerySet[Order]":
    """The orders it brought: those that came to the desk while it ran."""
    ended = until or catch_up.ended_at or clock.now()
    return Order.objects.filter(shop=catch_up.shop_id, imported_at__gte=catch_up.until, imported_at__lte=ended)


def mark_read(catch_up_id: int, *, by: User) -> None:
    """This person has read it; again changes nothing."""
    CatchUpRead.objects.get_or_create(catch_up_id=catch_up_id, by=by, defaults={"at": clock.now()})
