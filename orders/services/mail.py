"""Mails to customers: decided in the database, sent by the outbox (`mail_send`), each at most once per key."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from psycopg.types.json import Jsonb

from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.models import Effect
from oms.kernel.said import said, stored, together
from oms.kernel.services.outbox import NewEffect, put
from orders.channel_order import MOVED_IN, ChannelOrder, ChannelState
from orders.decide.mail_rules import Channel, Facts, Wishes, why_not
from orders.models import Mail, MailPolicy, MailTemplate, Order, OrderChoice, Shop
from orders.models.mail import MailEvent
from orders.services import journal, mail_addresses
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.mail_texts import ensure_standard_templates

State = Mail.State

INSERT = """
INSERT INTO orders_mail (order_id, event, key, "to", subject, body, state, reason, created_at, due_at, extra, edited,
                         by_id)
SELECT m.order_id, %(event)s, m.key, m.recipient, '', '', CASE WHEN off.id IS NULL THEN m.state ELSE 'suppressed' END,
       coalesce(off.reason, m.reason), %(now)s, %(due)s, %(extra)s, false, %(by)s
  FROM unnest(%(orders)s::bigint[], %(keys)s::text[], %(to)s::text[], %(states)s::text[], %(reasons)s::text[])
       AS m(order_id, key, recipient, state, reason)
  LEFT JOIN orders_mail off ON off.key = %(event)s || ':' || m.order_id || ':off' AND off.state = 'suppressed'
