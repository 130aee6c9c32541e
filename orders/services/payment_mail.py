"""Mails about money: sent where the company has a template in use for them, and otherwise not written at all."""

from collections.abc import Sequence

from orders.models import Order, Shop
from orders.services import mail


def send(order_ids: Sequence[int], event: str, *, suffix: str = "") -> int:
    """Schedule the event's mail for these orders, once per order and suffix; returns how many will go out."""
    if not order_ids:
        return 0
    shop_of = dict(Order.objects.filter(pk__in=order_ids).values_list("pk", "shop"))
    used = {shop.pk for shop in Shop.objects.filter(pk__in=set(shop_of.values())) if mail.template_for(shop, event)}
    wanted = [pk for pk in order_ids if shop_of.get(pk) in used]
    return mail.schedule_for(wanted, event, suffix=suffix) if wanted else 0
