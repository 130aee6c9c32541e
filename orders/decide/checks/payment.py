"""How it is paid: sums to ask about, money that does not come, authorisations that run out."""

from collections.abc import Iterator
from datetime import timedelta

from oms.kernel.money import yen
from orders.decide.checks.delivery import by_mailbox
from orders.decide.found import Found, OrderFacts
from orders.models.order import PaymentMethod, PaymentState


def _sums(facts: OrderFacts) -> Iterator[Found]:
    total = facts.total or 0
    if total >= facts.tuned("high_amount", "yen"):
        yield Found("high_amount", f"合計 {yen(total)} です。", "total")
    if facts.payment_method != PaymentMethod.COD:
        return
    if by_mailbox(facts):
        yield Found(
            "cod_over_limit", f"「{facts.delivery_method}」はポストに届くため、代金引換を使えません。", "payment"
        )
    elif total > (limit := facts.tuned("cod_over_limit", "yen")):
        yield Found("cod_over_limit", f"代引 {yen(total)} は上限 {yen(limit)} を超えています。", "total")
    elif facts.history.refused:
        yield Found("cod_risk", f"代引ですが、{facts.history.refused}", "total")
    elif total >= facts.tuned("cod_risk", "yen") and not facts.history.orders_before:
        yield Found("cod_risk", f"初めての代引で {yen(total)} です。", "total")


def _state(facts: OrderFacts) -> Iterator[Found]:
    if facts.payment_state == PaymentState.FAILED:
        yield Found(
            "auth_failed", f"「{facts.payment_name or facts.payment_method}」の決済に失敗しています。", "payment"
        )
    if facts.payment_state != PaymentState.UNPAID or facts.today is None:
        return
    if facts.payment_method == PaymentMethod.DEFERRED:
        yield Found("credit_reviewing", "後払いの審査を待っています。", "payment")
    grace = timedelta(days=facts.tuned("payment_overdue", "days"))
    if facts.pay_by and facts.pay_by + grace < facts.today:
        yield Found("payment_overdue", f"支払期限 {facts.pay_by:%Y/%m/%d} を過ぎています。", "pay_by")


def _paid_differently(facts: OrderFacts) -> Iterator[Found]:
    if facts.total is None or facts.payment_state not in {PaymentState.PARTIALLY_PAID, PaymentState.OVERPAID}:
        return
    short = facts.payment_state == PaymentState.PARTIALLY_PAID
    yield Found(
        "paid_short" if short else "paid_over",
        f"請求 {yen(facts.total)} に対して入金は {yen(facts.paid)} で、"
        f"{yen(abs(facts.total - facts.paid))} {'足りません' if short else '多く入っています'}。",
        "payment",
    )


def _authorisation(facts: OrderFacts) -> Iterator[Found]:
    until, today = facts.authorized_until, facts.today
    if facts.payment_state != PaymentState.AUTHORIZED or until is None or today is None:
        return
    leaves = max(facts.ships_on or facts.promised_on or today, today)
    if until < leaves or until <= today + timedelta(days=facts.tuned("auth_expiring", "days")):
        yield Found("auth_expiring", f"与信は {until:%Y/%m/%d} までです。", "authorized_until")


CHECKS = [_sums, _state, _paid_differently, _authorisation]
