"""セットをばらす: pieces of a set's line become lines of their components, which then go their own ways.

Needed where components part: one is cancelled before it leaves, or they leave in different parcels. The new lines carry
the components' shares of price and discount, so that the order's sums stay what they are. The set's line stays, with
fewer pieces, and its components name it (`OrderLine.set_line`). `orders.services.put_together` undoes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from inventory.services import stock
from oms.kernel import clock
from oms.kernel.money import distribute
from oms.kernel.sql import next_ids
from orders.decide.set_shares import prices_of
from orders.models import LineComponent, Order, OrderLine, RefundPart, SetApart
from orders.models.order import FulfillmentState
from orders.models.return_case import part_name
from orders.services import cut_lines, edit, journal, refunds, set_parts
from orders.services import stage as stages
from orders.services.journal import Actor, Entry
from orders.services.reservation import line_ids_of, ref_of, takes_stock_now, want_of
from orders.signals import lines_cut, lines_released

APART = "apart:"


class CannotTakeApart(Exception):
    """Says in Japanese why, and what to do."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Apart:
    """What was written: `let_go` are set lines whose promise has to be given back, `wants` what is asked instead.
    `lines`: (set line, component) → the component's new line."""

    let_go: list[int] = field(default_factory=list)
    wants: list[stock.Want] = field(default_factory=list)
    lines: dict[tuple[int, int], OrderLine] = field(default_factory=dict)


@transaction.atomic
def take_apart(order_id: int, pieces: Mapping[int, int], *, actor: Actor) -> list[int]:
    """Take so many pieces of these set lines apart. Returns the new lines. Raises CannotTakeApart with nothing changed.

    Locks the order, then the stock, once, last: what the sets were promised their components are promised, and of a
    set that waited those that are there.
    """
    order = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").get(pk=order_id)
    return take_apart_locked(order, pieces, actor=actor)


def take_apart_locked(order: Order, pieces: Mapping[int, int], *, actor: Actor) -> list[int]:
    """The same for a caller who holds the order's lock and does nothing with stock afterwards."""
    lines = list(order.lines.select_related("sku").filter(pk__in=pieces).order_by("pk"))
    for line in lines:
        if line.sku is None or not line.sku.ships_apart:
            raise CannotTakeApart(
                _(
                    "「%(name)s」は構成品を別々に出荷できない設定です。"
                    "別々に出荷してよいときは、商品の画面で「セットの一部出荷を許可」にしてください。"
                )
                % {"name": line.name}
            )
    made = write_lines(order, pieces, actor=actor)
    lines_released.send(sender=Order, line_ids=made.let_go)
    cut_lines.promise_anew(made.wants, made.let_go)
    lines_cut.send(sender=Order, order_ids=[order.pk], by=actor.by)
    stages.recompute([order.pk], actor=actor)
    return [line.pk for line in made.lines.values()]


def why_not(order: Order, line: OrderLine, pieces: int, components: Sequence[LineComponent]) -> str:
    """Why so many pieces of a line cannot be taken apart; empty where they can."""
    if not components:
        return _("「%(name)s」はセット商品ではないか、構成品が登録されていません。") % {"name": line.name}
    if not 0 < pieces <= line.quantity - line.shipped_quantity:
        return _("まだ出荷していない数だけを、ばらせます。数を確かめてください。")
    if order.cancelled_at or order.fulfilled_by_channel:
        return edit.why_closed(order)
    if order.fulfillment_state != FulfillmentState.NONE and line.allocated_quantity > line.shipped_quantity:
        return _("出荷指示のあとはセットをばらせません。出荷を止めてから行うか、出荷後に返品として扱ってください。")
    live = RefundPart.objects.filter(component__in=components, refund_line__refund__state__in=refunds.LIVE)
    if live.exists():
        return _("「%(name)s」には返金の記録があるため、ばらせません。返品として扱ってください。") % {"name": line.name}
    return ""


def write_lines(order: Order, pieces: Mapping[int, int], *, actor: Actor) -> Apart:
    """Write the components' lines; what they ask of the stock the caller asks, once, last. Raises CannotTakeApart."""
    components = set_parts.parts_of(pieces)
    places = _places(components)
    made = Apart()
    for line in order.lines.filter(pk__in=pieces).order_by("pk"):
        own = components.get(line.pk, [])
        if cause := why_not(order, line, pieces[line.pk], own):
            raise CannotTakeApart(cause)
        _write_line(order, line, pieces[line.pk], own, made)
        SetApart.objects.create(
            line=line,
            pieces=pieces[line.pk],
            parts=[made.lines[line.pk, part.pk].pk for part in own],
            places=places[line.pk],
            at=clock.now(),
            by=actor.by,
        )
        set_parts.settle_days([line.pk])
        text = f"{line.name} × {pieces[line.pk]}"
        journal.write([Entry(order.pk, "set_apart", text)], actor=actor)
    return made