ON CONFLICT (key) DO NOTHING RETURNING id, order_id, state
"""


def wants_thanks(order: ChannelOrder) -> bool:
    """An order that is complete and still to be handled; one found shipped or cancelled gets no late thanks, one
    moved in from another system was thanked there."""
    handled = order.state in {ChannelState.TO_CONFIRM, ChannelState.OPEN} and not order.fulfilled_by_channel
    return handled and MOVED_IN not in order.flags


def schedule(
    shop: Shop,
    event: str,
    orders: Sequence[tuple[int, str]],
    *,
    suffix: str = "",
    delay_s: float | None = None,
    draft: bool = False,
    extra: Mapping[str, str] | None = None,
    actor: Actor = SYSTEM,
) -> int:
    """Write one mail per (order id, address) of a shop, with the effect that sends it. Known keys change nothing.

    What the channel forbids, the shop or its address list does not want, or has no address for, is written as
    suppressed with the reason, so that the order page can say why nothing was sent. So is what was switched off for an
    order. A `draft` waits for a person, and so does every mail of a template that asks for review. Without `delay_s`
    the template's, the shop's or the house's delay holds. `extra` are values of these mails alone. Returns how many
    will be sent.
    """
    if not orders:
        return 0
    template = template_for(shop, event)
    policy = MailPolicy.objects.filter(shop=shop).first()
    wait = _delay(template, policy) if delay_s is None else delay_s
    passed = (State.DRAFT if draft or (template and template.review) else State.SCHEDULED).value
    verdicts = _against(shop, event, orders, policy)
    now = clock.now()
    values: dict[str, Any] = {
        "event": str(event),
        "now": now,
        "due": now + timedelta(seconds=wait),
        "extra": Jsonb(dict(extra or {})),
        "by": actor.by.pk if actor.by else None,
        "orders": [order_id for order_id, _address in orders],
        "keys": [f"{event}:{order_id}{suffix}" for order_id, _address in orders],
        "to": [address for _id, address in orders],
        "states": [State.SUPPRESSED.value if reason else passed for reason in verdicts],
        "reasons": [stored(reason) for reason in verdicts],
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values)
        written = cursor.fetchall()
    due = [(mail_id, order_id) for mail_id, order_id, state in written if state == State.SCHEDULED]
    put([_effect(mail_id, order_id, wait) for mail_id, order_id in due])
    return len(due)


def _effect(mail_id: int, order_id: int, delay_s: float = 0) -> NewEffect:
    """Each mail is a subject of its own: one that fails, or waits long, keeps no other from going out."""
    return NewEffect("mail", f"mail:{mail_id}", f"order:{order_id}:mail:{mail_id}", {"mail": mail_id}, delay_s=delay_s)


def _delay(template: MailTemplate | None, policy: MailPolicy | None) -> float:
    if template and template.delay_s is not None:
        return template.delay_s
    return policy.send_delay_s if policy and policy.send_delay_s is not None else settings.MAIL_DELAY_S


def reasons_against(shop: Shop, event: str, orders: Sequence[tuple[int, str]]) -> list[str]:
    """Why a mail of this event would not be sent to each of these; empty strings for those that would."""
    return _against(shop, event, orders, MailPolicy.objects.filter(shop=shop).first())


def _against(shop: Shop, event: str, orders: Sequence[tuple[int, str]], policy: MailPolicy | None) -> list[str]:
    channel = Channel.of(shop.capabilities)
    wishes = Wishes(policy.off_events, policy.quiet_marks) if policy else Wishes()
    stops = mail_addresses.stops_of(address for _id, address in orders)
    marks = _marks([order_id for order_id, _address in orders]) if wishes.quiet_marks else {}
    return [
        why_not(
            Facts(event, address, stops.get(mail_addresses.folded(address), ()), marks.get(order_id, ())),
            channel,
            wishes,
        )
        for order_id, address in orders
    ]


def _marks(order_ids: Sequence[int]) -> dict[int, Sequence[str]]:
    """What stands on an order for shops that keep marked orders quiet."""
    rows = Order.objects.filter(pk__in=order_ids).values_list("pk", "flags", "tags")
    return {pk: [*flags, *tags] for pk, flags, tags in rows}


def schedule_for(
    order_ids: Sequence[int],
    event: str,
    *,
    suffix: str = "",
    delay_s: float | None = None,
    draft: bool = False,
    extra: Mapping[str, str] | None = None,
    actor: Actor = SYSTEM,
) -> int:
    """`schedule` for stored orders of any shops."""
    by_shop: dict[int, list[tuple[int, str]]] = {}
    for order_id, shop_id, address in Order.objects.filter(pk__in=order_ids).values_list("pk", "shop", "buyer_email"):
        by_shop.setdefault(shop_id, []).append((order_id, address))
    shops = Shop.objects.in_bulk(by_shop)
    return sum(
        schedule(
            shops[shop_id], event, rows, suffix=suffix, delay_s=delay_s, draft=draft, extra=extra, actor=actor
        )
        for shop_id, rows in by_shop.items()
    )  # fmt: skip


def template_for(shop: Shop, event: str, variant: str = "") -> MailTemplate | None:
    """The shop's own template, else the company's; None when the event is switched off. With `variant` the text of
    that name where there is one in use."""
    rows = MailTemplate.objects.filter(Q(shop=shop) | Q(shop=None), event=event)
    named = rows.filter(variant=variant, active=True) if variant else rows.none()
    usual = rows.filter(variant="").order_by(F("shop").asc(nulls_last=True)).first()
    if usual is None or not usual.active:
        return None
    return named.order_by(F("shop").asc(nulls_last=True)).first() or usual


def template_of(mail: Mail) -> MailTemplate | None:
    """The template of a mail, with the text that was chosen for its order; it comes with its order and shop."""
    chosen = OrderChoice.objects.filter(order=mail.order_id, subject=f"mail:{mail.event}").values_list("values")
    variant = next((values["variant"] for (values,) in chosen), "")
    return template_for(mail.order.shop, mail.event, variant)


def is_on(shop: Shop, event: str) -> bool:
    return template_for(shop, event) is not None


# ---- drafts, and what people decide about mails that wait


def why_no_draft(order: Order, event: str) -> str:
    """Why a mail of this event would not be sent for this order, in words; empty when a draft makes sense. The order
    comes with its shop."""
    if not is_on(order.shop, event):
        return said("テンプレートが使われない設定です。メールテンプレートで「このメールを送る」を選んでください。")
    if Mail.objects.filter(key=f"{event}:{order.pk}:off").exists():
        return said("この受注には送らない設定の種類です。「また送る」を押してから作ってください。")
    return reasons_against(order.shop, event, [(order.pk, order.buyer_email)])[0]


def why_not_now(mail: Mail) -> str:
    """Why a mail that was written before must not go out any more: its address ended advertising or bounced, its order
    got a mark, its shop or mall forbids the kind since. Empty when it may. The mail comes with its order and shop."""
    return reasons_against(mail.order.shop, mail.event, [(mail.order_id, mail.to)])[0]


@transaction.atomic
def draft(event: str, order_id: int, *, key: str, message: str = "", actor: Actor = SYSTEM) -> Mail:
    """A mail of this event that waits for a person, with `message` as its `mail.message`. The same key makes one mail,
    whatever became of it since. It may come back suppressed, with the reason."""
    suffix = f":draft:{key}"
    extra = {"mail.message": message} if message else {}
    schedule_for([order_id], event, suffix=suffix, draft=True, extra=extra, actor=actor)
    return Mail.objects.get(key=f"{event}:{order_id}{suffix}")


@transaction.atomic
def send_draft(mail_id: int, *, actor: Actor = SYSTEM) -> bool:
    """A person has read the draft: it goes out. False when it is no draft (any more), or is being worked on."""
    mail = _locked(mail_id, {State.DRAFT})
    if mail is None or not _arm(mail):
        return False
    Mail.objects.filter(pk=mail_id).update(state=State.SCHEDULED, reason="", due_at=clock.now())
    journal.write([Entry(mail.order_id, "mail_approved", said(MailEvent(mail.event).label))], actor=actor)
    return True


@transaction.atomic
def send_again(mail_id: int, *, actor: Actor = SYSTEM) -> bool:
    """A mail that failed, bounced, was pulled back or of which nobody knows is sent to the order's present address."""
    states = {State.FAILED, State.BOUNCED, State.UNCERTAIN, State.SUPPRESSED}
    mail = _locked(mail_id, states)
    if mail is None:
        return False
    order = Order.objects.select_related("shop").get(pk=mail.order_id)
    why = reasons_against(order.shop, mail.event, [(order.pk, order.buyer_email)])[0]
    if why or not _arm(mail):
        Mail.objects.filter(pk=mail_id).update(reason=why or mail.reason)
        return False
    Mail.objects.filter(pk=mail_id).update(
        state=State.SCHEDULED, reason="", to=order.buyer_email, due_at=clock.now(), sent_at=None
    )
    journal.write([Entry(mail.order_id, "mail_again", said(MailEvent(mail.event).label))], actor=actor)
    return True


