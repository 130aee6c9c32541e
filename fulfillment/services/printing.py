"""Remembering what was printed."""

from collections.abc import Sequence

from django.db import transaction

from fulfillment.models import Shipment
from fulfillment.services import journal
from oms.kernel import clock
from oms.kernel.models import User


@transaction.atomic
def record_printed(shipment_ids: Sequence[int], kind: str, *, by: User) -> None:
    """Write the journal, and the first printing of the delivery note; a later one is a reprint."""
    locked = Shipment.objects.select_for_update(no_key=True).filter(pk__in=shipment_ids).order_by("pk")
    found = list(locked.values_list("pk", flat=True))
    if kind == "note_printed":
        Shipment.objects.filter(pk__in=found, printed_at__isnull=True).update(printed_at=clock.now())
    journal.write([(pk, kind, "") for pk in found], by=by)
