"""What a merge does to its orders' money: shipping, and a second cash fee, are charged once.

What is not charged any more goes off the order's own shipping and fee, so that tax, papers and refunds follow it at its
rate; money that has come is due back through the ledger. Where a mall's total binds and nothing was paid yet, a person
lowers it on the mall's page. The caller holds the orders' locks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F

from fulfillment.decide.merging import Saved
from fulfillment.models import Merge, MergedOrder
from oms.kernel.money import yen
from oms.kernel.said import said
from orders.decide.payment_fees import charged_more
from orders.models import Order, Refund, TaskKind
from orders.models.order import PaymentState
from orders.services import fee_follows, ledger, payment_fees, refunds, review, tasks
from orders.services.channel_words import page_of
from orders.services.journal import Actor
from orders.services.payment_fees import sets_own_price

COLUMNS = ("shipping_fee", "fees", "total", "tax", "tax_by_rate")


def affordable(saved: Mapping[int, Saved], orders: Mapping[int, Order]) -> dict[int, Saved]:
    """What the orders' totals can bear: points may have paid nearly everything."""
    found = {id_: one.within(orders[id_].total or 0) for id_, one in saved.items()}
    return {id_: one for id_, one in found.items() if one.all > 0}


def give(merge: Merge, saved: Mapping[int, Saved], orders: Mapping[int, Order], *, actor: Actor) -> None:
    """Charge these orders so much less and see to what that means for each one's money. `orders` as they were."""
    for order_id in sorted(saved):
        order, before = orders[order_id], _charges(orders[order_id])
        if order.payment_state == PaymentState.PAID:
            ledger.book_channel_money(order, actor=actor)
        after = _moved(order, -saved[order_id].shipping, -saved[order_id].fees)
        _put(order_id, after)
        MergedOrder.objects.filter(merge=merge, order=order_id, active=True).update(
            discount=saved[order_id].all, charges={"before": before, "after": after}
        )
    ids = sorted(saved)
    ledger.settle(ids, actor=actor)
    review.sync(ids)
    for order in Order.objects.filter(pk__in=ids).select_related("shop").order_by("pk"):
        _see_to(merge, order, saved[order.pk].all, actor)


def _charges(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in COLUMNS}


def _moved(order: Order, shipping: int, fees: int) -> dict[str, Any]:
    """The order's columns with its shipping and fee moved by so much: both bear the standard rate."""
    more = shipping + fees
    part = fee_follows.at_standard_rate(order)
    charges = charged_more(payment_fees.charges_of(order), more, standard=part)
    return {
        "shipping_fee": order.shipping_fee + shipping,
        "fees": order.fees + fees,
        "total": charges.total,
        "tax": charges.tax,
        "tax_by_rate": [list(rate) for rate in charges.by_rate],
    }


def _put(order_id: int, columns: Mapping[str, Any]) -> None:
    Order.objects.filter(pk=order_id).update(**columns, version=F("version") + 1)


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
    rises = {}
    for member in given:
        order = orders[member.order_id]
        back = _back(order, member)
        if more := (back["total"] or 0) - (order.total or 0):
            _put(order.pk, back)
            rises[order.pk] = more
    ids = sorted(member.order_id for member in given)
    ledger.settle(ids, actor=actor)
    review.sync(ids)
    return rises


def _back(order: Order, member: MergedOrder) -> dict[str, Any]:
    """The order's columns without the merge: those of before to the yen, unless something moved them since. A channel
    that told the shipping anew has the last word, and so has a fee that was reckoned anew."""
    now = _charges(order)
    if not member.charges:  # merged before the columns were kept: a discount stands for what was saved
        off = member.discount if order.discount >= member.discount else 0
        Order.objects.filter(pk=order.pk).update(discount=order.discount - off)
        return now | {"total": (order.total or 0) + off}
    before, after = member.charges["before"], member.charges["after"]
    if now == after:
        return dict(before)
    if now["shipping_fee"] != after["shipping_fee"]:
        return now
    fees = before["fees"] - after["fees"] if now["fees"] == after["fees"] else 0
    return _moved(order, before["shipping_fee"] - after["shipping_fee"], fees)


def key_of(merge_id: int, order_id: int) -> str:
    return f"merge:{merge_id}:{order_id}:refund"


def task_of(merge_id: int, order_id: int) -> str:
    return f"merge:{merge_id}:{order_id}:lower"
