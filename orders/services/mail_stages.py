"""Mails that follow from an order's way through its stages."""

from collections.abc import Sequence

from orders.models import Order, Shop
from orders.models.mail import MailEvent
from orders.models.order import PaymentMethod, PaymentState, Stage
from orders.services import mail

BEFORE = {"", Stage.NEW, Stage.REVIEW}
NOT_ON_ITS_WAY = {Stage.NEW, Stage.REVIEW, Stage.ON_HOLD, Stage.CANCELLED}
PAID_BY_THEMSELVES = [PaymentMethod.BANK_TRANSFER, PaymentMethod.CONVENIENCE]


def follow(moves: Sequence[tuple[int, str, str]]) -> None:
    """(order id, stage before, stage after) in the caller's transaction. Each mail once per order, by its key."""
    asked = [id_ for id_, before, after in moves if before in BEFORE and after == Stage.AWAITING_PAYMENT]
    paid = [
        id_ for id_, before, after in moves
        if before == Stage.AWAITING_PAYMENT and after not in {*NOT_ON_ITS_WAY, Stage.AWAITING_PAYMENT}
    ]  # fmt: skip
    reviewed = [id_ for id_, before, after in moves if before == Stage.REVIEW and after not in NOT_ON_ITS_WAY]
    if asked:
        unpaid = Order.objects.filter(
            pk__in=asked, payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID
        )
        mail.schedule_for(list(unpaid.values_list("pk", flat=True)), MailEvent.PAYMENT_REQUEST)
    if paid:
        settled = Order.objects.filter(
            pk__in=paid, payment_method__in=PAID_BY_THEMSELVES, payment_state=PaymentState.PAID
        )
        mail.schedule_for(list(settled.values_list("pk", flat=True)), MailEvent.PAYMENT_RECEIVED)
    if reviewed:
        _confirmed(reviewed)


def _confirmed(order_ids: Sequence[int]) -> None:
    """Off until a company or shop switches it on: then no row is written."""
    shop_of = dict(Order.objects.filter(pk__in=order_ids).values_list("pk", "shop"))
    on = {shop.pk for shop in Shop.objects.filter(pk__in=set(shop_of.values())) if mail.is_on(shop, "order_confirmed")}
    mail.schedule_for([pk for pk, shop in shop_of.items() if shop in on], MailEvent.ORDER_CONFIRMED)
