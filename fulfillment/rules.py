"""What fulfilment offers rules: parcels and neighbours to ask about; 出荷指示, splitting and merging to do."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import Shipment
from fulfillment.services import split, temperature
from fulfillment.services.instruct import instruct_orders
from oms.kernel import clock
from oms.kernel.said import said
from orders.decide.rules import actions, fields
from orders.decide.rules.actions import Param
from orders.decide.rules.fields import NUMBER, SET, TEMPERATURES, Field
from orders.models import ReviewReason
from orders.models.order import PaymentMethod
from orders.services.journal import SYSTEM
from orders.services.rules import verbs
from orders.services.rules.verbs import Verb
from orders.services.rules.work import Job, Work

MIXED = "temperature_mixed"
LIVE = [Shipment.State.PLANNED, Shipment.State.INSTRUCTED, Shipment.State.SHIPPED]


def parcels_of(order_ids: Sequence[int]) -> dict[int, object]:
    rows = Shipment.objects.filter(lines__order_line__order__in=order_ids, state__in=LIVE)
    return dict(rows.values_list("lines__order_line__order").annotate(n=Count("pk", distinct=True)))


def release(work: Work, jobs: Sequence[Job]) -> None:
    """Instruct what is ready now; the others are tried again when they get there."""
    if work.behind:
        _later(work, jobs)
        return
    done = instruct_orders(
        [job.order_id for job in jobs if work.orders[job.order_id]["stage"] == "ready"], actor=SYSTEM
    )
    for job in jobs:
        if job.order_id in done.orders:
            job.did()
        else:
            job.note = said("まだ出荷指示待ちではないため、待ちます。")


# Other open orders to the same recipient: how far apart in hours the nearest was ordered, and how they pay.
NEAR = """
SELECT mine.id, min(abs(extract(epoch FROM near.ordered_at - mine.ordered_at))) / 3600,
       array_agg(DISTINCT near.payment_method)
  FROM fulfillment_mergekey own
  JOIN fulfillment_mergekey other ON other.key = own.key AND other.order_id <> own.order_id
  JOIN orders_order mine ON mine.id = own.order_id JOIN orders_order near ON near.id = other.order_id
 WHERE own.order_id = ANY(%s) AND near.cancelled_at IS NULL GROUP BY mine.id
