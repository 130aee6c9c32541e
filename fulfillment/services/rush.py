"""Shipping one order at once, from wherever it stands: allocate, instruct and confirm in one go."""

from django.db import transaction

from fulfillment.models import Shipment
from fulfillment.services import facts, journal
from fulfillment.services.allocate import allocate_orders
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel import clock
from oms.kernel.said import said
from oms.kernel.said_field import choice
from orders.models import Order, ReviewReason
from orders.models.order import PAYABLE, PaymentState, Stage
from orders.services import hold, review, waiting
from orders.services import journal as order_journal
from orders.services.journal import SYSTEM, Actor, Entry


class NotReady(Exception):
    """The order may not ship now; `cause` says why and what to do."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@transaction.atomic
def ship_now(order: Order, *, carrier: str, tracking_no: str, force: bool = False, actor: Actor = SYSTEM) -> list[int]:
    """Ship everything of the order; returns the shipments. One shipped already with this number returns them again.

    Raises NotReady. With `force` open gates before the stock (review, hold, payment) are passed, and the journal says
    so; goods that are not there are never shipped.
    """
    order = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").get(pk=order.pk)
    shipments = Shipment.objects.filter(lines__order_line__order=order).distinct()
    if order.stage in {Stage.SHIPPED, Stage.COMPLETED}:
        if order.tracking_label == tracking_no.strip():
            return list(shipments.filter(state=Shipment.State.SHIPPED).values_list("pk", flat=True))
        raise NotReady(said("すでに出荷済みです（送り状番号 %(no)s）。", no=order.tracking_label or "—"))
    if order.cancelled_at or order.fulfilled_by_channel:
        raise NotReady(said("キャンセル済み、またはモールが出荷する注文です。"))
    if force:
        _pass_gates(order, actor)
    if order.stage == Stage.AWAITING_STOCK:
        waiting.promise_waiting([line.sku_id for line in order.lines.all() if line.sku_id])
        allocate_orders([order.pk])
        order.refresh_from_db()
    if order.stage == Stage.READY or (force and order.stage in {Stage.SCHEDULED, Stage.AWAITING_RELEASE}):
        _instruct(order, actor)
        order.refresh_from_db()
    if order.stage not in {Stage.IN_FULFILLMENT, Stage.PARTIALLY_SHIPPED}:
        raise NotReady(
            said(
                "ステータスが「%(stage)s」のため出荷できません。先に画面で解消するか、--force を付けてください。",
                stage=choice(order, "stage"),
            )
        )
    waiting_ids = shipments.filter(state=Shipment.State.INSTRUCTED).order_by("pk").values_list("pk", flat=True)
    shipped = confirm_shipments([Departure(pk, carrier, tracking_no) for pk in waiting_ids], actor=actor)
    if shipped.refused:
        raise NotReady(next(iter(shipped.refused.values())))
    return shipped.shipments


def _pass_gates(order: Order, actor: Actor) -> None:
    order_journal.write([Entry(order.pk, "forced", choice(order, "stage"))], actor=actor)
    hold.lift_holds([order.pk], actor=actor)
    review.accept([order.pk], actor=actor, note=said("強制出荷"))
    ReviewReason.objects.filter(order=order, state="open").update(
        state="accepted", closed_at=clock.now(), note=said("強制出荷")
    )
    Order.objects.filter(pk=order.pk).update(
        phase="open",
        payment_state=PaymentState.PAID if order.payment_state in PAYABLE else order.payment_state,
    )
    facts.refresh([order.pk], actor=actor)
    order.refresh_from_db()


def _instruct(order: Order, actor: Actor) -> None:
    if order.stage == Stage.READY:
        instruct_orders([order.pk], actor=actor)
        return
    planned = Shipment.objects.filter(lines__order_line__order=order, state=Shipment.State.PLANNED).distinct()
    ids = list(planned.values_list("pk", flat=True))
    Shipment.objects.filter(pk__in=ids).update(state=Shipment.State.INSTRUCTED, instructed_at=clock.now())
    journal.write([(pk, "instructed", said("強制出荷")) for pk in ids], by=actor.by)
    facts.refresh([order.pk], actor=actor)
