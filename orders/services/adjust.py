"""A fee or a discount that a person puts onto an order, agreed with the buyer, beside those of rules."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction

from oms.kernel.money import yen
from oms.kernel.said import said, together
from orders.decide.cut import Sums
from orders.models import Order, TaskKind
from orders.services import adjustments, cut_lines, edit, journal, payment_fees, provider_tasks, refunds, tasks
from orders.services import stage as stages
from orders.services.adjustments import DISCOUNT, New
from orders.services.channel_words import page_of
from orders.services.edit import TooLate
from orders.services.internal import is_internal
from orders.services.journal import Actor, Entry


def why_not(order: Order) -> str:
    """Why the order keeps its price; empty where it is ours to set. The order comes with its shop."""
    if cause := edit.why_closed(order):
        return cause
    if order.total is None:
        return said("合計金額がまだ届いていません。")
    if not payment_fees.sets_own_price(order):
        return said("合計はモールが決めるため、こちらでは変えられません。モールの画面で変えてください。")
    return ""


@transaction.atomic
def adjust(order_id: int, new: New, *, actor: Actor) -> bool:
    """Put it on; False when its key was on already. Raises TooLate where the order does not allow it.

    What was paid too much by then, or is missing, the order's reasons say; held money is captured at the new total.
    Takes the order's lock.
    """
    order = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").get(pk=order_id)
    if cause := why_not(order):
        raise TooLate(cause)
    if new.kind == DISCOUNT and new.amount > (order.total or 0):
        raise TooLate(said("値引が合計を超えています。"))
    return bool(put_on([new], actor=actor))


def put_on(new: Sequence[New], *, actor: Actor) -> dict[int, dict[str, Any]]:
    """The same for many orders, one each, that allow it and whose locks the caller holds. Returns what `take_off` needs
    of each; a key that was on already is missing."""
    orders = _orders([one.order_id for one in new])
    before = {pk: cut_lines.sums_of(order) for pk, order in orders.items()}
    left = adjustments.put_on(new)
    entries = []
    for one in (one for one in new if one.order_id in left):
        order, was = orders[one.order_id], before[one.order_id]
        now = replace(was, total=(was.total or 0) + one.more)
        sign = "+" if one.more > 0 else "-"
        entries.append(_entry(order.pk, together([one.label, f"{sign}{yen(one.amount)}"], " "), was, now))
        provider_tasks.total_moved(order, was, now, key=one.key, actor=actor)
        _tell_page(order, one, now.total or 0, actor)
    journal.write(entries, actor=actor)
    stages.recompute(list(left), actor=actor)
    return left


def take_off(off: Sequence[New], left: Mapping[int, Mapping[str, Any]], *, actor: Actor) -> list[int]:
    """Undo `put_on`, to the yen; what was told about it and not done yet is withdrawn, what was done is asked for anew,
    and what was paid too much by then is due back. Returns the orders. The caller holds their locks."""
    before = {pk: cut_lines.sums_of(order) for pk, order in _orders([one.order_id for one in off]).items()}
    gone = adjustments.take_off({one.order_id: one.key for one in off}, left)
    orders = _orders(gone)
    now = {pk: cut_lines.sums_of(order) for pk, order in orders.items()}
    taken = [one for one in off if one.order_id in orders]
    for one in taken:
        _take_words_back(orders[one.order_id], one, before[one.order_id], actor)
        _give_back(orders[one.order_id], one, actor)
    words = {one.order_id: said("%(what)sの取り消し", what=one.label) for one in taken}
    journal.write([_entry(pk, words[pk], before[pk], now[pk]) for pk in gone], actor=actor)
    stages.recompute(gone, actor=actor)
    return gone


def _orders(order_ids: Sequence[int]) -> dict[int, Order]:
    return {order.pk: order for order in Order.objects.filter(pk__in=order_ids).select_related("shop").order_by("pk")}


def _entry(order_id: int, words: str, before: Sums, after: Sums) -> Entry:
    return Entry(order_id, "adjusted", words, {"total": (yen(before.total or 0), yen(after.total or 0))})


def _take_words_back(order: Order, one: New, before: Sums, actor: Actor) -> None:
    page, provider = _page_key(order.pk, one.key), f"provider:{order.pk}:{one.key}"
    done = tasks.finished([page, provider])
    tasks.withdraw([key for key in (page, provider) if key not in done], actor=actor)
    if page in done:
        _tell_page(order, replace(one, key=f"{one.key}:back"), order.total or 0, actor)
    if provider in done:
        provider_tasks.total_moved(order, before, cut_lines.sums_of(order), key=f"{one.key}:back", actor=actor)


def _give_back(order: Order, one: New, actor: Actor) -> None:
    if over := min(max(0, one.more), max(0, order.paid_amount - (order.total or 0))):
        wish = refunds.Wish(quantities={}, surplus=over)
        key = f"{_page_key(order.pk, one.key)}:refund"
        reason = said("%(what)sの取り消しで合計が下がったため", what=one.label)
        refunds.open_refund(order.pk, key=key, wish=wish, reason=reason, actor=actor)


def _page_key(order_id: int, key: str) -> str:
    return f"adjust:{order_id}:{key}"


def _tell_page(order: Order, new: New, total: int, actor: Actor) -> None:
    """A cart that knows the order shows the buyer another total until a person changes it there."""
    if is_internal(order):
        return
    text = said(
        "%(no)s: 受注画面でも合計を %(total)s に変える（%(what)s）",
        no=order.channel_order_no,
        total=yen(total),
        what=new.label,
    )
    task = tasks.NewTask(_page_key(order.pk, new.key), order.pk, text, TaskKind.CHANGE, page_of(order))
    tasks.ask([task], actor=actor)
