"""Which papers may be issued for a sale, by whom, and with which words. Decisions over plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from oms.kernel.money import RateTotal

WE, MALL = "we", "mall"
STAMP_LIMIT = 50_000  # 印紙税法 別表第一 17号: below this a receipt needs no stamp
CREDIT_NOTE_FROM = 10_000  # 消費税法施行令 70条の9: less than this, tax-inclusive, needs no 返還インボイス
STAMP_METHODS = ("bank_transfer", "convenience", "other")


class Refusal(StrEnum):
    """Why a paper is not issued."""

    MALL_ISSUES = "mall_issues"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    NOT_PAID = "not_paid"
    CARRIER_RECEIPT = "carrier_receipt"
    NOTHING_PAID = "nothing_paid"
    NO_AMOUNT = "no_amount"
    AMOUNT_MISMATCH = "amount_mismatch"
    ON_ACCOUNT = "on_account"
    PAID_ALREADY = "paid_already"  # a credit note that a monthly bill cannot take off


class Notice(StrEnum):
    """What whoever issues should know."""

    SLIP_IS_RECEIPT = "slip_is_receipt"
    CARD_PROOF = "card_proof"
    NO_REGISTRATION = "no_registration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """The facts of an order that decide. `due` is the money to be paid, `sum` what its parts add up to."""

    method: str
    issuer: str
    due: int | None
    sum: int
    is_cancelled: bool = False
    is_refunded: bool = False
    paid_on: date | None = None
    shipped_on: date | None = None
    is_registered: bool = True
    is_on_account: bool = False  # its buyer gets one bill a month


def issuer_of(method: str, own: Mapping[str, str], declared: Mapping[str, str], *, is_registered: bool) -> str:
    """`we` or `mall`: the shop's setting for the method, else for all methods, else what the channel is known to do.

    A channel may say `mall_if_registered`: it issues for shops that have told it their number.
    """
    for rules in (own, declared):
        if found := rules.get(method) or rules.get(""):
            return ("mall" if is_registered else "we") if found == "mall_if_registered" else found
    return "we"


def invoice_refusal(sale: Sale) -> Refusal | None:
    """Why no invoice is issued; None when it may be."""
    return _refusal(sale) or (Refusal.ON_ACCOUNT if sale.is_on_account else None)


def _refusal(sale: Sale) -> Refusal | None:
    """Why no paper is issued that asks for this money or confirms it."""
    if sale.is_cancelled:
        return Refusal.CANCELLED
    if sale.issuer == "mall":
        return Refusal.MALL_ISSUES
    if sale.due is None:
        return Refusal.NO_AMOUNT
    return Refusal.AMOUNT_MISMATCH if sale.due != sale.sum else None


def receipt_refusal(sale: Sale) -> Refusal | None:
    """Why no receipt is issued; None when it may be."""
    if sale.is_refunded:
        return Refusal.REFUNDED
    if sale.method == "cod" and not sale.is_cancelled:
        return Refusal.CARRIER_RECEIPT
    if refusal := _refusal(sale):
        return refusal
    if not sale.due:
        return Refusal.NOTHING_PAID
    return None if receipt_day(sale) else Refusal.NOT_PAID


def receipt_day(sale: Sale) -> date | None:
    """The day on a receipt: the payment's; where the channel tells none, the shipment's. A transfer must have come."""
    if sale.method in {"bank_transfer", "convenience"}:
        return sale.paid_on
    return sale.paid_on or sale.shipped_on


def receipt_warnings(sale: Sale) -> list[Notice]:
    found = [Notice.SLIP_IS_RECEIPT] if sale.method in {"convenience", "deferred"} else []
    found += [Notice.CARD_PROOF] if sale.method == "card" else []
    return found + ([] if sale.is_registered else [Notice.NO_REGISTRATION])


def payment_words(method: str, label: str) -> str:
    """What stands on the paper about the payment. The words for cards free the receipt of the stamp."""
    return "クレジットカード利用" if method == "card" else label


def needs_stamp(method: str, rates: list[RateTotal], due: int, *, on_paper: bool, methods: tuple[str, ...]) -> bool:
    """Only paper, only money received. Our papers print the tax apart, so the limit is compared without tax."""
    tax = sum(rate.tax for rate in rates)
    return on_paper and method in methods and due - tax >= STAMP_LIMIT


def credit_note_is_required(total: int) -> bool:
    """Judged on the whole refund, tax included, never on a line or a rate."""
    return total >= CREDIT_NOTE_FROM
