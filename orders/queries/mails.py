"""Mails to buyers: the list, one mail with its text, the templates, the shops' rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms
from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from oms.kernel import privacy
from orders.decide import mail_text
from orders.decide.inquiries import questions
from orders.models import Mail, MailPolicy, MailTemplate, Order, ReviewReason, Shop
from orders.models.mail import MailEvent
from orders.queries import visible
from orders.queries.found import found_order_ids
from orders.queries.tones import MAIL_TONES
from orders.services import mail_send
from orders.services.mail import template_of
from orders.services.mail_templates import reachable_orders
from orders.services.mail_values import BROUGHT, CONDITIONS, OPTIONAL, PLACEHOLDERS, values_of


class MailFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("受注番号・氏名・宛先"), method="search", widget=forms.SearchInput)
    state = django_filters.ChoiceFilter(label=_("状態"), choices=Mail.State.choices, empty_label=_("すべて"))
    event = django_filters.ChoiceFilter(label=_("種類"), choices=MailEvent.choices, empty_label=_("すべて"))
    shop = django_filters.ModelChoiceFilter(
        label=_("店舗"), field_name="order__shop", queryset=visible.own_shops, empty_label=_("すべて")
    )
    to = django_filters.CharFilter(label=_("宛先のアドレス"), method="sent_to")

    class Meta:
        model = Mail
        fields = ["q", "state", "event", "shop", "to"]

    def sent_to(self, rows: QuerySet[Mail], _name: str, typed: str) -> QuerySet[Mail]:
        """The whole address, or everything after the @."""
        typed = typed.strip()
        return rows.filter(to__iendswith=typed) if typed.startswith("@") else rows.filter(to__iexact=typed)

    def search(self, rows: QuerySet[Mail], _name: str, typed: str) -> QuerySet[Mail]:
        """By the order: its number, the buyer's name, phone or address."""
        return rows.filter(order__in=found_order_ids(typed))


