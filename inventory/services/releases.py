"""After the release day a pre-order row only serves who was promised; what it has beyond that is for everyone."""

from collections.abc import Sequence
from datetime import date

from django.db import connection, transaction

from inventory.models import AllocatorMark, PublisherMark, Sku
from inventory.models.balance import EntryKind
from inventory.services import door
from inventory.services.door import Change
from oms.kernel import clock

LEFT_OVER = """
SELECT p.id, o.id, p.on_hand - p.reserved
  FROM inventory_balance p JOIN inventory_sku s ON s.id = p.sku_id
  JOIN inventory_balance o ON o.sku_id = p.sku_id AND o.location_id IS NULL AND o.release = ''
 WHERE p.location_id IS NULL AND p.release <> '' AND p.on_hand > p.reserved
   AND (s.release_date IS NULL OR s.release_date <= %s)
"""


def close_releases() -> int:
    """Move what released pre-order rows hold beyond their promises to the ordinary pools; returns the units moved.

    A promise made meanwhile makes the door refuse, and the next run finds the rest.
    """
    with connection.cursor() as cursor:
        cursor.execute(LEFT_OVER, [clock.today()])
        rows = cursor.fetchall()
    changes = []
    for release_id, ordinary_id, units in rows:
        for balance_id, moved in ((release_id, -units), (ordinary_id, units)):
            changes.append(Change(balance_id, on_hand=moved, ref="release"))
    door.apply(changes, kind=EntryKind.POOL)
    return sum(units for _release, _ordinary, units in rows)


@transaction.atomic
def set_day(sku_id: int, day: date) -> None:
    """The SKU is released on `day`. What channels are told of it may change: its mark is left."""
    Sku.objects.filter(pk=sku_id).update(release_date=day)
    PublisherMark.objects.create(sku_id=sku_id, at=clock.now())


def wake_allocator(sku_ids: Sequence[int]) -> None:
    """Lines of these SKUs may be due now: leave the allocator's marks, in the caller's transaction."""
    now = clock.now()
    AllocatorMark.objects.bulk_create(AllocatorMark(sku_id=sku_id, at=now) for sku_id in sku_ids)
