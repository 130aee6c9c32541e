"""What stops an order, or deserves a look: every check over one order's facts.

A check is a pure function that yields what it found with the evidence as a sentence; a reason whose check finds
nothing any more closes itself. Adding a reason is: an entry in `orders.decide.catalogue`, a check in the file of its
group in `orders.decide.checks`.
"""

from collections.abc import Callable, Iterator

from orders.decide.catalogue import CATALOGUE, Reason
from orders.decide.checks import address, customer, data, delivery, payment, stock, wishes
from orders.decide.found import Address, Found, History, Item, OrderFacts

__all__ = ["CATALOGUE", "Address", "Found", "History", "Item", "OrderFacts", "Reason", "evaluate"]

CHECKS: list[Callable[[OrderFacts], Iterator[Found]]] = [
    *data.CHECKS,
    *customer.CHECKS,
    *wishes.CHECKS,
    *address.CHECKS,
    *delivery.CHECKS,
    *payment.CHECKS,
    *stock.CHECKS,
]


def evaluate(facts: OrderFacts) -> list[Found]:
    """Every reason that the facts give, one per code: what several goods or recipients give is told together."""
    found: dict[str, Found] = {}
    for check in CHECKS:
        for reason in check(facts):
            known = found.get(reason.code)
            found[reason.code] = known.beside(reason) if known else reason
    return list(found.values())
