"""Sending one mail: the outbox's handler of the kind `mail`.

At most once, without a person: the mail is written down as `sending` at the moment after which only the mail server
knows whether it took it (`oms.kernel.mailer`). Before that, a crash or an error is tried again; after it, a mail that
nobody has closed is `uncertain` and waits for a person.
"""

import re
import smtplib
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from oms.kernel import clock, mailer
from oms.kernel.models import Effect, User
from oms.kernel.said import said
from oms.kernel.services.outbox import GiveUp, NewEffect, Postpone, Retry, put
from orders.decide import mail_text
from orders.models import Mail, MailPolicy, MailStop, MailTemplate, Order, Shop
from orders.models.mail import MARKETING, MailEvent
from orders.services import journal, mail_addresses, mail_trouble
from orders.services.journal import Entry
from orders.services.mail import template_of, why_not_now
from orders.services.mail_values import BROUGHT, OPTIONAL, values_of

State = Mail.State
OPEN = (State.SCHEDULED, State.FAILED)  # a failed one that is handed out again is sent again

PERMANENT = 500  # SMTP: from here on trying again does not help
NO_SUCH_BOX = {550, 551, 553}
LOOK_AGAIN_S = 120  # at mails that wait until their order's reasons are cleared
ENHANCED = re.compile(rb"\b([245])\.(\d{1,3})\.\d{1,3}\b")


@dataclass(frozen=True, slots=True)
class Text:
    """A mail's texts as they go out; `html` empty: text alone."""

    subject: str
    body: str
    html: str


class PulledBack(Exception):
    """Somebody stopped the mail in the last moment."""


def deliver(effect: Effect) -> None:
    """Handler of the effect kind `mail`."""
    mail = Mail.objects.select_related("order__shop").get(pk=effect.payload["mail"])
    if mail.state == State.SENDING:  # the worker that had it is gone
        unsure(
            mail, said("送信の途中でプログラムが止まりました。届いたかどうか、メールサーバーの記録で確かめてください。")
        )
    elif mail.state in OPEN:
        _try(mail)


def _try(mail: Mail) -> None:
    if mail.state == State.FAILED:
        mail.to = mail.order.buyer_email
    if _waits_for_review(mail):
        waits = said("確認理由がなくなるのを待っています。")
        _set(mail, mail.state, waits)
        raise Postpone(waits, after_s=LOOK_AGAIN_S)
    if not is_address(mail.to):
        raise GiveUp(said("メールアドレスの形が正しくないため送れません。受注の注文者を確かめてください。"))
    if why := why_not_now(mail):  # days may lie between the writing and this moment
        _set(mail, State.SUPPRESSED, why)
        return
    template = None if mail.edited else template_of(mail)
    if template is None and not mail.edited:
        _set(mail, State.SUPPRESSED, said("テンプレートが使われない設定です。"))
        return
    values = values_for(mail) if template else {}
    if missing := holes_of(mail, template, values):
        reason = said("差し込み「%(names)s」に値がないため、送らずに止めました。", names=list(missing))
        _set(mail, State.DRAFT, reason)
        return
    _send(mail, text_of(mail, template, values))


def _waits_for_review(mail: Mail) -> bool:
    if mail.event != MailEvent.ORDER_RECEIVED or not mail.order.blocking_reasons:
        return False
    return MailPolicy.objects.filter(shop=mail.order.shop, wait_for_review=True).exists()


def is_address(text: str) -> bool:
    """One plain address, such as a mail server takes; old phone mail (`a..b.@docomo…`) in quotes or not is fine too."""
    local, at, domain = text.rpartition("@")
    plain = not any(char.isspace() or char in ",;<>()[]\\" for char in text)
    return bool(at and local and "@" not in local and "." in domain.strip(".") and plain)


# ---- the text


def values_for(mail: Mail) -> dict[str, str]:
    """The order's values with what this mail brings along."""
    prefetch_related_objects([mail.order], "lines", "recipients", "texts")
    values = values_of(mail.order, mail.extra)
    if mail.event in MARKETING:
        values["mail.unsubscribe_url"] = mail_addresses.opt_out_url(mail.to)
    return values


def holes_of(mail: Mail, template: MailTemplate | None, values: dict[str, str] | None = None) -> list[str]:
    """Placeholders of the mail's text that have no value; none in a text that a person wrote. `values` are the mail's,
    where the caller has them already."""
    if mail.edited or template is None:
        return []
    texts = template.subject + template.body + (template.html if template.look == MailTemplate.Look.OWN else "")
    return mail_text.holes(texts, values or values_for(mail), optional=OPTIONAL)


def why_not_ready(mail: Mail) -> str:
    """Why this mail would not go out if a person approved it now, and what to do; empty when it would."""
    template = None if mail.edited else template_of(mail)
    if template is None and not mail.edited:
        return said(
            "テンプレートが使われない設定です。「文面を直す」で文面を書くか、テンプレートの設定を変えてください。"
        )
    if missing := holes_of(mail, template):
        return said("差し込み「%(names)s」に値がありません。文面を直してから承認してください。", names=list(missing))
    return why_not_now(mail)


