"""What follows from a cancellation beside stock and words to the channel: money back, and what a person must do."""

from collections.abc import Collection, Sequence

from oms.kernel.said import said
from orders.models import Cancellation, Order, OrderTask, TaskKind
from orders.models.order import FulfillmentState, PaymentState
from orders.services import journal, provider_tasks, refunds, tasks
from orders.services.channel_words import page_of
from orders.services.internal import is_internal
from orders.services.journal import Actor, Entry


def refund_key(cancellation: Cancellation) -> str:
    return f"cancel:{cancellation.pk}"


def task_key(cancellation: Cancellation) -> str:
    return f"cancel:{cancellation.pk}"


def is_only_held(order: Order) -> bool:
    """Authorised, and nothing of it has been taken yet."""
    nothing_left = order.fulfillment_state in {FulfillmentState.NONE, FulfillmentState.INSTRUCTED}
    return order.payment_state == PaymentState.AUTHORIZED and nothing_left and not order.payments.exists()


def settle(cancellations: Sequence[Cancellation], *, by_hand: Collection[int], spent: int = 0, actor: Actor) -> None:
    """Open the refunds of these decisions and the tasks of those whose channel a person must tell (`by_hand`).
    `spent` yen of each pay for other goods, or a dearer fee, and are not refunded; below 0 so much goes back beside
    the pieces, of a fee that fell.

    The caller holds the orders' locks, and has not lowered any quantity yet.
    """
    _forget([one.order_id for one in cancellations if one.whole], actor)
    for one in cancellations:
        if one.refund:
            by_channel = one.order_id not in by_hand and not spent and not is_internal(one.order)
            _refund(one, by_channel=by_channel, spent=spent, actor=actor)
    provider_tasks.cancelled(cancellations, actor=actor)
    asked = [one for one in cancellations if one.order_id in by_hand]
    tasks.ask([_task(one) for one in asked], actor=actor)


# What a cancelled order does not need any more: its changes on the mall's page, the word that it is paid, a new
# authorisation.
MOOT = (TaskKind.CHANGE, TaskKind.REPORT, TaskKind.REAUTHORIZE)


def _forget(order_ids: Sequence[int], actor: Actor) -> None:
    rows = OrderTask.objects.filter(order__in=order_ids, kind__in=MOOT, done_at=None)
    tasks.withdraw(list(rows.order_by("pk").values_list("key", flat=True)), actor=actor)


def _refund(one: Cancellation, *, by_channel: bool, spent: int, actor: Actor) -> None:
    """Nothing to refund is no obstacle to a cancellation; the journal says so. Of money that is only held so far the
    lower total is taken when the goods leave: nothing goes back for pieces."""
    if not one.whole and is_only_held(one.order):
        words = said("売上の確定前のため返金はありません。出荷のとき、減った合計で確定します。")
        journal.write([Entry(one.order_id, "no_refund", words)], actor=actor)
        return
    pieces = None if one.whole else dict(one.lines.values_list("line", "quantity"))
    by_channel = by_channel and not one.lines.filter(line__set_line__isnull=False).exists()
    # A channel that cancelled pays back all, though a part has left before it could be stopped.
    all_of_it = one.whole or one.asked_by == Cancellation.AskedBy.CHANNEL
    by_channel = by_channel and one.order.shop.can("cancel" if all_of_it else "partial_cancel")
    try:
        refunds.open_refund(
            one.order_id,
            key=refund_key(one),
            wish=refunds.Wish(pieces, deduction=max(0, spent), surplus=max(0, -spent)),
            reason=one.text,
            actor=actor,
            by_channel=by_channel,
            decided_by=one.by,
        )
    except refunds.NothingToRefund as nothing:
        journal.write([Entry(one.order_id, "no_refund", str(nothing))], actor=actor)


def _task(one: Cancellation) -> tasks.NewTask:
    what = said("注文全体") if one.whole else said("一部の商品")
    text = said(
        "%(no)s: モールの画面で%(what)sをキャンセルする（%(why)s）",
        no=one.order.channel_order_no,
        what=what,
        why=one.text,
    )
    return tasks.NewTask(task_key(one), one.order_id, text, TaskKind.CANCEL, page_of(one.order))
