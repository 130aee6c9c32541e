"""Which shops are due for an import, and which have stock to push."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q

from channels.models import Connection, Listing
from oms.kernel import clock
from orders.models import Shop

Health = Connection.Health


@transaction.atomic
def due_for_import(only: int | None = None) -> list[int]:
    """Connections whose next poll has come (among them `only`, when given); their next one is set in the same breath,
    so each is returned once."""
    now = clock.now()
    rows = list(
        Connection.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        .select_related("shop")
        .filter(Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=now), import_paused=False, shop__active=True)
        .filter(**({"pk": only} if only else {}))
        .exclude(secrets=b"")
        .order_by("pk")
    )
    for row in rows:
        row.next_poll_at = now + timedelta(seconds=_pause_s(row))
        row.save(update_fields=["next_poll_at"])
    return [row.pk for row in rows]


def _pause_s(connection: Connection) -> float:
    """The connector's own rhythm; a shop whose credentials are refused is tried rarely until they are changed."""
    usual = float(connection.shop.capabilities.get("poll_interval_s", 60))
    return max(usual, 300) if connection.health == Health.STOPPED else usual


def due_for_push() -> list[int]:
    """Connections with listings whose wanted quantity is not on the wire yet."""
    now = clock.now()
    shops = (
        Listing.objects.filter(
            Q(next_try_at__isnull=True) | Q(next_try_at__lte=now), desired_at__isnull=False, sku__isnull=False
        )
        .exclude(mode=Listing.Mode.STOPPED)
        .values("shop")
        .distinct()
    )
    return list(
        Connection.objects.filter(shop__in=shops, publish_paused=False, shop__active=True)
        .exclude(health=Health.STOPPED)
        .values_list("pk", flat=True)
    )


def due_for_read_back() -> list[int]:
    """Connections with quantities that were sent and not confirmed yet."""
    shops = (
        Listing.objects.filter(sent__isnull=False, desired_at__isnull=True)
        .filter(Q(confirmed_at__isnull=True) | Q(confirmed_at__lt=F("sent_at")) | Q(confirmed__lt=F("sent"), error=""))
        .values("shop")
        .distinct()
    )
    active = Shop.objects.filter(active=True)
    return list(
        Connection.objects.filter(shop__in=shops, publish_paused=False)
        .filter(shop__in=active)
        .exclude(health=Health.STOPPED)
        .values_list("pk", flat=True)
    )
