"""Authorised money: warned of before it ends, held anew when it ends or is too little, taken when the goods leave."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction

from oms.kernel import clock
from oms.kernel.money import yen
from oms.kernel.said import said, together
from orders.decide.schedule import END_OF_DAY
from orders.models import Order, OrderTask, PaymentEntry, ReviewReason, TaskKind
from orders.models.order import PaymentMethod, PaymentState
from orders.models.payment import Collector, ShipsWhen
from orders.services import journal, ledger, payment_reports, provider_tasks, refunds, review, tasks
from orders.services import stage as stages
from orders.services.channel_words import page_of
from orders.services.journal import Actor, Entry
from orders.services.payment_terms import TermsOfShops, rule_for
from orders.services.rules import run as rules

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


# Why an authorisation is not good enough any more.
TOO_LITTLE = ("auth_expiring", "amount_increased")


def ask_renewals() -> int:
    """A task for each authorisation with our own provider that ends too soon, or that the order has outgrown; those
    whose cause is gone are closed. Returns how many are new. A mall renews by itself."""
    rows = Order.objects.filter(
        payment_state=PaymentState.AUTHORIZED,
        cancelled_at=None,
        shipped_at=None,
        reasons__code__in=TOO_LITTLE,
        reasons__state=ReviewReason.State.OPEN,
    )
    orders = list(rows.select_related("shop").defer("search").order_by("pk").distinct())
    terms = TermsOfShops({order.shop for order in orders})
    ours = [order for order in orders if terms.of_order(order).collector == Collector.PROVIDER]
    new = {task.key: task for task in map(_renewal_task, ours)}
    asked = OrderTask.objects.filter(kind=TaskKind.REAUTHORIZE)
    gone = asked.filter(done_at=None).exclude(key__in=new)
    with transaction.atomic():
        # What a person has done is not asked for again; what only went with its cause is, when that comes back.
        done = set(asked.filter(key__in=new, done_by__isnull=False).values_list("key", flat=True))
        tasks.withdraw(list(gone.values_list("key", flat=True)))
        return len(tasks.ask_anew([task for key, task in new.items() if key not in done]))


def _renewal_task(order: Order) -> tasks.NewTask:
    """One for each sum and each end."""
    until = order.authorized_until
    day = clock.in_tokyo(until).date().isoformat() if until else "-"
    sentence = said("%(no)s: %(amount)s の与信を取り直す", no=order.channel_order_no, amount=yen(order.total or 0))
    key = f"reauthorize:{order.pk}:{day}:{order.total}"
    return tasks.NewTask(key, order.pk, sentence, TaskKind.REAUTHORIZE, page_of(order), until)


def why_not_renewed(order: Order) -> str:
    """Why nobody may say that the money is held anew; empty when it may be. The order comes with its shop."""
    if order.cancelled_at or order.shipped_at:
        return said("キャンセル済み、または出荷済みです。")
    terms = rule_for(order)
    if terms.collector != Collector.PROVIDER or terms.ships_when not in {ShipsWhen.AUTHORIZED, ShipsWhen.CREDIT}:
        return said("与信は、当社が契約する決済会社の支払方法でだけ登録できます。")
    if order.payment_state not in HOLDABLE:
        return said("すでに代金を受け取っています。")
    return ""


HOLDABLE = frozenset({PaymentState.AUTHORIZED, PaymentState.UNPAID, PaymentState.FAILED})


class NotHeld(Exception):
    """Says in Japanese why."""


@transaction.atomic
def renew(order_id: int, until: date, *, actor: Actor) -> None:
    """The provider holds the order's whole total until the end of this day: the gate opens, and what asked for it
    closes. Raises NotHeld."""
    order = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").get(pk=order_id)
    if cause := why_not_renewed(order):
        raise NotHeld(cause)
    order.payment_state, order.version = PaymentState.AUTHORIZED, order.version + 1
    order.authorized_until = datetime.combine(until, END_OF_DAY, clock.TOKYO)
    order.save(update_fields=["payment_state", "authorized_until", "version"])
    asked = OrderTask.objects.filter(order=order, kind=TaskKind.REAUTHORIZE, done_at=None)
    tasks.withdraw(list(asked.values_list("key", flat=True)), actor=actor)
    text = together([yen(order.total or 0), f"{until:%Y/%m/%d}"], " ")
    journal.write([Entry(order.pk, "authorized_anew", text)], actor=actor)
    review.close_from_above([order.pk], "amount_increased", actor=actor)
    review.reevaluate([order.pk], actor=actor)


@transaction.atomic
def captured(task: OrderTask, actor: Actor) -> None:
    """Listener of finished tasks: the provider has taken what it held, so it is money now."""
    order = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").get(pk=task.order_id)
    if task.key != capture_key(order.pk) or order.payment_state != PaymentState.AUTHORIZED or not order.total:
        return
    if order.payments.exists():
        return
    taken = ledger.book_taken(order, actor=actor)
    refunds.release_no_more(order.pk, actor=actor)
    journal.write([Entry(order.pk, "paid", yen(taken))], actor=actor)
    review.sync([order.pk])
    payment_reports.tell([order.pk], actor=actor)
    rules.run_behind([order.pk], {order.pk: ("paid",)})
    stages.recompute([order.pk], actor=actor)


def ask_capture(order_ids: Sequence[int]) -> int:
    """Of orders whose goods have just left: a task where nobody takes the authorised money by itself.

    Where the connector `captures`, the shipping notice does it. One that was withdrawn (a rule took it back, the
    parcel came back) is asked again: its money is still only held. The caller holds the orders' locks.
    """
    rows = Order.objects.filter(
        pk__in=order_ids, payment_state=PaymentState.AUTHORIZED, shipped_at__isnull=False, cancelled_at=None
    )
    held = [
        order for order in rows.select_related("shop")
        if not order.shop.can("captures") and not order.fulfilled_by_channel
    ]  # fmt: skip
    if not held:
        return 0
    told = set(PaymentEntry.objects.filter(order__in=held).values_list("order", flat=True))
    anew = capture_tasks([order for order in held if order.total and order.pk not in told])
    once = capture_tasks([order for order in held if not order.total or order.pk in told])
    asked = len(tasks.ask_anew(anew)) + len(tasks.ask(once))
    provider_tasks.say_what_to_take([order for order in held if order.payment_method == PaymentMethod.DEFERRED])
    return asked


def take_back_capture(order_ids: Sequence[int], *, since: datetime) -> None:
    """What was asked because goods had left since then, of orders whose goods are here again. The caller holds the
    orders' locks."""
    here = Order.objects.filter(pk__in=order_ids, shipped_at=None)
    asked = OrderTask.objects.filter(order__in=here, kind=TaskKind.CAPTURE, done_at=None, created_at__gte=since)
    tasks.withdraw(list(asked.values_list("key", flat=True)))


def capture_key(order_id: int) -> str:
    """One task to capture an order's money, whoever asks for it."""
    return f"capture:{order_id}"


def capture_tasks(orders: Sequence[Order]) -> list[tasks.NewTask]:
    """The tasks for a person to take the money that is held; the orders come with their shops. One query."""
    words = provider_tasks.words_to_take(orders)
    return [
        tasks.NewTask(
            capture_key(order.pk), order.pk, words[order.pk], TaskKind.CAPTURE, page_of(order), order.authorized_until
        )
        for order in orders
    ]
