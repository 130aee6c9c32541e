"""Mails to buyers: the list, and one mail with its text."""

from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from oms.kernel import privacy
from orders.models import Mail, MailTemplate, Order, Shop
from orders.models.mail import MailEvent
from orders.queries.found import found_order_ids
from orders.queries.tones import MAIL_TONES
from orders.services.mail import MissingValue, template_for
from orders.services.mail_templates import preview


class MailFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("受注番号・氏名・宛先"), method="search", widget=forms.SearchInput)
    state = django_filters.ChoiceFilter(label=_("状態"), choices=Mail.State.choices, empty_label=_("すべて"))
    event = django_filters.ChoiceFilter(label=_("種類"), choices=MailEvent.choices, empty_label=_("すべて"))

    class Meta:
        model = Mail
        fields = ["q", "state", "event"]

    def search(self, rows: QuerySet[Mail], _name: str, typed: str) -> QuerySet[Mail]:
        """By the order: its number, the buyer's name, phone or address."""
        return rows.filter(order__in=found_order_ids(typed))


def listed_mails() -> QuerySet[Mail]:
    return Mail.objects.select_related("order__shop").only(
        "event", "to", "subject", "state", "reason", "created_at", "sent_at", "order__channel_order_no",
        "order__shop__name",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class MailRow:
    mail: Mail
    to: str
    tone: str


def mail_rows(mails: list[Mail], *, personal: bool) -> list[MailRow]:
    return [
        MailRow(mail, mail.to if personal else privacy.mask_mail(mail.to), MAIL_TONES[mail.state]) for mail in mails
    ]


def mail_page(mail: Mail) -> dict[str, Any]:
    """A mail as sent. One that waits is shown as it would go out now; one that never went has no text."""
    subject, body, note = mail.subject, mail.body, mail.reason
    if not body and mail.state in {Mail.State.SCHEDULED, Mail.State.FAILED}:
        subject, body, note = _as_it_would_go(mail)
    return {
        "mail": mail,
        "order": mail.order,
        "subject": subject,
        "body": body,
        "note": note,
        "tone": MAIL_TONES[mail.state],
        "is_draft": mail.state != Mail.State.SENT and bool(body),
    }


def _as_it_would_go(mail: Mail) -> tuple[str, str, str]:
    template = template_for(mail.order.shop, mail.event)
    if template is None:
        return "", "", mail.reason or str(_("テンプレートが使われない設定です。"))
    try:
        return (*preview(template.subject, template.body, mail.order), mail.reason)
    except MissingValue as missing:
        return "", "", str(_("差し込み「%(name)s」に値がありません。") % {"name": missing.name})


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One event's template at the company (`shop` None) or at a shop. `own`: written for this place itself."""

    event: str
    label: str
    shop: Shop | None
    template: MailTemplate | None


def template_rows() -> list[tuple[str, list[TemplateRow]]]:
    """Per event: the company's template, then the shops that have their own. Two queries."""
    stored = {(t.event, t.shop_id): t for t in MailTemplate.objects.select_related("shop")}
    shops = list(Shop.objects.filter(active=True))
    places: list[Shop | None] = [None, *shops]
    return [
        (
            str(label),
            [
                TemplateRow(event, str(label), shop, stored.get((event, shop.pk if shop else None)))
                for shop in places
            ],
        )
        for event, label in MailEvent.choices
    ]  # fmt: skip


def sample_order(shop: Shop | None, number: str = "") -> Order | None:
    """A real order to preview with: the one named, else the newest (of the shop)."""
    rows = Order.objects.select_related("shop").prefetch_related("lines", "recipients")
    if shop is not None:
        rows = rows.filter(shop=shop)
    if number:
        rows = rows.filter(channel_order_no=number)
    return rows.order_by("-ordered_at", "-pk").first()
