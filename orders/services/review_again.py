"""Looking at stored orders once more, when not the order but the company's settings, or only the time, has changed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from oms.kernel import clock
from oms.kernel.clock import TOKYO
from oms.kernel.halves import in_halves
from oms.kernel.said import said, sentences
from orders.decide.found import Found
from orders.models import Order, OrderLine, ReasonSetting, ReviewReason
from orders.models.order import AllocationState, FulfillmentState, PaymentState, Stage
from orders.services import reason_settings, review
from orders.services import stage as stages
from orders.services.intake_rows import day_of

BATCH = 200
MOST = 5_000  # orders looked at in one run; the next run goes on
BEFORE_INSTRUCT = [
    Stage.NEW, Stage.REVIEW, Stage.AWAITING_PAYMENT, Stage.AWAITING_STOCK, Stage.AWAITING_RELEASE, Stage.SCHEDULED,
    Stage.READY,
]  # fmt: skip
NAMED = 5  # goods that a reason names
SHORT = ("out_of_stock", "partial_stock")
ENDING = ("area_suspended", "area_unservable", "blacklist_match", "blacklist_similar")  # what opened them has last days
ASK_AGAIN = timedelta(hours=6)  # between two looks at an order whose deadline is near and was told
FORGET = timedelta(days=14)  # a deadline so long past is no news


def reapply(code: str) -> int:
    """Have the orders that are still before instruction follow a changed setting of one reason; returns how many."""
    version = ReasonSetting.objects.filter(pk=code).values_list("version", flat=True).first() or 0
    ids = list(Order.objects.filter(stage__in=BEFORE_INSTRUCT).order_by("pk").values_list("pk", flat=True))
    for part in _parts(ids):
        in_halves(_again, part, "not_looked_at_again")
        _relevel(part, code)
    ReasonSetting.objects.filter(pk=code, applied_version__lt=version).update(applied_version=version)
    return len(ids)


@transaction.atomic
def _relevel(order_ids: Sequence[int], code: str) -> None:
    """Open reasons that no check finds again get the level that is set now."""
    if code not in (review.FROM_ABOVE | review.STICKY) - review.OWN_LEVEL:
        return
    setting = reason_settings.read().of(code)
    rows = Order.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=order_ids).order_by("pk")
    orders = {order.pk: order for order in rows.select_related("shop", "member__rank").defer("member__search")}
    changed = []
    for reason in ReviewReason.objects.filter(order__in=orders, code=code, state=ReviewReason.State.OPEN):
        level = setting.level_for(review.reader_of(orders[reason.order_id]))
        if level != reason.level:
            ReviewReason.objects.filter(pk=reason.pk).update(level=level)
            changed.append(reason.order_id)
    Order.objects.filter(pk__in=changed).update(version=F("version") + 1)
    stages.recompute(changed)


def reapply_missed() -> None:
    """Settings whose wake-up was lost, or whose worker died half way."""
    behind = ReasonSetting.objects.filter(applied_version__lt=F("version"))
    for code in behind.order_by("pk").values_list("pk", flat=True):
        reapply(code)


def by_time() -> int:
    """Look again at open orders whose dates, payments, stock or failed words may by now say something else."""
    ends = 1 + reason_settings.read().most("auth_expiring", "days")
    soon, today = clock.now() + timedelta(days=max(4, ends)), clock.today()
    over_limit = ReviewReason.objects.filter(
        order=OuterRef("pk"), code="credit_over_limit", state=ReviewReason.State.OPEN
    )
    ending = ReviewReason.objects.filter(
        order=OuterRef("pk"), code__in=ENDING, state=ReviewReason.State.OPEN, raised_at__lt=clock.now() - ASK_AGAIN
    )
    timely = (
        Q(wish_date__lte=today + timedelta(days=3))
        | Q(payment_state=PaymentState.UNPAID, pay_by__lte=clock.now())
        | Q(payment_state=PaymentState.AUTHORIZED, authorized_until__lte=soon)
        | Q(Exists(ending))
        | _near_promise()
        | Q(Exists(over_limit))
    )
    open_orders = Order.objects.filter(stage__in=BEFORE_INSTRUCT)
    ids = set(open_orders.filter(timely).order_by("stage_since").values_list("pk", flat=True)[:MOST])
    for part in _parts(sorted(ids)):
        in_halves(_again, part, "not_looked_at_again")
    in_time()
    return len(ids) + short_of_stock()


def _near_promise() -> Q:
    """Orders whose deadline may open a reason by now, and that have it not yet."""
    settings = reason_settings.read()
    until = clock.now() + timedelta(hours=settings.most("ship_by_risk", "hours_left"))
    if settings.is_active("due_today"):
        until = max(until, datetime.combine(clock.today() + timedelta(days=1), time.min, TOKYO))
    told = ReviewReason.objects.filter(
        order=OuterRef("pk"), code__in=review.TIMELY, raised_at__gte=clock.now() - ASK_AGAIN
    )
    return Q(~Exists(told), ship_by__lte=until, ship_by__gt=clock.now() - FORGET)


@transaction.atomic
def in_time() -> int:
    """Deadlines that were near when the instruction went out need nobody any more; returns how many orders."""
    marked = ReviewReason.objects.filter(code__in=review.TIMELY, state=ReviewReason.State.OPEN)
    gone = marked.exclude(order__fulfillment_state=FulfillmentState.NONE, order__cancelled_at=None)
    ids = sorted(set(gone.order_by("pk").values_list("order", flat=True)[:MOST]))
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))
    for code in sorted(review.TIMELY):
        review.close_from_above(ids, code)
    return len(ids)


@transaction.atomic
def short_of_stock() -> int:
    """Mark the orders that wait for stock which does not come in time for their promise, and unmark those that wait no
    more; returns how many were marked."""
    rows = (
        Order.objects.filter(stage=Stage.AWAITING_STOCK).order_by("pk").values_list("pk", "allocation_state", "ship_by")
    )
    stands = {pk: (state, ship_by) for pk, state, ship_by in rows[:MOST]}
    lacks = _lacking(list(stands))
    waiting = {
        pk: state for pk, (state, ship_by) in stands.items() if not _comes_in_time(lacks.get(pk, ()), day_of(ship_by))
    }
    accepted = Q(state=ReviewReason.State.ACCEPTED) & ~Q(fingerprint="")
    marked = ReviewReason.objects.filter(Q(state=ReviewReason.State.OPEN) | accepted, code__in=SHORT)
    over = [(pk, code) for pk, code in marked.values_list("order", "code") if _short(waiting.get(pk)) != code]
    locked = Order.objects.select_for_update(no_key=True).filter(pk__in={*waiting, *(pk for pk, _code in over)})
    list(locked.order_by("pk").values_list("pk", flat=True))
    for code in SHORT:
        review.close_from_above([pk for pk, own in over if own == code], code)
        found = [
            (pk, Found(code, sentences(_text(code), _goods(lacks.get(pk, ()))), "lines"))
            for pk, state in waiting.items()
            if _short(state) == code
        ]
        review.open_from_above(found)
    return len(waiting)


def _lacking(order_ids: Sequence[int]) -> dict[int, list[OrderLine]]:
    """Order → its lines without a promise of stock. One query."""
    rows = OrderLine.objects.filter(
        order__in=order_ids, reserved=False, sku__isnull=False, quantity__gt=F("shipped_quantity")
    )
    found: dict[int, list[OrderLine]] = defaultdict(list)
    for line in rows.select_related("sku").defer("sku__search_text").order_by("position", "pk"):
        found[line.order_id].append(line)
    return found


def _comes_in_time(lines: Sequence[OrderLine], promised: date | None) -> bool:
    """Of all these goods one knows when they come, and that is soon enough."""
    days = [line.sku.coming(clock.today()) if line.sku else None for line in lines]
    known = [day for day in days if day is not None and not day.is_late and (promised is None or day.on <= promised)]
    return bool(days) and len(known) == len(days)


def _goods(lines: Sequence[OrderLine]) -> str:
    """The goods that lack, as far as a sentence goes."""
    if not lines:
        return ""
    named = [f"{line.sku.code} ×{line.quantity - line.shipped_quantity}" for line in lines[:NAMED] if line.sku]
    if len(lines) > NAMED:
        return said("足りない商品: %(goods)s ほか%(n)s点", goods=named, n=len(lines) - NAMED)
    return said("足りない商品: %(goods)s", goods=named)


def _short(state: str | None) -> str:
    if state is None:
        return ""
    return "partial_stock" if state == AllocationState.PARTIAL else "out_of_stock"


def _text(code: str) -> str:
    if code == "partial_stock":
        return said("一部の商品だけ在庫を確保しました。")
    return said("出荷できる在庫がありません。")


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
    review.sync(locked, timely=True)
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
