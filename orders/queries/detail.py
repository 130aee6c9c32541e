"""Everything the order page shows. What a person may not see is masked here, before a template can reach it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.models import MemberNote
from customers.queries import members
from oms.kernel import clock, privacy
from oms.kernel.label import Meter, label_meters
from oms.kernel.links import url_if_served
from oms.kernel.models import User
from oms.kernel.phone import phone_display
from orders.decide import channel_words
from orders.decide.gates import gates
from orders.decide.privacy import GONE
from orders.decide.reasons import CATALOGUE
from orders.decide.slots import slot_label
from orders.models import Mail, Order, OrderLine, Recipient, ReturnCase, ReviewReason
from orders.models.order import PAYABLE, ChannelSync
from orders.queries import cancellations, gifts, listed, order_sets, visible
from orders.queries.labels import order_labels
from orders.queries.line_facts import line_facts
from orders.queries.next_step import FIELDS, next_step
from orders.queries.originals import masked, originals
from orders.queries.related import related
from orders.queries.timeline import timeline
from orders.queries.tones import LEVEL_TONES, MAIL_TONES, STAGE_TONES, SYNC_TONES
from orders.queries.way_out import way_out
from orders.services import payment_terms, reason_settings
from orders.services.edit import why_closed
from orders.services.internal import is_internal

PERSONAL = "orders.view_personal_data"
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
# Reasons whose evidence quotes personal data.
PERSONAL_FIELDS = {"recipient", "phone", "buyer"}


@dataclass(frozen=True, slots=True)
class PartyCard:
    """A buyer or recipient as shown. `edit_url` is empty where nothing may be changed; `label` is the address as the
    label of `carrier` will carry it, line by line, None when it does not fit; `carrier` is empty where none is made."""

    title: str
    name: str
    kana: str
    company: str
    phone: str
    email: str
    postal_code: str
    address: str
    label: list[Meter] | None = None
    carrier: str = ""
    edit_url: str = ""


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A reason with what a person can do about it. `url` leads to where its cause is put right (`opens_dialog`: as a
    dialog)."""

    code: str
    label: str
    level: str
    tone: str
    evidence: str
    next_step: str
    clearable: bool
    wants_note: bool
    url: str
    url_text: str
    opens_dialog: bool
    state: str
    closed: str
    note: str  # what was written when it was closed


