"""Spellings that carriers' labels can print, proposed for the texts of an order's recipients."""

from collections.abc import Mapping

from oms.kernel.spelling import is_solved, proposed
from orders.models import Order, Recipient

FIELDS = ("name", "company", "prefecture", "city", "address")


def proposals(order: Order) -> Mapping[tuple[int, str], str]:
    """(position of the recipient, field) → the text as it could be printed, where it cannot be now and every letter of
    it has another spelling. One query."""
    found = {}
    for row in Recipient.objects.filter(order=order.pk).order_by("position"):
        for name in FIELDS:
            text = getattr(row, name)
            if not is_solved(text) and is_solved(other := proposed(text)):
                found[row.position, name] = other
    return found
