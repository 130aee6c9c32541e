"""Cancelling an order: its promises go back, its shipments stop, the channel and the customer are told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from inventory.services import stock
from oms.kernel import clock
from oms.kernel.services.outbox import NewEffect, put
from orders.models import Mail, Order, OrderLine
from orders.models.order import ChannelSync, FulfillmentState, Phase
from orders.services import journal, mail, review
from orders.services import stage as stages
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.reservation import ref_of
from orders.signals import lines_released, orders_cancelled

STOPPABLE = {FulfillmentState.NONE, FulfillmentState.INSTRUCTED}


@dataclass(frozen=True, slots=True)
class Cancelled:
    """`by_hand` lists orders whose channel has no cancel call: a person finishes on the mall's own page."""

    orders: list[int] = field(default_factory=list)
    by_hand: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


@transaction.atomic
def cancel_orders(order_ids: Sequence[int], *, reason: str, actor: Actor) -> Cancelled:
    """Cancel what has not been shipped. An order already cancelled is left as it is."""
    result = Cancelled()
    locked = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop")
    for order in locked.filter(pk__in=order_ids).order_by("pk"):
        if order.cancelled_at:
            continue
        if order.fulfillment_state not in STOPPABLE or (
            order.phase == Phase.SHIPPED and not order.fulfilled_by_channel
        ):
            result.refused[order.pk] = _("すでに出荷済みのためキャンセルできません。返品として扱ってください。")
        elif order.fulfilled_by_channel:
            result.refused[order.pk] = _("モールが出荷する注文です。モールの画面でキャンセルしてください。")
        else:
            result.orders.append(order.pk)
            if order.shop.can("cancel"):
                continue
            result.by_hand.append(order.pk)
    _end(result.orders, reason, actor)
    told = [id_ for id_ in result.orders if id_ not in result.by_hand]
    put(
        [NewEffect("channel_cancel", f"cancel:{i}", f"order:{i}:channel", {"order": i, "reason": reason}) for i in told]
    )
    Order.objects.filter(pk__in=told).update(channel_sync=ChannelSync.PENDING)
    return result


def cancel_at_channel(order_ids: Sequence[int]) -> None:
    """The channel cancelled these: follow. The caller holds the orders' locks; stock is locked here, last."""
    _end(list(order_ids), _("モールでキャンセルされました"), SYSTEM)


def _end(order_ids: Sequence[int], reason: str, actor: Actor) -> None:
    if not order_ids:
        return
    now = clock.now()
    Order.objects.filter(pk__in=order_ids).update(
        cancelled_at=now, cancel_reason=reason[:200], allocation_state="none", version=F("version") + 1
    )
    lines = list(OrderLine.objects.filter(order__in=order_ids).values_list("pk", flat=True))
    OrderLine.objects.filter(pk__in=lines).update(reserved=False, allocated_quantity=F("shipped_quantity"))
    orders_cancelled.send(sender=Order, order_ids=list(order_ids), by=actor.by)
    lines_released.send(sender=Order, line_ids=lines)
    review.sync(order_ids)
    journal.write([Entry(order_id, "cancelled", reason) for order_id in order_ids], actor=actor)
    mail.withdraw(
        Mail.objects.filter(order__in=order_ids), reason=_("注文がキャンセルされたため送りません。"), actor=actor
    )
    mail.schedule_for(order_ids, "cancelled", actor=actor)
    stock.release(ref_of(line) for line in lines)
    stages.recompute(order_ids, actor=actor)
