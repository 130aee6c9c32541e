"""Refusing a buyer's wish to cancel: the channel is told where it can be, else a person is asked; the order goes on."""

from django.db import transaction

from oms.kernel.said import said
from orders.models import Order, TaskKind
from orders.services import channel_words, review, tasks
from orders.services.channel_words import Spoken
from orders.services.journal import Actor


@transaction.atomic
def decline(order_id: int, *, message: str, actor: Actor) -> Spoken:
    """Takes the order's lock. A wish that is answered already, or an order that is cancelled, is refused."""
    spoken = channel_words.answer_cancel(order_id, accept=False, message=message, actor=actor)
    if spoken.refused:
        return spoken
    order = Order.objects.get(pk=order_id)
    if spoken.by_hand:
        text = said(
            "%(no)s: モールの画面でキャンセル申請を断る（%(message)s）", no=order.channel_order_no, message=message
        )
        link = spoken.by_hand[order_id]
        key = f"decline_cancel:{order_id}:{order.channel_updated_at or order.version}"
        tasks.ask([tasks.NewTask(key[:80], order_id, text[:200], TaskKind.CANCEL, link)], actor=actor)
    note = message[:300] or said("キャンセル申請を断る")
    review.accept([order_id], codes=["channel_cancel_request"], actor=actor, note=note)
    return spoken
