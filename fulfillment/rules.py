"""What fulfilment offers rules: parcels and neighbours to ask about; 出荷指示, splitting and merging to do."""

from collections import defaultdict
from collections.abc import Sequence

from django.db import connection
from django.db.models import BigIntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as lazy

from fulfillment import rule_splits
from fulfillment.models import Shipment
from fulfillment.rule_splits import later, parcels_of
from fulfillment.services import temperature
from fulfillment.services.instruct import instruct_orders
from oms.kernel import clock
from oms.kernel.said import said
from orders.decide.rules import actions, fields
from orders.decide.rules.actions import Param
from orders.decide.rules.fields import FLAG, NUMBER, SET, TEMPERATURES, Field
from orders.models import Order
from orders.models.order import PaymentMethod
from orders.services import ship_plans
from orders.services.journal import SYSTEM
from orders.services.rules import verbs
from orders.services.rules.verbs import Verb
from orders.services.rules.work import Job, Work


def release(work: Work, jobs: Sequence[Job]) -> None:
    """Instruct what is ready now; the others are tried again when they get there."""
    if work.behind:
        later(work, jobs)
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


def before_cutoff(order_ids: Sequence[int]) -> dict[int, object]:
    """Whether what is ready now still leaves today, by the calendar and the cut-off of the order's place."""
    now, today, plans = clock.now(), clock.today(), ship_plans.read()
    planned = Shipment.objects.filter(recipient__order=OuterRef("pk"), state=Shipment.State.PLANNED).order_by("pk")
    place = Coalesce(Subquery(planned.values("location")[:1]), "preferred_location", output_field=BigIntegerField())
    rows = Order.objects.filter(pk__in=order_ids).annotate(place=place).values_list("pk", "carrier", "place")
    return {pk: plans.of(place).first_day(now, carrier) == today for pk, carrier, place in rows}


def set_temperature(work: Work, jobs: Sequence[Job]) -> None:
    """The planned parcels travel so; parcels planned anew are told anew."""
    if work.behind:
        later(work, jobs)
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
        later(work, jobs)
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
        Field("before_cutoff", lazy("今日の締め時刻に間に合う"), FLAG, delivery, "registered"), before_cutoff
    )
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
    rule_splits.register()
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
