"""The first glance of the day: what the machine did overnight, what leaves today, what waits for a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from urllib.parse import urlencode

from django.db.models import Count, Exists, Min, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from channels.models import OversellCase, QuarantinedOrder
from fulfillment.queries.cut_off import next_release
from oms.kernel import clock, scope
from oms.kernel.models import User
from oms.pages.queries import outbox
from oms.pages.queries.numbers import Counted
from orders.filters import STILL_DUE
from orders.models import OrderEvent, OrderTask
from orders.models.order import Stage
from orders.queries import labels, refund_requests, visible

EVENING = time(18)
ON_ITS_WAY = (Stage.READY, Stage.IN_FULFILLMENT, Stage.PARTIALLY_SHIPPED, Stage.SHIPPED, Stage.COMPLETED)


@dataclass(frozen=True, slots=True)
class Glance:
    """`by_itself`: of the night's orders, those no hand has touched that are ready or further. `cut_off`: when the
    next release of today runs; None without one. `deadline`: the first moment by which something has to leave."""

    since: datetime
    imported: Counted
    by_itself: Counted
    stopped: Counted
    due: Counted
    due_ready: Counted
    deadline: datetime | None
    cut_off: datetime | None
    exceptions: Sequence[Counted]
    tasks: Sequence[Counted]
    reminders: Sequence[OrderTask]

    @property
    def is_morning(self) -> bool:
        return clock.in_tokyo(clock.now()).hour < 12


def glance(person: User) -> Glance:
    """A fixed number of queries, none of which reads more than the night's or the open orders."""
    now = clock.now()
    since = datetime.combine(clock.today() - timedelta(days=1), EVENING, clock.TOKYO)
    touched = OrderEvent.objects.filter(order=OuterRef("pk"), by__isnull=False)
    night = visible.orders().filter(imported_at__gte=since)
    counted = night.aggregate(n=Count("pk"), stopped=Count("pk", filter=Q(stage=Stage.REVIEW)))
    by_itself = night.filter(~Exists(touched), stage__in=ON_ITS_WAY).count()
    due = (
        visible.orders()
        .filter(STILL_DUE, ship_by__lt=clock.end_of_today())
        .aggregate(
            n=Count("pk"),
            ready=Count("pk", filter=Q(stage=Stage.READY)),
            first=Min("ship_by", filter=Q(ship_by__gte=now)),
        )
    )
    return Glance(
        since=since,
        imported=Counted(counted["n"], _desk(imported_from=since.isoformat())),
        by_itself=Counted(by_itself, _desk(imported_from=since.isoformat(), hands="none", stage=ON_ITS_WAY)),
        stopped=Counted(counted["stopped"], _desk(imported_from=since.isoformat(), stage=[Stage.REVIEW])),
        due=Counted(due["n"], _desk(due="today")),
        due_ready=Counted(due["ready"], _desk(due="today", stage=[Stage.READY])),
        deadline=due["first"],
        cut_off=next_release(now),
        exceptions=_exceptions(person),
        tasks=_tasks(person),
        reminders=labels.due_reminders(person),
    )


def _desk(**asked: str | Sequence[str]) -> str:
    pairs = [(name, str(one)) for name, v in asked.items() for one in ([v] if isinstance(v, str) else v)]
    return f"{reverse('orders:list')}?{urlencode(pairs)}"


def _exceptions(person: User) -> list[Counted]:
    """What went wrong and stays so until somebody acts; only what this person may open."""
    found = [
        Counted(visible.orders().filter(channel_sync="failed").count(), _desk(sync="failed"), _("モール反映の失敗"))
    ]
    if person.has_perm("kernel.view_effect") and scope.may_open("pages:outbox"):
        found.append(Counted(outbox.counts().failed, f"{reverse('pages:outbox')}?state=failed", _("送信の失敗")))
    if person.has_perm("channels.view_connection") and scope.may_open("channels:quarantine"):
        held = QuarantinedOrder.objects.filter(resolved_at__isnull=True).count()
        found.append(Counted(held, reverse("channels:quarantine"), _("取り込めなかった受注")))
    if person.has_perm("channels.view_oversellcase") and scope.may_open("channels:oversell"):
        cases = OversellCase.objects.filter(state="open").count()
        found.append(Counted(cases, reverse("channels:oversell"), _("売り越し")))
    return found


def own_tasks(person: User) -> Counted:
    """For whoever sees no orders, too. One query."""
    n = labels.in_sight().filter(labels.own_and_awake(person), done_at=None).count()
    return Counted(n, reverse("orders:tasks"), _("自分とチームの作業"))


def _tasks(person: User) -> list[Counted]:
    rows = labels.in_sight().filter(done_at=None)
    found = [
        own_tasks(person),
        Counted(rows.count(), f"{reverse('orders:tasks')}?all=1", _("すべての作業")),
    ]
    if person.has_perm("orders.approve_refund"):
        waiting = refund_requests.to_decide(person).count()
        found.append(Counted(waiting, reverse("orders:refund-requests"), _("返金の承認待ち")))
    return found
