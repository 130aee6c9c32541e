"""Lines that have no promise: they get one when stock is there again, in order of rank."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q, QuerySet

from inventory.models import AllocatorMark
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.models import Effect
from orders.models import Order, OrderLine
from orders.services import set_parts
from orders.services import stage as stages
from orders.services.facts import mark_reserved
from orders.services.reservation import NO_RESERVE, line_ids_of, ref_of, want_of
from orders.signals import lines_released

BATCH = 1000


@transaction.atomic
def handle_lost_promises(effect: Effect) -> None:
    """A stock fact (count, damage, counter sale) ended promises or places: those lines wait again.

    Looks at what the lines hold now, under their orders' locks: a line may have been promised anew meanwhile.
    """
    ids = line_ids_of(effect.payload["refs"])
    orders = sorted(set(OrderLine.objects.filter(pk__in=ids).values_list("order", flat=True)))
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=orders).order_by("pk").values_list("pk"))
    held = stock.held_by(ref_of(id_) for id_ in ids)
    promised = set(line_ids_of(holding.ref for holding in held))
    gone = [id_ for id_ in ids if id_ not in promised]
    unplaced = [id_ for id_ in ids if id_ in promised and not _is_placed(id_, held)]
    OrderLine.objects.filter(pk__in=gone).update(reserved=False, allocated_quantity=F("shipped_quantity"))
    OrderLine.objects.filter(pk__in=unplaced).update(allocated_quantity=F("shipped_quantity"))
    lines_released.send(sender=OrderLine, line_ids=[*gone, *unplaced])
    stock.unallocate(ref_of(id_) for id_ in unplaced)
    stages.recompute(orders)


def _is_placed(line_id: int, held: Sequence[stock.Held]) -> bool:
    """Everything the line was promised has a place."""
    own = [holding for holding in held if holding.ref == ref_of(line_id)]
    pool = sum(holding.quantity for holding in own if holding.location_id is None)
    return pool == sum(holding.quantity for holding in own if holding.location_id is not None)


def promisable() -> QuerySet[OrderLine]:
    """Lines that may hold a promise and have none: goods we have to ship, of orders the channel lets us reserve for."""
    return OrderLine.objects.filter(
        reserved=False,
        sku__isnull=False,
        quantity__gt=F("shipped_quantity"),  # only what has not left yet
        order__cancelled_at__isnull=True,
        order__shipped_at__isnull=True,
        order__fulfilled_by_channel=False,
    ).exclude(Q(order__phase="shipped") | Q(order__flags__contains=[NO_RESERVE]))


@transaction.atomic
def promise_waiting(sku_ids: list[int] | None = None) -> int:
    """Promise stock to open lines that have none, first ranked first; returns how many were served.

    `sku_ids` narrows to lines of these SKUs (bundles that contain them included by the caller).
    """
    lines = promisable()
    if sku_ids is not None:
        lines = lines.filter(sku__in=sku_ids)
    found = list(
        lines.order_by("-order__priority", "order__ordered_at").values_list(
            "pk",
            "order",
            "sku",
            F("quantity") - F("shipped_quantity"),
            "units",
            "order__ship_by",
            "order__ordered_at",
            "order__priority",
        )[:BATCH]
    )
    if not found:
        return 0
    orders = sorted({row[1] for row in found})
    locked = set(
        Order.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(pk__in=orders, cancelled_at__isnull=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    still = set(OrderLine.objects.filter(pk__in=[row[0] for row in found], reserved=False).values_list("pk", flat=True))
    wants = [
        want_of(line, sku, quantity * units, ship_by, ordered_at, priority)
        for line, order, sku, quantity, units, ship_by, ordered_at, priority in found
        if order in locked and line in still
    ]
    granted = stock.grant(set_parts.requests_for(wants), kind="reserve")
    mark_reserved(line_ids_of(granted))
    passed_over = {row[2] for row in found if row[1] not in locked}
    _look_again(passed_over | ({row[2] for row in found} if granted and len(found) == BATCH else set()))
    return len(granted)


def _look_again(sku_ids: set[int]) -> None:
    """Orders that someone works on, and lines beyond the batch, were not asked: the next round looks at their SKUs."""
    now = clock.now()
    AllocatorMark.objects.bulk_create(AllocatorMark(sku_id=sku, at=now) for sku in sorted(sku_ids))
