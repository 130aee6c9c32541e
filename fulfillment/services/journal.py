"""The shipments' journal."""

from collections.abc import Sequence

from fulfillment.models import ShipmentEvent
from oms.kernel import clock
from oms.kernel.models import User


def write(entries: Sequence[tuple[int, str, str]], *, by: User | None) -> None:
    """Append (shipment id, kind, text) rows."""
    now = clock.now()
    ShipmentEvent.objects.bulk_create(
        ShipmentEvent(shipment_id=id_, at=now, kind=kind, text=text[:300], by=by) for id_, kind, text in entries
    )
