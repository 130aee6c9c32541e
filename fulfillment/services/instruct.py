"""出荷指示: ready orders go to the warehouse as a batch."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from fulfillment.decide.merging import same_key
from fulfillment.models import Batch, Shipment, ShipmentLine
from fulfillment.queries.merging import keys_of
from fulfillment.services import facts, journal
from oms.kernel import clock
from oms.kernel.said import said
from oms.kernel.said_field import choice
from orders.models import Order
from orders.models.order import Stage
from orders.services import journal as order_journal
from orders.services.journal import Actor, Entry


@dataclass(frozen=True, slots=True)
class Instructed:
    """The batch (None when nothing was ready), its orders and shipments, and why others were left."""

    batch: Batch | None = None
    orders: list[int] = field(default_factory=list)
    shipments: list[int] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)


def instructable() -> QuerySet[Order]:
    """Ready orders, and orders under way with a shipment that is only planned. None of which a parcel shall be stopped:
    what stopped already must not leave again before all have answered."""
    planned = ShipmentLine.objects.filter(order_line__order=OuterRef("pk"), shipment__state=Shipment.State.PLANNED)
    under_way = Q(stage__in=[Stage.IN_FULFILLMENT, Stage.PARTIALLY_SHIPPED], blocking_reasons=0) & Exists(planned)
    return Order.objects.filter(Q(stage=Stage.READY) | under_way, stop_asked_at=None)


@transaction.atomic
def instruct_orders(order_ids: Sequence[int], *, actor: Actor) -> Instructed:
    """Instruct the planned shipments of ready orders, and those that orders under way got for goods they had lost.

    Orders in another stage are skipped with the reason.

    An order whose goods travel with another's takes that one along; where the other is not ready, the parcel waits.
    Locks the orders by pk, then their shipments by pk. Instructing twice does nothing the second time.
    """
    wanted = sorted({*order_ids, *_companions(order_ids)})
    locked = list(Order.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk"))
    may = set(instructable().filter(pk__in=[order.pk for order in locked]).values_list("pk", flat=True))
    skipped = {order.pk: _why_not(order) for order in locked if order.pk not in may and order.pk in set(order_ids)}
    carried = _planned_parcels([order.pk for order in locked if order.pk in may])
    waits = _waiting_parcels(carried, may)
    skipped |= {order_id: cause for pk, cause in waits.items() for order_id in carried[pk] if order_id in may}
    going = {pk: orders for pk, orders in carried.items() if pk not in waits}
    planned = Shipment.objects.select_for_update(no_key=True).filter(pk__in=going, state=Shipment.State.PLANNED)
    shipments = [shipment.pk for shipment in planned.order_by("pk")]
    ready = sorted({order_id for pk in shipments for order_id in going[pk]})
    skipped = {order_id: cause for order_id, cause in skipped.items() if order_id not in set(ready)}
    if not shipments:
        return Instructed(skipped=skipped)
    now = clock.now()
    batch = Batch.objects.create(created_at=now, by=actor.by)
    Shipment.objects.filter(pk__in=shipments).update(state=Shipment.State.INSTRUCTED, instructed_at=now, batch=batch)
    journal.write([(pk, "instructed", str(batch)) for pk in shipments], by=actor.by)
    order_journal.write([Entry(pk, "instructed", str(batch)) for pk in ready], actor=actor)
    facts.refresh(ready, actor=actor)
    return Instructed(batch, ready, shipments, skipped)


def _why_not(order: Order) -> str:
    if order.stop_asked_at:
        return said("出荷停止を依頼中です。出荷元の返事を待ってください。")
    return said("ステータスが「%(stage)s」のため出荷指示できません。", stage=choice(order, "stage"))


def _companions(order_ids: Sequence[int]) -> set[int]:
    """Orders whose goods share a planned parcel with these."""
    own = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state=Shipment.State.PLANNED)
    rows = ShipmentLine.objects.filter(shipment__in=own.values("shipment"))
    return set(rows.values_list("order_line__order", flat=True))


def _planned_parcels(order_ids: Sequence[int]) -> dict[int, set[int]]:
    """Planned shipment → all orders whose goods it carries, for the shipments of these orders."""
    own = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state=Shipment.State.PLANNED)
    carried: dict[int, set[int]] = defaultdict(set)
    rows = ShipmentLine.objects.filter(shipment__in=own.values("shipment"))
    for shipment_id, order_id in rows.values_list("shipment", "order_line__order"):
        carried[shipment_id].add(order_id)
    return carried


def _waiting_parcels(carried: Mapping[int, set[int]], may: set[int]) -> dict[int, str]:
    """Shared parcels that may not go yet, and why: an order in them is not ready, or goes elsewhere now."""
    shared = {pk: orders for pk, orders in carried.items() if len(orders) > 1}
    keys = keys_of({order_id for orders in shared.values() for order_id in orders})
    waits = {}
    for pk, orders in shared.items():
        if not orders <= may:
            waits[pk] = said("同梱した受注がまだ出荷指示待ちになっていません。待つか、同梱を解除してください。")
        elif not same_key([keys.get(order_id, "") for order_id in orders]):
            waits[pk] = said("同梱した受注の届け先が変わりました。同梱を解除してください。")
    return waits
