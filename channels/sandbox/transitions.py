"""What may happen to one order. Pure: an order in, the next version out, or a refusal."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from channels.sandbox.errors import WrongState
from channels.sandbox.model import (
    WORKABLE,
    Address,
    CancelRequest,
    Channel,
    Parcel,
    Payment,
    PaymentMethod,
    SandboxOrder,
    State,
)

CONFIRMING: frozenset[Channel] = frozenset({"rakuten", "qoo10"})
"""Channels whose orders wait for the shop's confirmation."""

PREPAID: frozenset[PaymentMethod] = frozenset({"konbini", "bank"})
"""Methods where the buyer pays after ordering and before shipping."""

CAPTURED_AT_ONCE: frozenset[Channel] = frozenset({"amazon", "qoo10"})
"""Channels that take card money at the order; the others hold it until shipment."""


MOMENTS = ("ordered_at", "updated_at", "confirmed_at", "shipped_at", "cancelled_at")


def first_payment(channel: Channel, method: PaymentMethod, at: datetime, due_at: datetime | None) -> Payment:
    """The payment as it stands when the order is placed."""
    if method in PREPAID:
        return Payment(method, "unpaid", due_at=due_at)
    if method == "cod":
        return Payment(method, "unpaid")
    if method == "card" and channel in CAPTURED_AT_ONCE:
        return Payment(method, "paid", paid_at=at)
    return Payment(method, "authorized")


def first_state(channel: Channel, payment: Payment, *, fulfilled_by_mall: bool) -> State:
    """Rakuten asks for money only after the shop confirmed; elsewhere money comes first."""
    waits = payment.method in PREPAID and payment.state == "unpaid"
    if waits and channel != "rakuten":
        return "pending"
    return "placed" if channel in CONFIRMING and not fulfilled_by_mall else "ready"


def touched(order: SandboxOrder, now: datetime, **changes: Any) -> SandboxOrder:
    """The next version, updated now (never before it is visible)."""
    return replace(order, updated_at=max(now, order.visible_at), version=order.version + 1, **changes)


def shifted(order: SandboxOrder, ahead: timedelta) -> SandboxOrder:
    """The order as a mall tells it whose clock is ahead of the world's (or behind)."""
    moments = {name: getattr(order, name) for name in MOMENTS}
    moved = {name: at + ahead for name, at in moments.items() if at}
    payment = replace(order.payment, paid_at=order.payment.paid_at and order.payment.paid_at + ahead)
    request = order.cancel_request and replace(order.cancel_request, at=order.cancel_request.at + ahead)
    return replace(order, payment=payment, cancel_request=request, **moved)


def confirmed(order: SandboxOrder, now: datetime, *, checking: bool = False) -> SandboxOrder:
    """placed → ready, or confirmed while the money is outstanding or the mall is still checking it."""
    _require(order, {"placed"}, "confirmed")
    waits = checking or (order.payment.method in PREPAID and order.payment.state == "unpaid")
    return touched(order, now, state="confirmed" if waits else "ready", confirmed_at=now)


def cleared(order: SandboxOrder, now: datetime) -> SandboxOrder:
    """The mall finished checking the payment: confirmed → ready."""
    _require(order, {"confirmed"}, "cleared")
    return touched(order, now, state="ready")


def paid(order: SandboxOrder, now: datetime) -> SandboxOrder:
    """The money is there: pending → placed or ready, confirmed → ready; a placed order stays placed."""
    if not order.is_open:
        raise WrongState(f"{order.number} is {order.state}: nothing to pay")
    payment = replace(order.payment, state="paid", paid_at=now)
    state = order.state
    if state == "pending":
        state = "placed" if order.channel in CONFIRMING else "ready"
    elif state == "confirmed":
        state = "ready"
    return touched(order, now, payment=payment, state=state)


def unpaid(order: SandboxOrder, now: datetime) -> SandboxOrder:
    """The shop took its payment mark away."""
    _require(order, {"ready", "pending", "placed", "confirmed"}, "marked unpaid")
    state = "pending" if order.payment.method in PREPAID and order.state == "ready" else order.state
    return touched(order, now, payment=replace(order.payment, state="unpaid", paid_at=None), state=state)


def shipped(order: SandboxOrder, now: datetime, parcel: Parcel) -> SandboxOrder:
    """With this parcel on its way; captures held money when everything is out."""
    _require(order, WORKABLE, "shipped")
    lines = tuple(replace(line, shipped=line.shipped + parcel.quantities.get(line.line_no, 0)) for line in order.lines)
    if not parcel.quantities or any(
        line.shipped > line.quantity or (line.cancelled and line.shipped) for line in lines
    ):
        raise WrongState(f"{order.number}: more units than are open")
    complete = all(line.open_quantity == 0 for line in lines)
    payment = order.payment
    if complete and payment.state == "authorized":
        payment = replace(payment, state="paid", paid_at=now)
    return touched(
        order,
        now,
        lines=lines,
        parcels=(*order.parcels, parcel),
        payment=payment,
        state="shipped" if complete else "partially_shipped",
        shipped_at=now if complete else None,
    )


