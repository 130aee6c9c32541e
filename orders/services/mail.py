"""Mails to customers: decided in the database, rendered and sent by the outbox, each at most once per key."""

import re
import smtplib
from collections.abc import Sequence
from typing import Any, NoReturn

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.money import yen
from oms.kernel.services.outbox import GiveUp, NewEffect, Retry, put
from orders.channel_order import ChannelOrder, ChannelState
from orders.models import Mail, MailTemplate, Order, Shop
from orders.models.mail import MailEvent
from orders.services import journal
from orders.services.journal import Entry

PLACEHOLDER = re.compile(r"\{\{\s*([a-z_.]+)\s*\}\}")

PERMANENT = 500  # SMTP: from here on trying again does not help

INSERT = """
INSERT INTO orders_mail (order_id, event, key, "to", subject, body, state, reason, created_at)
SELECT m.order_id, %s, m.key, m.recipient, '', '', CASE WHEN off.id IS NULL THEN m.state ELSE 'suppressed' END,
       coalesce(off.reason, m.reason), %s
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
       AS m(order_id, key, recipient, state, reason)
  LEFT JOIN orders_mail off ON off.key = %s || ':' || m.order_id || ':off' AND off.state = 'suppressed'
ON CONFLICT (key) DO NOTHING RETURNING id, order_id, state
"""


def wants_thanks(order: ChannelOrder) -> bool:
    """An order that is complete and still to be handled; one found shipped or cancelled gets no late thanks."""
    return order.state in {ChannelState.TO_CONFIRM, ChannelState.OPEN} and not order.fulfilled_by_channel


def schedule(
    shop: Shop,
    event: str,
    orders: Sequence[tuple[int, str]],
    *,
    suffix: str = "",
    delay_s: float = 0,
    draft: bool = False,
) -> int:
    """Write one mail per (order id, address) of a shop, with the effect that sends it. Known keys change nothing.

    What the channel forbids, or has no address for, is written as suppressed with the reason, so that the order page
    can say why nothing was sent. So is what was switched off for an order. A `draft` waits for a person; one with a
    delay does not keep the order's other mails waiting. Returns how many will be sent.
    """
    if not orders:
        return 0
    verdicts = [_verdict(shop, address) for _id, address in orders]
    if draft:
        waits = {Mail.State.SCHEDULED.value: Mail.State.DRAFT.value}
        verdicts = [(waits.get(state, state), reason) for state, reason in verdicts]
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            [
                event,
                clock.now(),
                [order_id for order_id, _address in orders],
                [f"{event}:{order_id}{suffix}" for order_id, _address in orders],
                [address for _id, address in orders],
                [state for state, _reason in verdicts],
                [reason for _state, reason in verdicts],
                event,
            ],
        )
        written = cursor.fetchall()
    due = [(mail_id, order_id) for mail_id, order_id, state in written if state == Mail.State.SCHEDULED]
    put([_effect(mail_id, order_id, delay_s) for mail_id, order_id in due])
    return len(due)


def _effect(mail_id: int, order_id: int, delay_s: float = 0) -> NewEffect:
    subject = f"order:{order_id}:mail" + (f":{mail_id}" if delay_s else "")
    return NewEffect("mail", f"mail:{mail_id}", subject, {"mail": mail_id}, delay_s=delay_s)


@transaction.atomic
def send_draft(mail_id: int) -> bool:
    """A person has read the draft: it goes out. False when it is no draft (any more)."""
    found = Mail.objects.filter(pk=mail_id, state=Mail.State.DRAFT)
    order_id = found.values_list("order", flat=True).first()
    if order_id is None or not found.update(state=Mail.State.SCHEDULED):
        return False
    put([_effect(mail_id, order_id)])
    return True


@transaction.atomic
def withdraw(mails: QuerySet[Mail], *, reason: str) -> int:
    """Do not send what still waits; returns how many. What is being sent right now is sent."""
    waiting = mails.filter(state__in=[Mail.State.SCHEDULED, Mail.State.DRAFT]).order_by("pk")
    stopped = 0
    for mail_id, state in list(waiting.values_list("pk", "state")):
        effect = Effect.objects.filter(key=f"mail:{mail_id}", state=Effect.State.WAITING)
        if state == Mail.State.DRAFT or effect.update(state=Effect.State.CANCELLED, done_at=clock.now()):
            Mail.objects.filter(pk=mail_id).update(state=Mail.State.SUPPRESSED, reason=reason[:200])
            stopped += 1
    return stopped