def text_of(mail: Mail, template: MailTemplate | None, values: dict[str, str] | None = None) -> Text:
    """The mail as it goes out now; `values` as for `holes_of`."""
    if mail.edited or template is None:
        return Text(mail.subject, mail.body, mail_text.html_of(mail.body))
    return filled(template, values or values_for(mail))


def filled(template: MailTemplate, values: dict[str, str]) -> Text:
    """The template's texts with these values. A subject is one line: it goes into a header."""
    subject = " ".join(mail_text.fill(template.subject, values).split())[:200]
    body = mail_text.fill(template.body, values)
    if template.look == MailTemplate.Look.OWN:
        return Text(subject, body, mail_text.fill(template.html, values, as_html=True))
    return Text(subject, body, mail_text.html_of(body) if template.look == MailTemplate.Look.BOTH else "")


# ---- handing it over


def _send(mail: Mail, text: Text) -> None:
    shop = mail.order.shop
    sender = shop.mail_from or settings.DEFAULT_FROM_EMAIL
    message_id = f"<{mail.key.replace(':', '.')}@{sender.split('@')[-1]}>"  # the same for every try of this mail
    message = message_for(text, to=mail.to, sender=sender, message_id=message_id, marketing=mail.event in MARKETING)
    marked = False

    def last_word() -> None:
        nonlocal marked
        taken = Mail.objects.filter(pk=mail.pk, state__in=OPEN).update(
            state=State.SENDING, to=mail.to, sender=sender, message_id=message_id, subject=text.subject,
            body=text.body, html=text.html, reason="",
        )  # fmt: skip
        if not taken:
            raise PulledBack
        marked = True

    try:
        mailer.deliver(message, last_word=last_word, relay=relay_of(shop))
    except PulledBack:
        return
    except smtplib.SMTPRecipientsRefused as refused:
        _refused(mail, refused)
    except smtplib.SMTPResponseException as answer:  # the server said no, whenever: it has not taken the mail
        _take_back(mail)
        _answered(answer)
    except ValueError as error:  # Django found no single mailbox in it
        raise GiveUp(said("メールアドレスの形が正しくないため送れません。受注の注文者を確かめてください。")) from error
    except OSError as error:  # smtplib's errors are OSErrors
        if marked:
            unsure(mail, said("送信中にメールサーバーとの接続が切れました。届いたかどうか確かめてください。"))
            return
        raise Retry(
            said("メールサーバーに送れません（%(error)s）。自動で再試行します。", error=type(error).__name__)
        ) from error
    else:
        _sent(mail)