def open_quantities(order: SandboxOrder, destination: int | None) -> dict[int, int]:
    """line_no → units not shipped yet, of one destination or of all."""
    lines = [line for line in order.lines if destination is None or line.destination == destination]
    return {line.line_no: line.open_quantity for line in lines if line.open_quantity}


def parcel_corrected(order: SandboxOrder, now: datetime, parcel_id: str, changes: Mapping[str, Any]) -> SandboxOrder:
    """With another carrier, tracking number or day on a parcel told before."""
    if parcel_id not in {parcel.parcel_id for parcel in order.parcels}:
        raise WrongState(f"{order.number} has no parcel {parcel_id}")
    parcels = tuple(replace(one, **changes) if one.parcel_id == parcel_id else one for one in order.parcels)
    return touched(order, now, parcels=parcels)


def cancelled(
    order: SandboxOrder,
    now: datetime,
    *,
    by: Literal["buyer", "shop", "mall"],
    reason: str,
    line_nos: Sequence[int] | None,
) -> SandboxOrder:
    """Without the named lines; dead when nothing is left."""
    if not order.is_open:
        raise WrongState(f"{order.number} is {order.state}: it cannot be cancelled")
    wanted = {line.line_no for line in order.live_lines} if line_nos is None else set(line_nos)
    if any(order.line(line_no).shipped for line_no in wanted):
        raise WrongState(f"{order.number}: shipped lines cannot be cancelled")
    lines = tuple(replace(line, cancelled=line.cancelled or line.line_no in wanted) for line in order.lines)
    request = order.cancel_request and replace(order.cancel_request, settled_at=order.cancel_request.settled_at or now)
    if not all(line.cancelled for line in lines):
        return touched(order, now, lines=lines, cancel_request=request)
    payment = replace(order.payment, state="refunded") if order.payment.state == "paid" else order.payment
    return touched(
        order,
        now,
        lines=lines,
        state="cancelled",
        payment=payment,
        cancelled_at=now,
        cancelled_by=by,
        cancel_reason=reason,
        cancel_request=request,
    )


def cancel_requested(order: SandboxOrder, now: datetime, reason: str) -> SandboxOrder:
    """The buyer asked; the order itself goes on as before."""
    if not order.is_open:
        raise WrongState(f"{order.number} is {order.state}: too late to ask")
    return touched(order, now, cancel_request=CancelRequest(now, reason))


def cancel_refused(order: SandboxOrder, now: datetime) -> SandboxOrder:
    """The shop declined the buyer's wish."""
    if order.cancel_request is None or order.cancel_request.settled_at:
        raise WrongState(f"{order.number} has no open wish to cancel")
    return touched(order, now, cancel_request=replace(order.cancel_request, settled_at=now))


def readdressed(order: SandboxOrder, now: datetime, address: Address) -> SandboxOrder:
    """The first destination's recipient lives elsewhere."""
    if not order.is_open:
        raise WrongState(f"{order.number} is {order.state}: its address is final")
    first, *rest = order.destinations
    moved = replace(first, recipient=replace(first.recipient, address=address))
    return touched(order, now, destinations=(moved, *rest))


def requantified(order: SandboxOrder, now: datetime, line_no: int, quantity: int) -> SandboxOrder:
    """Another quantity of one line; nothing may be on its way yet."""
    _require(order, {"pending", "placed", "confirmed", "ready"}, "changed")
    lines = tuple(replace(line, quantity=quantity) if line.line_no == line_no else line for line in order.lines)
    return touched(order, now, lines=lines)


def _require(order: SandboxOrder, states: set[str] | frozenset[State], verb: str) -> None:
    if order.fulfilled_by_mall:
        raise WrongState(f"{order.number} is fulfilled by the mall: it cannot be {verb} by the shop")
    if order.state not in states:
        raise WrongState(f"{order.number} is {order.state}: it cannot be {verb}")


def released_units(before: SandboxOrder, after: SandboxOrder) -> dict[str, int]:
    """listing key → units that a cancellation or a smaller quantity set free."""
    free: dict[str, int] = {}
    for old, new in zip(before.lines, after.lines, strict=True):
        units = old.open_quantity - new.open_quantity - (new.shipped - old.shipped)
        if units:
            free[old.listing.key] = free.get(old.listing.key, 0) + units
    return free
