"""What a payment method demands, what state an order's money is in, and when its buyer is reminded. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from orders.models.order import PaymentMethod, PaymentState
from orders.models.payment import Collector, Reminder, ShipsWhen

MONEY_IS_THERE = {PaymentState.PAID, PaymentState.OVERPAID, PaymentState.REFUND_DUE}


@dataclass(frozen=True, slots=True)
class Terms:
    """One row of a shop's payment terms. Days count from the order's day; 0 switches a step off."""

    method: str
    collector: str
    ships_when: str
    due_days: int = 0
    remind_days: int = 0
    final_days: int = 0
    cancel_days: int = 0
    scarce_days: int = 0
    auto_cancel: bool = False
    code: str = ""


_M, _C, _S = PaymentMethod, Collector, ShipsWhen
# What holds where a shop has said nothing.
STANDARD: Mapping[str, Terms] = {
    terms.method: terms
    for terms in (
        Terms(_M.CARD, _C.PROVIDER, _S.AUTHORIZED),
        Terms(_M.MALL, _C.CHANNEL, _S.AUTHORIZED),
        Terms(_M.COD, _C.CARRIER, _S.AT_ONCE),
        Terms(_M.BANK_TRANSFER, _C.US, _S.PAID, due_days=7, remind_days=3, final_days=6, cancel_days=10),
        Terms(_M.CONVENIENCE, _C.PROVIDER, _S.PAID, due_days=7, remind_days=3, final_days=6, cancel_days=10),
        Terms(_M.DEFERRED, _C.PROVIDER, _S.CREDIT),
        Terms(_M.WALLET, _C.PROVIDER, _S.AUTHORIZED),
        Terms(_M.POINTS, _C.NOBODY, _S.AT_ONCE),
        Terms(_M.STORE, _C.US, _S.AT_ONCE),
        Terms(_M.ACCOUNT, _C.US, _S.AT_ONCE),
        Terms(_M.FREE, _C.NOBODY, _S.AT_ONCE),
        Terms(_M.OTHER, _C.CHANNEL, _S.AUTHORIZED),
    )
}
# A mall takes this money itself; a shop of one's own has a contract with a provider.
MALL_TAKES = {_M.CARD, _M.CONVENIENCE, _M.DEFERRED, _M.WALLET}


def terms_for(rows: Iterable[Terms], *, method: str, code: str, own_payments: bool) -> Terms:
    """The row of the channel's payment code, else of the method, else the standard."""
    known = list(rows)
    by_code = next((row for row in known if row.code and row.code == code), None)
    by_method = next((row for row in known if not row.code and row.method == method), None)
    return by_code or by_method or standard(method, own_payments=own_payments)


def standard(method: str, *, own_payments: bool) -> Terms:
    """What holds without a setting. `own_payments`: the shop has its own contracts with payment providers."""
    terms = STANDARD.get(method, STANDARD[PaymentMethod.OTHER])
    if method in MALL_TAKES and not own_payments:
        return Terms(terms.method, Collector.CHANNEL, terms.ships_when)
    return terms


def ships_when_of(method: str) -> str:
    return STANDARD.get(method, STANDARD[PaymentMethod.OTHER]).ships_when


def is_paid_enough(ships_when: str, state: str) -> bool:
    """The payment gate: whether an order may ship."""
    if ships_when == ShipsWhen.AT_ONCE:
        return True
    return state in MONEY_IS_THERE or (ships_when != ShipsWhen.PAID and state == PaymentState.AUTHORIZED)


def state_after(*, total: int | None, balance: int, refunded: int, refund_due: bool, cancelled: bool) -> str:
    """The payment state that the ledger gives: `balance` is the sum of all entries, `refunded` what went back."""
    received = balance + refunded
    enough = total is not None and received >= total
    if refund_due and (enough or cancelled):
        return PaymentState.REFUND_DUE
    if refunded and balance <= 0:
        return PaymentState.REFUNDED
    if received <= 0:
        return PaymentState.UNPAID
    if not enough or total is None:
        return PaymentState.PARTIALLY_PAID
    return PaymentState.OVERPAID if balance > total else PaymentState.PAID


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order whose money has not come."""

    ordered_on: date
    pay_by: date | None
    scarce: bool = False  # somebody else could have the goods


def pay_by(terms: Terms, ordered_on: date) -> date | None:
    return ordered_on + timedelta(days=terms.due_days) if terms.due_days else None


def cancel_on(terms: Terms, waiting: Waiting) -> date | None:
    """The day from which the order may be cancelled as unpaid; never before the day the buyer was given."""
    days = terms.cancel_days
    if waiting.scarce and terms.scarce_days:
        return waiting.ordered_on + timedelta(days=min(days or terms.scarce_days, terms.scarce_days))
    if not days:
        return None
    day = waiting.ordered_on + timedelta(days=days)
    return max(day, waiting.pay_by + timedelta(days=1)) if waiting.pay_by else day


def step_due(terms: Terms, waiting: Waiting, today: date) -> str:
    """The furthest step of reminding whose day has come; "" when there is none."""
    last = cancel_on(terms, waiting)
    if last and today >= last:
        return Reminder.Step.CANCEL
    age = (today - waiting.ordered_on).days
    if terms.final_days and age >= terms.final_days:
        return Reminder.Step.FINAL
    if terms.remind_days and age >= terms.remind_days:
        return Reminder.Step.FIRST
    return ""
