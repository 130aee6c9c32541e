"""Authorised money: warned of before it ends, and taken when the goods leave."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.money import yen
from oms.kernel.said import said
from orders.models import Order, ReviewReason, TaskKind
from orders.models.order import PaymentState
from orders.services import review, tasks
from orders.services.channel_words import page_of

LOOK_AHEAD_DAYS = 7
BATCH = 500


def warn_of_ends() -> int:
    """Evaluate the reasons of orders whose authorisation ends soon and that have no such reason; returns how many."""
    soon = clock.now() + timedelta(days=LOOK_AHEAD_DAYS)
    rows = Order.objects.filter(
        payment_state=PaymentState.AUTHORIZED,
        authorized_until__lte=soon,
        cancelled_at=None,
        shipped_at=None,
        fulfilled_by_channel=False,
    )
    known = ReviewReason.objects.filter(code="auth_expiring").exclude(state=ReviewReason.State.AUTO_RESOLVED)
    ids = list(rows.exclude(pk__in=known.values("order")).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            review.reevaluate(ids[start : start + BATCH])
    return len(ids)


def ask_capture(order_ids: Sequence[int]) -> int:
    """Of orders whose goods have just left: a task where nobody takes the authorised money by itself.

    Where the connector `captures`, the shipping notice does it. The caller holds the orders' locks.
    """
    rows = Order.objects.filter(
        pk__in=order_ids, payment_state=PaymentState.AUTHORIZED, shipped_at__isnull=False, cancelled_at=None
    )
    new = [
        capture_task(order, lazy("%(no)s: 出荷したので %(amount)s の売上を確定する"))
        for order in rows.select_related("shop")
        if not order.shop.can("captures") and not order.fulfilled_by_channel
    ]
    return len(tasks.ask(new))


def capture_key(order_id: int) -> str:
    """One task to capture an order's money, whoever asks for it."""
    return f"capture:{order_id}"


HELD = lazy("%(no)s: %(amount)s の売上を確定する")


def capture_task(order: Order, text: str | Promise = HELD) -> tasks.NewTask:
    """The task for a person to take the money that is held; `order` comes with its shop."""
    sentence = said(text, no=order.channel_order_no, amount=yen(order.total or 0))
    until = order.authorized_until
    return tasks.NewTask(capture_key(order.pk), order.pk, sentence, TaskKind.CAPTURE, page_of(order), until)