@transaction.atomic
def was_sent(mail_id: int, *, actor: Actor = SYSTEM) -> bool:
    """A person found the uncertain mail at the mail server: it was sent."""
    mail = _locked(mail_id, {State.UNCERTAIN})
    if mail is None:
        return False
    Mail.objects.filter(pk=mail_id).update(
        state=State.SENT, reason=said("担当者が送信済みと確認しました。"), sent_at=clock.now()
    )
    journal.write([Entry(mail.order_id, "mail_sent", said(MailEvent(mail.event).label))], actor=actor)
    return True


@transaction.atomic
def withdraw(mails: QuerySet[Mail], *, reason: str, actor: Actor = SYSTEM) -> int:
    """Do not send what still waits; returns how many. What is being sent right now is sent."""
    waiting = mails.filter(state__in=[State.SCHEDULED, State.DRAFT]).select_for_update(no_key=True, of=("self",))
    stopped: list[Mail] = list(waiting.order_by("pk"))
    ids = [mail.pk for mail in stopped]
    Mail.objects.filter(pk__in=ids).update(state=State.SUPPRESSED, reason=reason[:200])
    Effect.objects.filter(key__in=[f"mail:{pk}" for pk in ids], state=Effect.State.WAITING).update(
        state=Effect.State.CANCELLED, done_at=clock.now()
    )
    journal.write(
        [Entry(mail.order_id, "mail_withdrawn", said(MailEvent(mail.event).label)) for mail in stopped], actor=actor
    )
    return len(ids)


