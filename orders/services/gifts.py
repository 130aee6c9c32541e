"""What a recipient wishes as a gift, held and written where it is kept: with the recipient or with the order."""

from collections.abc import Mapping
from dataclasses import dataclass

from orders.documents.noshi import Noshi, in_words
from orders.models import NoshiChoice, Order, Recipient
from orders.queries.gifts import WISHES, gifts_from

NOSHI_FIELDS = ("noshi_cord", "noshi_purpose", "noshi_name", "noshi_place", "noshi_rest")
GIFT_FIELDS = ("gift", "noshi_wanted", *NOSHI_FIELDS, "message_card", "sender")
LONGEST = 200  # letters of an order's wrapping or noshi
WANTED, UNWANTED = "あり", "なし"


@dataclass(frozen=True, slots=True)
class Wish:
    """One recipient's fields as the order holds them now."""

    order: Order
    recipients: list[Recipient]
    recipient: Recipient
    values: Mapping[str, str]
    noshi_text: str


def held(order: Order, position: int) -> Wish:
    """Raises Recipient.DoesNotExist for a position the order does not have."""
    recipients = list(order.recipients.select_related("noshi_choice").order_by("position"))
    recipient = next((row for row in recipients if row.position == position), None)
    if recipient is None:
        raise Recipient.DoesNotExist
    gift = next(gift for gift in gifts_from(order, recipients) if gift.position == position)
    noshi = gift.noshi or Noshi(text="")
    values = {
        "gift": gift.wrapping,
        "noshi_wanted": WANTED if noshi.text else UNWANTED,
        "noshi_cord": noshi.cord,
        "noshi_purpose": noshi.purpose,
        "noshi_name": noshi.name,
        "noshi_place": noshi.place,
        "noshi_rest": noshi.rest,
        "message_card": gift.card,
        "sender": recipient.sender,
    }
    return Wish(order, recipients, recipient, values, noshi.text)


def noshi_of(values: Mapping[str, str]) -> Noshi:
    """The parts of a form; none of them where no noshi is wanted."""
    wanted = values["noshi_wanted"] == WANTED
    parts = {name.removeprefix("noshi_"): values[name] if wanted else "" for name in NOSHI_FIELDS}
    return Noshi(text="", **parts)


def write(wish: Wish, changed: Mapping[str, str]) -> list[str]:
    """Write the changed fields (name → new value); returns the order's columns that the caller saves."""
    columns: list[str] = []
    for name in ("gift", "message_card"):
        if name in changed:
            columns += _put(wish, name, changed[name])
    if set(changed) & {"noshi_wanted", *NOSHI_FIELDS}:
        noshi = noshi_of({**wish.values, **changed})
        columns += _put(wish, "noshi", in_words(noshi))
        _keep(wish, noshi)
    if "sender" in changed:
        wish.recipient.sender = changed["sender"]
    for row in wish.recipients:
        row.save(update_fields=[*WISHES, "sender"])
    return columns


def _put(wish: Wish, name: str, text: str) -> list[str]:
    """An order with one recipient keeps the wish itself, if it did so before; else each recipient has its own, and the
    order sums them up."""
    order, recipients = wish.order, wish.recipients
    own = any(getattr(row, name) for row in recipients)
    if len(recipients) > 1 and not own:
        for row in recipients:
            setattr(row, name, getattr(order, name))
    if own or len(recipients) > 1:
        setattr(wish.recipient, name, text)
    if len(recipients) == 1:
        setattr(order, name, text)
        return [name]
    texts = dict.fromkeys(getattr(row, name) for row in recipients if getattr(row, name))
    setattr(order, name, "\n".join(texts) if name == "message_card" else " ／ ".join(texts)[:LONGEST])
    return [name]


def _keep(wish: Wish, noshi: Noshi) -> None:
    stored = NoshiChoice.objects.filter(recipient=wish.recipient).values_list("said", flat=True).first()
    parts = {f"noshi_{name}": getattr(noshi, name) for name in ("cord", "purpose", "name", "place", "rest")}
    NoshiChoice.objects.update_or_create(
        recipient=wish.recipient,
        defaults={"words": in_words(noshi), "said": (stored or wish.noshi_text)[:200], **parts},
    )
