"""Cancelling an order or pieces of it: promises go back, parcels stop, the channel and the customer are told.

An order whose parcel a location is working on is not cancelled but waits: the location is asked to stop it
(`stop_wanted`), and `finish` does what is left of the decision once every location has answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.db.models import F

from inventory.services import stock
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.services.outbox import NewEffect, put
from orders.decide.cut import Cut
from orders.models import Cancellation, CancellationLine, Mail, Order, OrderLine
from orders.models.order import ChannelSync, FulfillmentState, Phase
from orders.services import (
    after_cancel,
    channel_words,
    confirm,
    cut_lines,
    fee_follows,
    journal,
    mail,
    refund_limits,
    refunds,
    review,
)
from orders.services import stage as stages
from orders.services.internal import is_internal
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.refund_limits import NeedsApproval
from orders.services.reservation import ref_of
from orders.signals import lines_released, orders_cancelled, share_parcels, stop_wanted

STOPPABLE = {FulfillmentState.NONE, FulfillmentState.INSTRUCTED}
State = Cancellation.State


@dataclass(frozen=True, slots=True)
class Ask:
    """What was decided beside the order itself. `key` makes a repeated click one decision ("" for a new one).
    `keep_fee`: the payment method's fee stays though pieces go."""

    reason: str = "other"
    note: str = ""
    asked_by: str = Cancellation.AskedBy.SHOP
    keep_off_sale: bool = False
    send_mail: bool = True
    refund: bool = True
    keep_fee: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """`by_hand` lists orders whose channel has no cancel call: a person finishes on the mall's own page.
    `waiting` lists orders that a location was asked to stop; they are not cancelled yet.
    `over` are those of `refused` that give back more than this person may alone: somebody else has to approve."""

    orders: list[int] = field(default_factory=list)
    by_hand: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    over: dict[int, NeedsApproval] = field(default_factory=dict)

    def refuse_over(self, over: Mapping[int, NeedsApproval]) -> None:
        self.over.update(over)
        self.refused.update(refund_limits.causes(over))


@transaction.atomic
def cancel_orders(order_ids: Sequence[int], *, reason: str = "", ask: Ask | None = None, actor: Actor) -> Cancelled:
    """Cancel what has not been shipped. An order already cancelled, or asked to stop already, is left as it is.

    `reason` in words is short for an `ask` with nothing but that note. Locks orders by pk, shipments, then stock.
    """
    ask = ask or Ask(note=reason)
    result, may = Cancelled(), []
    for order in _lock(order_ids):
        if order.cancelled_at or is_decided(order, ask.key):
            continue
        if cause := why_not_whole(order):
            result.refused[order.pk] = cause
        else:
            may.append(order)
    result.refuse_over(refund_limits.over_whole(may, refund=ask.refund, actor=actor))
    may = [order for order in may if order.pk not in result.over]
    waiting = _ask_to_stop([order.pk for order in may], None, ask.note, actor)
    made = {order.pk: _record(order, ask, actor, waits=order.pk in waiting) for order in may}
    result.waiting.extend(sorted(waiting))
    ready = [made[order.pk] for order in may if order.pk not in waiting]
    result.orders.extend(one.order_id for one in ready)
    result.by_hand.extend(_end(ready, actor))
    return result


def why_not_whole(order: Order) -> str:
    """Why an order can no longer be cancelled whole; empty when it can."""
    if order.stop_asked_at:
        return said("出荷停止を依頼中です。出荷元の返事を待ってください。")
    if order.fulfilled_by_channel:
        return said("モールが出荷する注文です。モールの画面でキャンセルしてください。")
    if order.fulfillment_state not in STOPPABLE or order.phase == Phase.SHIPPED:
        return said("すでに出荷済みのためキャンセルできません。返品として扱ってください。")
    return ""


@transaction.atomic
def cancel_pieces(order_id: int, pieces: Mapping[int, int], *, ask: Ask, actor: Actor) -> Cancelled:
    """Cancel so many pieces of these lines (line id → pieces). All that is left of an unshipped order is the order.

    Our own figures follow at once, so that nothing of it ships; the channel is told where it can be told.
    """
    result, order = Cancelled(), _lock([order_id])[0]
    wanted = {line: count for line, count in pieces.items() if count > 0}
    open_pieces = {line.pk: line.quantity - line.shipped_quantity for line in order.lines.all()}
    if is_decided(order, ask.key):
        return result
    if cause := _why_not_pieces(order, wanted, open_pieces):
        result.refused[order.pk] = cause
        return result
    if sum(wanted.values()) == sum(order.lines.values_list("quantity", flat=True)):
        return cancel_orders([order_id], ask=ask, actor=actor)
    try:
        spent = _fee_by(order, cut_lines.decide(order, wanted), keep=ask.keep_fee)
        _check_pieces(order, wanted, ask, actor, spent=spent)
    except NeedsApproval as needs:
        result.refuse_over({order.pk: needs})
        return result
    waiting = _ask_to_stop([order.pk], list(wanted), ask.note, actor)
    made = _record(order, ask, actor, waits=bool(waiting), pieces=wanted)
    if waiting:
        result.waiting.append(order.pk)
        return result
    result.orders.append(order.pk)
    result.by_hand.extend(_end_pieces(made, actor))
    return result


