"""セットに戻す: the undoing of `take_apart`. The components' lines go, the set's line is what it was: its pieces, its
yen, its promise, and its places where they are still free."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, ForeignObjectRel, QuerySet
from django.utils.translation import gettext as _

from inventory.services import stock
from oms.kernel import clock
from orders.models import Order, OrderLine, RefundLine, SetApart
from orders.models.order import FulfillmentState
from orders.services import edit, journal, refunds
from orders.services import stage as stages
from orders.services.facts import mark_reserved
from orders.services.journal import Actor, Entry
from orders.services.regrant import regrant_at
from orders.services.reservation import ref_of, takes_stock_now, want_of
from orders.signals import lines_cut, lines_placed, lines_released


class CannotPutTogether(Exception):
    """Says in Japanese why, and what to do."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@transaction.atomic
def put_together(taking_id: int, *, actor: Actor) -> bool:
    """Undo one taking apart. False when it was undone already; raises CannotPutTogether with nothing changed.

    The set is promised again from what its components held; one of which a component waits, waits whole again. Locks
    the order, then the stock, once, last.
    """
    order_id = SetApart.objects.values_list("line__order", flat=True).get(pk=taking_id)
    order = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").get(pk=order_id)
    taking = SetApart.objects.select_related("line").get(pk=taking_id)
    if taking.undone_at:
        return False
    parts = list(OrderLine.objects.filter(pk__in=taking.parts).order_by("pk"))
    if cause := why_not(order, taking, parts):
        raise CannotPutTogether(cause)
    line = taking.line
    lines_released.send(sender=Order, line_ids=[line.pk, *taking.parts])
    _write_lines(order, line, taking, parts)
    SetApart.objects.filter(pk=taking.pk).update(undone_at=clock.now(), undone_by=actor.by)
    journal.write([Entry(order.pk, "set_whole", f"{line.name} × {taking.pieces}")], actor=actor)
    _promise(order, OrderLine.objects.get(pk=line.pk), taking)
    lines_cut.send(sender=Order, order_ids=[order.pk], by=actor.by)
    stages.recompute([order.pk], actor=actor)
    return True


def standing(order_ids: Sequence[int]) -> QuerySet[SetApart]:
    """What of these orders' sets was taken apart and not put together since."""
    return SetApart.objects.filter(line__order__in=order_ids, undone_at=None)


def why_not(order: Order, taking: SetApart, parts: Sequence[OrderLine]) -> str:
    """Why these components' lines cannot be sets again; empty where they can."""
    if order.cancelled_at or order.fulfilled_by_channel:
        return edit.why_closed(order)
    if any(part.shipped_quantity for part in parts):
        return _("構成品の一部が出荷済みのため、セットに戻せません。")
    if len(parts) < len(taking.parts) or any(
        part.cancelled_quantity or part.quantity != part.set_units * taking.pieces for part in parts
    ):
        return _("構成品の数が変わったあとのため、セットに戻せません。")
    if order.fulfillment_state != FulfillmentState.NONE and any(part.allocated_quantity for part in parts):
        return _("出荷指示のあとは、セットに戻せません。出荷を止めてから行ってください。")
    if RefundLine.objects.filter(line__in=taking.parts, refund__state__in=refunds.LIVE).exists():
        return _("構成品に返金の記録があるため、セットに戻せません。")
    return ""


def _write_lines(order: Order, line: OrderLine, taking: SetApart, parts: Sequence[OrderLine]) -> None:
    """What was taken off the set's line is exactly what the components' lines have."""
    OrderLine.objects.filter(pk=line.pk).update(
        quantity=F("quantity") + taking.pieces,
        amount=F("amount") + sum(part.amount for part in parts),
        discount=F("discount") + sum(part.discount for part in parts),
        reserved=False,
        allocated_quantity=F("shipped_quantity"),
    )
    fewer = sum(part.quantity for part in parts) - taking.pieces
    Order.objects.filter(pk=order.pk).update(quantity=F("quantity") - fewer, version=F("version") + 1)
    known = _pointed_at(taking.parts)
    OrderLine.objects.filter(pk__in=set(taking.parts) - known).delete()
    OrderLine.objects.filter(pk__in=known).update(
        quantity=0, amount=0, discount=0, reserved=False, allocated_quantity=0, apart=False
    )


def _pointed_at(line_ids: Sequence[int]) -> set[int]:
    """Lines that something remembers (a parcel that was stopped, a case that was opened): they stay, with no pieces."""
    found: set[int] = set()
    for relation in OrderLine._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel):
            continue
        rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": line_ids})
        found.update(rows.values_list(relation.field.attname, flat=True))
    return found


def _promise(order: Order, line: OrderLine, taking: SetApart) -> None:
    """One stock call: what the components held is free for the set. Stock is locked here, last."""
    open_ = line.quantity - line.shipped_quantity
    wants: list[stock.Want] = []
    if takes_stock_now(order) and line.sku_id:
        units = open_ * line.units
        wants = [want_of(line.pk, line.sku_id, units, order.ship_by, order.ordered_at, order.priority)]
    before = {location: pieces for location, pieces in taking.places if pieces}
    places = {line.pk: before} if wants and sum(before.values()) == open_ else {}
    granted, placed = regrant_at(wants, [line.pk, *taking.parts], places)
    if ref_of(line.pk) in granted:
        mark_reserved([line.pk])
    if ref_of(line.pk) in placed:
        OrderLine.objects.filter(pk=line.pk).update(allocated_quantity=line.quantity)
        lines_placed.send(sender=Order, order_id=order.pk, places=places)
