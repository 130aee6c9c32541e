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