def _check_pieces(order: Order, pieces: Mapping[int, int], ask: Ask, actor: Actor, *, spent: int = 0) -> None:
    """Raises NeedsApproval. Where we open no refund, a mall that is told pays back by itself all the same."""
    if actor.by is None or not (ask.refund or not is_internal(order)):
        return
    wish = refunds.Wish(dict(pieces), deduction=max(0, spent), surplus=max(0, -spent))
    try:
        amount = refunds.preview(order.pk, wish).amount
    except refunds.NothingToRefund:
        return
    refund_limits.check(order.pk, amount, actor.by)


def why_not_at_all(order: Order) -> str:
    """Why not even pieces of an order can be cancelled now; empty when they can."""
    if order.cancelled_at:
        return said("すでにキャンセルされた注文です。")
    if order.stop_asked_at:
        return said("出荷停止を依頼中です。出荷元の返事を待ってください。")
    if order.fulfilled_by_channel:
        return said("モールが出荷する注文です。モールの画面でキャンセルしてください。")
    return ""


def _why_not_pieces(order: Order, wanted: Mapping[int, int], open_pieces: Mapping[int, int]) -> str:
    if cause := why_not_at_all(order):
        return cause
    if not wanted:
        return said("キャンセルする数を入れてください。")
    if any(count > open_pieces.get(line, 0) for line, count in wanted.items()):
        return said("キャンセルできる数を超えています。まだ出荷していない数だけを指定してください。")
    return ""


