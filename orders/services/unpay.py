"""Taking back that a payment was recorded by hand, while nothing has followed from it."""

from collections.abc import Sequence

from django.db import transaction

from oms.kernel.money import yen
from orders.models import Order, PaymentEntry, Shop
from orders.models.order import FulfillmentState, PaymentState
from orders.services import journal, ledger, payment
from orders.services.journal import Actor, Entry


@transaction.atomic
def take_back(order_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """Undo the last entry that a person made for these paid orders; returns those that changed. Takes the locks.

    Orders that went to work or were cancelled stay, those whose money is promised back, and those whose channel was
    told: it cannot be untold.
    """
    told = [shop.pk for shop in Shop.objects.all() if shop.can("payment_report")]
    ledger.lock(order_ids)
    open_to = Order.objects.filter(
        pk__in=order_ids,
        payment_state__in=[PaymentState.PAID, PaymentState.OVERPAID, PaymentState.PARTIALLY_PAID],
        cancelled_at=None,
        fulfillment_state=FulfillmentState.NONE,
    ).exclude(shop__in=told)
    kinds = [PaymentEntry.Kind.RECORDED, PaymentEntry.Kind.UNDONE]
    entries = list(PaymentEntry.objects.filter(order__in=open_to, kind__in=kinds).order_by("pk"))
    undone = payment.undone_keys(entries)
    last = {entry.order_id: entry for entry in entries if entry.amount > 0 and entry.key not in undone}
    free = ledger.free_money(list(last))
    last = {order_id: entry for order_id, entry in last.items() if entry.amount <= free[order_id]}
    ledger.post(
        [
            ledger.New(order_id, PaymentEntry.Kind.UNDONE, -entry.amount, f"{entry.key}:undone")
            for order_id, entry in last.items()
        ],
        actor=actor,
    )
    journal.write(
        [Entry(order_id, "payment_undone", yen(entry.amount)) for order_id, entry in last.items()], actor=actor
    )
    payment.follow(list(last), actor=actor)
    return list(last)
