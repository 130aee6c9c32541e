"""What each recipient of an order wishes as a gift: wrapping, noshi, card, and whose name stands as sender.

Some channels tell it per recipient, others once for the order; where any recipient has a wish of its own, the order's
text only sums these up and is nobody's wish.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orders.documents.noshi import Noshi, read_noshi
from orders.models import NoshiChoice, Order, Recipient

WISHES = ("gift", "noshi", "message_card")


@dataclass(frozen=True, slots=True)
class Gift:
    """`changed` says that the channel told another noshi after a person had set it."""

    position: int
    wrapping: str = ""
    noshi: Noshi | None = None
    card: str = ""
    sender: str = ""
    changed: bool = False

    def __bool__(self) -> bool:
        return bool(self.wrapping or self.noshi or self.card)


def gifts_of(orders: Iterable[Order]) -> dict[int, list[Gift]]:
    """Order → the wishes of each recipient by position, one for an order without recipients. One query."""
    wanted = {order.pk: order for order in orders}
    recipients: dict[int, list[Recipient]] = {pk: [] for pk in wanted}
    rows = Recipient.objects.filter(order__in=wanted).select_related("noshi_choice")
    fields = ("order_id", "position", "sender", *WISHES)
    for row in rows.only(*fields, *(f"noshi_choice__{name}" for name in PARTS)).order_by("order", "position"):
        recipients[row.order_id].append(row)
    return {pk: gifts_from(order, recipients[pk]) for pk, order in wanted.items()}


PARTS = ("words", "said", "noshi_cord", "noshi_purpose", "noshi_name", "noshi_place", "noshi_rest")


def gifts_from(order: Order, recipients: Sequence[Recipient]) -> list[Gift]:
    """The same for recipients that are loaded with their `noshi_choice`."""
    own = {name: any(getattr(row, name) for row in recipients) for name in WISHES}
    found = []
    for row in recipients:
        told = {name: str(getattr(row if own[name] else order, name)) for name in WISHES}
        choice = choice_of(row)
        found.append(
            Gift(
                position=row.position,
                wrapping=told["gift"],
                noshi=noshi_from(told["noshi"], choice),
                card=told["message_card"],
                sender=row.sender,
                changed=choice is not None and choice.words != told["noshi"],
            )
        )
    return found or [Gift(0, order.gift, noshi_from(order.noshi, None), order.message_card)]


def gift_at(gifts: Mapping[int, Sequence[Gift]], order_id: int, position: int) -> Gift:
    """The wishes of one recipient among `gifts_of`; the first where the order does not know the position."""
    own = gifts[order_id]
    return next((gift for gift in own if gift.position == position), own[0])


def choice_of(recipient: Recipient) -> NoshiChoice | None:
    return getattr(recipient, "noshi_choice", None)


def noshi_from(text: str, choice: NoshiChoice | None) -> Noshi | None:
    """The parts that a person set while they still hold, else what can be read from the words."""
    if not text:
        return None
    if choice is None or choice.words != text:
        return read_noshi(text)
    return Noshi(
        text=choice.said or text,
        cord=choice.noshi_cord,
        purpose=choice.noshi_purpose,
        name=choice.noshi_name,
        place=choice.noshi_place,
        rest=choice.noshi_rest,
    )