@transaction.atomic
def switch_off(order_id: int, event: str, *, reason: str) -> None:
    """No mail of this event for this order: not the one that waits, not one to come."""
    Mail.objects.update_or_create(
        key=f"{event}:{order_id}:off",
        defaults={
            "order_id": order_id,
            "event": event,
            "to": "",
            "state": Mail.State.SUPPRESSED,
            "reason": reason[:200],
            "created_at": clock.now(),
        },
    )
    withdraw(Mail.objects.filter(order=order_id, event=event), reason=reason)


def switch_on(order_id: int, event: str) -> None:
    """Mails of this event may be sent again; what was not sent stays unsent."""
    Mail.objects.filter(key=f"{event}:{order_id}:off").delete()


def _verdict(shop: Shop, address: str) -> tuple[str, str]:
    if shop.capabilities.get("mail") == "none":
        return Mail.State.SUPPRESSED.value, _("このモールは店舗からのメールを認めていません。")
    if "@" not in address:
        return Mail.State.SUPPRESSED.value, _("メールアドレスがありません。")
    return Mail.State.SCHEDULED.value, ""


def schedule_for(
    order_ids: Sequence[int], event: str, *, suffix: str = "", delay_s: float = 0, draft: bool = False
) -> int:
    """`schedule` for stored orders of any shops."""
    by_shop: dict[int, list[tuple[int, str]]] = {}
    for order_id, shop_id, address in Order.objects.filter(pk__in=order_ids).values_list("pk", "shop", "buyer_email"):
        by_shop.setdefault(shop_id, []).append((order_id, address))
    shops = Shop.objects.in_bulk(by_shop)
    return sum(
        schedule(shops[shop_id], event, rows, suffix=suffix, delay_s=delay_s, draft=draft)
        for shop_id, rows in by_shop.items()
    )


def template_for(shop: Shop, event: str) -> MailTemplate | None:
    """The shop's own template, else the company's; None when the event is switched off."""
    rows = MailTemplate.objects.filter(event=event).order_by("shop")  # the company's row (null) sorts last
    found = next((row for row in rows if row.shop_id == shop.pk), None) or next(
        (row for row in rows if row.shop_id is None), None
    )
    return found if found and found.active else None


class MissingValue(Exception):
    """A placeholder without a value; `name` as written in the template."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def render(text: str, values: dict[str, str]) -> str:
    """Fill `{{ order.number }}`-like placeholders. Raises MissingValue rather than leave a hole."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise MissingValue(match[1])
        return values[match[1]]

    return PLACEHOLDER.sub(value, text)


def values_of(order: Order) -> dict[str, str]:
    """What a template may name."""
    lines = [f"・{line.name} × {line.quantity}  {yen(line.amount)}" for line in order.lines.all() if line.quantity]
    recipient = next(iter(order.recipients.all()), None)
    place = f"〒{recipient.postal_code} {recipient.prefecture}{recipient.city}{recipient.address}" if recipient else ""
    with override(settings.LANGUAGE_CODE):  # the customer's language, not that of whoever previews it
        return {
            "order.number": order.channel_order_no,
            "order.date": clock.in_tokyo(order.ordered_at).strftime("%Y年%m月%d日"),
            "order.lines": "\n".join(lines),
            "order.total": yen(order.total or 0),
            "order.payment": order.payment_name or order.get_payment_method_display(),
            "buyer.name": order.buyer_name,
            "recipient.name": recipient.name if recipient else order.buyer_name,
            "recipient.address": place,
            "shipment.carrier": str(order.carrier_label),
            "shipment.tracking_no": order.tracking_label,
            "order.note": "\n".join(text.text for text in order.texts.all() if text.reader == "mail"),
            "shop.name": order.shop.letterhead_name or order.shop.name,
            "shop.phone": order.shop.letterhead_phone,
            "shop.email": order.shop.mail_from,
        }


