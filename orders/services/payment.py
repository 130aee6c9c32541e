"""Recording money that arrived outside the channels."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from oms.kernel import clock
from orders.models import Order
from orders.models.order import PaymentState
from orders.services import channel_words, journal
from orders.services import stage as stages
from orders.services.journal import Actor, Entry
from orders.services.rules import run as rules


@transaction.atomic
def record_payments(order_ids: Sequence[int], *, actor: Actor, note: str = "") -> list[int]:
    """Set unpaid open orders to paid; returns those that changed. Channels that can be told are told."""
    rows = Order.objects.select_for_update(no_key=True).filter(
        pk__in=order_ids, cancelled_at__isnull=True, payment_state__in=[PaymentState.UNPAID, PaymentState.FAILED]
    )
    paid = list(rows.order_by("pk").values_list("pk", flat=True))
    Order.objects.filter(pk__in=paid).update(
        payment_state=PaymentState.PAID, paid_at=clock.now(), version=F("version") + 1
    )
    journal.write([Entry(order_id, "paid", note) for order_id in paid], actor=actor)
    channel_words.report_payments(paid, actor=actor)
    rules.run_behind(paid, dict.fromkeys(paid, ("paid",)))
    stages.recompute(paid, actor=actor)
    return paid
