"""What our own payment providers are told by hand: numbers for convenience stores, bills of deferred payment."""

from collections.abc import Sequence

from oms.kernel.money import yen
from oms.kernel.said import said
from orders.decide.cut import Sums
from orders.models import Cancellation, Order, TaskKind
from orders.models.order import PaymentMethod, PaymentState
from orders.models.payment import Collector
from orders.services import tasks
from orders.services.channel_words import page_of
from orders.services.journal import Actor
from orders.services.payment_terms import TermsOfShops, rule_for

HELD = frozenset({PaymentState.UNPAID, PaymentState.AUTHORIZED})


def total_moved(order: Order, before: Sums, after: Sums, *, key: str, actor: Actor) -> None:
    """Another total needs another number, or another review. The order comes with its shop; the caller holds its
    lock."""
    if before.total == after.total or after.total is None or rule_for(order).collector != Collector.PROVIDER:
        return
    words = {"no": order.channel_order_no, "total": yen(after.total)}
    if order.payment_method == PaymentMethod.CONVENIENCE and order.payment_state == PaymentState.UNPAID:
        text = said("%(no)s: コンビニの支払番号を %(total)s で発行し直す", **words)
    elif order.payment_method == PaymentMethod.DEFERRED and order.payment_state in HELD:
        text = said("%(no)s: 後払いの請求額を %(total)s に変え、審査を受け直す", **words)
    else:
        return
    new = tasks.NewTask(f"provider:{order.pk}:{key}", order.pk, text, TaskKind.CHANGE, page_of(order))
    tasks.ask([new], actor=actor)


def cancelled(cancellations: Sequence[Cancellation], *, actor: Actor) -> None:
    """A number that nobody paid yet could still be paid. What a sweep cancels as unpaid has run out by itself."""
    if actor.by is None:
        return
    unpaid = [
        one.order
        for one in cancellations
        if one.whole
        and one.order.payment_method == PaymentMethod.CONVENIENCE
        and one.order.payment_state == PaymentState.UNPAID
    ]
    if not unpaid:
        return
    terms = TermsOfShops({order.shop for order in unpaid})
    tasks.ask(
        [
            tasks.NewTask(
                f"provider:{order.pk}:void",
                order.pk,
                said("%(no)s: コンビニの支払番号を取り消す", no=order.channel_order_no),
                TaskKind.VOID,
                page_of(order),
            )
            for order in unpaid
            if terms.of_order(order).collector == Collector.PROVIDER
        ],
        actor=actor,
    )
