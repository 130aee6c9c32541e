"""Correcting an order by hand before it goes to the warehouse: buyer, address, wish, notes.

What the channel told stays archived; the stored order then differs from it, and the journal says who changed what.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from customers.models import Member
from customers.services import identity
from oms.kernel.phone import phone_digits
from oms.kernel.said import said
from oms.kernel.text import SEPARATOR, clean_text, search_text
from orders.decide.privacy import GONE
from orders.models import Order, OrderText, Recipient, ReviewReason
from orders.models.order import FulfillmentState
from orders.services import gifts, journal, mail, review, ship_plans
from orders.services.journal import Actor, Entry
from orders.signals import address_leaves, parcels_under_way

# Who bought: what papers and labels carry, and how to reach them.
CONTACT_FIELDS = ("buyer_phone", "buyer_email")
BUYER_FIELDS = (
    "buyer_name", "buyer_kana", "buyer_company", *CONTACT_FIELDS, "buyer_postal_code", "buyer_prefecture",
    "buyer_city", "buyer_address",
)  # fmt: skip
RECIPIENT_FIELDS = ("name", "kana", "company", "phone", "postal_code", "prefecture", "city", "address")
DELIVERY_FIELDS = ("wish_date", "wish_slot", "packing_note")
NOTE_FIELDS = ("internal_note",)
# What a person has printed for one reader only, beside what rules add for it.
TEXT_FIELDS = {
    "text_delivery_note": OrderText.Reader.DELIVERY_NOTE,
    "text_label": OrderText.Reader.LABEL,
    "text_pick_list": OrderText.Reader.PICK_LIST,
}
BY_HAND = "hand"


class TooLate(Exception):
    """The order may not be changed any more; `cause` says why and what to do instead."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Conflict(Exception):
    """Somebody, or the channel, changed the same fields since they were shown. `current` is what all fields hold now;
    `clashing` names those that both changed, differently."""

    def __init__(self, current: Mapping[str, Any], version: int, clashing: Collection[str]) -> None:
        super().__init__("changed meanwhile")
        self.current, self.version, self.clashing = current, version, clashing


@dataclass(frozen=True, slots=True)
class Seen:
    """What the editor had before their eyes: the order's version, and the fingerprints of the fields on the form."""

    version: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Edited:
    """Field names that changed, reasons (codes) that closed or opened as a result, the stages around it, and how many
    waiting mails go to another address now."""

    fields: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    stage_before: str = ""
    stage_after: str = ""
    mails: int = 0


def fingerprint(values: Mapping[str, Any]) -> str:
    """One digest per field. A version that moved for another reason (a mail, a channel's answer) is no conflict."""
    return " ".join(f"{name}:{_digest(value)}" for name, value in sorted(values.items()))


def differing(values: Mapping[str, Any], seen: str) -> set[str]:
    """The fields whose values are not those of the fingerprint; all that it does not know."""
    known = dict(part.split(":", 1) for part in seen.split() if ":" in part)
    return {name for name, value in values.items() if known.get(name) != _digest(value)}


def _digest(value: Any) -> str:
    """Browsers send other line ends than people and rules write; that is no change."""
    text = _text(value).replace("\r\n", "\n")
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:16]


def why_closed(order: Order) -> str:
    """Why address and wish may no longer be changed; empty while they may."""
    if order.cancelled_at:
        return said("キャンセル済みの受注は変更できません。")
    if order.fulfilled_by_channel:
        return said("モールが出荷する受注のため、こちらでは変更できません。")
    if order.fulfillment_state == FulfillmentState.NONE:
        return ""
    if order.fulfillment_state == FulfillmentState.INSTRUCTED:
        return _stop_first()
    return said("出荷したあとのため変更できません。")


def why_rest_closed(order: Order) -> str:
    """Why even what has not left yet may no longer be changed. Of an order that left in part the rest may be, while no
    parcel of it is under way; one query there."""
    in_part = order.fulfillment_state == FulfillmentState.PARTIALLY_SHIPPED
    if not in_part or order.cancelled_at or order.fulfilled_by_channel:
        return why_closed(order)
    answers = parcels_under_way.send(sender=Order, order_ids=[order.pk])
    return _stop_first() if any(order.pk in (found or ()) for _receiver, found in answers) else ""


def _stop_first() -> str:
    return said(
        "出荷指示を出したあとのため変更できません。出荷伝票の「出荷を止めて変更する」から停止を依頼してください。"
    )


