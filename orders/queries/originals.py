"""What the channel had told of the fields that were changed here, for the order's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oms.kernel import privacy
from orders.models import Order, Recipient
from orders.services import taking_over
from orders.services.edit import BUYER_FIELDS, RECIPIENT_FIELDS


@dataclass(frozen=True, slots=True)
class Original:
    """One field that stands here otherwise than the channel told it."""

    label: str
    text: str


def originals(order: Order, recipient: Recipient | None) -> Mapping[str, Sequence[Original]]:
    """`recipient` (the first one's), `buyer` and `delivery` → their fields that were changed here. One query."""
    stands = taking_over.ours(order, recipient)
    found: dict[str, list[Original]] = {"recipient": [], "buyer": [], "delivery": []}
    for name, known in taking_over.known_values([order.pk]).get(order.pk, {}).items():
        block = _block(name)
        if block and known.text != stands.get(name, known.text):
            found[block].append(Original(taking_over.label_of(name), known.text))
    return found


def differing(orders: Sequence[Order], *, personal: bool) -> Mapping[int, Sequence[Original]]:
    """The same for many orders, without the blocks: order → fields that stand here otherwise. Two queries."""
    ids = [order.pk for order in orders]
    known, firsts = taking_over.known_values(ids), taking_over.first_recipients(ids)
    found: dict[int, list[Original]] = {}
    for order in orders:
        stands = taking_over.ours(order, firsts.get(order.pk))
        for name, told in known.get(order.pk, {}).items():
            if _block(name) and told.text != stands.get(name, told.text):
                hidden = not personal and _block(name) != "delivery"
                text = privacy.mask_rest(told.text) if hidden else told.text
                found.setdefault(order.pk, []).append(Original(taking_over.label_of(name), text))
    return found


def masked(found: Mapping[str, Sequence[Original]]) -> Mapping[str, Sequence[Original]]:
    """For who may not see personal data: that something was changed, not what it was."""
    hidden = {
        block: [Original(one.label, privacy.mask_rest(one.text)) for one in found[block]]
        for block in ("buyer", "recipient")
    }
    return {**found, **hidden}


def _block(name: str) -> str:
    if name in RECIPIENT_FIELDS:
        return "recipient"
    if name in BUYER_FIELDS:
        return "buyer"
    return "delivery" if name in {"wish_date", "wish_slot", "delivery_method"} else ""
