"""What really happened, for tests and measures. Nothing of it is ever on the wire of a marketplace."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from channels.sandbox.codec import encode
from channels.sandbox.model import SandboxOrder
from channels.sandbox.register import Register


def truth_of(register: Register, *, waiting: int, orders_waiting: int) -> dict[str, Any]:
    """JSON-able; the keys are a contract, see docs/sandbox.md. Call under the register's lock."""
    everything = [order for orders in register.orders.values() for order in orders.values()]
    return {
        "seed": register.seed,
        "now": register.now().isoformat(),
        "orders": {
            channel: {number: _order_truth(order) for number, order in orders.items()}
            for channel, orders in register.orders.items()
        },
        "oversell_cases": oversell_cases(register, everything),
        "lost_sales": [encode(refusal) for refusal in register.refusals],
        "told": register.told_count,
        "events_waiting": waiting,
        "orders_waiting": orders_waiting,
    }


def _order_truth(order: SandboxOrder) -> dict[str, Any]:
    return {
        "state": order.state,
        "needs_judgement": order.truth.needs_judgement,
        "needed_since": encode(order.truth.needed_since),
        "traits": sorted(order.truth.traits),
        "merge_group": order.truth.merge_group,
        "person_id": order.buyer.person_id,
        "fulfilled_by_mall": order.fulfilled_by_mall,
        "payment": {"method": order.payment.method, "state": order.payment.state},
        "amount_due": order.amount_due,
        "ordered_at": encode(order.ordered_at),
        "visible_at": encode(order.visible_at),
        "updated_at": encode(order.updated_at),
        "confirmed_at": encode(order.confirmed_at),
        "shipped_at": encode(order.shipped_at),
        "cancelled_at": encode(order.cancelled_at),
        "cancelled_by": order.cancelled_by,
        "cancel_requested_at": encode(order.cancel_request and order.cancel_request.at),
        "version": order.version,
        "lines": [
            {
                "sku": line.listing.sku,
                "key": line.listing.key,
                "line_id": line.line_id,
                "quantity": line.quantity,
                "shipped": line.shipped,
                "cancelled": line.cancelled,
            }
            for line in order.lines
        ],
        "parcels": [
            {
                "carrier": one.carrier,
                "tracking": one.tracking,
                "told_at": encode(one.told_at),
                "lines": {str(line_no): units for line_no, units in one.quantities.items()},
            }
            for one in order.parcels
        ],
    }


def oversell_cases(register: Register, orders: Iterable[SandboxOrder]) -> list[dict[str, str]]:
    """Orders the malls accepted beyond the merchant's online stock, counted in order of time over all malls.

    Sets count by their parts; orders of the mall's own stock and cancelled ones do not count.
    """
    sold: dict[str, int] = {}
    arrived, catalogue = register.kept("restocked", {}), register.catalogue
    cases: list[dict[str, str]] = []
    for order in sorted(orders, key=lambda one: (one.ordered_at, one.channel, one.serial)):
        if order.fulfilled_by_mall or order.state == "cancelled":
            continue
        wanted = Counter[str]()
        for line in order.live_lines:
            wanted.update({part: each * line.quantity for part, each in catalogue.parts(line.listing.sku).items()})
        for part, units in wanted.items():
            sold[part] = sold.get(part, 0) + units
        if any(sold[part] > catalogue.online_stock(part) + arrived.get(part, 0) for part in wanted):
            cases.append({"channel": order.channel, "number": order.number})
    return cases
