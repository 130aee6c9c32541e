"""Telling channels that money has come to us: through the connector, or by a person's hand on the mall's own page."""

from collections.abc import Sequence

from django.db.models import QuerySet

from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.money import yen
from oms.kernel.said import said
from orders.models import Order, OrderTask, TaskKind
from orders.models.payment import Collector
from orders.services import channel_words, tasks
from orders.services.journal import SYSTEM, Actor
from orders.services.payment_terms import TermsOfShops


def tell(order_ids: Sequence[int], *, actor: Actor = SYSTEM) -> None:
    """Of orders that are paid in full. Where the connector has no such word, a task asks a person to say it on the
    mall's page; of money that the mall itself collects it knows. Once for each time of payment. The caller holds the
    orders' locks."""
    _tasks(order_ids, "unreport:").filter(done_at=None).delete()
    spoken = channel_words.report_payments(order_ids, actor=actor)
    by_hand = {pk: page for pk, page in spoken.by_hand.items() if page}
    if not by_hand:
        return
    orders = list(Order.objects.select_related("shop").defer("search").filter(pk__in=by_hand).order_by("pk"))
    terms = TermsOfShops({order.shop for order in orders})
    new = [
        tasks.NewTask(
            task_key(order),
            order.pk,
            said(
                "%(no)s: 入金 %(amount)s を確認したので、%(mall)sの受注画面で入金済みにする",
                no=order.channel_order_no,
                amount=yen(order.paid_amount),
                mall=order.shop.channel_label,
            ),
            TaskKind.REPORT,
            by_hand[order.pk],
        )
        for order in orders
        if terms.of_order(order).collector == Collector.US
    ]
    tasks.ask(new, actor=actor)


def take_back(order_ids: Sequence[int], *, actor: Actor = SYSTEM) -> None:
    """The payment was none. What has not been said yet is not said any more; what was said, a person takes back on the
    mall's page. The caller holds the orders' locks."""
    if not order_ids:
        return
    by_hand = _tasks(order_ids, "report:")
    by_hand.filter(done_at=None).delete()  # a task that is done says that the mall was told; these were not
    told = dict(by_hand.order_by("pk").values_list("order", "key"))
    words = Effect.objects.filter(kind="channel_payment", subject__in=[f"order:{pk}:channel" for pk in order_ids])
    words.filter(state=Effect.State.WAITING).update(state=Effect.State.CANCELLED, done_at=clock.now())
    untold = [Effect.State.CANCELLED, Effect.State.WAITING, Effect.State.FAILED]
    sent = words.exclude(state__in=untold).order_by("pk")
    told |= {int(payload["order"]): key for payload, key in sent.values_list("payload", "key")}
    _ask_to_take_back(told, actor)


def _ask_to_take_back(told: dict[int, str], actor: Actor) -> None:
    """`told` maps an order to the key of the word that was said last."""
    rows = Order.objects.select_related("shop").defer("search").filter(pk__in=told).order_by("pk")
    tasks.ask(
        [
            tasks.NewTask(
                f"unreport:{told[order.pk]}",
                order.pk,
                said(
                    "%(no)s: 入金を取り消したので、%(mall)sの受注画面で入金前に戻す",
                    no=order.channel_order_no,
                    mall=order.shop.channel_label,
                ),
                TaskKind.REPORT,
                channel_words.page_of(order),
            )
            for order in rows
        ],
        actor=actor,
    )


def _tasks(order_ids: Sequence[int], prefix: str) -> QuerySet[OrderTask]:
    return OrderTask.objects.filter(order__in=order_ids, kind=TaskKind.REPORT, key__startswith=prefix)


def task_key(order: Order) -> str:
    """One for each time of payment."""
    return f"report:{order.pk}:{order.paid_at:%Y%m%d%H%M%S}"
