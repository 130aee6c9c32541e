"""出荷指示 by the clock: at the times the administrator set, everything that is ready goes to the warehouse."""

from collections.abc import Collection, Sequence
from datetime import time

import structlog
from django.db.models import Q

from fulfillment.models import ReleaseTime
from fulfillment.services import merge_sweep
from fulfillment.services.instruct import instruct_orders, instructable
from oms.kernel import clock
from oms.kernel.halves import in_halves
from oms.kernel.models import User
from oms.kernel.services import setting_versions
from orders.services.journal import SYSTEM

log = structlog.get_logger(__name__)
BATCH = 500
KIND = "release_times"


def release_due() -> int:
    """Run the release times that have come and were not run today; returns how many orders were instructed.

    A time that passed while nothing ran is made up for once, not once per missed time.
    """
    now = clock.in_tokyo(clock.now())
    never_today = Q(last_run_on__isnull=True) | Q(last_run_on__lt=now.date())
    due = ReleaseTime.objects.filter(never_today, active=True, at__lte=now.time())
    ids = list(due.order_by("pk").values_list("pk", flat=True))
    if not ids:
        return 0
    _merge_what_meets()
    done = release_ready()  # first the work, then the mark: a worker that dies leaves the time due; twice does no harm
    ReleaseTime.objects.filter(pk__in=ids).update(last_run_on=now.date())
    return done


def _merge_what_meets() -> None:
    """The last chance to travel together. What goes wrong with it keeps no parcel here."""
    try:
        merge_sweep.sweep()
    except Exception:  # the sweep that runs each minute fails alike, and says so; the time of release does not wait
        log.exception("merge_sweep_failed")


def release_ready() -> int:
    """Instruct everything that is ready, oldest ship-by first, the rest of orders under way too; returns how many."""
    ready = list(instructable().order_by("-priority", "ship_by", "ordered_at").values_list("pk", flat=True))
    done = 0
    for start in range(0, len(ready), BATCH):
        done += sum(in_halves(_instructed, ready[start : start + BATCH], "order_not_instructed"))
    return done


def _instructed(order_ids: Sequence[int]) -> int:
    return len(instruct_orders(order_ids, actor=SYSTEM).orders)


# ---- the times themselves


def add_time(at: time, *, by: User) -> bool:
    """From tomorrow on, or from today where the time is still to come. False when it is there already."""
    with setting_versions.kept(KIND, "-", by=by):
        return _start(at)


def stop_time(pk: int, *, by: User) -> bool:
    """Release at this time no more; False when it was not."""
    with setting_versions.kept(KIND, "-", by=by):
        return bool(ReleaseTime.objects.filter(pk=pk, active=True).update(active=False))


def set_times(wanted: Collection[time], *, by: User) -> None:
    """Have exactly these times: others stop, missing ones start as `add_time` has them start."""
    with setting_versions.kept(KIND, "-", by=by):
        ReleaseTime.objects.filter(active=True).exclude(at__in=wanted).update(active=False)
        for at in sorted(wanted):
            _start(at)


def _start(at: time) -> bool:
    local = clock.in_tokyo(clock.now())
    passed = local.date() if at <= local.time() else None  # what is typed at noon does not make up for the morning
    row, made = ReleaseTime.objects.get_or_create(at=at, defaults={"last_run_on": passed})
    if not made and not row.active:
        ReleaseTime.objects.filter(pk=row.pk).update(active=True, last_run_on=passed)
        made = True
    return made


def times() -> list[str]:
    return [str(one) for one in ReleaseTime.objects.filter(active=True)]