def _places(components: Mapping[int, Sequence[LineComponent]]) -> dict[int, list[list[int]]]:
    """Line → [location, whole pieces that have their place there], for `orders.services.put_together`."""
    units: dict[int, dict[int, dict[int, int]]] = {line: {} for line in components}
    for holding in stock.held_by(ref_of(line) for line in components):
        if holding.location_id is not None:
            [line] = line_ids_of([holding.ref])
            units[line].setdefault(holding.location_id, {})[holding.sku_id] = holding.quantity
    return {
        line: [[at, min(there.get(part.sku_id, 0) // part.units for part in own)] for at, there in units[line].items()]
        for line, own in components.items()
    }


def _write_line(order: Order, line: OrderLine, count: int, components: Sequence[LineComponent], made: Apart) -> None:
    kept = line.quantity - count
    prices = prices_of(set_parts.set_parts(components), line.amount)
    amounts = [price * count // line.quantity for price in prices]
    discount = line.discount * kept // line.quantity
    discounts = distribute(line.discount - discount, [max(0, amount) for amount in amounts])
    earlier = OrderLine.objects.filter(set_line=line).count()
    ids = next_ids("orders_orderline", len(components))
    rows = [
        OrderLine(
            id=id_,
            order=order,
            position=line.position,
            recipient_position=line.recipient_position,
            channel_line_id=f"{APART}{line.pk}:{earlier + at}",
            channel_sku=line.channel_sku,
            sku_id=part.sku_id,
            units=1,
            name=part_name(line.name, part.name)[:300],
            options=line.options,
            quantity=part.units * count,
            unit_price=amount // (part.units * count),
            amount=amount,
            tax_rate=part.tax_rate,
            discount=off,
            gift=line.gift,
            release_date=line.release_date,
            set_line=line,
            set_units=part.units,
        )
        for at, (id_, part, amount, off) in enumerate(zip(ids, components, amounts, discounts, strict=True))
    ]
    OrderLine.objects.bulk_create(rows)
    OrderLine.objects.filter(pk=line.pk).update(
        quantity=kept,
        amount=line.amount - sum(amounts),
        discount=discount,
        reserved=False,
        allocated_quantity=line.shipped_quantity,
    )
    more = sum(row.quantity for row in rows) - count
    Order.objects.filter(pk=order.pk).update(quantity=F("quantity") + more, version=F("version") + 1)
    made.let_go.append(line.pk)
    made.lines.update({(line.pk, part.pk): row for part, row in zip(components, rows, strict=True)})
    if not takes_stock_now(order):
        return
    asked = [(row.pk, row.sku_id, row.quantity) for row in rows]
    if (rest := kept - line.shipped_quantity) and line.reserved and line.sku_id:
        asked.append((line.pk, line.sku_id, rest * line.units))
    made.wants.extend(
        want_of(pk, sku, units, order.ship_by, order.ordered_at, order.priority) for pk, sku, units in asked if sku
    )


# ---- what the parcels carry of a set


@dataclass(frozen=True, slots=True)
class ApartLine:
    """A component's line: the units in one set, and what stands of it."""

    id: int
    set_units: int
    quantity: int


def sets_standing(lines: Sequence[ApartLine]) -> int:
    """How many sets these component lines belong to; a set of which a component was cancelled still is one."""
    return max((-(-line.quantity // line.set_units) for line in lines), default=0)


def sets_told(lines: Sequence[ApartLine], parcels: Sequence[Mapping[int, int]], *, last: bool) -> list[int]:
    """How many sets each parcel (line → units, in the order they left) stands for: a set belongs to the parcel with
    its first component, or to that with its last. Pure."""
    gone = {line.id: 0 for line in lines}
    told, before = [], 0
    for parcel in parcels:
        for line_id, units in parcel.items():
            gone[line_id] += units
        now = _complete(lines, gone) if last else _begun(lines, gone)
        told.append(now - before)
        before = now
    return told


def _begun(lines: Sequence[ApartLine], gone: Mapping[int, int]) -> int:
    return min(sets_standing(lines), max((-(-gone[line.id] // line.set_units) for line in lines), default=0))


def _complete(lines: Sequence[ApartLine], gone: Mapping[int, int]) -> int:
    """A component that has left as far as it stands holds up nothing."""
    sets = sets_standing(lines)
    return min(
        (sets if gone[line.id] >= line.quantity else gone[line.id] // line.set_units for line in lines), default=0
    )
