"""What rules do about money: fees and discounts where the price is ours, buyers who are trusted to pay later, and
asking for the money that is held."""

from collections.abc import Sequence

from oms.kernel.money import yen
from oms.kernel.said import said, stored
from orders.models import Order
from orders.models.order import PaymentState
from orders.models.payment import Collector
from orders.services import adjustments, authorisations, tasks
from orders.services.adjustments import DISCOUNT, FEE, New
from orders.services.payment_terms import TermsOfShops
from orders.services.rules.verbs import Run, Verb, key_of_job, register, restore
from orders.services.rules.work import Job, Work


def _adder(kind: str) -> Run:
    """Where a mall told the buyer the sum, the sum stays, and a reason says what the rule wanted."""

    def run(work: Work, jobs: Sequence[Job]) -> None:
        own = adjustments.ours_to_price([job.order_id for job in jobs])
        sums = dict(Order.objects.filter(pk__in=own).values_list("pk", "total"))
        goods = dict(Order.objects.filter(pk__in=own).values_list("pk", "goods"))
        for job in jobs:
            if job.order_id not in own:
                _refuse(work, job)
            elif job.quiet:
                job.did()
        rest = [job for job in jobs if job.order_id in own and not job.quiet]
        for part in _one_an_order(rest):
            wanted = {job.order_id: _amount(job, goods[job.order_id]) for job in part}
            fitting = [job for job in part if _fits(job, kind, wanted[job.order_id], sums[job.order_id])]
            left = adjustments.put_on(
                [New(job.order_id, kind, job.action["label"], wanted[job.order_id], key_of_job(job)) for job in fitting]
            )
            for job in fitting:
                if job.order_id in left:
                    more = left[job.order_id]["amount"] * (1 if kind == FEE else -1)
                    sums[job.order_id] += more
                    job.did({}, left[job.order_id])
                    work.restage.add(job.order_id)

    return run


def _one_an_order(jobs: Sequence[Job]) -> list[list[Job]]:
    """The jobs in rounds, so that each sum is moved by one at a time."""
    rounds: list[list[Job]] = []
    seen: dict[int, int] = {}
    for job in jobs:
        at = seen[job.order_id] = seen.get(job.order_id, -1) + 1
        if at == len(rounds):
            rounds.append([])
        rounds[at].append(job)
    return rounds


def _amount(job: Job, goods: int) -> int:
    if job.action.get("mode") == "percent":
        return goods * int(job.action["amount"]) // 100
    return int(job.action["amount"])


def _fits(job: Job, kind: str, amount: int, total: int | None) -> bool:
    if total is None:
        job.note = said("合計がまだ分からないため、変えませんでした。")
    elif amount <= 0:
        job.note = said("計算した値引が0円のため、変えませんでした。")
    elif kind == DISCOUNT and amount > total:
        job.note = said("値引が合計を超えるため、変えませんでした。")
    return not job.note


def _refuse(work: Work, job: Job) -> None:
    label = job.action["label"]
    percent = job.action.get("mode") == "percent"
    size = f"{job.action['amount']}%" if percent else yen(job.action["amount"])
    job.note = said("合計はモールが決めるため、変えずに確認理由を出しました。")
    text = said(
        "ルール「%(rule)s」の「%(label)s %(size)s」は、合計をモールが決めるため反映していません。",
        rule=job.rule.name,
        label=label,
        size=size,
    )
    work.reasons.add(job.order_id)
    job.did({}, {"refused": stored(text)})


def _take_off(work: Work, jobs: Sequence[Job]) -> None:
    refused = [job for job in jobs if "refused" in job.after]
    for job in refused:
        work.reasons.add(job.order_id)
        job.done = True
    for part in _one_an_order([job for job in jobs if "refused" not in job.after]):
        off = {job.order_id: key_of_job(job) for job in part}
        gone = set(adjustments.take_off(off, {job.order_id: job.after for job in part}))
        for job in part:
            job.done = job.order_id in gone
            job.note = "" if job.done else said("あとで変更されたため、そのままにしました。")
            work.restage.add(job.order_id)


def _ship_unpaid(work: Work, jobs: Sequence[Job]) -> None:
    """Trust is ours to give where the money comes to us or to our provider; a mall says when its order is ready."""
    orders = Order.objects.filter(pk__in=[job.order_id for job in jobs]).select_related("shop")
    rows = {order.pk: order for order in orders.only("payment_method", "payment_name", "shop__capabilities")}
    terms = TermsOfShops({order.shop for order in rows.values()})
    for job in jobs:
        if terms.of_order(rows[job.order_id]).collector == Collector.CHANNEL:
            job.note = said("代金はモールが受け取るため、モールの入金を待ちます。")
        else:
            job.did(*work.put(job.order_id, ships_unpaid=True))


def _capture(work: Work, jobs: Sequence[Job]) -> None:
    """No channel takes a word about money alone: where its shipping notice takes it, there is nothing to ask."""
    orders = Order.objects.filter(pk__in=[job.order_id for job in jobs]).select_related("shop")
    held = {order.pk: order for order in orders if order.payment_state == PaymentState.AUTHORIZED}
    by_hand = [order for order in held.values() if not order.shop.can("captures")]
    new = authorisations.capture_tasks(by_hand)
    asked = {task.order_id for task in tasks.ask_anew(new)} if new else set()
    for job in jobs:
        order = held.get(job.order_id)
        if order is None:
            paid = work.orders[job.order_id]["payment_state"] == PaymentState.PAID
            job.note = said("すでに入金済みです。") if paid else said("確定する与信がありません。")
        elif order.shop.can("captures"):
            job.note = said("出荷をモールへ知らせたときに確定します。")
        else:
            job.note = "" if job.order_id in asked else said("売上を確定する作業は、すでに出ています。")
            job.did()


def _no_capture(work: Work, jobs: Sequence[Job]) -> None:
    """Once the goods have left the task stands by itself."""
    for job in jobs:
        if work.orders[job.order_id]["shipped_at"] is None:
            job.done = bool(tasks.withdraw([authorisations.capture_key(job.order_id)]))
        job.note = "" if job.done else said("そのまま残しました。")


register("add_fee", Verb(_adder(FEE), _take_off, again=True))
register("add_discount", Verb(_adder(DISCOUNT), _take_off, again=True))
register("capture", Verb(_capture, _no_capture))
register("ship_unpaid", Verb(_ship_unpaid, restore))
