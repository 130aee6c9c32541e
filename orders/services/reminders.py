"""Reminding buyers who have not paid, step by step, and ending what nobody will pay."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Max, Q

from inventory.queries import availability
from oms.kernel import clock
from oms.kernel.halves import in_halves
from oms.kernel.said import said
from orders.decide.payments import Terms, Waiting, cancel_on, step_due
from orders.models import Order, OrderLine, Reminder, Shop
from orders.models.order import FulfillmentState, Phase
from orders.models.payment import Collector
from orders.queries.matching import unpaid_to_us
from orders.services import cancel, journal, ledger, payment_mail
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.payment_gates import TermsOfShops

Step = Reminder.Step
MAILS = {Step.FIRST: "payment_reminder", Step.FINAL: "payment_final"}
UNPAID_REASON = "未入金"


@dataclass(frozen=True, slots=True)
class Case:
    """One unpaid order: what its terms say, which step its day asks for, and which ones were taken."""

    order: Order
    terms: Terms
    step: str
    taken: frozenset[str]
    ends_on: date | None
    scarce: bool

    @property
    def is_new(self) -> bool:
        return bool(self.step) and self.step not in self.taken


def cases(orders: Iterable[Order]) -> list[Case]:
    """What is due for these orders (their shops loaded). A fixed number of queries."""
    rows = list(orders)
    terms = TermsOfShops({order.shop for order in rows})
    taken: dict[int, set[str]] = {}
    for order_id, step in Reminder.objects.filter(order__in=rows).values_list("order", "step"):
        taken.setdefault(order_id, set()).add(step)
    own = {order.pk: terms.of_order(order) for order in rows}
    scarce = scarce_orders([pk for pk, term in own.items() if term.scarce_days])
    today = clock.today()
    found = []
    for order in rows:
        waiting = Waiting(
            clock.in_tokyo(order.ordered_at).date(),
            clock.in_tokyo(order.pay_by).date() if order.pay_by else None,
            order.pk in scarce,
        )
        term = own[order.pk]
        found.append(
            Case(
                order,
                term,
                step_due(term, waiting, today),
                frozenset(taken.get(order.pk, ())),
                cancel_on(term, waiting),
                order.pk in scarce,
            )
        )
    return found


def scarce_orders(order_ids: Sequence[int]) -> set[int]:
    """Orders with a line whose goods nobody else can be promised any more."""
    if not order_ids:
        return set()
    lines = list(
        OrderLine.objects.filter(order__in=order_ids, sku__isnull=False, quantity__gt=0).values_list("order", "sku")
    )
    free = availability.available({sku for _order, sku in lines})
    return {order for order, sku in lines if free[sku] <= 0}


def waiting() -> list[Order]:
    """Unpaid orders that we ourselves remind: ours to collect, complete, and not sent off before payment, unless a
    rule wanted it so."""
    rows = unpaid_to_us().filter(Q(fulfillment_state=FulfillmentState.NONE) | Q(ships_unpaid=True))
    rows = rows.filter(Q(phase__in=[Phase.OPEN, Phase.TO_CONFIRM]) | Q(ships_unpaid=True, phase=Phase.SHIPPED))
    columns = (
        "shop", "channel_order_no", "ordered_at", "pay_by", "payment_method", "payment_name", "total", "paid_amount",
        "fulfillment_state",
    )  # fmt: skip
    terms = TermsOfShops(Shop.objects.all())
    found = rows.select_related("shop").only(*columns, "shop__name", "shop__capabilities").order_by("pk")
    return [order for order in found if terms.of_order(order).collector == Collector.US]


def send_due() -> int:
    """Send the step whose day has come, once per order and step; a beat that slept sends only the furthest one."""
    due: dict[str, list[int]] = {}
    for case in cases(waiting()):
        if case.is_new and case.step in MAILS and not _further(case):
            due.setdefault(case.step, []).append(case.order.pk)
    return sum(len(done) for step, ids in due.items() for done in in_halves(_reminding(step), ids, "not_reminded"))


def _reminding(step: str) -> Callable[[Sequence[int]], list[int]]:
    return lambda order_ids: remind(order_ids, step, actor=SYSTEM)


def _further(case: Case) -> bool:
    """A later step was taken already: the earlier one is not made good."""
    order = [Step.FIRST, Step.FINAL, Step.CANCEL]
    return any(order.index(Step(step)) > order.index(Step(case.step)) for step in case.taken)


@transaction.atomic
def remind(order_ids: Sequence[int], step: str, *, actor: Actor, again: bool = False) -> list[int]:
    """Write down that these orders were reminded, with the mail where its template is in use; returns the orders.

    An order gets each step once, unless a person wants it `again`; paid and cancelled ones are left out.
    """
    locked = ledger.lock(order_ids)
    open_ = list(unpaid_to_us().filter(pk__in=locked).order_by("pk").values_list("pk", flat=True))
    sent = Reminder.objects.filter(order__in=open_, step=step).values_list("order").annotate(last=Max("number"))
    last = dict(sent)
    wanted = [pk for pk in open_ if again or pk not in last]
    now = clock.now()
    Reminder.objects.bulk_create(
        Reminder(order_id=pk, step=step, number=last.get(pk, 0) + 1, at=now, by=actor.by) for pk in wanted
    )
    ends = cancel_days(wanted) if step in MAILS else {}
    for pk in wanted:
        if step in MAILS:
            number = last.get(pk, 0) + 1
            extra = {"payment.cancel_date": ends.get(pk, ""), "payment.reminder_count": str(number)}
            payment_mail.send([pk], MAILS[Step(step)], suffix="" if number == 1 else f":{number}", extra=extra)
    journal.write([Entry(pk, "reminded", said(Step(step).label)) for pk in wanted], actor=actor)
    return wanted


def cancel_days(order_ids: Sequence[int]) -> dict[int, str]:
    """Order → the day on which we end it when nobody has paid, where the shop's terms have one."""
    orders = Order.objects.select_related("shop").defer("search").filter(pk__in=order_ids)
    return {
        case.order.pk: f"{case.ends_on:%Y年%m月%d日}"
        for case in cases(orders)
        if case.ends_on and case.terms.auto_cancel
    }


def expired() -> list[Case]:
    """Orders whose last day has passed, for the list with preview; nothing is changed. What has left stays sold."""
    found = [case for case in cases(waiting()) if case.step == Step.CANCEL]
    return [case for case in found if case.order.fulfillment_state == FulfillmentState.NONE]


def cancel_expired() -> int:
    """Cancel expired orders where the shop's terms say so; returns how many. Each order's cancelling is a transaction
    of its own, so that one that cannot be cancelled keeps no other."""
    done = 0
    for case in expired():
        if not case.terms.auto_cancel or case.order.paid_amount:
            continue
        done += sum(in_halves(_cancel_unpaid, [case.order.pk], "expired_not_cancelled"))
    return done


@transaction.atomic
def _cancel_unpaid(order_ids: Sequence[int]) -> int:
    ledger.lock(order_ids)
    unpaid = list(unpaid_to_us().filter(pk__in=order_ids).values_list("pk", flat=True))
    return len(cancel.cancel_orders(unpaid, reason=UNPAID_REASON, actor=SYSTEM).orders)
