"""請求書, 領収書, 返還インボイス and 見積書 as values. Money is whole yen, tax-inclusive."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from orders.documents.values import Deduction, Fee, Letterhead, Line, Party


class BillKind(StrEnum):
    INVOICE = "invoice"
    RECEIPT = "receipt"
    CREDIT_NOTE = "credit_note"
    QUOTE = "quote"
    MONTHLY = "monthly"  # its values are a `Statement`


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An earlier paper that this one speaks of."""

    number: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which of several receipts for one payment this is, and what they come to together."""

    place: int
    of: int
    whole: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """What has gone back since: only printed on a copy, never part of what was issued."""

    amount: int
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One bill. `to` None: the simplified form, which needs no recipient.

    `supplied_on` is the day of the transaction: shipment, for a receipt the payment, for a credit note the return, for
    a quote the day it was made. A credit note's lines are what was given back, as positive amounts.
    """

    kind: BillKind
    shop: Letterhead
    number: str = ""
    issued_on: date
    supplied_on: date
    sold_on: date | None = None  # a credit note: the day of the original sale
    to: Party | None
    order_numbers: tuple[str, ...] = ()
    shipments: tuple[str, ...] = ()
    lines: tuple[Line, ...]
    fees: tuple[Fee, ...] = ()
    deductions: tuple[Deduction, ...] = ()
    subject: str = ""  # 但し書き
    payment: str = ""  # how it was or will be paid
    due_on: date | None = None
    bank_account: str = ""
    invoice: Reference | None = None  # a credit note: what was invoiced
    corrects: Reference | None = None
    reason: str = ""
    stamp_box: bool = False
    is_reissue: bool = False
    paper: str = ""  # a receipt's; empty: half a sheet where it fits on one
    part: Part | None = None
    refunded: Refunded | None = None  # a copy of a receipt
    valid_until: date | None = None  # a quote
    delivery: str = ""  # a quote: how and when it would come
    remarks: str = ""
