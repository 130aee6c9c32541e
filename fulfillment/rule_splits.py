"""How rules part an order's parcels: by temperature, tag, line or pieces, and what is there before what is not.

Parcels to several recipients or from several places need no rule: they are planned apart.
"""

from collections.abc import Callable, Sequence

from django.db.models import Count
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import Shipment
from fulfillment.services import split
from oms.kernel import clock
from oms.kernel.said import said
from orders.decide.rules import actions
from orders.decide.rules.actions import Param
from orders.models import OrderEvent, ReviewReason
from orders.services.journal import SYSTEM
from orders.services.rules import verbs
from orders.services.rules.verbs import Run, Verb
from orders.services.rules.work import Job, Work

MIXED = "temperature_mixed"
LIVE = [Shipment.State.PLANNED, Shipment.State.INSTRUCTED, Shipment.State.SHIPPED]


def parcels_of(order_ids: Sequence[int]) -> dict[int, object]:
    rows = Shipment.objects.filter(lines__order_line__order__in=order_ids, state__in=LIVE)
    return dict(rows.values_list("lines__order_line__order").annotate(n=Count("pk", distinct=True)))


def split_by_temperature(work: Work, jobs: Sequence[Job]) -> None:
    """One parcel a temperature, as soon as parcels are planned; planned anew, they are split anew. With that the
    question is answered whether such goods may go together."""
    _answer(work, jobs)
    if work.behind:
        later(work, jobs)
        return
    _split(
        jobs,
        lambda ids: split.split_by_temperature(ids, actor=SYSTEM),
        nothing=said("温度帯が一つのため、分けるものがありません。"),
    )


def split_by_tag(work: Work, jobs: Sequence[Job]) -> None:
    """The goods with a tag in parcels of their own, as soon as parcels are planned, and again when they are planned
    anew."""
    if work.behind:
        later(work, jobs)
        return
    for tag in sorted({job.action["tag"] for job in jobs}):
        _split(
            [job for job in jobs if job.action["tag"] == tag],
            lambda ids, tag=tag: split.split_by_tag(ids, tag, actor=SYSTEM),  # type: ignore[misc]
            nothing=said("このタグの商品だけか、その商品がないため、分けるものがありません。"),
        )


def split_by_line(work: Work, jobs: Sequence[Job]) -> None:
    """One parcel per order line, as soon as parcels are planned."""
    if work.behind:
        later(work, jobs)
        return
    _split(
        jobs,
        lambda ids: split.split_by_line(ids, actor=SYSTEM),
        nothing=said("明細が一つのため、分けるものがありません。"),
    )


def split_by_pieces(work: Work, jobs: Sequence[Job]) -> None:
    """So many pieces in a parcel at most, as soon as parcels are planned."""
    if work.behind:
        later(work, jobs)
        return
    for most in sorted({job.action["most"] for job in jobs}):
        _split(
            [job for job in jobs if job.action["most"] == most],
            lambda ids, most=most: split.split_by_pieces(ids, most, actor=SYSTEM),  # type: ignore[misc]
            nothing=said("どの荷物もこの点数までのため、分けるものがありません。"),
        )


def _split(jobs: Sequence[Job], do: Callable[[list[int]], Sequence[int]], *, nothing: str) -> None:
    ids = [job.order_id for job in jobs]
    before, joined = parcels_of(ids), _joined_by_hand([job.order_id for job in jobs if job.quiet])
    done = set(do([id_ for id_ in ids if id_ not in joined]))
    after = parcels_of(ids)
    for job in jobs:
        if job.order_id in done or (job.quiet and before.get(job.order_id, 0) != 1):
            job.did({"parcels": before.get(job.order_id, 0)}, {"parcels": after.get(job.order_id, 0)})
        elif job.order_id in joined:
            job.note = said("人が荷物を一つに戻したため、分けません。")
        elif job.order_id not in before:
            job.note = said("まだ出荷伝票がないため、できたときに分けます。")
        else:
            job.note = nothing


