"""発売日の変更: a pre-ordered SKU's day moves, its waiting orders move with it, and their buyers are told."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery

from inventory.models import Sku
from inventory.services import releases
from oms.kernel import clock
from oms.kernel.said import said
from oms.kernel.sql import update_rows
from orders.decide.schedule import default_ship_by
from orders.models import Mail, Order, OrderLine, ReleaseMove, ReleaseMoveLine
from orders.models.mail import MailEvent
from orders.services import journal, mail, review
from orders.services.journal import Actor, Entry

EVENT = MailEvent.PREORDER_UPDATE


class CannotMove(Exception):
    """Nothing was written; `cause` says why, for people."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def waiting_lines(sku_id: int) -> QuerySet[OrderLine]:
    """Pre-ordered lines of a SKU for which nothing is placed yet; what has goods already is not moved any more."""
    return OrderLine.objects.filter(
        sku=sku_id, release_date__isnull=False, quantity__gt=F("shipped_quantity"), allocated_quantity=0,
        order__cancelled_at__isnull=True, order__fulfilled_by_channel=False,
    )  # fmt: skip


def to_move(sku_id: int, day: date) -> QuerySet[OrderLine]:
    """Those of them that wait for another day."""
    return waiting_lines(sku_id).exclude(release_date=day)


def refusal(sku: Sku, day: date) -> str:
    """Why the SKU's day cannot be moved there; empty when it can."""
    if sku.release_date is None:
        return said("予約商品ではないため、発売日を変更できません。")
    if sku.release_date == day and not to_move(sku.pk, day).exists():
        return said("発売日は変わっていません。別の日を選んでください。")
    return ""


@transaction.atomic
def move(sku_id: int, day: date, *, key: UUID, draft: bool, actor: Actor) -> ReleaseMove:
    """Set the SKU's release day, move its waiting orders and write their `preorder_update` mails (`draft`: a person
    looks at each first). The same key moves once. Raises CannotMove. Takes the orders' locks, then the SKU's."""
    order_ids = sorted(set(to_move(sku_id, day).values_list("order", flat=True)))
    _lock(order_ids)
    sku = Sku.objects.select_for_update(no_key=True).get(pk=sku_id)
    if known := ReleaseMove.objects.filter(key=key).first():
        return known
    if cause := refusal(sku, day):
        raise CannotMove(cause)
    rows = list(to_move(sku_id, day).filter(order__in=order_ids).values_list("pk", "order", "release_date"))
    before = sku.release_date or day
    made = ReleaseMove.objects.create(key=key, sku=sku, before=before, after=day, at=clock.now(), by=actor.by)
    moved = [ReleaseMoveLine(move=made, line_id=pk, before=old) for pk, _order, old in rows if old]
    ReleaseMoveLine.objects.bulk_create(moved)
    releases.set_day(sku_id, day)
    told = sorted({order for _pk, order, _old in rows})
    _write({pk: day for pk, _order, _old in rows}, told, sku, actor)
    mail.schedule_for(told, EVENT, suffix=f":{key}", draft=draft, actor=actor)
    made.order_count = len(told)
    made.mail_count = _own_mails(key).filter(state__in=[Mail.State.DRAFT, Mail.State.SCHEDULED]).count()
    made.save(update_fields=["order_count", "mail_count"])
    return made


@transaction.atomic
def undo(move_id: int, *, actor: Actor) -> ReleaseMove:
    """Put the SKU and the orders that still wait for the moved day back. Mails that still wait are withdrawn; who was
    told already is told again. Raises CannotMove when the day was moved again, or the move undone. Locks as `move`."""
    order_ids = sorted(set(ReleaseMoveLine.objects.filter(move=move_id).values_list("line__order", flat=True)))
    _lock(order_ids)
    made = ReleaseMove.objects.select_related("sku").get(pk=move_id)
    sku = Sku.objects.select_for_update(no_key=True).get(pk=made.sku_id)
    now = clock.now()
    if sku.release_date != made.after or not _claimed(made, actor):
        raise CannotMove(said("そのあとに発売日が変わったか、すでに取り消されています。画面を読み直してください。"))
    still = waiting_lines(sku.pk).filter(release_date=made.after)
    days = dict(made.lines.filter(line__in=still).values_list("line", "before"))
    releases.set_day(sku.pk, made.before)
    told = sorted(set(OrderLine.objects.filter(pk__in=days).values_list("order", flat=True)))
    _write(days, told, sku, actor)
    sent = _own_mails(made.key).filter(order__in=told, state=Mail.State.SENT).values_list("order", flat=True)
    again = sorted(set(sent))
    mail.withdraw(_own_mails(made.key), reason=said("発売日の変更を取り消しました。"), actor=actor)
    mail.schedule_for(again, EVENT, suffix=f":{made.key}:undo", actor=actor)
    made.undone_at, made.undone_by = now, actor.by
    return made


def _claimed(made: ReleaseMove, actor: Actor) -> bool:
    open_ = ReleaseMove.objects.filter(pk=made.pk, undone_at__isnull=True)
    return bool(open_.update(undone_at=clock.now(), undone_by=actor.by))


def _own_mails(key: UUID) -> QuerySet[Mail]:
    return Mail.objects.filter(event=EVENT, key__endswith=f":{key}")


def _lock(order_ids: Sequence[int]) -> None:
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk").values_list("pk"))


def _write(days: Mapping[int, date], order_ids: Sequence[int], sku: Sku, actor: Actor) -> None:
    """The lines' days, the orders' sums of them, the deadlines that followed from them, journal, reasons, stages."""
    before = _orders(order_ids)
    update_rows("orders_orderline", {"release_date": "date"}, list(days.items()))
    last = OrderLine.objects.filter(order=OuterRef("pk"), quantity__gt=0, release_date__isnull=False)
    Order.objects.filter(pk__in=order_ids).update(
        release_date=Subquery(last.order_by("-release_date").values("release_date")[:1]), version=F("version") + 1
    )
    after = _orders(order_ids)
    _move_deadlines(before, after)
    journal.write(
        [
            Entry(
                pk, "release_moved", sku.code,
                {"release_date": (str(before[pk].release_date or ""), str(after[pk].release_date or ""))},
            )
            for pk in order_ids
        ],
        actor=actor,
    )  # fmt: skip
    review.reevaluate(order_ids, actor=actor)
    releases.wake_allocator([sku.pk])


def _orders(order_ids: Sequence[int]) -> dict[int, Order]:
    fields = ("release_date", "ship_by", "ordered_at", "planned_ship_date", "shop__ship_within_days")
    rows = Order.objects.select_related("shop").only(*fields)
    return {order.pk: order for order in rows.filter(pk__in=order_ids).order_by("pk")}


def _move_deadlines(before: Mapping[int, Order], after: Mapping[int, Order]) -> None:
    """A deadline of our own counts from the release; one that the channel told stays."""
    moved = [
        (pk, _own_deadline(after[pk])) for pk, order in before.items()
        if order.ship_by is not None and order.ship_by == _own_deadline(order)
    ]  # fmt: skip
    update_rows("orders_order", {"ship_by": "timestamptz"}, moved)


def _own_deadline(order: Order) -> object:
    return default_ship_by(
        order.shop.ship_within_days,
        clock.in_tokyo(order.ordered_at).date(),
        release_date=order.release_date,
        planned_ship_date=order.planned_ship_date,
    )