@transaction.atomic
def finish(order_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """Every parcel of these orders has its answer: what waited for that is done now, as far as it has not left.
    Returns the orders of which something is cancelled.

    The caller holds the orders' locks; an order that still waits for another location is left.
    """
    waiting = [_as_far_as_here(one) for one in _waiting(order_ids)]
    gone = [one for one, pieces in waiting if pieces == {}]
    _close_all(gone, State.TOO_LATE, "cancel_too_late", actor)
    _end([one for one, pieces in waiting if pieces is None], actor)
    for one, pieces in waiting:
        if pieces:
            _end_pieces(one, actor)
    return [one.order_id for one, pieces in waiting if pieces != {}]


def _as_far_as_here(one: Cancellation) -> tuple[Cancellation, dict[int, int] | None]:
    """The decision, narrowed to pieces that have not left, and those; None for the whole, of which nothing has."""
    here = {line.pk: line.quantity - line.shipped_quantity for line in one.order.lines.all()}
    if one.whole and not one.order.lines.filter(shipped_quantity__gt=0).exists():
        return one, None
    wanted = here if one.whole else dict(one.lines.values_list("line", "quantity"))
    pieces = {line: count for line, asked in wanted.items() if (count := min(asked, here.get(line, 0))) > 0}
    if pieces and (one.whole or pieces != wanted):
        one.lines.all().delete()
        CancellationLine.objects.bulk_create(
            CancellationLine(cancellation=one, line_id=line, quantity=count) for line, count in pieces.items()
        )
        one.whole = False
        one.save(update_fields=["whole"])
    return one, pieces


def lost(order_ids: Sequence[int], carried: Mapping[int, int]) -> list[tuple[Cancellation, dict[int, int]]]:
    """A parcel with these pieces (line → how many) has left: which of them each waiting decision wanted cancelled, and
    can no longer have from what is still here. The caller holds the orders' locks."""
    found = []
    for one in _waiting(order_ids):
        wanted = None if one.whole else dict(one.lines.values_list("line", "quantity"))
        pieces = {}
        for line in one.order.lines.filter(pk__in=carried):
            here = line.quantity - line.shipped_quantity
            missing = carried[line.pk] if wanted is None else min(carried[line.pk], wanted.get(line.pk, 0) - here)
            if missing > 0:
                pieces[line.pk] = missing
        if pieces:
            found.append((one, pieces))
    return found


@transaction.atomic
def withdraw(order_ids: Sequence[int], *, actor: Actor) -> list[Cancellation]:
    """Nobody wants these orders cancelled any more; what waited for a location's answer ends, undone."""
    found = list(_waiting(order_ids))
    _close_all(found, State.WITHDRAWN, "cancel_withdrawn", actor)
    return found


def _close_all(found: Sequence[Cancellation], state: str, event: str, actor: Actor) -> None:
    Cancellation.objects.filter(pk__in=[one.pk for one in found]).update(state=state, ended_at=clock.now())
    journal.write([Entry(one.order_id, event, one.text) for one in found], actor=actor)


def _waiting(order_ids: Sequence[int]) -> Sequence[Cancellation]:
    rows = Cancellation.objects.filter(order__in=order_ids, state=State.WAITING)
    return list(rows.select_related("order__shop").order_by("order"))


def cancel_at_channel(order_ids: Sequence[int]) -> None:
    """The channel cancelled these: follow. The caller holds the orders' locks; stock is locked here, last.

    A parcel under way is stopped first; asking again while a location has not answered changes nothing.
    """
    if not order_ids:
        return
    confirm.ask_again(order_ids)
    asked = set(Cancellation.objects.filter(order__in=order_ids, state=State.WAITING).values_list("order", flat=True))
    orders = [order for order in _lock(order_ids) if order.pk not in asked]
    words = said("モールでキャンセルされました")
    waiting = _ask_to_stop([order.pk for order in orders], None, words, SYSTEM)
    ask = Ask(reason="channel", asked_by=Cancellation.AskedBy.CHANNEL)
    made = [_record(order, ask, SYSTEM, waits=order.pk in waiting) for order in orders]
    _end([one for one in made if one.order_id not in waiting], SYSTEM, words=words)


def _lock(order_ids: Sequence[int]) -> list[Order]:
    """These orders, locked together with those that share their parcels, all by pk."""
    along = {
        pk for _receiver, found in share_parcels.send(sender=Order, order_ids=list(order_ids)) for pk in found or ()
    }
    locked = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop")
    return [order for order in locked.filter(pk__in={*order_ids, *along}).order_by("pk") if order.pk not in along]


def is_decided(order: Order, key: str) -> bool:
    return bool(key) and Cancellation.objects.filter(key=f"{order.pk}:{key}").exists()


def _ask_to_stop(order_ids: Sequence[int], line_ids: Sequence[int] | None, note: str, actor: Actor) -> set[int]:
    """Orders whose location has still to answer."""
    if not order_ids:
        return set()
    by: User | None = actor.by
    answers = stop_wanted.send(sender=Order, order_ids=list(order_ids), line_ids=line_ids, by=by, note=note)
    return {int(order_id) for _receiver, waiting in answers for order_id in waiting or ()}


def _record(
    order: Order, ask: Ask, actor: Actor, *, waits: bool, pieces: Mapping[int, int] | None = None
) -> Cancellation:
    now = clock.now()
    count = order.cancellations.count()
    made = Cancellation.objects.create(
        order=order,
        key=f"{order.pk}:{ask.key or count}",
        whole=pieces is None,
        reason=ask.reason,
        note=ask.note[:150],
        asked_by=ask.asked_by,
        keep_off_sale=ask.keep_off_sale,
        send_mail=ask.send_mail,
        refund=ask.refund,
        keep_fee=ask.keep_fee,
        by=actor.by,
        asked_at=now,
    )
    CancellationLine.objects.bulk_create(
        CancellationLine(cancellation=made, line_id=line, quantity=count) for line, count in (pieces or {}).items()
    )
    if waits:
        journal.write([Entry(order.pk, "stop_asked", made.text)], actor=actor)
    return made


def _end(cancellations: Sequence[Cancellation], actor: Actor, *, words: str = "") -> list[int]:
    """Cancel the whole orders of these decisions; returns those whose channel a person must tell."""
    if not cancellations:
        return []
    now = clock.now()
    by_order = {one.order_id: one for one in cancellations}
    order_ids = sorted(by_order)
    for one in cancellations:
        Order.objects.filter(pk=one.order_id).update(
            cancelled_at=now, cancel_reason=(words or one.text)[:200], allocation_state="none", version=F("version") + 1
        )
    lines = dict(OrderLine.objects.filter(order__in=order_ids).values_list("pk", "order"))
    OrderLine.objects.filter(pk__in=lines).update(reserved=False, allocated_quantity=F("shipped_quantity"))
    orders_cancelled.send(sender=Order, order_ids=order_ids, by=actor.by)
    lines_released.send(sender=Order, line_ids=list(lines))
    review.sync(order_ids)
    journal.write([Entry(id_, "cancelled", words or one.text) for id_, one in by_order.items()], actor=actor)
    mail.withdraw(
        Mail.objects.filter(order__in=order_ids), reason=said("注文がキャンセルされたため送りません。"), actor=actor
    )
    mail.schedule_for([id_ for id_, one in by_order.items() if one.send_mail], "cancelled", actor=actor)
    by_hand = _tell_channels(cancellations)
    after_cancel.settle(cancellations, by_hand=by_hand, actor=actor)
    Cancellation.objects.filter(pk__in=[one.pk for one in cancellations]).update(state=State.DONE, ended_at=now)
    held = stock.release(ref_of(line) for line in lines)
    off_sale = {ref_of(line) for line, order_id in lines.items() if by_order[order_id].keep_off_sale}
    if aside := [holding for holding in held if holding.ref in off_sale]:
        stock.set_aside(
            aside,
            ref=f"cancel:{order_ids[0]}",
            by_id=actor.by.pk if actor.by else None,
            note=said("キャンセル品の確認"),
        )
    stages.recompute(order_ids, actor=actor)
    return by_hand


def _tell_channels(cancellations: Sequence[Cancellation]) -> list[int]:
    """One word per order; the channel's own cancellation needs none. Returns what a person must do at the mall."""
    own = [one for one in cancellations if one.asked_by != Cancellation.AskedBy.CHANNEL]
    own = [one for one in own if one.order.phase != Phase.CANCELLED and not is_internal(one.order)]
    words = [word for one in own if (word := _word(one))]
    put(words)
    told = {word.payload["order"] for word in words}
    Order.objects.filter(pk__in=told).update(channel_sync=ChannelSync.PENDING)
    return [one.order_id for one in own if one.order_id not in told]


def _word(one: Cancellation) -> NewEffect | None:
    """The buyer's own wish is granted where the channel takes an answer; else the shop cancels, where it may."""
    order, subject = one.order, f"order:{one.order_id}:channel"
    answers = str(order.shop.capabilities.get("cancel_answer") or "none")
    if order.cancel_requested and answers != "none":
        payload = {"order": order.pk, "accept": True, "message": one.text}
        return NewEffect("channel_cancel_answer", f"cancel_answer:{order.pk}:{one.pk}", subject, payload)
    if order.shop.can("cancel"):
        payload = {"order": order.pk, "reason": one.text}
        return NewEffect("channel_cancel", f"cancel:{order.pk}", subject, payload)
    return None


def record_pieces(
    order: Order,
    pieces: Mapping[int, int],
    *,
    ask: Ask,
    value: int,
    spent: int = 0,
    by_hand: Sequence[int] = (),
    actor: Actor,
) -> Cancellation:
    """The cancellation of pieces whose lines the caller writes: `value` yen less, of which `spent` pays what comes in
    their place or a dearer fee; only the rest is refunded. The caller tells the channel, or a person does (`by_hand`).
    Raises NeedsApproval when the rest is more than this person may give back alone."""
    _check_pieces(order, pieces, ask, actor, spent=spent)
    made = _record(order, ask, actor, waits=False, pieces=pieces)
    made.state, made.ended_at, made.amount = State.DONE, clock.now(), value
    made.save(update_fields=["state", "ended_at", "amount"])
    after_cancel.settle([made], by_hand=by_hand, spent=spent, actor=actor)
    return made


def _end_pieces(cancellation: Cancellation, actor: Actor) -> list[int]:
    """Take the pieces of this decision off its order; returns the order when a person must tell the channel."""
    order = cancellation.order
    pieces = dict(cancellation.lines.values_list("line", "quantity"))
    by_hand = []
    if cancellation.asked_by != Cancellation.AskedBy.CHANNEL and not is_internal(order):
        spoken = channel_words.cancel_lines(order.pk, pieces, reason=cancellation.text, actor=actor)
        by_hand = list(spoken.by_hand)
    names = [f"{line.name} × {pieces[line.pk]}" for line in order.lines.filter(pk__in=pieces)]
    taken, before = cut_lines.decide(order, pieces), cut_lines.sums_of(order)
    sums = fee_follows.follow(order, taken, keep=cancellation.keep_fee)
    by = sums.fees - before.fees
    text = said("%(why)s: %(names)s", why=cancellation.text, names=list(names))
    journal.write([Entry(order.pk, "pieces_cancelled", text, fee_follows.figures(before, sums))], actor=actor)
    cancellation.state, cancellation.ended_at, cancellation.amount = State.DONE, clock.now(), taken.value - by
    cancellation.save(update_fields=["state", "ended_at", "amount"])
    after_cancel.settle([cancellation], by_hand=by_hand, spent=by, actor=actor)
    cut_lines.write(order, replace(taken, sums=sums), actor=actor, aside=cancellation.keep_off_sale)
    fee_follows.after_cut(order, before, sums, key=f"cancel:{cancellation.pk}", actor=actor)
    return by_hand


def _fee_by(order: Order, taken: Cut, *, keep: bool) -> int:
    """Yen by which the fee moves when these pieces go."""
    return fee_follows.follow(order, taken, keep=keep).fees - order.fees