def deliver(effect: Effect) -> None:
    """Handler of the effect kind `mail`."""
    mail = Mail.objects.select_related("order__shop").get(pk=effect.payload["mail"])
    if mail.state in {Mail.State.SENT, Mail.State.SUPPRESSED}:
        return
    if not is_address(mail.to):
        raise GiveUp(_("メールアドレスの形が正しくないため送れません。受注の注文者を確かめてください。"))
    template = template_for(mail.order.shop, mail.event)
    if template is None:
        _close(mail, Mail.State.SUPPRESSED, reason=_("テンプレートが使われない設定です。"))
        return
    try:
        values = values_of(mail.order)
        mail.subject = " ".join(render(template.subject, values).split())[:200]  # a header is one line
        mail.body = render(template.body, values)
    except MissingValue as missing:
        raise GiveUp(
            _("テンプレートの差し込み「%(name)s」に値がありません。テンプレートを直してください。")
            % {"name": missing.name}
        ) from missing
    _send(mail)
    _close(mail, Mail.State.SENT)


def is_address(text: str) -> bool:
    """One plain address, such as a mail server takes; old phone mail (`a..b.@docomo…`) in quotes or not is fine too."""
    local, at, domain = text.rpartition("@")
    plain = not any(char.isspace() or char in ",;<>()[]\\" for char in text)
    return bool(at and local and "@" not in local and "." in domain.strip(".") and plain)


def _send(mail: Mail) -> None:
    """Our Message-ID is the mail's key, so that a repeat after a crash can be recognised by the receiving side."""
    message = EmailMessage(
        subject=mail.subject,
        body=mail.body,
        from_email=mail.order.shop.mail_from or None,
        to=[mail.to],
        headers={
            "Message-ID": f"<{mail.key.replace(':', '.')}@{(mail.order.shop.mail_from or 'order@desk').split('@')[-1]}>"
        },
    )
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refused:
        _explain(refused)
    except ValueError as error:  # Django found no single mailbox in it
        raise GiveUp(_("メールアドレスの形が正しくないため送れません。受注の注文者を確かめてください。")) from error
    except OSError as error:  # smtplib's errors are OSErrors
        raise Retry(
            _("メールサーバーに送れません（%(error)s）。自動で再試行します。") % {"error": type(error).__name__}
        ) from error


def _explain(refused: smtplib.SMTPRecipientsRefused) -> NoReturn:
    """4xx: the mailbox is busy or full for now. 5xx: it will never take this mail."""
    codes = [code for code, _text in refused.recipients.values()]
    if all(code < PERMANENT for code in codes):
        raise Retry(_("宛先のメールサーバーが今は受け取れません。自動で再試行します。")) from refused
    raise GiveUp(_("宛先のメールサーバーに受け取りを拒否されました。メールアドレスを確かめてください。")) from refused


@transaction.atomic
def _close(mail: Mail, state: str, *, reason: str = "") -> None:
    mail.state, mail.reason, mail.sent_at = state, reason, clock.now() if state == Mail.State.SENT else None
    mail.save(update_fields=["state", "reason", "sent_at", "subject", "body"])
    if state == Mail.State.SENT:
        journal.write([Entry(mail.order_id, "mail_sent", str(MailEvent(mail.event).label))])


def ended(effect: Effect) -> None:
    """A mail that could not be sent says so on its order."""
    if effect.state == Effect.State.FAILED:
        Mail.objects.filter(pk=effect.payload["mail"]).update(state=Mail.State.FAILED, reason=effect.last_error[:200])


