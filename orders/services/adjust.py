"""A fee or a discount that a person puts onto an order, agreed with the buyer, beside those of rules."""

from dataclasses import replace

from django.db import transaction

from oms.kernel.money import yen
from oms.kernel.said import said, together
from orders.models import Order, TaskKind
from orders.services import adjustments, cut_lines, edit, journal, payment_fees, provider_tasks, tasks
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
    before = cut_lines.sums_of(order)
    after = replace(before, total=(order.total or 0) + new.more)
    if not adjustments.put_on([new]):
        return False
    changes = {"total": (yen(before.total or 0), yen(after.total or 0))}
    sign = "+" if new.more > 0 else "-"
    words = together([new.label, f"{sign}{yen(new.amount)}"], " ")
    journal.write([Entry(order.pk, "adjusted", words, changes)], actor=actor)
    provider_tasks.total_moved(order, before, after, key=new.key, actor=actor)
    _tell_page(order, new, after.total or 0, actor)
    stages.recompute([order.pk], actor=actor)
    return True


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
    task = tasks.NewTask(f"adjust:{order.pk}:{new.key}", order.pk, text, TaskKind.CHANGE, page_of(order))
    tasks.ask([task], actor=actor)