"""


def _near(order_ids: Sequence[int]) -> list[tuple[int, float, list[str]]]:
    with connection.cursor() as cursor:
        cursor.execute(NEAR, [list(order_ids)])
        return [(id_, round(float(hours), 2), methods) for id_, hours, methods in cursor.fetchall()]


def near_hours(order_ids: Sequence[int]) -> dict[int, object]:
    return {id_: hours for id_, hours, _methods in _near(order_ids)}


def near_payments(order_ids: Sequence[int]) -> dict[int, object]:
    return {id_: frozenset(methods) for id_, _hours, methods in _near(order_ids)}


def split_by_temperature(work: Work, jobs: Sequence[Job]) -> None:
    """One parcel a temperature, as soon as parcels are planned; planned anew, they are split anew. With that the
    question is answered whether such goods may go together."""
    _answer(work, jobs)
    if work.behind:
        _later(work, jobs)
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
        _later(work, jobs)
        return
    for tag in sorted({job.action["tag"] for job in jobs}):
        _split(
            [job for job in jobs if job.action["tag"] == tag],
            lambda ids, tag=tag: split.split_by_tag(ids, tag, actor=SYSTEM),  # type: ignore[misc]
            nothing=said("このタグの商品だけか、その商品がないため、分けるものがありません。"),
        )


def _split(jobs: Sequence[Job], do: Callable[[list[int]], Sequence[int]], *, nothing: str) -> None:
    ids = [job.order_id for job in jobs]
    before = parcels_of(ids)
    done = set(do(ids))
    after = parcels_of(ids)
    for job in jobs:
        if job.order_id in done or (job.quiet and before.get(job.order_id, 0) != 1):
            job.did({"parcels": before.get(job.order_id, 0)}, {"parcels": after.get(job.order_id, 0)})
        elif job.order_id not in before:
            job.note = said("まだ出荷伝票がないため、できたときに分けます。")
        else:
            job.note = nothing


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


def set_temperature(work: Work, jobs: Sequence[Job]) -> None:
    """The planned parcels travel so; parcels planned anew are told anew."""
    if work.behind:
        _later(work, jobs)
        return
    for (wanted, of), own in _by_temperature(jobs).items():
        found = temperature.choose([job.order_id for job in own], wanted, of=of)
        for job in own:
            if parcels := found.get(job.order_id):
                job.did({"parcels": parcels}, {"parcels": parcels})
            elif not job.quiet:
                job.note = said("変える出荷伝票がまだないため、できたときに変えます。")


def as_goods_ask(work: Work, jobs: Sequence[Job]) -> None:
    """Parcels that still travel as the rule said; what is instructed meanwhile stays."""
    if work.behind:
        _later(work, jobs)
        return
    for (wanted, of), own in _by_temperature(jobs).items():
        ids = [job.order_id for job in own]
        held = temperature.so_chosen(ids, wanted)
        temperature.choose(list(held), "", of=of)
        for job in own:
            job.done = job.order_id in held
            job.note = "" if job.done else said("あとで変更されたため、そのままにしました。")


def _by_temperature(jobs: Sequence[Job]) -> dict[tuple[str, str], list[Job]]:
    found: dict[tuple[str, str], list[Job]] = defaultdict(list)
    for job in jobs:
        found[job.action["temperature"], job.action["of"]].append(job)
    return found


def _later(work: Work, jobs: Sequence[Job]) -> None:
    for job in jobs:
        work.again.add(job.order_id)
        job.note = said("続けて処理します。")


def let_merge(_work: Work, jobs: Sequence[Job]) -> None:
    """The mark is what the finder of orders for one recipient reads; it merges when both may travel."""
    for job in jobs:
        job.did()


def no_longer_merge(_work: Work, jobs: Sequence[Job]) -> None:
    """What has been merged by then stays together: people see it and can take it apart."""
    for job in jobs:
        job.done = True


def register() -> None:
    delivery = lazy("配送")
    fields.register(Field("package_count", lazy("出荷伝票の数"), NUMBER, delivery, "registered"), parcels_of)
    fields.register(
        Field("near_hours", lazy("同じ届け先の未出荷の受注との間隔（時間）"), NUMBER, delivery, "registered"),
        near_hours,
    )
    fields.register(
        Field(
            "near_payments",
            lazy("同じ届け先の未出荷の受注の支払方法"),
            SET,
            delivery,
            "registered",
            PaymentMethod.choices,
        ),
        near_payments,
    )
    actions.register(actions.Spec("release", lazy("出荷を指示する"), undoable=False, waits_for="stage_entered:ready"))
    verbs.register("release", Verb(release))
    actions.register(actions.Spec("split_temperature", lazy("温度帯ごとに分ける"), waits_for="shipment_planned"))
    verbs.register("split_temperature", Verb(split_by_temperature, join_again, again=True))
    actions.register(
        actions.Spec(
            "split_tag",
            lazy("商品タグの商品を別の荷物に分ける"),
            (Param("tag", lazy("商品タグ"), longest=40),),
            waits_for="shipment_planned",
        )
    )
    verbs.register("split_tag", Verb(split_by_tag, join_again, again=True))
    actions.register(
        actions.Spec(
            "set_temperature",
            lazy("荷物の温度帯を変える"),
            (
                Param("temperature", lazy("温度帯"), "choice", choices=TEMPERATURES),
                Param("of", lazy("対象の荷物（商品の温度帯）"), "choice", required=False, choices=TEMPERATURES),
            ),
            slot=lambda params: f"temperature:{params.get('of')}",
            waits_for="shipment_planned",
        )
    )
    verbs.register("set_temperature", Verb(set_temperature, as_goods_ask, again=True))
    actions.register(actions.Spec("merge", lazy("同じ届け先の受注と同梱する")))
    verbs.register("merge", Verb(let_merge, no_longer_merge))
