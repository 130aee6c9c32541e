"""Mails about money: sent where the company has a template in use for them, and otherwise not written at all."""

from collections.abc import Mapping, Sequence

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from oms.kernel.said import said
from orders.models import Mail, Order, Shop
from orders.models.mail import MailEvent
from orders.services import mail
from orders.services.journal import SYSTEM, Actor


def send(order_ids: Sequence[int], event: str, *, suffix: str = "", extra: Mapping[str, str] | None = None) -> int:
    """Schedule the event's mail for these orders, once per order and suffix; returns how many will go out."""
    if not order_ids:
        return 0
    shop_of = dict(Order.objects.filter(pk__in=order_ids).values_list("pk", "shop"))
    used = {shop.pk for shop in Shop.objects.filter(pk__in=set(shop_of.values())) if mail.template_for(shop, event)}
    wanted = [pk for pk in order_ids if shop_of.get(pk) in used]
    return mail.schedule_for(wanted, event, suffix=suffix, extra=extra) if wanted else 0


def thank(order_ids: Sequence[int]) -> int:
    """The mail that confirms a payment, once for each order."""
    return send(order_ids, MailEvent.PAYMENT_RECEIVED)


# What asks the buyer to pay, or to pay otherwise.
ASKING = (
    MailEvent.PAYMENT_REQUEST,
    MailEvent.PAYMENT_REMINDER,
    MailEvent.PAYMENT_FINAL,
    MailEvent.PAYMENT_CHANGE_REQUEST,
)
PAID = said("入金を確認したため送りません。")
OTHERWISE = said("支払方法が変わったため送りません。")


def ask_no_more(order_ids: Sequence[int], *, why: str, actor: Actor = SYSTEM) -> int:
    """Pull back what still waits to ask these orders' buyers for money. The caller holds the orders' locks."""
    return mail.withdraw(Mail.objects.filter(order__in=order_ids, event__in=ASKING), reason=why, actor=actor)


def ask_after_all(order_ids: Sequence[int], *, why: str) -> int:
    """What was pulled back for this reason waits for a person again: the reason is gone. Returns how many do."""
    rows = Mail.objects.filter(order__in=order_ids, event__in=ASKING, state=Mail.State.SUPPRESSED, reason=why)
    return rows.update(
        state=Mail.State.DRAFT, reason=said("送らない理由がなくなりました。送るかどうか確かめてください。")
    )


def take_thanks_back(order_ids: Sequence[int], *, actor: Actor = SYSTEM) -> int:
    """The payment was none: a confirmation that still waits is not sent, and the true one may be later. Returns how
    many were pulled back. The caller holds the orders' locks."""
    waiting = [Mail.State.SCHEDULED, Mail.State.DRAFT]
    rows = Mail.objects.filter(order__in=order_ids, event=MailEvent.PAYMENT_RECEIVED, state__in=waiting)
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    stopped = mail.withdraw(
        Mail.objects.filter(pk__in=ids), reason=said("入金が取り消されたため送りません。"), actor=actor
    )
    free_key = Concat(F("key"), Value(":gone:"), Cast("pk", CharField()), output_field=CharField())
    Mail.objects.filter(pk__in=ids, state=Mail.State.SUPPRESSED).update(key=free_key)  # for the payment that comes
    return stopped