def _joined_by_hand(order_ids: Sequence[int]) -> set[int]:
    """Orders that somebody put together after they had been split: what people took back does not come again."""
    last = OrderEvent.objects.filter(order__in=order_ids, kind__in=["split", "split_undone"])
    rows = last.order_by("order", "-pk").distinct("order").values_list("order", "kind", "by")
    return {order_id for order_id, kind, by in rows if kind == "split_undone" and by}


def _answer(work: Work, jobs: Sequence[Job]) -> None:
    rule_of = {job.order_id: job.rule.name for job in jobs}
    asked = ReviewReason.objects.filter(order__in=rule_of, code=MIXED, state=ReviewReason.State.OPEN)
    for pk, order_id in asked.values_list("pk", "order"):
        ReviewReason.objects.filter(pk=pk).update(
            state=ReviewReason.State.ACCEPTED, closed_at=clock.now(), note=rule_of[order_id]
        )
        work.restage.add(order_id)


def join_again(_work: Work, jobs: Sequence[Job]) -> None:
    """Only what the rule split: parcels that somebody divided further, or instructed, stay."""
    now = parcels_of([job.order_id for job in jobs])
    for job in jobs:
        if job.before["parcels"] != 1 or now.get(job.order_id) != job.after["parcels"]:
            job.note = said("あとで変更されたため、そのままにしました。")
        else:
            job.done = split.join(job.order_id, actor=SYSTEM)


# ---- what is there goes first


def _first(*, unreleased: bool) -> Run:
    """Once an order, as soon as something has its place and something else waits."""

    def run(work: Work, jobs: Sequence[Job]) -> None:
        if work.behind:
            later(work, jobs)
            return
        follows = split.send_due_first([job.order_id for job in jobs], unreleased=unreleased, actor=SYSTEM)
        for job in jobs:
            if lines := follows.get(job.order_id):
                job.did({}, {"lines": lines})
            else:
                job.note = said("先に送れる明細と待つ明細がそろったときに分けます。")

    return run


def send_together_again(_work: Work, jobs: Sequence[Job]) -> None:
    """Only while the rest still waits: what has its own parcel by then stays."""
    done = split.send_together_again({job.order_id: job.after["lines"] for job in jobs}, actor=SYSTEM)
    for job in jobs:
        job.done = job.order_id in done
        job.note = "" if job.done else said("あとで変更されたため、そのままにしました。")


def later(work: Work, jobs: Sequence[Job]) -> None:
    """The worker does it, in a transaction of its own, which comes at once."""
    for job in jobs:
        work.again.add(job.order_id)
        job.note = said("続けて処理します。")


def register() -> None:
    for code, label, run, params in SPLITS:
        actions.register(actions.Spec(code, label, params, waits_for="shipment_planned"))
        verbs.register(code, Verb(run, join_again, again=True))
    for code, label, unreleased in FIRST:
        actions.register(actions.Spec(code, label, slot=lambda _params: "sent_first", waits_for="placed"))
        verbs.register(code, Verb(_first(unreleased=unreleased), send_together_again))


SPLITS = (
    ("split_temperature", lazy("温度帯ごとに分ける"), split_by_temperature, ()),
    (
        "split_tag",
        lazy("商品タグの商品を別の荷物に分ける"),
        split_by_tag,
        (Param("tag", lazy("商品タグ"), longest=40),),
    ),
    ("split_line", lazy("明細ごとに別の荷物に分ける"), split_by_line, ()),
    (
        "split_pieces",
        lazy("点数で荷物を分ける"),
        split_by_pieces,
        (Param("most", lazy("1つの荷物の点数（まで）"), "number", least=1, most=1000),),
    ),
)
FIRST = (
    ("split_waiting", lazy("引き当てた分を先に送る（残りは別の荷物）"), False),
    ("split_release", lazy("発売日前の商品を別の荷物に分ける"), True),
)
