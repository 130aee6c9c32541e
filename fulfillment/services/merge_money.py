"""What a merge does to its orders' money: shipping, and a second cash fee, are charged once.

The total falls before payment as a discount; money that has come is due back through the ledger. Where a mall's total
binds and nothing was paid yet, a person lowers it on the mall's page. The caller holds the orders' locks.
"""

from collections.abc import Mapping, Sequence

from django.db.models import F

from fulfillment.models import Merge, MergedOrder
from oms.kernel.money import yen
from oms.kernel.said import said
from orders.models import Order, Refund, TaskKind
from orders.models.order import PaymentState
from orders.services import ledger, refunds, review, tasks
from orders.services.channel_words import page_of
from orders.services.journal import Actor
from orders.services.payment_fees import sets_own_price


def affordable(discounts: Mapping[int, int], orders: Mapping[int, Order]) -> dict[int, int]:
    """The discounts that the orders' totals can bear: points may have paid nearly everything."""
    found = {id_: min(off, orders[id_].total or 0) for id_, off in discounts.items()}
    return {id_: off for id_, off in found.items() if off > 0}


def give(merge: Merge, discounts: Mapping[int, int], orders: Mapping[int, Order], *, actor: Actor) -> None:
    """Lower these orders' totals (order id → yen) and see to what that means for each one's money."""
    for order_id in sorted(discounts):
        if orders[order_id].payment_state == PaymentState.PAID:
            ledger.book_channel_money(orders[order_id], actor=actor)
        _lower(order_id, discounts[order_id])
    ids = sorted(discounts)
    ledger.settle(ids, actor=actor)
    review.sync(ids)
    for order in Order.objects.filter(pk__in=ids).select_related("shop").order_by("pk"):
        _see_to(merge, order, discounts[order.pk], actor)


def _lower(order_id: int, off: int) -> None:
    Order.objects.filter(pk=order_id).update(
        discount=F("discount") + off, total=F("total") - off, version=F("version") + 1
    )


def _see_to(merge: Merge, order: Order, off: int, actor: Actor) -> None:
    over = min(off, max(0, order.paid_amount - (order.total or 0)))
    if over:
        wish = refunds.Wish(quantities={}, surplus=over)
        reason = said("同梱により送料が1件分になったため")
        refunds.open_refund(order.pk, key=key_of(merge.pk, order.pk), wish=wish, reason=reason, actor=actor)
    elif not sets_own_price(order):
        text = said(
            "%(no)s: %(mall)sの画面で合計を %(total)s に下げる（同梱の送料 %(off)s）",
            no=order.channel_order_no,
            mall=order.shop.channel_label,
            total=yen(order.total or 0),
            off=yen(off),
        )
        new = tasks.NewTask(task_of(merge.pk, order.pk), order.pk, text, TaskKind.CHANGE, page_of(order))
        tasks.ask([new], actor=actor)


def why_not_back(members: Sequence[MergedOrder]) -> str:
    """Why the money of a merge cannot be put back, and what to do; empty when it can."""
    keys = [key_of(member.merge_id, member.order_id) for member in members]
    if Refund.objects.filter(key__in=keys, state=Refund.State.DONE).exists():
        return said(
            "同梱で安くなった送料を返金したあとのため、金額は元に戻せません。"
            "荷物だけを分けるときは「金額はそのままにする」を選んで解除してください。"
        )
    if tasks.finished([task_of(member.merge_id, member.order_id) for member in members]):
        return said(
            "モールの画面で合計を下げたあとのため、金額は元に戻せません。"
            "荷物だけを分けるときは「金額はそのままにする」を選んで解除してください。"
        )
    return ""


def take_back(members: Sequence[MergedOrder], orders: Mapping[int, Order], *, actor: Actor) -> dict[int, int]:
    """The totals are what they were, with the refunds and tasks of the merge withdrawn. What a buyer has got already
    stays given; so does what the channel told anew meanwhile. Returns order id → yen that its total rose by."""
    given = [member for member in members if member.discount and not why_not_back([member])]
    keys = [key_of(member.merge_id, member.order_id) for member in given]
    due = list(Refund.objects.filter(key__in=keys, state=Refund.State.DUE).order_by("pk").values_list("pk", flat=True))
    refunds.withdraw(due, actor=actor, note=said("同梱を解除したため"))
    tasks.withdraw([task_of(member.merge_id, member.order_id) for member in given], actor=actor)
    rises = {m.order_id: m.discount for m in given if orders[m.order_id].discount >= m.discount}
    for order_id, off in rises.items():
        _lower(order_id, -off)
    ids = sorted(member.order_id for member in given)
    ledger.settle(ids, actor=actor)
    review.sync(ids)
    return rises


def key_of(merge_id: int, order_id: int) -> str:
    return f"merge:{merge_id}:{order_id}:refund"


def task_of(merge_id: int, order_id: int) -> str:
    return f"merge:{merge_id}:{order_id}:lower"
