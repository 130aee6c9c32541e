"""Looking at stored orders once more, when not the order but the company's settings, or only the time, has changed."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q

from oms.kernel import clock
from orders.decide.found import Found
from orders.models import Order, ReasonSetting, ReviewReason
from orders.models.order import AllocationState, ChannelSync, FulfillmentState, PaymentState, Stage
from orders.services import review
from orders.services import stage as stages

BATCH = 200
MOST = 5_000  # orders looked at in one run; the next run goes on
BEFORE_INSTRUCT = [
    Stage.NEW, Stage.REVIEW, Stage.AWAITING_PAYMENT, Stage.AWAITING_STOCK, Stage.AWAITING_RELEASE, Stage.SCHEDULED,
    Stage.READY,
]  # fmt: skip
SHORT = ("out_of_stock", "partial_stock")


def reapply(code: str) -> int:
    """Have the orders that are still before instruction follow a changed setting of one reason; returns how many."""
    version = ReasonSetting.objects.filter(pk=code).values_list("version", flat=True).first() or 0
    ids = list(Order.objects.filter(stage__in=BEFORE_INSTRUCT).order_by("pk").values_list("pk", flat=True))
    for part in _parts(ids):
        _again(part)
    ReasonSetting.objects.filter(pk=code, applied_version__lt=version).update(applied_version=version)
    return len(ids)


def reapply_missed() -> None:
    """Settings whose wake-up was lost, or whose worker died half way."""
    behind = ReasonSetting.objects.filter(applied_version__lt=F("version"))
    for code in behind.order_by("pk").values_list("pk", flat=True):
        reapply(code)


def by_time() -> int:
    """Look again at open orders whose dates, payments, stock or failed words may by now say something else."""
    soon, today = clock.now() + timedelta(days=4), clock.today()
    timely = (
        Q(wish_date__lte=today + timedelta(days=3))
        | Q(payment_state=PaymentState.UNPAID, pay_by__lte=clock.now())
        | Q(payment_state=PaymentState.AUTHORIZED, authorized_until__lte=soon)
        | Q(channel_sync=ChannelSync.FAILED)
    )
    open_orders = Order.objects.filter(stage__in=BEFORE_INSTRUCT)
    ids = set(open_orders.filter(timely).order_by("stage_since").values_list("pk", flat=True)[:MOST])
    for part in _parts(sorted(ids)):
        _again(part)
    return len(ids) + short_of_stock()


@transaction.atomic
def short_of_stock() -> int:
    """Mark the orders that wait for stock, and unmark those that wait no more; returns how many were marked."""
    waiting = dict(
        Order.objects.filter(stage=Stage.AWAITING_STOCK).values_list("pk", "allocation_state").order_by("pk")[:MOST]
    )
    marked = ReviewReason.objects.filter(code__in=SHORT, state=ReviewReason.State.OPEN)
    over = [(pk, code) for pk, code in marked.values_list("order", "code") if _short(waiting.get(pk)) != code]
    locked = Order.objects.select_for_update(no_key=True).filter(pk__in={*waiting, *(pk for pk, _code in over)})
    list(locked.order_by("pk").values_list("pk", flat=True))
    for code in SHORT:
        review.close_from_above([pk for pk, own in over if own == code], code)
        found = [(pk, Found(code, _text(code), "lines")) for pk, state in waiting.items() if _short(state) == code]
        review.open_from_above(found)
    return len(waiting)


def _short(state: str | None) -> str:
    if state is None:
        return ""
    return "partial_stock" if state == AllocationState.PARTIAL else "out_of_stock"


def _text(code: str) -> str:
    return "一部の商品だけ在庫を確保しました。" if code == "partial_stock" else "出荷できる在庫がありません。"


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


@transaction.atomic
def _again(order_ids: Sequence[int]) -> None:
    """Evaluate anew; only orders whose review changed get a new version."""
    rows = Order.objects.select_for_update(no_key=True).filter(
        pk__in=order_ids, fulfillment_state=FulfillmentState.NONE
    )
    locked = list(rows.order_by("pk").values_list("pk", flat=True))
    before = _open(locked)
    review.sync(locked)
    after = _open(locked)
    changed = [pk for pk in locked if before.get(pk) != after.get(pk)]
    Order.objects.filter(pk__in=changed).update(version=F("version") + 1)
    stages.recompute(changed)


def _open(order_ids: Sequence[int]) -> dict[int, set[tuple[str, str]]]:
    found: dict[int, set[tuple[str, str]]] = {}
    rows = ReviewReason.objects.filter(order__in=order_ids, state=ReviewReason.State.OPEN)
    for order_id, code, level in rows.values_list("order", "code", "level"):
        found.setdefault(order_id, set()).add((code, level))
    return found
