"""What fulfilment offers rules: how many parcels are planned, and 出荷指示 as soon as the order is ready."""

from collections.abc import Sequence

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import Shipment
from fulfillment.services.instruct import instruct_orders
from orders.decide.rules import actions, fields
from orders.decide.rules.fields import NUMBER, Field
from orders.services.journal import SYSTEM
from orders.services.rules import verbs
from orders.services.rules.verbs import Verb
from orders.services.rules.work import Job, Work

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


def register() -> None:
    fields.register(Field("package_count", lazy("出荷伝票の数"), NUMBER, lazy("配送"), "registered"), parcels_of)
    actions.register(actions.Spec("release", lazy("出荷を指示する"), undoable=False))
    verbs.register("release", Verb(release))
