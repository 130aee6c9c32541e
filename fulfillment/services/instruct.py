"""出荷指示: ready orders go to the warehouse as a batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from fulfillment.models import Batch, Shipment
from fulfillment.services import facts, journal
from oms.kernel import clock
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
    """Ready orders, and orders under way with a shipment that is only planned."""
    planned = Shipment.objects.filter(recipient__order=OuterRef("pk"), state=Shipment.State.PLANNED)
    under_way = Q(stage__in=[Stage.IN_FULFILLMENT, Stage.PARTIALLY_SHIPPED], blocking_reasons=0) & Exists(planned)
    return Order.objects.filter(Q(stage=Stage.READY) | under_way)


@transaction.atomic
def instruct_orders(order_ids: Sequence[int], *, actor: Actor) -> Instructed:
    """Instruct the planned shipments of ready orders, and those that orders under way got for goods they had lost.

    Orders in another stage are skipped with the reason.

    Locks the orders by pk, then their shipments by pk. Instructing twice does nothing the second time.
    """
    locked = list(Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk"))
    may = set(instructable().filter(pk__in=[order.pk for order in locked]).values_list("pk", flat=True))
    skipped = {
        order.pk: _("ステータスが「%(stage)s」のため出荷指示できません。") % {"stage": order.get_stage_display()}
        for order in locked
        if order.pk not in may
    }
    ready = [order.pk for order in locked if order.pk not in skipped]
    planned = Shipment.objects.select_for_update(no_key=True, of=("self",)).filter(
        recipient__order__in=ready, state=Shipment.State.PLANNED
    )
    shipments = [shipment.pk for shipment in planned.order_by("pk")]
    if not shipments:
        return Instructed(skipped=skipped)
    now = clock.now()
    batch = Batch.objects.create(created_at=now, by=actor.by)
    Shipment.objects.filter(pk__in=shipments).update(state=Shipment.State.INSTRUCTED, instructed_at=now, batch=batch)
    journal.write([(pk, "instructed", str(batch)) for pk in shipments], by=actor.by)
    order_journal.write([Entry(pk, "instructed", str(batch)) for pk in ready], actor=actor)
    facts.refresh(ready, actor=actor)
    return Instructed(batch, ready, shipments, skipped)
