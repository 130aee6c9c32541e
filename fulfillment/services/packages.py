"""個口: how many boxes a shipment goes in, as the label and the handover list say it."""

from django.db import transaction

from fulfillment.models import Shipment
from fulfillment.services import journal
from oms.kernel.models import User

MOST = 99
OPEN = [Shipment.State.PLANNED, Shipment.State.INSTRUCTED]


@transaction.atomic
def set_packages(shipment_id: int, count: int, *, by: User | None) -> bool:
    """False when the parcel has left or stopped meanwhile; the number it has already changes nothing.

    Raises ValueError for a number that no shipment can have. Locks the shipment.
    """
    if not 1 <= count <= MOST:
        raise ValueError("no such number of boxes")
    rows = Shipment.objects.select_for_update(no_key=True).filter(pk=shipment_id, state__in=OPEN)
    shipment = rows.order_by("pk").first()
    if shipment is None:
        return False
    before = shipment.package_count
    if before != count:
        shipment.package_count = count
        shipment.save(update_fields=["package_count"])
        journal.write([(shipment_id, "packages", f"{before} → {count}")], by=by)
    return True