@transaction.atomic
def edit_recipient(
    order_id: int, position: int, values: Mapping[str, str], *, seen: Seen, actor: Actor
) -> Edited:  # fmt: skip
    """Correct where goods go. Raises TooLate, Conflict. Reasons and stage follow; takes the order's lock."""
    order = _locked(order_id)
    recipient = Recipient.objects.get(order=order, position=position)
    current = {name: getattr(recipient, name) for name in RECIPIENT_FIELDS}
    changes = _changes(order, current, values, seen)
    if changes and order.fulfillment_state != FulfillmentState.NONE:
        _leave_address(recipient)
    for name in changes:
        setattr(recipient, name, clean_text(values[name]))
    recipient.save(update_fields=list(changes))
    order.search = _with_words(
        order.search, recipient.name, recipient.kana, recipient.company, phone_digits(recipient.phone)
    )
    if position == 0:
        order.recipient_name, order.recipient_prefecture = recipient.name, recipient.prefecture
        order.planned_ship_date = _planned(order)
    return _finish(order, changes, ["search", "recipient_name", "recipient_prefecture", "planned_ship_date"], actor)


def _leave_address(recipient: Recipient) -> None:
    """Parcels that went to this address keep it, as a row of its own."""
    rows = Recipient.with_former.filter(order=recipient.order_id, position__gte=Recipient.FORMER)
    former = Recipient.with_former.get(pk=recipient.pk)
    former.pk, former._state.adding = None, True
    former.position = Recipient.FORMER + rows.count()
    former.save()
    told = address_leaves.send(sender=Order, recipient_id=recipient.pk, former_id=former.pk)
    if not any(count for _receiver, count in told):
        former.delete()


def why_buyer_closed(order: Order) -> str:
    """Why nothing of the buyer may be changed any more; empty while phone and mail may."""
    return said("個人情報を消去した受注のため、変更できません。") if order.buyer_name == GONE else ""


@transaction.atomic
def edit_buyer(order_id: int, values: Mapping[str, str], *, seen: Seen, actor: Actor) -> Edited:
    """Correct who bought: of `BUYER_FIELDS` those in `values`. Phone and mail at any time, the rest until the
    instruction, because papers carry it. Raises TooLate, Conflict.

    Mails that wait follow the address. An order without a member finds its own. Takes the members' locks, then the
    order's.
    """
    member = _member_of(order_id, values)
    order = _locked(order_id)
    printed = values.keys() - set(CONTACT_FIELDS)
    if cause := why_buyer_closed(order) or (why_closed(order) if printed else ""):
        raise TooLate(cause)
    current = {name: getattr(order, name) for name in BUYER_FIELDS if name in values}
    changes = _compare(order, current, {name: clean_text(text) for name, text in values.items()}, seen)
    for name, (_before, after) in changes.items():
        setattr(order, name, after)
    if changes and order.member_id is None and member is not None:
        order.member_id = member
        identity.count_orders([member])
    order.search = _with_words(
        order.search, order.buyer_name, order.buyer_kana, order.buyer_company, phone_digits(order.buyer_phone),
        order.buyer_email,
    )  # fmt: skip
    done = _finish(order, changes, [*changes, "member", "search"], actor)
    if "buyer_email" not in changes:
        return done
    return replace(done, mails=mail.redirect(order.pk, to=order.buyer_email, actor=actor))


def _member_of(order_id: int, values: Mapping[str, str]) -> int | None:
    """The member of an order that has none, by what is known of the buyer now; made where there is none yet, and
    locked, because members come before orders."""
    order = Order.objects.only("member", *BUYER_FIELDS).get(pk=order_id)
    told = {name: values.get(name, getattr(order, name)) for name in BUYER_FIELDS}
    if order.member_id is not None or all(getattr(order, name) == text for name, text in told.items()):
        return None
    person = identity.Person(
        told["buyer_name"], told["buyer_kana"], told["buyer_phone"], told["buyer_email"], told["buyer_postal_code"],
        told["buyer_prefecture"],
    )  # fmt: skip
    matched = [member for member in identity.match_members([person]) if member]
    found = Member.objects.select_for_update(no_key=True).filter(pk__in=matched).order_by("pk").only("pk").first()
    return found.pk if found else None


@transaction.atomic
def edit_delivery(order_id: int, values: Mapping[str, Any], *, seen: Seen, actor: Actor) -> Edited:
    """Set the delivery wish and the note for packers. Raises TooLate, Conflict; takes the order's lock."""
    order = _locked(order_id)
    current = {name: getattr(order, name) for name in DELIVERY_FIELDS}
    changes = _changes(order, current, values, seen)
    for name in changes:
        setattr(order, name, values[name])
    order.planned_ship_date = _planned(order)
    return _finish(order, changes, [*changes, "planned_ship_date"], actor)