def listed_mails() -> QuerySet[Mail]:
    return visible.of_shops(Mail.objects.all()).select_related("order__shop").only(
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
    """A mail as sent. One that waits is shown as it would go out now, with what is still missing in its text."""
    text, holes = _text(mail)
    return {
        "mail": mail,
        "order": mail.order,
        "subject": text.subject,
        "body": text.body,
        "html": text.html,
        "holes": holes,
        "tone": MAIL_TONES[mail.state],
        "is_draft": mail.state not in AS_SENT and bool(text.body),
        "waits": mail.state in {Mail.State.SCHEDULED, Mail.State.DRAFT},
        "may_resend": mail.state in RESENDABLE and not mail.key.endswith(":off"),
    }


AS_SENT = {Mail.State.SENT, Mail.State.SENDING, Mail.State.UNCERTAIN, Mail.State.BOUNCED}
RESENDABLE = {Mail.State.FAILED, Mail.State.BOUNCED, Mail.State.UNCERTAIN, Mail.State.SUPPRESSED}


def _text(mail: Mail) -> tuple[mail_send.Text, list[str]]:
    """The mail's text, and the placeholders that have no value yet."""
    if mail.edited or (mail.state in AS_SENT and mail.body):
        return mail_send.Text(mail.subject, mail.body, mail.html), []
    template = template_of(mail)
    if template is None or mail.state == Mail.State.SUPPRESSED:
        return mail_send.Text("", "", ""), []
    return mail_send.text_of(mail, template), mail_send.holes_of(mail, template)


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One event's template at the company (`shop` None) or at a shop; `variants` are its other texts."""

    event: str
    label: str
    shop: Shop | None
    template: MailTemplate | None
    variants: Sequence[MailTemplate] = ()


def template_rows() -> list[tuple[str, list[TemplateRow]]]:
    """Per event: the company's template, then the shops that have their own. Two queries."""
    stored: dict[tuple[str, int | None], MailTemplate] = {}
    variants: dict[tuple[str, int | None], list[MailTemplate]] = {}
    for one in MailTemplate.objects.select_related("shop").order_by("variant"):
        if one.variant:
            variants.setdefault((one.event, one.shop_id), []).append(one)
        else:
            stored[one.event, one.shop_id] = one
    shops = list(Shop.objects.filter(active=True))
    places: list[Shop | None] = [None, *shops]
    return [
        (
            str(label),
            [
                TemplateRow(event, str(label), shop, stored.get(place), variants.get(place, ()))
                for shop in places
                for place in [(event, shop.pk if shop else None)]
            ],
        )
        for event, label in MailEvent.choices
    ]  # fmt: skip


def switches(order: Order) -> list[tuple[str, str, bool]]:
    """(event, label, switched off for this order)."""
    off = set(order.mails.filter(key__endswith=":off", state=Mail.State.SUPPRESSED).values_list("event", flat=True))
    return [(event, str(label), event in off) for event, label in MailEvent.choices]


def questions_about(order: Order) -> str:
    """What an inquiry asks the buyer, by the reasons that are open. One query."""
    rows = order.reasons.filter(state=ReviewReason.State.OPEN).order_by("pk")
    return questions(rows.values_list("code", flat=True))


def waiting_counts() -> list[tuple[str, str, int, str]]:
    """(state, label, how many, tone) of what waits for a person; a state with none is left out."""
    states = [Mail.State.DRAFT, Mail.State.UNCERTAIN, Mail.State.FAILED, Mail.State.BOUNCED]
    counts = dict(
        visible.of_shops(Mail.objects.filter(state__in=states))
        .order_by()
        .values_list("state")
        .annotate(n=Count("id"))
        .order_by()
    )
    return [(state, str(state.label), counts[state], MAIL_TONES[state]) for state in states if counts.get(state)]


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A shop with how it sends; `rule` is what its channel allows, in words."""

    shop: Shop
    rule: str
    delay_s: int
    waits: bool
    off: Sequence[str]
    relay: bool


def policy_rows() -> list[PolicyRow]:
    """Two queries."""
    policies = {policy.shop_id: policy for policy in MailPolicy.objects.all()}
    return [_policy_row(shop, policies.get(shop.pk) or MailPolicy()) for shop in Shop.objects.filter(active=True)]


def _policy_row(shop: Shop, policy: MailPolicy) -> PolicyRow:
    rules = {
        "none": _("店舗からのメールは送れません"),
        "relay": _("モールの中継アドレスへ、注文に関するものだけ"),
        "free": _("自由に送れます"),
    }
    rule = str(rules.get(str(shop.capabilities.get("mail") or "free"), rules["free"]))
    allowed = shop.capabilities.get("mail_events") or ()
    if allowed:
        rule = _("送れる種類: %(names)s") % {
            "names": "、".join(str(MailEvent(event).label) for event in allowed if event in MailEvent.values)
        }
    return PolicyRow(
        shop,
        rule,
        settings.MAIL_DELAY_S if policy.send_delay_s is None else policy.send_delay_s,
        policy.wait_for_review,
        [str(MailEvent(event).label) for event in policy.off_events if event in MailEvent.values],
        shop.code in settings.MAIL_RELAYS,
    )


def tried_on(form: forms.Form, event: str, shop: Shop | None) -> dict[str, Any]:
    """The texts on the form as a real order would get them, and what every placeholder is for that order."""
    typed = form.cleaned_data if form.is_bound and form.is_valid() else form.initial
    order = sample_order(event, shop, str(typed.get("number") or ""))
    if order is None:
        problem = _("試し表示に使える受注がありません。受注番号を確かめてください。")
        return {"preview_problem": problem, "placeholders": _placeholders({}), "conditions": _conditions({})}
    values = values_of(order, BROUGHT.get(event))
    found: dict[str, Any] = {"placeholders": _placeholders(values), "conditions": _conditions(values)}
    if form.is_bound and not form.is_valid():
        return found
    fields = {name: typed[name] for name in ("subject", "body", "html", "look") if typed.get(name)}
    text = mail_send.filled(MailTemplate(event=event, **fields), values)
    missing = mail_text.holes(text_of_fields(fields), values, optional=OPTIONAL)
    if missing:
        found["preview_problem"] = _("差し込み「%(name)s」に値がありません。") % {"name": "、".join(missing)}
    return found | {
        "preview_order": order,
        "preview_subject": text.subject,
        "preview_body": text.body,
        "preview_html": text.html,
    }


def text_of_fields(fields: dict[str, Any]) -> str:
    return "".join(str(fields.get(name, "")) for name in ("subject", "body", "html"))


def _placeholders(values: dict[str, str]) -> list[tuple[str, Any, str]]:
    return [(name, label, values.get(name, "")) for name, label in PLACEHOLDERS.items()]


def _conditions(values: dict[str, str]) -> list[tuple[str, Any, bool]]:
    return [(name, label, bool(values.get(name))) for name, label in CONDITIONS.items()]


def sample_order(event: str, shop: Shop | None, number: str = "") -> Order | None:
    """A real order to preview with: the one named, else the newest (of the shop) that such a mail could reach."""
    if not number and (newest := reachable_orders(event, shop).first()):
        return newest
    rows = Order.objects.select_related("shop").prefetch_related("lines", "recipients", "texts")
    if shop is not None:
        rows = rows.filter(shop=shop)
    if number:
        rows = rows.filter(channel_order_no=number)
    return rows.order_by("-ordered_at", "-pk").first()
