"""Taking back that a payment was recorded, while nothing has followed from it."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from orders.models import Order, Shop
from orders.models.order import FulfillmentState, PaymentState
from orders.services import journal
from orders.services import stage as stages
from orders.services.journal import Actor, Entry


@transaction.atomic
def take_back(order_ids: Sequence[int], *, state: str, actor: Actor) -> list[int]:
    """Set paid orders back to `state` (unpaid or failed); returns those that changed. Takes the orders' locks by pk.

    Orders that went to work or were cancelled stay, and those whose channel was told: it cannot be untold.
    """
    told = [shop.pk for shop in Shop.objects.all() if shop.can("payment_report")]
    rows = Order.objects.filter(
        pk__in=order_ids,
        payment_state=PaymentState.PAID,
        cancelled_at=None,
        fulfillment_state=FulfillmentState.NONE,
    ).exclude(shop__in=told)
    locked = list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    Order.objects.filter(pk__in=locked).update(payment_state=state, paid_at=None, version=F("version") + 1)
    journal.write([Entry(id_, "unpaid") for id_ in locked], actor=actor)
    stages.recompute(locked, actor=actor)
    return locked
