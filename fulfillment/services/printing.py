"""Remembering what was printed."""

from collections.abc import Sequence

from django.db import transaction

from fulfillment.models import Shipment, ShipmentLine
from fulfillment.services import journal
from oms.kernel import clock
from oms.kernel.models import User
from orders.models import PersonalView
from orders.services import personal_views

NAMELESS = frozenset({"pick_printed"})  # what says where goods lie, not to whom they go


@transaction.atomic
def record_printed(shipment_ids: Sequence[int], kind: str, *, by: User) -> None:
    """Write the journal, and the first printing of the delivery note; a later one is a reprint.
    Whoever prints names and addresses has seen them."""
    locked = Shipment.objects.select_for_update(no_key=True).filter(pk__in=shipment_ids).order_by("pk")
    found = list(locked.values_list("pk", flat=True))
    if kind == "note_printed":
        Shipment.objects.filter(pk__in=found, printed_at__isnull=True).update(printed_at=clock.now())
    journal.write([(pk, kind, "") for pk in found], by=by)
    if kind not in NAMELESS:
        lines = ShipmentLine.objects.filter(shipment__in=found).order_by().distinct()
        personal_views.saw_orders(
            list(lines.values_list("order_line__order", flat=True)), PersonalView.Where.SLIP, by=by
        )
