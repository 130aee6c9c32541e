"""Everything the order page shows. What a person may not see is masked here, before a template can reach it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Max
from django.urls import reverse

from customers.models import MemberNote
from customers.queries import members
from oms.kernel import clock, privacy
from oms.kernel.links import url_if_served
from oms.kernel.models import User
from orders.decide import channel_words
from orders.decide.gates import gates
from orders.decide.slots import slot_label
from orders.models import Mail, Order, OrderLine, ReturnCase
from orders.queries import cancellations, listed, order_sets, visible
from orders.queries.labels import order_labels
from orders.queries.line_facts import line_facts
from orders.queries.money_sheet import money_sheet
from orders.queries.next_step import FIELDS, next_step
from orders.queries.order_people import buyer_card, gift_cards, recipient_card
from orders.queries.order_reasons import ReasonRow, reason_rows
from orders.queries.order_verbs import PERSONAL, may_do, verbs_of
from orders.queries.originals import masked, originals
from orders.queries.related import related
from orders.queries.timeline import timeline
from orders.queries.tones import MAIL_TONES, STAGE_TONES, SYNC_TONES
from orders.services import payment_terms
from orders.services.edit import why_rest_closed
from orders.services.internal import is_internal

__all__ = ["PERSONAL", "order_for", "order_page"]

MASKS = {
    "buyer_name": privacy.mask_name,
    "buyer_kana": privacy.mask_rest,
    "buyer_phone": privacy.mask_phone,
    "buyer_email": privacy.mask_mail,
    "buyer_postal_code": privacy.mask_postal_code,
    "buyer_city": privacy.mask_rest,
    "buyer_address": privacy.mask_rest,
    "buyer_company": privacy.mask_rest,
    "recipient_name": privacy.mask_name,
    "remarks": privacy.mask_text,
    "packing_note": privacy.mask_text,
    "internal_note": privacy.mask_text,
    "shop_memo": privacy.mask_text,
    "message_card": privacy.mask_rest,
    "noshi": privacy.mask_rest,
    "hold_reason": privacy.mask_text,
    "cancel_reason": privacy.mask_text,
}
RECIPIENT_MASKS = {
    "name": privacy.mask_name,
    "kana": privacy.mask_rest,
    "phone": privacy.mask_phone,
    "postal_code": privacy.mask_postal_code,
    "city": privacy.mask_rest,
    "address": privacy.mask_rest,
    "company": privacy.mask_rest,
    "sender": privacy.mask_name,
    "message_card": privacy.mask_rest,
    "noshi": privacy.mask_rest,
}


def order_for(pk: int, *, personal: bool) -> Order | None:
    """The order for showing only, never to be saved: without the right its personal columns are masked."""
    rows = (
        visible.orders()
        .select_related("shop", "member__rank", "assignee", "preferred_location", "legal_hold")
        .defer("search", "channel_parts")
    )
    order = rows.filter(pk=pk).first()
    return order if order is None or personal else _masked(order, MASKS)


def _masked(row: Any, masks: dict[str, Any]) -> Any:
    for name, mask in masks.items():
        setattr(row, name, mask(getattr(row, name)))
    return row


def order_page(order: Order, user: User) -> dict[str, Any]:
    """The context of the order page, its drawer and its fragments; `order` comes from `order_for`."""
    personal = user.has_perm(PERSONAL)
    lines = order_sets.in_order(list(order.lines.select_related("sku").defer("sku__search_text")))
    reasons = reason_rows(order, lines, user, personal=personal)
    may = may_do(order, user)
    return {
        "order": order,
        "personal": personal,
        "token": live_token(order.pk),
        "live_id": f"order-{order.pk}-live",
        "internal": is_internal(order),
        "may": may,
        **_head(order, user, may, reasons),
        **_state(order, user, reasons),
        **_people(order, user),
        **_goods(order, lines),
        **_notes(order, user),
        **_afterwards(order, user),
        **_channel(order, user),
    }


def _head(order: Order, user: User, may: Mapping[str, bool], reasons: Sequence[ReasonRow]) -> dict[str, Any]:
    """Where the order stands, and what comes next."""
    waiting = [(reason.code, reason.level) for reason in reasons if reason.is_open]
    clearable = any(reason.clearable for reason in reasons if reason.is_open)
    verbs = verbs_of(order, user, may, clearable=clearable)
    return {
        "stage_tone": STAGE_TONES.get(order.stage, "neutral"),
        "sync_tone": SYNC_TONES.get(order.channel_sync, "neutral"),
        "step": next_step({name: getattr(order, name) for name in FIELDS}, waiting),
        "mall_url": _mall_url(order),
        "verbs_now": [verb for verb in verbs if verb.is_next],
        "verbs_more": [verb for verb in verbs if not verb.is_next],
    }


def _state(order: Order, user: User, reasons: Sequence[ReasonRow]) -> dict[str, Any]:
    """The gates, and the reasons that stop the order or did."""
    open_ = [reason for reason in reasons if reason.is_open]
    beside = user.has_perm(PERSONAL) and any(reason.code in listed.CODES for reason in open_)
    return {
        "gates": gates(
            order,
            today=clock.today(),
            confirms=order.shop.can("confirm"),
            ships_when=payment_terms.gate_of(order),
        ),
        "open_reasons": open_,
        "closed_reasons": [reason for reason in reasons if not reason.is_open],
        "listed": listed.beside(order) if beside else None,
        "listed_codes": listed.CODES,
        "rule_new_url": reverse("orders:rule-new") if user.has_perm("orders.manage_rules") else "",
    }


def _people(order: Order, user: User) -> dict[str, Any]:
    """Buyer, recipients and gifts. Where nothing may be changed any more, `edit_closed` says why; the buyer's phone and
    mail may still be."""
    personal, may_change = user.has_perm(PERSONAL), user.has_perm("orders.change_order")
    closed = why_rest_closed(order)
    can_edit = may_change and not closed
    told = list(order.recipients.select_related("noshi_choice"))
    changed_here = originals(order, told[0] if told else None)
    shown = [recipient if personal else _masked(recipient, RECIPIENT_MASKS) for recipient in told]
    return {
        "originals": changed_here if personal else masked(changed_here),
        "buyer": buyer_card(order, can_edit=may_change and personal),
        "recipients": [
            recipient_card(order, recipient, can_edit=can_edit and personal, personal=personal) for recipient in shown
        ],
        "many_recipients": len(shown) > 1,
        "gifts": gift_cards(order, shown, personal=personal, can_edit=can_edit and personal),
        "edit_closed": closed,
        "can_edit": can_edit,
    }


def _goods(order: Order, lines: Sequence[OrderLine]) -> dict[str, Any]:
    return {
        "lines": lines,
        "line_facts": line_facts(order, lines),
        **order_sets.sets_of(order, lines),
        "money": money_sheet(order),
    }


def _notes(order: Order, user: User) -> dict[str, Any]:
    """What is written on the order, for whom."""
    personal = user.has_perm(PERSONAL)
    return {
        "slot": slot_label(order.wish_slot),
        "texts": _texts(order, personal),
        "promises": _promises(order, personal),
        "labels": order_labels(order),
        "may_label": user.has_perm("orders.change_order"),
    }


def _afterwards(order: Order, user: User) -> dict[str, Any]:
    """What became of the order, and what belongs to it."""
    personal = user.has_perm(PERSONAL)
    panel = url_if_served("fulfillment:order-panel", order.pk)
    return {
        "panel_url": panel if user.has_perm("fulfillment.view_shipment") else "",
        "mails": [(mail, MAIL_TONES[mail.state]) for mail in _mails(order, personal)],
        "return_cases": _return_cases(order, user),
        "cancellations": cancellations.afterwards(order, user),
        "related": related(order),
        "timeline": timeline(order.pk, personal=personal),
    }


def _channel(order: Order, user: User) -> dict[str, Any]:
    """What the channel says beside what has a place of its own."""
    facts = channel_words.facts(order.channel_extra, personal=user.has_perm(PERSONAL))
    return {
        "channel_marks": channel_words.marks(order.flags),
        "channel_facts": [fact for fact in facts if not fact.code],
        "channel_codes": [fact for fact in facts if fact.code],
    }


def _texts(order: Order, personal: bool) -> list[tuple[str, str]]:
    """(reader, text) of what stands for one reader only, of rules and of people."""
    rows = order.texts.order_by("reader", "pk")
    return [(str(row.get_reader_display()), row.text if personal else privacy.mask_text(row.text)) for row in rows]


def _promises(order: Order, personal: bool) -> list[tuple[MemberNote, str, str]]:
    """(promise, text, number of the other order that it came from) of what is still to be done for the member."""
    notes = members.open_promises(order.member_id) if order.member_id else []
    others = {note.source_order for note in notes if note.source_order} - {order.pk}
    known = visible.orders().filter(pk__in=others).values_list("pk", "channel_order_no") if others else ()
    numbers = dict(known)
    return [
        (note, note.text if personal else privacy.mask_text(note.text), numbers.get(note.source_order or 0, ""))
        for note in notes
    ]


def live_token(pk: int) -> str:
    """Changes whenever the order page would look different. One query by index."""
    row = (
        Order.objects.filter(pk=pk)
        .annotate(last_event=Max("events"))
        .values_list("version", "stage", "channel_sync", "allocation_state", "last_event")
        .first()
    )
    return "-".join(map(str, row or ()))


def _return_cases(order: Order, user: User) -> list[ReturnCase]:
    if not user.has_perm("orders.view_returncase"):
        return []
    return list(order.return_cases.order_by("-pk"))


def _mails(order: Order, personal: bool) -> Sequence[Mail]:
    mails = list(order.mails.order_by("-pk").defer("body"))
    for mail in mails:
        mail.to = mail.to if personal else privacy.mask_mail(mail.to)
    return mails


def _mall_url(order: Order) -> str:
    if is_internal(order):
        return ""
    pattern = str(order.shop.capabilities.get("order_url") or "")
    return pattern.replace("{no}", order.channel_order_no) if pattern.startswith("https://") else ""
