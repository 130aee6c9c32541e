"""Taking pieces off an order's lines: its sums and its promises shrink with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F

from inventory.services import stock
from oms.kernel.said import said
from oms.kernel.sql import update_rows
from orders.decide.cut import Cut, CutLine, Sums, cut
from orders.models import Order, OrderLine
from orders.services import order_release, refunds, review, set_parts
from orders.services import stage as stages
from orders.services.facts import mark_reserved
from orders.services.journal import Actor
from orders.services.regrant import regrant
from orders.services.reservation import line_ids_of, ref_of, want_of
from orders.signals import lines_cut, lines_released

SUMS = ("goods", "tax_excluded", "discount", "coupons_shop", "coupons_channel", "points", "tax", "total", "fees")


def sums_of(order: Order) -> Sums:
    return Sums(**{name: getattr(order, name) for name in SUMS})


def decide(order: Order, pieces: Mapping[int, int]) -> Cut:
    """What the order comes to without these pieces (line id → how many). Raises ValueError beyond what stands."""
    lines = [
        CutLine(line.pk, line.quantity, line.cancelled_quantity, line.amount, line.discount, line.tax_rate)
        for line in order.lines.all()
        if line.quantity
    ]
    return cut(lines, sums_of(order), refunds.bill_of(order), pieces)


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line that was just written: its pieces, and what it asks of the stock (None: it may not ask yet)."""

    quantity: int
    want: stock.Want | None


def write(
    order: Order,
    taken: Cut,
    *,
    actor: Actor,
    aside: bool = False,
    new: Sequence[NewLine] = (),
    let_go: Sequence[int] = (),
) -> None:
    """Write what `decide` came to. The caller holds the order's lock; stock is locked here, last.

    Lines that were promised stay promised for what is left, or ask for what they have more now; `new` lines ask with
    them, and `let_go` lines give their promise back for good. `aside` takes the freed units off sale.
    """
    before = {line.pk: line for line in OrderLine.objects.filter(pk__in=[line.id for line in taken.lines])}
    update_rows(
        "orders_orderline",
        {"quantity": "int", "cancelled_quantity": "int", "amount": "int", "discount": "int"},
        [(line.id, line.quantity, line.cancelled, line.amount, line.discount) for line in taken.lines],
    )
    _follow_release(order, before.values())
    less = sum(before[line.id].quantity - line.quantity for line in taken.lines) - sum(one.quantity for one in new)
    Order.objects.filter(pk=order.pk).update(
        **{name: getattr(taken.sums, name) for name in SUMS},
        tax_by_rate=[],  # the channel's own figures were for all pieces
        quantity=F("quantity") - less,
        version=F("version") + 1,
    )
    OrderLine.objects.filter(pk__in=before).update(reserved=False, allocated_quantity=F("shipped_quantity"))
    lines_released.send(sender=Order, line_ids=[*before, *let_go])
    review.sync([order.pk])
    asked = [one.want for one in new if one.want]
    _promise_the_rest(order, taken, before, asked, let_go, actor=actor, aside=aside)
    lines_cut.send(sender=Order, order_ids=[order.pk], by=actor.by)
    stages.recompute([order.pk], actor=actor)


def _follow_release(order: Order, cut_ones: Iterable[OrderLine]) -> None:
    """What was cancelled is not waited for any more."""
    if order.release_date is None:
        return
    if parts := [line.pk for line in cut_ones if line.set_line_id]:
        set_parts.settle_days(parts)
    order_release.follow_lines([order.pk])


def _promise_the_rest(
    order: Order,
    taken: Cut,
    before: Mapping[int, OrderLine],
    asked: Sequence[stock.Want],
    let_go: Sequence[int],
    *,
    actor: Actor,
    aside: bool,
) -> None:
    wants = list(asked)
    for line in taken.lines:
        known = before[line.id]
        left = line.quantity - known.shipped_quantity
        if known.reserved and known.sku_id and left:
            wants.append(want_of(line.id, known.sku_id, left * known.units, order.ship_by, order.ordered_at))
    refs = {*(ref_of(id_) for id_ in [*before, *let_go]), *(want.ref for want in wants)}
    held = stock.held_by(refs) if aside else []
    promise_anew(wants, [*before, *let_go])
    if aside:
        freed = _freed(held, stock.held_by(refs))
        stock.set_aside(
            freed, ref=f"cancel:{order.pk}", by_id=actor.by.pk if actor.by else None, note=said("キャンセル品の確認")
        )


def promise_anew(wants: Sequence[stock.Want], line_ids: Sequence[int]) -> None:
    """One stock call: give back what the lines hold, and promise what is asked. Stock is locked here, last."""
    mark_reserved(line_ids_of(regrant(wants, line_ids)))


def _freed(before: list[stock.Held], after: list[stock.Held]) -> list[stock.Held]:
    """What is no longer promised, and where it lay: the places give first as much as the pool lost. By SKU, because a
    set's promise goes on as its components'."""
    kept: dict[int, int] = {}
    for holding in after:
        if holding.location_id is None:
            kept[holding.sku_id] = kept.get(holding.sku_id, 0) + holding.quantity
    freed: list[stock.Held] = []
    lost: dict[int, int] = {}
    for holding in before:
        if holding.location_id is None:
            stays = min(holding.quantity, kept.get(holding.sku_id, 0))
            kept[holding.sku_id] = kept.get(holding.sku_id, 0) - stays
            if units := holding.quantity - stays:
                lost[holding.sku_id] = lost.get(holding.sku_id, 0) + units
                freed.append(_of(holding, units))
    for holding in before:
        if holding.location_id is not None and (units := min(holding.quantity, lost.get(holding.sku_id, 0))) > 0:
            lost[holding.sku_id] -= units
            freed.append(_of(holding, units))
    return freed


def _of(holding: stock.Held, units: int) -> stock.Held:
    return stock.Held(holding.ref, holding.balance_id, holding.sku_id, holding.location_id, units, holding.since)
