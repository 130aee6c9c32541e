"""発売日の変更: a pre-ordered SKU's day moves, its waiting orders move with it, and their buyers are told."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, DateField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest

from inventory.models import Sku
from inventory.services import releases
from oms.kernel import clock
from oms.kernel.said import said
from oms.kernel.sql import update_rows
from orders.decide.schedule import default_ship_by
from orders.models import LineComponent, Mail, Order, OrderLine, ReleaseMove, ReleaseMoveLine
from orders.models.mail import MailEvent
from orders.services import journal, mail, order_release, review, set_parts
from orders.services.journal import Actor, Entry

EVENT = MailEvent.PREORDER_UPDATE


class CannotMove(Exception):
    """Nothing was written; `cause` says why, for people."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def waiting_lines(sku_id: int) -> QuerySet[Any]:
    """Pre-ordered lines of a SKU, and of sets with it, for which nothing is placed yet; what has goods already is not
    moved any more. `known`: the SKU's day as the line has it."""
    parts = LineComponent.objects.filter(sku=sku_id, release_date__isnull=False).order_by()
    own = parts.filter(Q(line=OuterRef("pk")) | Q(line=OuterRef("set_line")))
    lines = OrderLine.objects.alias(as_part=Subquery(own.values("release_date")[:1]))
    return lines.annotate(known=Coalesce("as_part", "release_date")).filter(
        Q(sku=sku_id) | Q(as_part__isnull=False, set_line__isnull=True),
        release_date__isnull=False, quantity__gt=F("shipped_quantity"), allocated_quantity=0,
        order__cancelled_at__isnull=True, order__fulfilled_by_channel=False,
    )  # fmt: skip


def to_move(sku_id: int, day: date) -> QuerySet[Any]:
    """Those of them that wait for another day."""
    return waiting_lines(sku_id).exclude(known=_moved_to(day))


def _moved_to(day: date) -> Case:
    """What `known` of a line is once the SKU comes out on `day`: a set that is moved itself waits for its parts."""
    parts = LineComponent.objects.filter(line=OuterRef("pk"), release_date__isnull=False).order_by("-release_date")
    whole = Greatest(Value(day), Subquery(parts.values("release_date")[:1]))
    return Case(When(as_part__isnull=True, then=whole), default=Value(day), output_field=DateField())


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
    rows = list(to_move(sku_id, day).filter(order__in=order_ids).values_list("pk", "order", "known"))
    before = sku.release_date or day
    made = ReleaseMove.objects.create(key=key, sku=sku, before=before, after=day, at=clock.now(), by=actor.by)
    moved = [ReleaseMoveLine(move=made, line_id=pk, before=old) for pk, _order, old in rows if old]
    ReleaseMoveLine.objects.bulk_create(moved)
    releases.set_day(sku_id, day)
    told = _write({pk: day for pk, _order, _old in rows}, sku, actor)
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
    still = waiting_lines(sku.pk).filter(known=_moved_to(made.after))
    days = dict(made.lines.filter(line__in=still).values_list("line", "before"))
    releases.set_day(sku.pk, made.before)
    told = _write(days, sku, actor)
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


def _write(days: Mapping[int, date], sku: Sku, actor: Actor) -> list[int]:
    """The lines' days, the orders' sums of them, the deadlines that followed from them, journal, reasons, stages.
    Returns the orders for which something moved: a set may wait for another component anyway."""
    concerned = sorted(set(OrderLine.objects.filter(pk__in=days).values_list("order", flat=True)))
    held, before = _days_of(concerned), _orders(concerned)
    _write_lines(days, sku.pk)
    now = _days_of(concerned)
    order_ids = sorted({order for pk, (order, day) in now.items() if held[pk] != (order, day)})
    order_release.follow_lines(order_ids)
    Order.objects.filter(pk__in=order_ids).update(version=F("version") + 1)
    after = _orders(order_ids)
    _move_deadlines({pk: before[pk] for pk in order_ids}, after)
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
    return order_ids


def _write_lines(days: Mapping[int, date], sku_id: int) -> None:
    wholes = dict(OrderLine.objects.filter(pk__in=days).values_list("pk", Coalesce("set_line", "pk")))
    parts = LineComponent.objects.filter(line__in=set(wholes.values()), sku=sku_id, release_date__isnull=False)
    part_of = dict(parts.values_list("line", "pk"))
    moved = {part_of[whole]: days[line] for line, whole in wholes.items() if whole in part_of}
    alone = [(line, days[line]) for line, whole in wholes.items() if whole not in part_of]
    update_rows("orders_linecomponent", {"release_date": "date"}, list(moved.items()))
    update_rows("orders_orderline", {"release_date": "date"}, alone)
    set_parts.settle_days(list(days))


def _days_of(order_ids: Sequence[int]) -> dict[int, tuple[int, date | None]]:
    rows = OrderLine.objects.filter(order__in=order_ids).values_list("pk", "order", "release_date")
    return {pk: (order, day) for pk, order, day in rows}


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
