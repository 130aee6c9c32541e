"""Mails to many orders at once, from the desk."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.said import said
from orders.actions import Action, ActionForm, Group, Memory, Outcome, Params, Plan
from orders.decide import mail_text
from orders.models import Mail, MailTemplate, Order, Shop
from orders.models.mail import MailEvent
from orders.queries.bulk import SHOWN
from orders.services import mail, mail_send
from orders.services.journal import Actor
from orders.services.mail_values import BROUGHT, OPTIONAL, values_of

State = Mail.State
TOLD = (State.SENT, State.SCHEDULED, State.SENDING, State.DRAFT, State.UNCERTAIN)

# What only their own moment can fill in is not sent by hand to many.
BY_HAND = [(event, label) for event, label in MailEvent.choices if not set(BROUGHT.get(event, {})) - {"mail.message"}]


class MailForm(ActionForm):
    event = forms.ChoiceField(label=lazy("メールの種類"), choices=BY_HAND, initial=MailEvent.DELAY_NOTICE)
    message = forms.CharField(
        label=lazy("添える文"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    draft = forms.BooleanField(
        label=lazy("承認待ちに入れ、1通ずつ確かめてから送る"), required=False, initial=True
    )  # fmt: skip
    again = forms.BooleanField(label=lazy("同じ種類を送った受注にも、もう一度送る"), required=False)


def plan_mail(order_ids: Sequence[int], params: Params) -> Plan:
    """Who gets it, who does not and why, and how the first of them read, each in its own words."""
    event = str(params["event"])
    skipped = _skipped(order_ids, event, again=bool(params.get("again")))
    will = [order_id for order_id in order_ids if order_id not in skipped]
    effects = [
        said("承認待ちに入れます。メールの画面で1通ずつ確かめ、直し、承認できます。")
        if params.get("draft")
        else said("送信します。送るまでの間は、この操作を元に戻すか、メールの画面で1通ずつ取り消せます。")
    ]
    return Plan(will, skipped, effects, notes=_samples(will[:SHOWN], event, str(params.get("message") or "")))


def _skipped(order_ids: Sequence[int], event: str, *, again: bool) -> dict[int, str]:
    orders = Order.objects.filter(pk__in=order_ids).values_list("pk", "shop", "buyer_email")
    told = set(Mail.objects.filter(order__in=order_ids, event=event, state__in=TOLD).values_list("order", flat=True))
    shops = Shop.objects.in_bulk({shop for _pk, shop, _to in orders})
    on = {shop.pk: mail.template_for(shop, event) is not None for shop in shops.values()}
    by_shop: dict[int, list[tuple[int, str]]] = {}
    for pk, shop_id, to in orders:
        by_shop.setdefault(shop_id, []).append((pk, to))
    found: dict[int, str] = dict.fromkeys(set(order_ids) - {pk for pk, _shop, _to in orders}, said("見つかりません。"))
    for shop_id, rows in by_shop.items():
        for (pk, _to), why in zip(rows, mail.reasons_against(shops[shop_id], event, rows), strict=True):
            if not on[shop_id]:
                found[pk] = said("テンプレートが使われない設定です。")
            elif why:
                found[pk] = why
            elif pk in told and not again:
                found[pk] = said("同じ種類のメールを送信済みか、送信待ちです。")
    return found


def _samples(order_ids: Sequence[int], event: str, message: str) -> dict[int, str]:
    """Order → its mail as it would be written now, or what is missing in it."""
    orders = Order.objects.select_related("shop").prefetch_related("lines", "recipients", "texts")
    templates: dict[int, MailTemplate | None] = {}
    found = {}
    for order in orders.filter(pk__in=order_ids).order_by("pk"):
        if order.shop_id not in templates:
            templates[order.shop_id] = mail.template_for(order.shop, event)
        if template := templates[order.shop_id]:
            found[order.pk] = _sample(order, template, message)
    return found


def _sample(order: Order, template: MailTemplate, message: str) -> str:
    values = values_of(order, {"mail.message": message} if message else {})
    if missing := mail_text.holes(template.subject + template.body, values, optional=OPTIONAL):
        return said("差し込み「%(names)s」に値がないため、送らずに承認待ちへ回ります。", names=list(missing))
    text = mail_send.filled(MailTemplate(subject=template.subject, body=template.body), values)
    return said("件名「%(subject)s」\n%(body)s", subject=text.subject, body=text.body)


def run_mail(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    """One mail per order and run: the same run again writes none."""
    event, message = str(params["event"]), str(params.get("message") or "")
    suffix = f":bulk:{actor.action}"
    done = set(
        Mail.objects.filter(key__in=[f"{event}:{pk}{suffix}" for pk in order_ids]).values_list("order", flat=True)
    )
    skipped = _skipped([pk for pk in order_ids if pk not in done], event, again=bool(params.get("again")))
    will = [pk for pk in order_ids if pk not in skipped and pk not in done]
    extra: Mapping[str, Any] = {"mail.message": message} if message else {}
    mail.schedule_for(will, event, suffix=suffix, draft=bool(params.get("draft")), extra=extra, actor=actor)
    return Outcome([*done, *will], skipped)


def mails_there(order_ids: Sequence[int], params: Params) -> dict[int, dict[str, Any]]:
    """The mails of this kind that each order has."""
    found: dict[int, dict[str, Any]] = {pk: {"mails": []} for pk in order_ids}
    rows = Mail.objects.filter(order__in=order_ids, event=str(params["event"])).order_by("pk")
    for order_id, pk in rows.values_list("order", "pk"):
        found[order_id]["mails"].append(pk)
    return found


def pull_back(before: Mapping[int, dict[str, Any]], params: Params, actor: Actor) -> Outcome:
    """Undo `run_mail`: what it wrote and has not left yet is not sent."""
    now = mails_there(list(before), params)
    fresh = {pk: sorted(set(own["mails"]) - set(before[pk]["mails"])) for pk, own in now.items()}
    written = Mail.objects.filter(pk__in=[mail_id for ids in fresh.values() for mail_id in ids])
    mail.withdraw(written, reason=said("一括操作を元に戻したため送りません。"), actor=actor)
    gone = set(written.exclude(state=State.SUPPRESSED).values_list("order", flat=True))
    too_late = said("すでに送信したため、取り消せません。")
    return Outcome([pk for pk in before if pk not in gone], {pk: too_late for pk in before if pk in gone})


ACTIONS = (
    Action(
        "mail",
        lazy("メールを送る"),
        lazy("%(n)s件のメールを用意しました。"),
        "mail",
        "orders.send_mail",
        plan_mail,
        run_mail,
        form=MailForm,
        memory=Memory(mails_there, pull_back),
        key="m",
        rank=80,
        group=Group.BAR,
    ),
)