STANDARD_TEMPLATES: dict[str, tuple[str, str]] = {
    MailEvent.ORDER_RECEIVED: (
        "【{{ shop.name }}】ご注文ありがとうございます（{{ order.number }}）",
        "{{ buyer.name }} 様\n\nこのたびはご注文いただき、ありがとうございます。\n下記の内容で承りました。\n\n"
        "■ご注文番号: {{ order.number }}\n■ご注文日: {{ order.date }}\n\n{{ order.lines }}\n\n"
        "■お支払い金額: {{ order.total }}\n■お支払い方法: {{ order.payment }}\n\n"
        "■お届け先\n{{ recipient.name }} 様\n{{ recipient.address }}\n\n"
        "発送しましたら、あらためてご連絡いたします。\n\n{{ shop.name }}\n{{ shop.phone }}\n{{ shop.email }}\n",
    ),
    MailEvent.SHIPPED: (
        "【{{ shop.name }}】商品を発送しました（{{ order.number }}）",
        "{{ buyer.name }} 様\n\nご注文の商品を発送しました。\n\n■ご注文番号: {{ order.number }}\n{{ order.lines }}\n\n"
        "■配送会社: {{ shipment.carrier }}\n■お問い合わせ番号: {{ shipment.tracking_no }}\n\n"
        "■お届け先\n{{ recipient.name }} 様\n{{ recipient.address }}\n\n"
        "到着まで今しばらくお待ちください。\n\n{{ shop.name }}\n{{ shop.phone }}\n{{ shop.email }}\n",
    ),
    MailEvent.PARTIALLY_SHIPPED: (
        "【{{ shop.name }}】商品の一部を発送しました（{{ order.number }}）",
        "{{ buyer.name }} 様\n\nご注文の商品の一部を発送しました。残りの商品は発送しだいご連絡いたします。\n\n"
        "■ご注文番号: {{ order.number }}\n■配送会社: {{ shipment.carrier }}\n"
        "■お問い合わせ番号: {{ shipment.tracking_no }}\n\n"
        "{{ shop.name }}\n{{ shop.phone }}\n{{ shop.email }}\n",
    ),
    MailEvent.DELAY: (
        "【{{ shop.name }}】発送が遅れております（{{ order.number }}）",
        "{{ buyer.name }} 様\n\nご注文の商品の発送が、予定より遅れております。ご迷惑をおかけし、申し訳ございません。\n"
        "発送の準備が整いしだい、あらためてご連絡いたします。\n\n■ご注文番号: {{ order.number }}\n{{ order.lines }}\n\n"
        "{{ shop.name }}\n{{ shop.phone }}\n{{ shop.email }}\n",
    ),
    MailEvent.REMINDER: (
        "【{{ shop.name }}】お支払いのお願い（{{ order.number }}）",
        "{{ buyer.name }} 様\n\n下記のご注文のお支払いを、まだ確認できておりません。お手続きをお願いいたします。\n"
        "すでにお支払いの場合は、行き違いをご容赦ください。\n\n■ご注文番号: {{ order.number }}\n"
        "■お支払い金額: {{ order.total }}\n■お支払い方法: {{ order.payment }}\n\n"
        "{{ shop.name }}\n{{ shop.phone }}\n{{ shop.email }}\n",
    ),
    MailEvent.PAYMENT_CHANGE: (
        "【{{ shop.name }}】お支払い方法変更のお願い（{{ order.number }}）",
        "{{ buyer.name }} 様\n\nお届け先の地域では、お選びのお支払い方法（{{ order.payment }}）を"
        "ご利用いただけません。\n"
        "お手数ですが、銀行振込への変更をご返信でお知らせください。\n\n■ご注文番号: {{ order.number }}\n"
        "■お支払い金額: {{ order.total }}\n\n{{ shop.name }}\n{{ shop.phone }}\n{{ shop.email }}\n",
    ),
    MailEvent.INQUIRY: (
        "【{{ shop.name }}】ご注文についてのご確認（{{ order.number }}）",
        "{{ buyer.name }} 様\n\nご注文の内容について、確かめたいことがございます。"
        "お手数ですが、ご返信をお願いいたします。\n\n"
        "■ご注文番号: {{ order.number }}\n{{ order.lines }}\n\n{{ shop.name }}\n{{ shop.phone }}\n{{ shop.email }}\n",
    ),
    MailEvent.CANCELLED: (
        "【{{ shop.name }}】ご注文のキャンセルを承りました（{{ order.number }}）",
        "{{ buyer.name }} 様\n\n下記のご注文のキャンセルを承りました。\n\n"
        "■ご注文番号: {{ order.number }}\n{{ order.lines }}\n\n"
        "またのご利用をお待ちしております。\n\n{{ shop.name }}\n{{ shop.phone }}\n{{ shop.email }}\n",
    ),
}


def ensure_standard_templates() -> None:
    """Make the company's standard templates where they are missing."""
    missing: list[Any] = [
        MailTemplate(event=event, subject=subject, body=body)
        for event, (subject, body) in STANDARD_TEMPLATES.items()
        if not MailTemplate.objects.filter(event=event, shop=None).exists()
    ]
    MailTemplate.objects.bulk_create(missing)
