"""The texts of mails: checked before they are saved, kept in versions, tried on real orders."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from oms.kernel import clock
from oms.kernel.models import User
from orders.decide import mail_text
from orders.decide.mail_rules import Channel, Facts, Wishes, why_not
from orders.models import MailTemplate, MailTemplateVersion, Order, Shop
from orders.models.mail import MailEvent
from orders.services.mail_values import BROUGHT, NAMES, OPTIONAL, PLACEHOLDERS, values_of

TEXTS = ("subject", "body", "html")
FIELDS = (*TEXTS, "look", "active", "review", "delay_s")
TRIED_ON = 50

# Events that an order must have got so far for: a text is tried only on orders like those it will be sent for.
SENT_AFTER_SHIPPING = {MailEvent.SHIPPED, MailEvent.PARTIALLY_SHIPPED, MailEvent.DELIVERED_FOLLOW}
SENT_AFTER_CANCEL = {MailEvent.CANCELLED}


def unknown_placeholders(text: str) -> list[str]:
    """What stands in double or percent braces and cannot be filled, as written."""
    return mail_text.mistakes(text, NAMES)


@transaction.atomic
def save_template(
    event: str, shop: Shop | None, *, variant: str = "", by: User | None = None, note: str = "", **values: Any
) -> MailTemplate:
    """Write fields of an event's template, the company's (no shop) or a shop's own, and keep them as a new version.
    `variant` names another text of that event, which rules choose for orders.

    The texts must be free of `unknown_placeholders`; raises ValueError otherwise. Values equal to the stored ones make
    no version. Takes the template's lock.
    """
    if unknown := unknown_placeholders("".join(str(values.get(name, "")) for name in TEXTS)):
        raise ValueError(f"unknown placeholders: {unknown}")
    template, made = MailTemplate.objects.select_for_update(no_key=True).get_or_create(
        event=event, shop=shop, variant=variant, defaults=values
    )
    if not made and not template.versions.exists():
        _keep(template, None, "")  # what it was before anybody changed it
    before = _values(template)
    for name, value in values.items():
        setattr(template, name, value)
    if made or _values(template) != before:
        template.save(update_fields=list(FIELDS))
        _keep(template, by, note)
    return template


def _values(template: MailTemplate) -> dict[str, Any]:
    return {name: getattr(template, name) for name in FIELDS}


def _keep(template: MailTemplate, by: User | None, note: str) -> None:
    last = template.versions.aggregate(last=Max("number"))["last"] or 0
    MailTemplateVersion.objects.create(
        template=template, number=last + 1, values=_values(template), at=clock.now(), by=by, note=note
    )


def go_back(template: MailTemplate, number: int, *, by: User | None, note: str) -> MailTemplate:
    """Make an earlier version the present one, as a new version. Raises MailTemplateVersion.DoesNotExist."""
    version = template.versions.get(number=number)
    return save_template(template.event, template.shop, variant=template.variant, by=by, note=note, **version.values)


@dataclass(frozen=True, slots=True)
class VersionRow:
    version: MailTemplateVersion
    lines: Sequence[tuple[str, str]]  # (" ", "+" or "-", the line) against the version before
    current: bool


def versions_of(template: MailTemplate) -> list[VersionRow]:
    """Newest first, each with what differs from the one before."""
    rows = list(template.versions.select_related("by"))
    older: list[MailTemplateVersion | None] = [*rows[1:], None][: len(rows)]
    return [
        VersionRow(row, _difference(before.values, row.values) if before else [], index == 0)
        for index, (row, before) in enumerate(zip(rows, older, strict=True))
    ]


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name in FIELDS:
        before, after = str(old.get(name) or ""), str(new.get(name) or "")
        if before == after:
            continue
        compared = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
        found += [(line[0], line[1:]) for line in compared if not line.startswith(("---", "+++", "@@"))]
    return found


@dataclass(frozen=True, slots=True)
class Hole:
    """A name without a value, and the numbers of the orders that lack it."""

    name: str
    orders: Sequence[str]


def holes_in(event: str, shop: Shop | None, texts: str) -> tuple[list[Hole], int]:
    """Try these texts on the last real orders of the kind: what would be missing where, and how many were tried."""
    found: dict[str, list[str]] = {}
    orders = recent_orders(event, shop)
    for order in orders:
        for name in mail_text.holes(texts, values_of(order, BROUGHT.get(event)), optional=OPTIONAL):
            found.setdefault(name, []).append(order.channel_order_no)
    return [Hole(name, numbers) for name, numbers in found.items()], len(orders)


def reachable_orders(event: str, shop: Shop | None) -> QuerySet[Order]:
    """Orders, of this shop where one is given, to which a mail of this event could go: their mall allows it, and there
    is an address. Newest first, with what `values_of` reads."""
    shops = [shop] if shop else Shop.objects.all()
    allowed = [one.pk for one in shops if not why_not(Facts(event, "x@x"), Channel.of(one.capabilities), Wishes())]
    rows = Order.objects.select_related("shop").prefetch_related("lines", "recipients", "texts")
    return rows.filter(shop__in=allowed).exclude(buyer_email="").order_by("-ordered_at", "-pk")


def recent_orders(event: str, shop: Shop | None, limit: int = TRIED_ON) -> list[Order]:
    rows = reachable_orders(event, shop).filter(total__isnull=False)
    if event in SENT_AFTER_SHIPPING:
        rows = rows.filter(shipped_at__isnull=False)
    if event in SENT_AFTER_CANCEL:
        rows = rows.filter(cancelled_at__isnull=False)
    return list(rows[:limit])


__all__ = ["PLACEHOLDERS", "go_back", "holes_in", "save_template", "unknown_placeholders", "versions_of"]
