"""出荷指示 by the clock: at the times the administrator set, everything that is ready goes to the warehouse."""

from django.db import transaction
from django.db.models import Q

from fulfillment.models import ReleaseTime
from fulfillment.services.instruct import Instructed, instruct_orders
from oms.kernel import clock
from orders.models import Order
from orders.models.order import Stage
from orders.services.journal import SYSTEM

BATCH = 500


def release_due() -> int:
    """Run the release times that have come and were not run today; returns how many orders were instructed.

    A time that passed while nothing ran is made up for once, not once per missed time.
    """
    with transaction.atomic():
        now = clock.in_tokyo(clock.now())
        due = ReleaseTime.objects.filter(
            Q(last_run_on__isnull=True) | Q(last_run_on__lt=now.date()), active=True, at__lte=now.time()
        )
        if not due.update(last_run_on=now.date()):
            return 0
    return release_ready()


def release_ready() -> int:
    """Instruct everything that is ready, oldest ship-by first; returns how many orders."""
    ready = list(Order.objects.filter(stage=Stage.READY).order_by("ship_by", "ordered_at").values_list("pk", flat=True))
    done = 0
    for start in range(0, len(ready), BATCH):
        result: Instructed = instruct_orders(ready[start : start + BATCH], actor=SYSTEM)
        done += len(result.orders)
    return done
