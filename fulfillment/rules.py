"""What fulfilment offers rules: parcels and neighbours to ask about; 出荷指示, splitting and merging to do."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import Shipment
from fulfillment.services import split
from fulfillment.services.instruct import instruct_orders
from oms.kernel import clock
from orders.decide.rules import actions, fields
from orders.decide.rules.fields import NUMBER, SET, Field
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
        for job in jobs:
            work.again.add(job.order_id)
            job.note = _("続けて処理します。")
        return
    done = instruct_orders(
        [job.order_id for job in jobs if work.orders[job.order_id]["stage"] == "ready"], actor=SYSTEM
    )
    for job in jobs:
        if job.order_id in done.orders:
            job.did()
        else:
            job.note = _("まだ出荷指示待ちではないため、待ちます。")


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
        for job in jobs:
            work.again.add(job.order_id)
            job.note = _("続けて処理します。")
        return
    ids = [job.order_id for job in jobs]
    before = parcels_of(ids)
    done = set(split.split_by_temperature(ids, actor=SYSTEM))
    after = parcels_of(ids)
    for job in jobs:
        if job.order_id in done or (job.quiet and before.get(job.order_id, 0) != 1):
            job.did({"parcels": before.get(job.order_id, 0)}, {"parcels": after.get(job.order_id, 0)})
        elif job.order_id not in before:
            job.note = _("まだ出荷伝票がないため、できたときに分けます。")
        else:
            job.note = _("温度帯が一つのため、分けるものがありません。")


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
            job.note = _("あとで変更されたため、そのままにしました。")
        else:
            job.done = split.join(job.order_id, actor=SYSTEM)


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
    actions.register(actions.Spec("merge", lazy("同じ届け先の受注と同梱する")))
    verbs.register("merge", Verb(let_merge, no_longer_merge))
