"""合計請求書 as values: what one customer got in a period, what was owed before, and what is to be paid now."""

from dataclasses import dataclass
from datetime import date

from oms.kernel.money import RateTotal, TaxRate, rate_totals
from orders.documents.bill import BillKind, Reference
from orders.documents.figures import taxed
from orders.documents.values import Deduction, Fee, Letterhead, Line, Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One order as delivered. `returned`: a credit note, whose lines are positive and taken off."""

    day: date
    order_number: str
    notes: tuple[str, ...] = ()  # numbers of the delivery notes, or of the credit note
    lines: tuple[Line, ...]
    fees: tuple[Fee, ...] = ()
    deductions: tuple[Deduction, ...] = ()
    returned: bool = False

    def taxed(self) -> list[tuple[TaxRate, int]]:
        sign = -1 if self.returned else 1
        return [(rate, sign * amount) for rate, amount in taxed(self.lines, self.fees, self.deductions)]

    @property
    def paid_otherwise(self) -> int:
        return sum(part.amount for part in self.deductions if not part.lowers_price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What is owed more (or less) without being a sale of the period."""

    day: date
    label: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One monthly bill. `before` was asked for last time, `received` has come since (negative: it grew),
    `adjustments` are put on top.

    `by_note`: the delivery notes are the invoices. Then tax is rounded on each of them, and the sums here only add up
    what they say; else this bill is the invoice and rounds once per rate.
    """

    shop: Letterhead
    number: str = ""
    issued_on: date
    since: date
    until: date
    to: Party
    deliveries: tuple[Delivery, ...]
    before: int = 0
    received: int = 0
    adjustments: tuple[Adjustment, ...] = ()
    due_on: date
    bank_account: str = ""
    by_note: bool = False
    corrects: Reference | None = None  # none so far: a bill is voided and closed anew
    reason: str = ""
    is_reissue: bool = False

    @property
    def kind(self) -> BillKind:
        return BillKind.MONTHLY

    @property
    def supplied_on(self) -> date:
        return self.until

    @property
    def order_numbers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.order_number for one in self.deliveries))


@dataclass(frozen=True, slots=True)
class StatementSums:
    """`sales` less `returns` is the taxable `total` of the period; `due` is what is to be paid now."""

    sales: int
    returns: int
    total: int
    paid_otherwise: int
    carried: int
    adjusted: int
    due: int
    rates: list[RateTotal]


def statement_sums(bill: Statement) -> StatementSums:
    """Raises ValueError when a delivery's discounts exceed its amounts."""
    sold = [amount for one in bill.deliveries if not one.returned for _rate, amount in one.taxed()]
    back = [-amount for one in bill.deliveries if one.returned for _rate, amount in one.taxed()]
    total, otherwise = sum(sold) - sum(back), sum(one.paid_otherwise for one in bill.deliveries)
    carried, adjusted = bill.before - bill.received, sum(one.amount for one in bill.adjustments)
    due = carried + adjusted + total - otherwise
    return StatementSums(sum(sold), sum(back), total, otherwise, carried, adjusted, due, _rates(bill))


def _rates(bill: Statement) -> list[RateTotal]:
    if not bill.by_note:
        return rate_totals((pair for one in bill.deliveries for pair in one.taxed()), bill.shop.rounding)
    found: dict[TaxRate, RateTotal] = {}
    for one in bill.deliveries:
        for own in rate_totals(one.taxed(), bill.shop.rounding):
            before = found.get(own.rate, RateTotal(own.rate, 0, 0))
            found[own.rate] = RateTotal(own.rate, before.amount + own.amount, before.tax + own.tax)
    return [found[rate] for rate in sorted(found, reverse=True)]
