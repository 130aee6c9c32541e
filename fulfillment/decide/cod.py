"""代金引換: what the driver takes with each parcel of an order. Pure."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from oms.kernel.money import distribute
from orders.models import Order
from orders.models.order import PAYABLE, PaymentMethod
from orders.models.shop import CodCollects


class HasTotal(Protocol):
    @property
    def total(self) -> int: ...


def collected(orders: Mapping[int, Order], shares: Mapping[tuple[int, int], HasTotal]) -> dict[tuple[int, int], int]:
    """(order, shipment) → yen, of orders (with their shops) that are paid at the door and not paid yet. `shares`: what
    of an order's money each parcel's note bears, in the order of the parcels."""
    found: dict[tuple[int, int], int] = {}
    for pk, order in orders.items():
        due = due_of(order)
        if due:
            own = {pair: share.total for pair, share in shares.items() if pair[0] == pk}
            first = order.shop.cod_collects == CodCollects.FIRST
            found |= dict(zip(own, amounts(due, order.total or 0, list(own.values()), first=first), strict=True))
    return {pair: yen for pair, yen in found.items() if yen}


def due_of(order: Order) -> int:
    if order.payment_method != PaymentMethod.COD or order.payment_state not in PAYABLE:
        return 0
    return max(0, (order.total or 0) - order.paid_amount)


def amounts(due: int, total: int, notes: Sequence[int], *, first: bool) -> list[int]:
    """What each parcel collects: all with the first, or as the notes say. Once the notes come to the total, the parcels
    come to all that is due; a parcel that follows later takes its part then."""
    if first:
        return [due if place == 0 else 0 for place in range(len(notes))]
    left, found = due, []
    for note in notes:
        found.append(max(0, min(note, left)))
        left -= found[-1]
    if found and sum(notes) >= total:
        found[-1] += left
    return found


def tax_within(cash: int, by_rate: Mapping[int, int]) -> int:
    """The consumption tax inside what the driver takes; `by_rate`: percent → yen of what the parcel's note bears."""
    weights = {percent: amount for percent, amount in by_rate.items() if amount > 0}
    if not weights:
        return 0
    shares = distribute(cash, list(weights.values()))
    return sum(share * percent // (100 + percent) for percent, share in zip(weights, shares, strict=True))