@transaction.atomic
def redirect(order_id: int, *, to: str, actor: Actor = SYSTEM) -> int:
    """What still waits for this order goes to another address, or nowhere where nothing may be sent there; returns how
    many go."""
    order = Order.objects.select_related("shop").get(pk=order_id)
    rows = Mail.objects.filter(order=order_id, state__in=[State.SCHEDULED, State.DRAFT])
    waiting = list(rows.select_for_update(no_key=True).order_by("pk"))
    against = {mail.pk: reasons_against(order.shop, mail.event, [(order_id, to)])[0] for mail in waiting}
    sent = [pk for pk, why in against.items() if not why]
    Mail.objects.filter(pk__in=sent).update(to=to)
    for pk, why in against.items():
        if why:
            withdraw(Mail.objects.filter(pk=pk), reason=why, actor=actor)
    return len(sent)


@transaction.atomic
def rewrite(mail_id: int, *, subject: str, body: str, actor: Actor = SYSTEM) -> bool:
    """The text of a mail that waits for review, as a person wants it. False when it waits no more."""
    mail = _locked(mail_id, {State.DRAFT})
    if mail is None:
        return False
    Mail.objects.filter(pk=mail_id).update(
        subject=" ".join(subject.split())[:200], body=body, html="", edited=True, reason=""
    )
    journal.write([Entry(mail.order_id, "mail_edited", said(MailEvent(mail.event).label))], actor=actor)
    return True


@transaction.atomic
def switch_off(order_id: int, event: str, *, reason: str, actor: Actor = SYSTEM) -> None:
    """No mail of this event for this order: not the one that waits, not one to come."""
    _row, made = Mail.objects.update_or_create(
        key=f"{event}:{order_id}:off",
        defaults={
            "order_id": order_id,
            "event": event,
            "to": "",
            "state": State.SUPPRESSED,
            "reason": reason[:200],
            "created_at": clock.now(),
        },
    )
    if made:
        journal.write([Entry(order_id, "mail_off", together([said(MailEvent(event).label), reason], " "))], actor=actor)
    withdraw(Mail.objects.filter(order=order_id, event=event), reason=reason, actor=actor)


@transaction.atomic
def switch_on(order_id: int, event: str, *, actor: Actor = SYSTEM) -> None:
    """Mails of this event may be sent again; what was not sent stays unsent."""
    gone, _rows = Mail.objects.filter(key=f"{event}:{order_id}:off").delete()
    if gone:
        journal.write([Entry(order_id, "mail_on", said(MailEvent(event).label))], actor=actor)


def _locked(mail_id: int, states: set[State]) -> Mail | None:
    rows = Mail.objects.select_for_update(no_key=True).filter(pk=mail_id, state__in=states)
    return rows.exclude(key__endswith=":off").order_by("pk").first()


def _arm(mail: Mail) -> bool:
    """Have the outbox send this mail now, whatever became of it before. False while a worker holds it."""
    known = Effect.objects.select_for_update(no_key=True).filter(key=f"mail:{mail.pk}").order_by("pk").first()
    if known is None:
        put([_effect(mail.pk, mail.order_id)])
        return True
    if known.state == Effect.State.RUNNING:
        return False
    Effect.objects.filter(pk=known.pk).update(
        state=Effect.State.WAITING, attempts=0, last_error="", done_at=None, next_try_at=clock.now()
    )
    later("oms.kernel.tasks.deliver_effects")
    return True


__all__ = ["Mail", "draft", "ensure_standard_templates", "schedule", "schedule_for", "send_draft", "withdraw"]