def message_for(text: Text, *, to: str, sender: str, message_id: str, marketing: bool) -> EmailMultiAlternatives:
    """The message; bounces go to the address that is read for them."""
    headers = {"From": sender, "Message-ID": message_id, "Auto-Submitted": "auto-generated"}
    if marketing and (url := mail_addresses.opt_out_url(to)):
        headers |= {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message = EmailMultiAlternatives(
        text.subject, text.body, settings.MAIL_BOUNCE_ADDRESS or sender, [to], headers=headers
    )
    if text.html:
        message.attach_alternative(text.html, "text/html")
    return message


def relay_of(shop: Shop) -> str:
    """The mall's own mail server for this shop; empty: ours. Raises GiveUp where the mall takes no other."""
    relay = settings.MAIL_RELAYS.get(shop.code, "")
    real = f"{mailer.__name__}.Backend" == settings.EMAIL_BACKEND
    if not relay and real and shop.can("mail_relay_server"):
        raise GiveUp(
            said(
                "%(mall)sの中継メールサーバーが設定されていません。MAIL_RELAYS に店舗「%(code)s」を加えてください。",
                mall=shop.channel_label,
                code=shop.code,
            )
        )
    return relay


def _refused(mail: Mail, refused: smtplib.SMTPRecipientsRefused) -> None:
    """4xx: the mailbox is busy or full for now. 5xx: it will never take this mail."""
    code, text = next(iter(refused.recipients.values()))
    if code < PERMANENT:
        raise Retry(said("宛先のメールサーバーが今は受け取れません。自動で再試行します。")) from refused
    status = ENHANCED.search(text)
    if status[2] == b"1" if status else code in NO_SUCH_BOX:  # 5.1.x: the address itself
        bounced(mail, said("宛先のメールサーバーに受け取りを拒否されました。メールアドレスを確かめてください。"))
        return
    raise GiveUp(said("宛先のメールサーバーに受け取りを拒否されました（%(code)s）。", code=code)) from refused


def _answered(answer: smtplib.SMTPResponseException) -> None:
    if answer.smtp_code < PERMANENT:
        raise Retry(said("メールサーバーが今は送れません。自動で再試行します。")) from answer
    raise GiveUp(
        said("メールサーバーが送信を断りました（%(code)s）。設定と文面を確かめてください。", code=answer.smtp_code)
    ) from answer


# ---- what came of it. Locks: the order before the mail.


@transaction.atomic
def _sent(mail: Mail) -> None:
    Mail.objects.filter(pk=mail.pk, state__in=[State.SENDING, State.UNCERTAIN]).update(
        state=State.SENT, reason="", sent_at=clock.now()
    )
    journal.write([Entry(mail.order_id, "mail_sent", said(MailEvent(mail.event).label))])
    transaction.on_commit(lambda: mail_trouble.settle(mail.order_id))


def _set(mail: Mail, state: str, reason: str) -> None:
    Mail.objects.filter(pk=mail.pk, state__in=OPEN).update(state=state, reason=reason[:200])


def _take_back(mail: Mail) -> None:
    Mail.objects.filter(pk=mail.pk, state=State.SENDING).update(state=State.SCHEDULED)


@transaction.atomic
def unsure(mail: Mail, reason: str) -> None:
    """Nobody but the mail server knows; a person looks and says."""
    mail_trouble.raise_reason(mail.order_id, "mail_failed", _about(mail, reason))
    Mail.objects.filter(pk=mail.pk, state=State.SENDING).update(state=State.UNCERTAIN, reason=reason[:200])


@transaction.atomic
def bounced(mail: Mail, reason: str, *, for_good: bool = True) -> None:
    """The mail came back: the order says so. `for_good`: the address gets none until somebody lifts the stop."""
    text = said("「%(event)s」のメールが届きませんでした。%(why)s", event=MailEvent(mail.event).label, why=reason)
    mail_trouble.raise_reason(mail.order_id, "mail_bounced", text)
    Mail.objects.filter(pk=mail.pk).exclude(state=State.SUPPRESSED).update(state=State.BOUNCED, reason=reason[:200])
    if for_good:
        mail_addresses.stop(mail.to, MailStop.Kind.BOUNCED, reason=reason)


def _about(mail: Mail, why: str) -> str:
    return said("%(event)s: %(why)s", event=MailEvent(mail.event).label, why=why)


def ended(effect: Effect) -> None:
    """A mail that could not be sent says so on its order; one that a person sent elsewhere is sent."""
    mail = Mail.objects.get(pk=effect.payload["mail"])
    if effect.state == Effect.State.MANUAL_DONE:
        Mail.objects.filter(pk=mail.pk).update(state=State.SENT, reason=effect.note[:200], sent_at=clock.now())
    elif effect.state == Effect.State.FAILED:
        mail_trouble.raise_reason(mail.order_id, "mail_failed", _about(mail, effect.last_error))
        Mail.objects.filter(pk=mail.pk, state=State.SENDING).update(
            state=State.UNCERTAIN, reason=effect.last_error[:200]
        )
        Mail.objects.filter(pk=mail.pk, state__in=OPEN).update(state=State.FAILED, reason=effect.last_error[:200])


# ---- a test to oneself


def ask_test(event: str, shop: Shop | None, order: Order, *, by: User, key: str, variant: str = "") -> None:
    """Send the saved template, filled with this order, to the person who asks. Once per `key`."""
    payload = {"event": event, "shop": shop.pk if shop else None, "order": order.pk, "person": by.pk}
    payload["variant"] = variant
    with transaction.atomic():
        put([NewEffect("mail_test", f"mail_test:{key}", f"person:{by.pk}:mail_test", payload)])


def deliver_test(effect: Effect) -> None:
    """Handler of the effect kind `mail_test`. A doubled test mail does no harm."""
    given = effect.payload
    person = User.objects.get(pk=given["person"])
    if not is_address(person.email):
        raise GiveUp(said("あなたのメールアドレスが登録されていません。"))
    order = Order.objects.select_related("shop").prefetch_related("lines", "recipients", "texts").get(pk=given["order"])
    template = MailTemplate.objects.get(event=given["event"], shop=given["shop"], variant=given.get("variant", ""))
    text = filled(template, values_of(order, BROUGHT.get(given["event"])))
    sender = order.shop.mail_from or settings.DEFAULT_FROM_EMAIL
    text = Text((_("[テスト] %(subject)s") % {"subject": text.subject})[:200], text.body, text.html)
    message_id = f"<{effect.key.replace(':', '.')}@{sender.split('@')[-1]}>"
    message = message_for(text, to=person.email, sender=sender, message_id=message_id, marketing=False)
    try:
        mailer.deliver(message, last_word=lambda: None)
    except smtplib.SMTPException as error:
        raise GiveUp(
            said("メールサーバーに送れません（%(error)s）。", error=type(error).__name__)
        ) from error  # fmt: skip
    except OSError as error:
        raise Retry(
            said("メールサーバーに送れません（%(error)s）。自動で再試行します。", error=type(error).__name__)
        ) from error