def order_for(pk: int, *, personal: bool) -> Order | None:
    """The order for showing only, never to be saved: without the right its personal columns are masked."""
    rows = (
        visible.orders()
        .select_related("shop", "member", "assignee", "preferred_location", "legal_hold")
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
    told = list(order.recipients.select_related("noshi_choice"))
    changed_here = originals(order, told[0] if told else None)
    recipients = [r if personal else _masked(r, RECIPIENT_MASKS) for r in told]
    lines = order_sets.in_order(list(order.lines.select_related("sku").defer("sku__search_text")))
    reasons = list(order.reasons.select_related("closed_by").order_by("raised_at", "pk"))
    wanting = reason_settings.wanting_a_note() if reasons else frozenset()
    rows = [_reason_row(reason, order, lines, personal, wanting) for reason in reasons]
    open_rows = [row for row in rows if row.state == ReviewReason.State.OPEN]
    closed_for_edit = why_closed(order)
    can_edit = user.has_perm("orders.change_order") and not closed_for_edit
    facts = channel_words.facts(order.channel_extra, personal=personal)
    waiting = [(reason.code, reason.level) for reason in reasons if reason.state == ReviewReason.State.OPEN]
    return {
        "order": order,
        "personal": personal,
        "channel_marks": channel_words.marks(order.flags),
        "channel_facts": [fact for fact in facts if not fact.code],
        "channel_codes": [fact for fact in facts if fact.code],
        "token": live_token(order.pk),
        "live_id": f"order-{order.pk}-live",
        "stage_tone": STAGE_TONES.get(order.stage, "neutral"),
        "sync_tone": SYNC_TONES.get(order.channel_sync, "neutral"),
        "step": next_step({name: getattr(order, name) for name in FIELDS}, waiting),
        "gates": gates(
            order,
            today=clock.today(),
            confirms=order.shop.can("confirm"),
            ships_when=payment_terms.gate_of(order),
        ),
        "open_reasons": open_rows,
        "listed": listed.beside(order) if personal and any(row.code in listed.CODES for row in open_rows) else None,
        "listed_codes": listed.CODES,
        "closed_reasons": [row for row in rows if row.state != ReviewReason.State.OPEN],
        "clearable": any(row.clearable and row.state == ReviewReason.State.OPEN for row in rows),
        "originals": changed_here if personal else masked(changed_here),
        "buyer": _buyer_card(order),
        "recipients": [_recipient_card(order, recipient, can_edit and personal, personal) for recipient in recipients],
        "gifts": _gift_cards(order, told, personal=personal, can_edit=can_edit and personal),
        "same_person": len(recipients) == 1 and _same_person(order, recipients[0]),
        "edit_closed": closed_for_edit,
        "can_edit": can_edit,
        "lines": lines,
        "line_facts": line_facts(order, lines),
        **order_sets.sets_of(order, lines),
        "many_recipients": len(recipients) > 1,
        "money": _money(order),
        "texts": _texts(order, personal),
        "promises": _promises(order, personal),
        "labels": order_labels(order),
        "related": related(order),
        "internal": is_internal(order),
        "may_label": user.has_perm("orders.change_order"),
        "rule_new_url": reverse("orders:rule-new") if user.has_perm("orders.manage_rules") else "",
        "slot": slot_label(order.wish_slot),
        "mails": [(mail, MAIL_TONES[mail.state]) for mail in _mails(order, personal)],
        "return_cases": _return_cases(order, user),
        "cancellations": cancellations.afterwards(order, user),
        "timeline": timeline(order.pk, personal=personal),
        "mall_url": _mall_url(order),
        "may": _may(order, user),
        "panel_url": url_if_served("fulfillment:order-panel", order.pk)
        if user.has_perm("fulfillment.view_shipment")
        else "",
        "instruct_url": url_if_served("fulfillment:instruct", order.pk),
        "reimport_url": url_if_served("channels:reimport", order.pk),
        "outbox_url": _outbox_url(order, user),
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


# ---- people


def _buyer_card(order: Order) -> PartyCard:
    return PartyCard(
        title=_("注文者"),
        name=order.buyer_name,
        kana=order.buyer_kana,
        company=order.buyer_company,
        phone=_shown_phone(order.buyer_phone),
        email=order.buyer_email,
        postal_code=order.buyer_postal_code,
        address=f"{order.buyer_prefecture}{order.buyer_city}{order.buyer_address}",
    )


def _recipient_card(order: Order, recipient: Recipient, can_edit: bool, personal: bool) -> PartyCard:
    return PartyCard(
        title=_("届け先") if not recipient.position else _("届け先 %(n)s") % {"n": recipient.position + 1},
        name=recipient.name,
        kana=recipient.kana,
        company=recipient.company,
        phone=_shown_phone(recipient.phone),
        email="",
        postal_code=recipient.postal_code,
        address=f"{recipient.prefecture}{recipient.city}{recipient.address}",
        label=label_meters(recipient.prefecture, recipient.city, recipient.address, carrier=order.carrier),
        carrier=order.carrier_label if personal and order.is_open and not order.fulfilled_by_channel else "",
        edit_url=reverse("orders:edit-recipient", args=[order.pk, recipient.position]) if can_edit else "",
    )


@dataclass(frozen=True, slots=True)
class GiftCard:
    """One recipient's wishes as (label, text); `warning` where the channel told another noshi since it was set."""

    title: str
    rows: list[tuple[str, str]]
    warning: str
    edit_url: str


def _gift_cards(order: Order, recipients: Sequence[Recipient], *, personal: bool, can_edit: bool) -> list[GiftCard]:
    """Nothing for an order whose recipients are not known yet."""
    many = len(recipients) > 1
    return [
        GiftCard(
            title=_("届け先 %(n)s") % {"n": gift.position + 1} if many else "",
            rows=_gift_rows(gift),
            warning=_("のしを直したあとで、モールの指定が変わりました。もう一度確かめてください。")
            if gift.changed and personal
            else "",
            edit_url=reverse("orders:edit-gift", args=[order.pk, gift.position]) if can_edit else "",
        )
        for gift in gifts.gifts_from(order, recipients)
        if recipients
    ]


def _gift_rows(gift: gifts.Gift) -> list[tuple[str, str]]:
    rows = [(_("ラッピング"), gift.wrapping)]
    if noshi := gift.noshi:
        rows += [
            (_("のしの表書き"), noshi.purpose),
            (_("のしの名入れ"), noshi.name),
            (_("水引"), noshi.cord),
            (_("内のし・外のし"), noshi.place),
            (_("のしのほかの指定"), noshi.rest),
            (_("のしの原文"), "" if noshi.text == noshi.rest else noshi.text),
        ]
    rows += [(_("メッセージカード"), gift.card), (_("送り主"), gift.sender)]
    return [row for row in rows if row[1]]


def _shown_phone(phone: str) -> str:
    return phone if privacy.HIDDEN in phone else phone_display(phone) or phone


def _same_person(order: Order, recipient: Recipient) -> bool:
    return (order.buyer_name, order.buyer_postal_code, order.buyer_address) == (
        recipient.name,
        recipient.postal_code,
        recipient.address,
    )


# ---- reasons


def _reason_row(
    reason: ReviewReason, order: Order, lines: Iterable[OrderLine], personal: bool, wanting: frozenset[str]
) -> ReasonRow:
    entry = CATALOGUE.get(reason.code)
    out = way_out(reason.code, order, lines)
    return ReasonRow(
        code=reason.code,
        label=str(entry.label) if entry else reason.code,
        level=str(reason.get_level_display()),
        tone=LEVEL_TONES.get(reason.level, "neutral"),
        evidence=shown_evidence(reason, personal),
        next_step=str(entry.next_step) if entry else "",
        clearable=entry.clearable if entry else True,
        wants_note=reason.code in wanting,
        url=out.url,
        url_text=out.text,
        opens_dialog=out.opens_dialog,
        state=reason.state,
        closed=_closed_text(reason),
        note=reason.note if personal else privacy.mask_text(reason.note),
    )


def shown_evidence(reason: ReviewReason, personal: bool) -> str:
    """The evidence as this person may read it."""
    if not personal and reason.field in PERSONAL_FIELDS:
        return _("（個人情報のため表示できません）")
    text = str(reason.evidence)  # in the reader's language
    return text if personal else privacy.mask_text(text)


def _closed_text(reason: ReviewReason) -> str:
    if reason.state == ReviewReason.State.OPEN:
        return ""
    who = str(reason.closed_by) if reason.closed_by else _("自動")
    return f"{reason.get_state_display()}・{who}"


# ---- money, mails, rights


@dataclass(frozen=True, slots=True)
class MoneyRow:
    label: str
    amount: int
    always: bool = False


def _money(order: Order) -> dict[str, Any]:
    """The sum sheet: what makes the total, and what is left unexplained."""
    parts = [
        MoneyRow(_("商品合計"), order.goods, always=True),
        MoneyRow(_("送料"), order.shipping_fee, always=True),
        MoneyRow(_("手数料"), order.fees),
        MoneyRow(_("ラッピング料"), order.gift_fees),
        MoneyRow(_("外税"), order.tax_excluded),
        MoneyRow(_("値引"), -order.discount),
        MoneyRow(_("店舗クーポン"), -order.coupons_shop),
        MoneyRow(_("モールクーポン"), -order.coupons_channel),
        MoneyRow(_("ポイント利用"), -order.points),
    ]
    expected = sum(part.amount for part in parts)
    return {
        "rows": [part for part in parts if part.amount or part.always],
        "total": order.total,
        "coupons": [(name, amount, funder == "shop") for name, amount, funder in order.coupon_list],
        "rates": [(rate, amount, tax) for rate, amount, tax in order.tax_by_rate],
        "tax": order.tax,
        "difference": 0 if order.total is None else order.total - expected,
    }


def _mails(order: Order, personal: bool) -> Sequence[Mail]:
    mails = list(order.mails.order_by("-pk").defer("body"))
    for mail in mails:
        mail.to = mail.to if personal else privacy.mask_mail(mail.to)
    return mails


def _outbox_url(order: Order, user: User) -> str:
    """Where a failed word to the channel is tried again."""
    if order.channel_sync != ChannelSync.FAILED or not user.has_perm("kernel.view_effect"):
        return ""
    url = url_if_served("pages:outbox")
    return f"{url}?order={order.pk}" if url else ""


def _mall_url(order: Order) -> str:
    if is_internal(order):
        return ""
    pattern = str(order.shop.capabilities.get("order_url") or "")
    return pattern.replace("{no}", order.channel_order_no) if pattern.startswith("https://") else ""


def _may(order: Order, user: User) -> dict[str, bool]:
    """Which buttons stand on the page: the right to press them, and an order that allows it."""
    open_, has = order.is_open, user.has_perm
    return {
        "accept": has("orders.review_order"),
        "hold": has("orders.hold_order") and open_ and not order.held_at,
        "lift": has("orders.hold_order") and bool(order.held_at),
        "confirm": has("orders.confirm_order") and _waits_for_confirm(order),
        "pay": has("orders.record_payment") and open_ and order.payment_state in PAYABLE,
        "pay_otherwise": has("orders.change_order") and open_ and not order.fulfilled_by_channel,
        "cancel": has("orders.cancel_order")
        and not order.cancelled_at
        and not order.fulfilled_by_channel
        and order.fulfillment_state in {"none", "instructed", "partially_shipped"}
        and order.stop_asked_at is None
        and order.phase != "shipped",
        "decline_cancel": has("orders.cancel_order") and order.cancel_requested and not order.cancelled_at and open_,
        "return": has("orders.change_returncase") and order.fulfillment_state in {"shipped", "partially_shipped"},
        "instruct": has("orders.release_order") and order.stage == "ready",
        "note": has("orders.change_order"),
        "promise": has("customers.add_membernote") and order.member is not None and order.member.name != GONE,
        "channel_memo": has("orders.change_order") and has(PERSONAL) and order.shop.can("memo"),
        "reimport": has("orders.change_order") and not is_internal(order),
        "lines": has("orders.change_order")
        and has("orders.cancel_order")
        and not order.stop_asked_at
        and not why_closed(order),
        "copy": has("orders.add_order") and has(PERSONAL),
        "member": has("customers.view_member"),
        "sku": has("inventory.view_sku"),
    }


def _waits_for_confirm(order: Order) -> bool:
    return (
        order.shop.can("confirm")
        and order.phase == "to_confirm"
        and order.confirmed_at is None
        and order.stage == "new"
        and not order.blocking_reasons
    )
