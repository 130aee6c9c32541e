"""いつもこうする: a rule that begins with what one order and its reason have, to be narrowed and tried out."""

from typing import Any

from orders.decide.catalogue import CATALOGUE
from orders.decide.rules import document as documents
from orders.decide.rules.checked import Document
from orders.models import Order

Condition = dict[str, Any]

# What a reason is about, as conditions that hold for the order it stands on.
ABOUT: dict[str, list[Condition]] = {
    "buyer_note": [{"field": "remarks_rest", "op": "filled"}],
    "note_has_date": [{"field": "remarks_date", "op": "yes"}],
    "remote_island": [{"field": "island", "op": "yes"}],
    "gift_wrap": [{"field": "gift", "op": "filled"}],
    "noshi": [{"field": "noshi", "op": "filled"}],
    "message_card": [{"field": "message_card", "op": "filled"}],
    "blacklist_match": [{"field": "blacklisted", "op": "yes"}],
    "open_promise": [{"field": "open_promise", "op": "yes"}],
    "first_order": [{"field": "first_order", "op": "yes"}],
}


def begun(order: Order, code: str) -> tuple[Document, str]:
    """(document, name) for a reason of the catalogue on this order, its shop loaded."""
    document = documents.blank()
    document["shops"] = [order.shop.code]
    document["if"]["items"] = [
        {"field": "reasons", "op": "contains_any", "value": [code]},
        *ABOUT.get(code, []),
        *_as_it_is(order, code),
    ]
    document["then"] = _then(order, code)
    return document, str(CATALOGUE[code].label)


def _as_it_is(order: Order, code: str) -> list[Condition]:
    """What sets this order apart from others with the same reason."""
    if code == "ship_method_unmapped":
        return [{"field": "delivery_method", "op": "is", "value": order.delivery_method}]
    paying = {"field": "payment_method", "op": "is", "value": order.payment_method}
    if code == "pay_method_unmapped":
        return [paying, {"field": "payment_name", "op": "is", "value": order.payment_name}]
    return [paying]


def _then(order: Order, code: str) -> list[dict[str, Any]]:
    """A name without a carrier gets the one the order has now; else the reason is closed, where a person may."""
    if code == "ship_method_unmapped":
        carrier = {"do": "set_method", "method": order.delivery_method, "carrier": order.carrier}
        return [carrier, {"do": "clear_reason", "code": code}]
    return [{"do": "clear_reason", "code": code}] if CATALOGUE[code].clearable else []
