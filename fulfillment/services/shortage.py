"""What people decide about orders without stock. Each verb takes the orders' locks by pk, and stock last."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date

from django.db import transaction
from django.db.models import F, Q

from fulfillment.services import facts, split
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.said import said
from orders.models import LineComponent, Mail, Order, OrderLine
from orders.models.mail import MailEvent
from orders.models.order import FulfillmentState
from orders.services import cancel, delivery, journal, labels, mail, put_together
from orders.services.journal import SYSTEM, Actor, Entry

WAITING_TAG = "入荷待ち"  # stands on orders, in the company's own language
DRAFTS = ":wait:"


@transaction.atomic
def wait_for_stock(
    order_ids: Sequence[int], *, planned_ship_date: date | None, mail_draft: bool, actor: Actor
) -> list[int]:
    """Somebody has decided that these orders wait: a tag, a new day if one is known, and a draft of the delay mail.

    Returns those that were not waiting yet. They keep their place in the queue.
    """
    fresh = labels.add_tag(order_ids, WAITING_TAG, actor=actor)
    if planned_ship_date:
        delivery.change(fresh, {"planned_ship_date": planned_ship_date}, actor=actor)
    if mail_draft:
        suffix = f"{DRAFTS}{actor.action}"
        mail.schedule_for(fresh, MailEvent.DELAY_NOTICE, suffix=suffix, draft=True, actor=actor)
    return fresh


@transaction.atomic
def wait_no_more(order_ids: Sequence[int], *, planned_ship_date: date | None, actor: Actor) -> list[int]:
    """Undo `wait_for_stock`: the tag goes, the day before is put back, a draft that has not left is withdrawn."""
    done = labels.remove_tag(order_ids, WAITING_TAG, actor=actor)
    delivery.change(done, {"planned_ship_date": planned_ship_date}, actor=actor)
    drafts = Mail.objects.filter(order__in=done, event=MailEvent.DELAY_NOTICE, key__contains=DRAFTS)
    mail.withdraw(drafts, reason=said("入荷待ちを取り消しました。"), actor=actor)
    return done


def stock_has_come(order_ids: Sequence[int]) -> None:
    """Orders whose goods are all placed wait no more: the tag goes. The caller holds the orders' locks."""
    tagged = Order.objects.filter(pk__in=order_ids, tags__contains=[WAITING_TAG])
    missing = OrderLine.objects.filter(order__in=tagged, allocated_quantity__lt=F("quantity")).values("order")
    done = list(tagged.exclude(pk__in=missing).order_by("pk").values_list("pk", flat=True))
    if done:
        labels.remove_tag(done, WAITING_TAG, actor=SYSTEM)


def why_not_partly(order_ids: Sequence[int]) -> dict[int, str]:
    """Why nothing of an order could be sent ahead; orders of which something could are left out. A set that may be sent
    in parts is something where one of its components is free. Two queries, four with such sets."""
    over = Order.objects.filter(pk__in=order_ids).exclude(cancelled_at=None, fulfilled_by_channel=False)
    found = dict.fromkeys(over.values_list("pk", flat=True), said("キャンセル済み、またはモールが出荷する受注です。"))
    standing = OrderLine.objects.filter(order__in=order_ids, quantity__gt=F("shipped_quantity"))
    columns = ("order", "allocated_quantity", "quantity", "apart", "pk", "sku__is_bundle", "sku__ships_apart")
    lines = list(standing.values_list(*columns))
    waiting = {order for order, placed, wanted, apart, *_rest in lines if placed < wanted and not apart}
    placed = {order for order, placed, wanted, *_rest in lines if placed == wanted}
    sets = [pk for _order, placed, wanted, _apart, pk, bundle, may in lines if placed < wanted and bundle and may]
    placed |= _with_parts_there(sets)
    for order_id in order_ids:
        if order_id not in waiting:
            found.setdefault(order_id, said("引当を待っている明細がありません。"))
        elif order_id not in placed:
            found.setdefault(order_id, said("引当済みの明細がないため、先に出荷できるものがありません。"))
    return found


def _with_parts_there(line_ids: Sequence[int]) -> set[int]:
    """Orders of these waiting sets of which at least one component is in stock and may leave."""
    if not line_ids:
        return set()
    due = Q(release_date__isnull=True) | Q(release_date__lte=clock.today())
    rows = LineComponent.objects.filter(due, line__in=line_ids).values_list(
        "line__order", "sku", F("units") * (F("line__quantity") - F("line__allocated_quantity")), "line__reserved"
    )
    found = list(rows)
    free = stock.available(sku for _order, sku, _units, _reserved in found)
    return {order for order, sku, units, reserved in found if reserved or free[sku] >= units}


@transaction.atomic
def send_what_is_there(order_ids: Sequence[int], *, actor: Actor) -> tuple[list[int], dict[int, str]]:
    """What has a place leaves, the rest follows. Returns the orders split, and why the others were not."""
    done: list[int] = []
    skipped: dict[int, str] = {}
    for order_id in sorted(order_ids):
        try:
            split.send_rest_later(order_id, actor=actor)
        except split.CannotSplit as refused:
            skipped[order_id] = refused.cause
        else:
            done.append(order_id)
    return done, skipped


@transaction.atomic
def send_together(
    kept_apart: Mapping[int, Sequence[int]], *, taken_before: Sequence[int] = (), actor: Actor
) -> list[int]:
    """Undo `send_what_is_there`: order → the lines that were sent apart before it, and still are. Sets that were taken
    apart since (all but `taken_before`, ids of `SetApart`) are put together. Orders already instructed or cancelled are
    left; returns the others."""
    standing = Order.objects.filter(pk__in=kept_apart, cancelled_at=None, fulfillment_state=FulfillmentState.NONE)
    done = list(standing.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    before = [line for order_id in done for line in kept_apart[order_id]]
    OrderLine.objects.filter(order__in=done, apart=True).exclude(pk__in=before).update(apart=False)
    Order.objects.filter(pk__in=done).update(version=F("version") + 1)
    journal.write([Entry(order_id, "split_undone") for order_id in done], actor=actor)
    facts.refresh(done, actor=actor)
    takings = put_together.standing(done).exclude(pk__in=taken_before)
    for taking in list(takings.order_by("line__order", "-pk").values_list("pk", flat=True)):
        with suppress(put_together.CannotPutTogether):  # a component was cancelled since: the others stay lines
            put_together.put_together(taking, actor=actor)
    return done


@transaction.atomic
def cancel_short(pieces: Mapping[int, Mapping[int, int]], *, actor: Actor) -> cancel.Cancelled:
    """Cancel so many pieces (order → line → how many) as out of stock. The same click again cancels nothing more.

    The lines hold no promise, so that no stock is locked between one order and the next.
    """
    total = cancel.Cancelled()
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=pieces).order_by("pk").values_list("pk"))
    for order_id in sorted(pieces):
        ask = cancel.Ask(reason="out_of_stock", key=f"short:{actor.action}" if actor.action else "")
        one = cancel.cancel_pieces(order_id, pieces[order_id], ask=ask, actor=actor)
        for into, more in ((total.orders, one.orders), (total.by_hand, one.by_hand), (total.waiting, one.waiting)):
            into.extend(more)
        total.refused.update(one.refused)
    return total
