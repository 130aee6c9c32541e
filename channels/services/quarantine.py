"""Trying quarantined orders again: one cause or all, by a person or by the clock, each with its kept payload."""

from datetime import timedelta

import structlog
from django.db.models import Q

from channels.connectors.contract import ChannelError
from channels.models import Connection, QuarantinedOrder
from channels.services import intake, shops
from oms.kernel import clock
from oms.kernel.models import User

log = structlog.get_logger(__name__)

AGAIN_AFTER = timedelta(hours=1)


def replay_shop(connection: Connection, *, cause: str = "") -> int:
    """Try the open cases of a shop again; what fails stays with its new cause. Returns how many were taken in."""
    rows = QuarantinedOrder.objects.select_related("shop", "raw").filter(
        shop=connection.shop_id, resolved_at__isnull=True, **({"cause": cause} if cause else {})
    )
    taken = 0
    for row in rows.order_by("pk"):
        try:
            taken += not intake.replay(row).quarantined
        except ChannelError as error:
            intake.quarantine(connection, row.channel_order_no, row.raw_id, error)
    return taken


def due() -> list[int]:
    """Shops whose open cases were last tried so long ago that they are tried again; their time is set in this breath.

    The pause grows with the tries, up to a day: a case that no program can read yet costs little.
    """
    now = clock.now()
    rows = QuarantinedOrder.objects.filter(resolved_at__isnull=True, shop__active=True).filter(
        Q(tried_at__isnull=True, at__lt=now - AGAIN_AFTER)
        | Q(attempts__lt=4, tried_at__lt=now - AGAIN_AFTER)
        | Q(tried_at__lt=now - timedelta(days=1))
    )
    shop_ids = sorted(set(rows.values_list("shop", flat=True)))
    rows.update(tried_at=now)
    return shop_ids


def note_revealed(connection: Connection, row: QuarantinedOrder, *, by: User) -> None:
    """Who read the personal data of a payload is on record, in the shop's append-only journal."""
    shops.journal(connection, "payload_shown", keys=row.channel_order_no, by=by)
    log.info("payload_shown", shop=row.shop.code, order=row.channel_order_no, by=by.get_username())
