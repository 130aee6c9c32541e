"""What payment providers are told by hand: numbers for convenience stores, bills of deferred payment, and that held
money is not to be taken after all."""

from collections.abc import Mapping, Sequence

from oms.kernel.money import yen
from oms.kernel.said import said
from orders.decide.cut import Sums
from orders.models import Cancellation, Order, OrderTask, TaskKind
from orders.models.order import PaymentMethod, PaymentState
from orders.models.payment import Collector
from orders.services import ledger, tasks
from orders.services.channel_words import page_of
from orders.services.journal import Actor
from orders.services.payment_terms import TermsOfShops, rule_for

HELD = frozenset({PaymentState.UNPAID, PaymentState.AUTHORIZED})


def total_moved(order: Order, before: Sums, after: Sums, *, key: str, actor: Actor) -> None:
    """Another total needs another number, or another review, and held money is taken at that total. The order comes
    with its shop; the caller holds its lock."""
    if before.total == after.total or after.total is None:
        return
    say_what_to_take([order], {order.pk: after.total})
    if rule_for(order).collector != Collector.PROVIDER:
        return
    words = {"no": order.channel_order_no, "total": yen(after.total)}
    if order.payment_method == PaymentMethod.CONVENIENCE and order.payment_state == PaymentState.UNPAID:
        text = said("%(no)s: コンビニの支払番号を %(total)s で発行し直す", **words)
    elif order.payment_method == PaymentMethod.DEFERRED and order.payment_state in HELD:
        text = said("%(no)s: 後払いの請求額を %(total)s に変え、審査を受け直す", **words)
    else:
        return
    _drop_older([order.pk], actor)
    new = tasks.NewTask(f"provider:{order.pk}:{key}", order.pk, text, TaskKind.CHANGE, page_of(order))
    tasks.ask([new], actor=actor)


def say_what_to_take(orders: Sequence[Order], totals: Mapping[int, int] | None = None) -> None:
    """Open tasks to take held money say what is to be taken by now. The caller holds the orders' locks."""
    for order_id, text in words_to_take(orders, totals).items():
        OrderTask.objects.filter(order=order_id, kind=TaskKind.CAPTURE, done_at=None).update(text=text)


def words_to_take(orders: Sequence[Order], totals: Mapping[int, int] | None = None) -> dict[int, str]:
    """By order: that what is still held be taken: its total (the one given, where it has just moved) without what was
    let go of. Who pays later by a bill is billed once the parcel is known. One query."""
    free, found = ledger.released([order.pk for order in orders]), {}
    for order in orders:
        amount = max(0, (totals or {}).get(order.pk, order.total or 0) - free[order.pk])
        words = {"no": order.channel_order_no, "amount": yen(amount)}
        if order.shipped_at is None:
            found[order.pk] = said("%(no)s: %(amount)s の売上を確定する", **words)
        elif order.payment_method == PaymentMethod.DEFERRED:
            found[order.pk] = said(
                "%(no)s: 出荷したので、後払い会社の画面に送り状番号 %(tracking)s と請求額 %(amount)s を登録する",
                tracking=order.tracking_label or "―",
                **words,
            )
        else:
            found[order.pk] = said("%(no)s: 出荷したので %(amount)s の売上を確定する", **words)
    return found


def _drop_older(order_ids: Sequence[int], actor: Actor) -> None:
    """A total that is no longer the last one is not told any more."""
    rows = OrderTask.objects.filter(
        order__in=order_ids, kind=TaskKind.CHANGE, key__startswith="provider:", done_at=None
    )
    tasks.withdraw(list(rows.values_list("key", flat=True)), actor=actor)


def take_no_more(order_ids: Sequence[int], *, actor: Actor) -> None:
    """Nobody takes the money that was held for these orders: it is called off, or paid in another way. The caller holds
    their locks."""
    rows = OrderTask.objects.filter(order__in=order_ids, kind=TaskKind.CAPTURE, done_at=None)
    tasks.withdraw(list(rows.values_list("key", flat=True)), actor=actor)


def cancelled(cancellations: Sequence[Cancellation], *, actor: Actor) -> None:
    """What the buyer could still pay, or be granted, at a provider, and what we could still take. What a sweep cancels
    as unpaid has run out by itself."""
    orders = [one.order for one in cancellations if one.whole]
    take_no_more([order.pk for order in orders], actor=actor)
    if actor.by is None:
        return
    _drop_older([order.pk for order in orders], actor)
    terms = TermsOfShops({order.shop for order in orders})
    tasks.ask(
        [
            tasks.NewTask(f"provider:{order.pk}:void", order.pk, text, TaskKind.VOID, page_of(order))
            for order in orders
            if (text := still_open(order, terms))
        ],
        actor=actor,
    )


def still_open(order: Order, terms: TermsOfShops) -> str:
    """What has to be called off at the provider when an unpaid order will not be paid that way; "" for nothing. The
    order comes with its shop."""
    if order.payment_state != PaymentState.UNPAID or terms.of_order(order).collector != Collector.PROVIDER:
        return ""
    if order.payment_method == PaymentMethod.CONVENIENCE:
        return said("%(no)s: コンビニの支払番号を取り消す", no=order.channel_order_no)
    if order.payment_method == PaymentMethod.DEFERRED:
        return said("%(no)s: 後払いの審査の申込みを取り消す", no=order.channel_order_no)
    return ""