@transaction.atomic
def edit_gift(order_id: int, position: int, values: Mapping[str, str], *, seen: Seen, actor: Actor) -> Edited:
    """Set one recipient's gift (`gifts.GIFT_FIELDS`). Raises TooLate, Conflict; takes the order's lock."""
    order = _locked(order_id)
    wish = gifts.held(order, position)
    changes = _changes(order, wish.values, {name: clean_text(text) for name, text in values.items()}, seen)
    columns = gifts.write(wish, {name: after for name, (_before, after) in changes.items()}) if changes else []
    return _finish(order, changes, columns, actor)


def held_texts(order_id: int) -> dict[str, str]:
    """What people wrote for each reader, by `TEXT_FIELDS`."""
    rows = dict(OrderText.objects.filter(order=order_id, key=BY_HAND).values_list("reader", "text"))
    return {name: rows.get(reader, "") for name, reader in TEXT_FIELDS.items()}


@transaction.atomic
def edit_texts(order_id: int, values: Mapping[str, str], *, seen: Seen, actor: Actor) -> Edited:
    """Set what is printed for one reader only. Raises TooLate, Conflict; takes the order's lock."""
    order = _locked(order_id)
    changes = _changes(order, held_texts(order_id), {name: clean_text(text) for name, text in values.items()}, seen)
    for name, (_before, after) in changes.items():
        own = OrderText.objects.filter(order=order, reader=TEXT_FIELDS[name], key=BY_HAND)
        if not after:
            own.delete()
        elif not own.update(text=after):
            OrderText.objects.create(order=order, reader=TEXT_FIELDS[name], key=BY_HAND, text=after)
    return _finish(order, changes, [], actor)


@transaction.atomic
def edit_note(order_id: int, text: str, *, seen: Seen, actor: Actor) -> Edited:
    """Replace the internal note, at any time. Raises Conflict; takes the order's lock."""
    order = _locked(order_id)
    changes = _compare(order, {"internal_note": order.internal_note}, {"internal_note": clean_text(text)}, seen)
    if changes:
        order.internal_note = clean_text(text)
        order.version += 1
        order.save(update_fields=["internal_note", "version"])
        journal.write([Entry(order.pk, "note", changes=changes)], actor=actor)
    return Edited(list(changes), [], [], order.stage, order.stage)


def _locked(order_id: int) -> Order:
    return Order.objects.select_for_update(no_key=True, of=("self",)).get(pk=order_id)


def _changes(
    order: Order, current: Mapping[str, Any], wanted: Mapping[str, Any], seen: Seen
) -> dict[str, tuple[str, str]]:
    """Field → (before, after) of what really changes."""
    if cause := why_rest_closed(order):
        raise TooLate(cause)
    return _compare(order, current, wanted, seen)


def _compare(
    order: Order, current: Mapping[str, Any], wanted: Mapping[str, Any], seen: Seen
) -> dict[str, tuple[str, str]]:
    """What the editor changed. A field that only another hand changed stays theirs; one that both did is a conflict."""
    theirs = differing(current, seen.fingerprint) if order.version != seen.version else set()
    mine = differing(wanted, seen.fingerprint)
    clashing = {name for name in theirs & mine if _text(current[name]) != _text(wanted[name])}
    if clashing:
        raise Conflict(current, order.version, clashing)
    return {
        name: (_text(before), _text(wanted[name]))
        for name, before in current.items()
        if _text(before) != _text(wanted[name]) and name not in theirs
    }


def _finish(order: Order, changes: Mapping[str, tuple[str, str]], columns: Sequence[str], actor: Actor) -> Edited:
    """Write the order, the journal, and what follows."""
    if not changes:
        return Edited([], [], [], order.stage, order.stage)
    before, stage_before = _open_codes(order), order.stage
    order.version += 1
    order.save(update_fields=[*columns, "version"])
    journal.write([Entry(order.pk, "edited", changes=changes)], actor=actor)
    review.reevaluate([order.pk], actor=actor)
    order.refresh_from_db(fields=["stage"])
    after = _open_codes(order)
    return Edited(list(changes), sorted(before - after), sorted(after - before), stage_before, order.stage)


def _open_codes(order: Order) -> set[str]:
    return set(ReviewReason.objects.filter(order=order, state=ReviewReason.State.OPEN).values_list("code", flat=True))


def _planned(order: Order) -> Any:
    return ship_plans.planned_for(order, wish=order.wish_date)


def _with_words(stored: str, *texts: str) -> str:
    """The order is found by the new name and phone too; by the old ones still."""
    known = set(stored.split(SEPARATOR))
    words = search_text(*texts)
    return stored + "".join(SEPARATOR + word for word in words.split(SEPARATOR) if word not in known)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
