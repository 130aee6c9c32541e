"""How it is paid: sums to ask about, money that does not come, authorisations that run out."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils.translation import gettext_noop as noop

from oms.kernel.money import yen
from oms.kernel.said import said
from orders.decide.checks.delivery import by_mailbox
from orders.decide.found import Found, OrderFacts
from orders.models.order import PaymentMethod, PaymentState


def _sums(facts: OrderFacts) -> Iterator[Found]:
    total = facts.total or 0
    if total >= facts.tuned("high_amount", "yen"):
        yield Found("high_amount", said("合計 %(total)s です。", total=yen(total)), "total")
    if facts.payment_method != PaymentMethod.COD:
        return
    if by_mailbox(facts):
        yield Found(
            "cod_over_limit",
            said(
                "「%(delivery_method)s」はポストに届くため、代金引換を使えません。",
                delivery_method=facts.delivery_method,
            ),
            "payment",
        )
    elif total > (limit := facts.tuned("cod_over_limit", "yen")):
        yield Found(
            "cod_over_limit",
            said("代引 %(total)s は上限 %(limit)s を超えています。", total=yen(total), limit=yen(limit)),
            "total",
        )
    elif facts.history.refused:
        yield Found("cod_risk", said("代引ですが、%(refused)s", refused=facts.history.refused), "total")
    elif total >= facts.tuned("cod_risk", "yen") and not facts.history.orders_before:
        yield Found("cod_risk", said("初めての代引で %(total)s です。", total=yen(total)), "total")


def _state(facts: OrderFacts) -> Iterator[Found]:
    if facts.payment_state == PaymentState.FAILED:
        yield Found(
            "auth_failed",
            said(
                "「%(payment_name)s」の決済に失敗しています。", payment_name=facts.payment_name or facts.payment_method
            ),
            "payment",
        )
    if facts.payment_state != PaymentState.UNPAID or facts.today is None:
        return
    if facts.payment_method == PaymentMethod.DEFERRED:
        yield Found("credit_reviewing", said("後払いの審査を待っています。"), "payment")
    grace = timedelta(days=facts.tuned("payment_overdue", "days"))
    if facts.pay_by and facts.pay_by + grace < facts.today:
        yield Found(
            "payment_overdue", said("支払期限 %(pay_by)s を過ぎています。", pay_by=f"{facts.pay_by:%Y/%m/%d}"), "pay_by"
        )


def _paid_differently(facts: OrderFacts) -> Iterator[Found]:
    if facts.total is None or facts.payment_state not in {PaymentState.PARTIALLY_PAID, PaymentState.OVERPAID}:
        return
    short = facts.payment_state == PaymentState.PARTIALLY_PAID
    yield Found(
        "paid_short" if short else "paid_over",
        said(
            noop("請求 %(total)s に対して入金は %(paid)s で、%(rest)s 足りません。")
            if short
            else noop("請求 %(total)s に対して入金は %(paid)s で、%(rest)s 多く入っています。"),
            total=yen(facts.total),
            paid=yen(facts.paid),
            rest=yen(abs(facts.total - facts.paid)),
        ),
        "payment",
    )


def _credit(facts: OrderFacts) -> Iterator[Found]:
    """The sentence stays the same while the limit does: one who was let past it is not asked about again."""
    limit, rest = facts.credit_limit, (facts.total or 0) - facts.paid
    if facts.payment_method == PaymentMethod.ACCOUNT and limit is not None and 0 < rest > limit - facts.owed_before:
        yield Found(
            "credit_over_limit", said("未入金の合計が与信枠 %(limit)s を超えます。", limit=yen(limit)), "payment"
        )


def _authorisation(facts: OrderFacts) -> Iterator[Found]:
    until, today = facts.authorized_until, facts.today
    if facts.payment_state != PaymentState.AUTHORIZED or until is None or today is None:
        return
    leaves = max(facts.ships_on or facts.promised_on or today, today)
    if until < leaves or until <= today + timedelta(days=facts.tuned("auth_expiring", "days")):
        yield Found("auth_expiring", said("与信は %(until)s までです。", until=f"{until:%Y/%m/%d}"), "authorized_until")


CHECKS = [_sums, _state, _paid_differently, _credit, _authorisation]
