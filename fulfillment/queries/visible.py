"""Which parcels the person who asks may see: those of their places that carry goods of their shops."""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, QuerySet

from fulfillment.models import Shipment, ShipmentLine
from inventory.queries.places import at_own
from oms.kernel import scope
from oms.kernel.typed import row_id
from orders.queries import visible as orders_visible


def parcels(*, whole_stock: bool = False) -> "QuerySet[Shipment]":
    """With `whole_stock` those of other places too, for looking at. Without limits all."""
    found = Shipment.objects.all() if whole_stock else at_own(Shipment.objects.all())
    own = scope.current().shops
    if not own:
        return found
    lines = ShipmentLine.objects.filter(shipment=OuterRef("pk"))
    strange = lines.exclude(order_line__order__shop__in=own)  # a merged parcel may carry another shop's order too
    return found.filter(~Exists(strange), recipient__order__shop__in=own)


def parcel_ids(ids: Sequence[int]) -> list[int]:
    """Those of the ids that are the person's parcels, in their order. No query without limits."""
    limits = scope.current()
    if not (limits.shops or limits.places):
        return list(ids)
    own = set(parcels().filter(pk__in=ids).values_list("pk", flat=True))
    return [pk for pk in ids if pk in own]


def order_in(shipment_id: int, typed: str) -> int | None:
    """The order that a form about a parcel names as the page to go back to: one of the person's, with goods in it."""
    order_id = row_id(typed)
    if order_id is None:
        return None
    carried = ShipmentLine.objects.filter(shipment=shipment_id, order_line__order=order_id)
    own = orders_visible.of_shops(carried, "order_line__order__shop")
    return order_id if own.exists() else None
