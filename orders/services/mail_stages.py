"""Mails that follow from an order's way through its stages, and from a payment that failed."""

from collections.abc import Collection, Sequence

from django.db.models import Q, QuerySet

from oms.kernel.clock import in_tokyo
from orders.channel_order import MOVED_IN
from orders.decide.payments import Terms, Waiting, cancel_on
from orders.models import Mail, Order, ReviewReason
from orders.models.mail import MailEvent
from orders.models.order import PaymentMethod, PaymentState, Stage
from orders.models.payment import Collector
from orders.models.reason import Level
from orders.services import mail, payment_mail
from orders.services.payment_terms import TermsOfShops

BEFORE = {"", Stage.NEW, Stage.REVIEW}
PASSED = {Stage.AWAITING_STOCK, Stage.AWAITING_RELEASE, Stage.SCHEDULED, Stage.READY}
GOING_OUT = {Stage.SHIPPED, Stage.IN_FULFILLMENT, Stage.PARTIALLY_SHIPPED}  # the latter where no days are followed
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
    reviewed += _reviewed_meanwhile(
        [id_ for id_, before, after in moves if before == Stage.ON_HOLD and after not in NOT_ON_ITS_WAY]
    )
    done = [id_ for id_, before, after in moves if before in GOING_OUT and after == Stage.COMPLETED]
    asked += _trusted([id_ for id_, before, after in moves if before in {Stage.NEW, Stage.REVIEW} and after in PASSED])
    asked += _never_asked(
        [id_ for id_, before, after in moves if before == Stage.ON_HOLD and after == Stage.AWAITING_PAYMENT]
    )
    if asked:
        _ask_for_money(asked)
    if paid:
        settled = Order.objects.filter(
            pk__in=paid, payment_method__in=PAID_BY_THEMSELVES, payment_state=PaymentState.PAID
        )
        payment_mail.thank(list(settled.values_list("pk", flat=True)))
    if reviewed:
        _where_on(reviewed, MailEvent.ORDER_CONFIRMED)
    if done:  # the shop's follow-up days after the goods left are over
        _where_on(done, MailEvent.DELIVERED_FOLLOW)


def _trusted(order_ids: Sequence[int]) -> list[int]:
    """Those that a rule lets past the payment gate: their buyers pay later, and are told where."""
    rows = Order.objects.filter(pk__in=order_ids, ships_unpaid=True)
    return list(rows.values_list("pk", flat=True)) if order_ids else []


def _never_asked(order_ids: Sequence[int]) -> list[int]:
    """Those that were held before their buyers could be asked for money."""
    if not order_ids:
        return []
    rows = Mail.objects.filter(order__in=order_ids, event=MailEvent.PAYMENT_REQUEST)
    asked = set(rows.values_list("order", flat=True))
    return [id_ for id_ in order_ids if id_ not in asked]


def _reviewed_meanwhile(order_ids: Sequence[int]) -> list[int]:
    """Those whose reasons were cleared while they were held."""
    rows = ReviewReason.objects.filter(order__in=order_ids, level=Level.BLOCK)
    return list(rows.order_by("order").values_list("order", flat=True).distinct()) if order_ids else []


def asked_no_more(order_ids: Sequence[int]) -> None:
    """These are paid in another way from now on: what waits to ask in the words of the old one is not sent."""
    if order_ids:
        payment_mail.ask_no_more(order_ids, why=payment_mail.OTHERWISE)


def way_changed(order_ids: Sequence[int], *, suffix: str, draft: Collection[int] = ()) -> None:
    """The buyers pay in another way from now on: who has to transfer money is asked for it, under this suffix, unless
    a request waits already. Orders before that gate are asked when they come to it. `draft`: a person looks first."""
    if not order_ids:
        return
    there = Q(stage=Stage.AWAITING_PAYMENT) | Q(ships_unpaid=True, stage__in=PASSED)
    waiting = Mail.objects.filter(
        order__in=order_ids,
        event=MailEvent.PAYMENT_REQUEST,
        state__in=[Mail.State.SCHEDULED, Mail.State.DRAFT, Mail.State.SENDING],
    )
    rows = Order.objects.filter(there, pk__in=order_ids).exclude(pk__in=waiting.values("order"))
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    _ask_for_money([pk for pk in ids if pk not in draft], suffix=suffix)
    _ask_for_money([pk for pk in ids if pk in draft], suffix=suffix, draft=True)


def paid_there(order_ids: Sequence[int]) -> None:
    """The channel says that these were paid: nobody is asked any more, and who paid by himself is thanked, wherever
    the order stands. Once per order, by its key."""
    if not order_ids:
        return
    payment_mail.ask_no_more(order_ids, why=payment_mail.PAID)
    rows = Order.objects.filter(
        pk__in=order_ids, payment_method__in=PAID_BY_THEMSELVES, payment_state=PaymentState.PAID, cancelled_at=None
    )
    payment_mail.thank(list(rows.order_by("pk").values_list("pk", flat=True)))


def payment_failed(order_ids: Sequence[int]) -> None:
    """Ask for another way of paying where the payment is a matter between the shop and its provider; a mall asks its
    buyers itself. Once per order, by its key. In the caller's transaction, with any orders: those that did not fail
    are left out."""
    rows = Order.objects.filter(pk__in=order_ids, payment_state=PaymentState.FAILED, cancelled_at=None)
    failed = _collected(rows, {Collector.PROVIDER, Collector.US})
    if failed:
        _where_on([order.pk for order, _terms in failed], MailEvent.PAYMENT_CHANGE_REQUEST)


def _ask_for_money(order_ids: Sequence[int], *, suffix: str = "", draft: bool = False) -> None:
    """Of transfers that go to the shop's own account; what a mall collects, the mall asks for, and who was moved in was
    asked by the system before."""
    if not order_ids:
        return
    unpaid = Order.objects.filter(
        pk__in=order_ids, payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID
    ).exclude(flags__contains=[MOVED_IN])
    by_end: dict[str, list[int]] = {}
    for order, terms in _collected(unpaid, {Collector.US}):
        by_end.setdefault(_ends(order, terms), []).append(order.pk)
    for end, ids in by_end.items():
        extra = {"payment.cancel_date": end} if end else None
        mail.schedule_for(ids, MailEvent.PAYMENT_REQUEST, suffix=suffix, draft=draft, extra=extra)


def _ends(order: Order, terms: Terms) -> str:
    """The day on which the order ends by itself when nobody pays; "" where a person decides."""
    pay_by = in_tokyo(order.pay_by).date() if order.pay_by else None
    day = cancel_on(terms, Waiting(in_tokyo(order.ordered_at).date(), pay_by, False)) if terms.auto_cancel else None
    return f"{day:%Y年%m月%d日}" if day else ""


def _collected(rows: QuerySet[Order], collectors: set[str]) -> list[tuple[Order, Terms]]:
    """Those whose money one of these collects, with their terms. Two queries, one when there are none."""
    needed = ("shop__capabilities", "payment_method", "payment_name", "ordered_at", "pay_by")
    orders = list(rows.select_related("shop").only(*needed).order_by("pk"))
    if not orders:
        return []
    terms = TermsOfShops({order.shop for order in orders})
    found = [(order, terms.of_order(order)) for order in orders]
    return [(order, own) for order, own in found if own.collector in collectors]


def _where_on(order_ids: Sequence[int], event: str) -> None:
    """Off until a company or shop switches it on: then no row is written."""
    payment_mail.send(order_ids, event)
