"""Buyer, recipients and gifts of an order as its page shows them, from rows that are masked where they must be."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from oms.kernel import privacy
from oms.kernel.label import Meter, label_meters
from oms.kernel.phone import phone_display
from orders.models import Order, Recipient
from orders.queries import gifts
from orders.services.edit import why_buyer_closed


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


def buyer_card(order: Order, *, can_edit: bool) -> PartyCard:
    return PartyCard(
        title=_("注文者"),
        name=order.buyer_name,
        kana=order.buyer_kana,
        company=order.buyer_company,
        phone=_shown_phone(order.buyer_phone),
        email=order.buyer_email,
        postal_code=order.buyer_postal_code,
        address=f"{order.buyer_prefecture}{order.buyer_city}{order.buyer_address}",
        edit_url=reverse("orders:edit-buyer", args=[order.pk]) if can_edit and not why_buyer_closed(order) else "",
    )


def recipient_card(order: Order, recipient: Recipient, *, can_edit: bool, personal: bool) -> PartyCard:
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


def gift_cards(order: Order, recipients: Sequence[Recipient], *, personal: bool, can_edit: bool) -> list[GiftCard]:
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
