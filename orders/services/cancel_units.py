"""Cancelling single components of sets before they leave: the set is taken apart, its other components go on."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _

from orders.models import LineComponent, Order
from orders.services import cancel, cut_lines, fee_follows, journal, take_apart
from orders.services.cancel import Ask, Cancelled
from orders.services.internal import is_internal
from orders.services.journal import Actor, Entry
from orders.services.refund_limits import NeedsApproval
from orders.services.reservation import ref_of
from orders.services.take_apart import CannotTakeApart


@transaction.atomic
def cancel_units(order_id: int, units: Mapping[int, int], *, ask: Ask, actor: Actor) -> Cancelled:
    """Cancel so many units of these components (id of their `LineComponent` → units) of an order that is not
    instructed yet. The same `ask.key` again cancels nothing more. Locks the order, then the stock, once, last.

    Channels know sets as one product: a person tells them on their own page.
    """
    result = Cancelled()
    order = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").get(pk=order_id)
    wanted = {component: count for component, count in units.items() if count > 0}
    if cancel.is_decided(order, ask.key):
        return result
    if cause := cancel.why_not_at_all(order) or ("" if wanted else _("キャンセルする数を入れてください。")):
        result.refused[order.pk] = cause
        return result
    try:
        _cancel(order, wanted, ask, actor)
    except CannotTakeApart as refused:
        result.refused[order.pk] = refused.cause
        return result
    except NeedsApproval as needs:
        result.refuse_over({order.pk: needs})
        return result
    result.orders.append(order.pk)
    if not is_internal(order):
        result.by_hand.append(order.pk)
    return result


@transaction.atomic
def _cancel(order: Order, wanted: Mapping[int, int], ask: Ask, actor: Actor) -> None:
    """In a transaction of its own, so that a refusal leaves nothing of it."""
    parts = {part.pk: part for part in LineComponent.objects.filter(pk__in=wanted, line__order=order)}
    if parts.keys() != wanted.keys():
        raise CannotTakeApart(_("この受注にない構成品が選ばれています。画面を開き直してください。"))
    sets: dict[int, int] = defaultdict(int)
    for component, count in wanted.items():
        part = parts[component]
        sets[part.line_id] = max(sets[part.line_id], -(-count // part.units))
    apart = take_apart.write_lines(order, sets, actor=actor)
    pieces = {apart.lines[parts[component].line_id, component].pk: count for component, count in wanted.items()}
    if sum(pieces.values()) == sum(order.lines.values_list("quantity", flat=True)):
        raise CannotTakeApart(_("すべての商品をやめるときは、「注文全体」を選んでください。"))
    taken = cut_lines.decide(order, pieces)
    before, sums = cut_lines.sums_of(order), fee_follows.follow(order, taken, keep=ask.keep_fee)
    by_hand = [] if is_internal(order) else [order.pk]
    by, value = sums.fees - before.fees, taken.value
    made = cancel.record_pieces(order, pieces, ask=ask, value=value, spent=by, by_hand=by_hand, actor=actor)
    names = "、".join(f"{line.name} × {pieces[line.pk]}" for line in order.lines.filter(pk__in=pieces))
    journal.write(
        [Entry(order.pk, "pieces_cancelled", f"{made.text}: {names}", fee_follows.figures(before, sums))], actor=actor
    )
    kept = {ref_of(line.id): line.quantity for line in taken.lines}
    asked = [replace(want, quantity=kept.get(want.ref, want.quantity)) for want in apart.wants]
    new = [cut_lines.NewLine(0, want) for want in asked if want.quantity]
    taken = replace(taken, sums=sums)
    cut_lines.write(order, taken, actor=actor, aside=made.keep_off_sale, new=new, let_go=apart.let_go)
    fee_follows.after_cut(order, before, sums, key=f"cancel:{made.pk}", actor=actor)
