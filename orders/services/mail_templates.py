"""The texts of mails: what a template may name, checked before it is saved."""

import re
from collections.abc import Mapping

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.models import MailTemplate, Order, Shop
from orders.services.mail import PLACEHOLDER, MissingValue, render, values_of

# What `mail.values_of` fills; a test holds the two together.
PLACEHOLDERS: Mapping[str, str | Promise] = {
    "order.number": _("受注番号"),
    "order.date": _("注文日"),
    "order.lines": _("注文商品の一覧"),
    "order.total": _("お支払い金額"),
    "order.payment": _("お支払い方法"),
    "order.note": _("ルールが添える文"),
    "buyer.name": _("注文者の氏名"),
    "recipient.name": _("届け先の氏名"),
    "recipient.address": _("届け先の住所"),
    "shipment.carrier": _("配送会社"),
    "shipment.tracking_no": _("送り状番号"),
    "shop.name": _("店舗名"),
    "shop.phone": _("店舗の電話番号"),
    "shop.email": _("店舗のメール"),
}
_BRACES = re.compile(r"\{\{.*?\}\}|\{\{|\}\}", re.DOTALL)


def unknown_placeholders(text: str) -> list[str]:
    """What stands in double braces and cannot be filled, as written: unknown names, and braces left open."""
    found = (brace for brace in _BRACES.findall(text) if not _is_known(brace))
    return list(dict.fromkeys(found))


def _is_known(written: str) -> bool:
    match = PLACEHOLDER.fullmatch(written)
    return match is not None and match[1] in PLACEHOLDERS


@transaction.atomic
def save_template(event: str, shop: Shop | None, *, subject: str, body: str, active: bool) -> MailTemplate:
    """Write the template of an event, the company's (no shop) or a shop's own. The texts must be free of
    `unknown_placeholders`; raises ValueError otherwise."""
    if unknown := unknown_placeholders(subject + body):
        raise ValueError(f"unknown placeholders: {unknown}")
    template, _created = MailTemplate.objects.update_or_create(
        event=event, shop=shop, defaults={"subject": subject, "body": body, "active": active}
    )
    return template


def preview(subject: str, body: str, order: Order) -> tuple[str, str]:
    """Subject and body as this order would get them. Raises MissingValue."""
    values = values_of(order)
    return render(subject, values), render(body, values)


__all__ = ["PLACEHOLDERS", "MissingValue", "preview", "save_template", "unknown_placeholders"]
