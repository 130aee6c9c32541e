"""Keeping a shop's payment terms; `payment_terms` reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import transaction

from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.services import setting_versions
from orders.decide.payments import Terms
from orders.models import Order, PaymentGate, Shop
from orders.models.order import PaymentMethod
from orders.services import review
from orders.services import stage as stages
from orders.services.payment_terms import FIELDS, TermsOfShops, rule_for, terms_of

BEFORE_INSTRUCTION = ["new", "review", "awaiting_payment", "awaiting_stock", "awaiting_release", "scheduled", "ready"]


@dataclass(frozen=True, slots=True)
class RefOfTerms:
    """Which row of terms: of a shop and a payment code, or without a code of a method. Written as one text."""

    shop: Shop
    method: str
    code: str

    def __str__(self) -> str:
        return f"{self.shop.pk}/code/{self.code}" if self.code else f"{self.shop.pk}/method/{self.method}"

    @classmethod
    def read(cls, ref: str) -> "RefOfTerms":
        shop, what, name = ref.split("/", 2)
        code, method = (name, "") if what == "code" else ("", name)
        return cls(Shop.objects.get(pk=shop), method, code)

    @property
    def row(self) -> PaymentGate | None:
        rows = PaymentGate.objects.filter(shop=self.shop, code=self.code)
        return (rows if self.code else rows.filter(method=self.method)).first()

    @property
    def query(self) -> str:
        return urlencode({"code": self.code} if self.code else {"method": self.method})


@transaction.atomic
def save_gate(shop: Shop, terms: Terms, *, by: User | None) -> PaymentGate:
    """Write the terms of one method or code; the stages of orders that wait, or are about to ship, follow."""
    with setting_versions.kept("payment_terms", RefOfTerms(shop, terms.method, terms.code), by=by):
        values = {name: getattr(terms, name) for name in FIELDS if name != "code"}
        same: dict[str, Any] = (
            {"shop": shop, "code": terms.code} if terms.code else {"shop": shop, "code": "", "method": terms.method}
        )
        row, _made = PaymentGate.objects.update_or_create(**same, defaults=values)
        _know_again(shop, terms.code)
        _follow(shop)
        return row


@transaction.atomic
def forget_gate(row: PaymentGate, *, by: User | None = None) -> None:
    """Back to the standard."""
    with setting_versions.kept("payment_terms", RefOfTerms(row.shop, row.method, row.code), by=by):
        shop = row.shop
        row.delete()
        _know_again(shop, row.code)
        _follow(shop)


def _know_again(shop: Shop, code: str) -> None:
    """Whether a name of the channel is known has changed: the reason that asks for it closes, or comes back."""
    if code:
        rows = Order.objects.filter(
            shop=shop, payment_name=code, payment_method=PaymentMethod.OTHER, stage__in=BEFORE_INSTRUCTION
        )
        review.reevaluate(list(rows.order_by("pk").values_list("pk", flat=True)))


def _follow(shop: Shop) -> None:
    """Orders before the instruction: the only ones that a gate can still stop or let go."""
    rows = Order.objects.filter(shop=shop, stage__in=BEFORE_INSTRUCTION).order_by("pk")
    stages.recompute(list(rows.values_list("pk", flat=True)))


def problems(terms: Terms) -> Mapping[str, str]:
    """What does not fit together, by field, in words."""
    found = {}
    if terms.remind_days and terms.final_days and terms.final_days <= terms.remind_days:
        found["final_days"] = said("最終督促は督促より後の日にしてください。")
    last = terms.final_days or terms.remind_days
    if terms.cancel_days and terms.cancel_days <= max(last, terms.due_days):
        found["cancel_days"] = said("キャンセルは支払期限と最終督促より後の日にしてください。")
    if terms.scarce_days and terms.cancel_days and terms.scarce_days > terms.cancel_days:
        found["scarce_days"] = said("在庫が少ない商品の期限は、ふつうのキャンセルより早い日にしてください。")
    if terms.auto_cancel and not terms.cancel_days:
        found["auto_cancel"] = said("自動キャンセルには、キャンセルまでの日数が必要です。")
    return found


__all__ = ["TermsOfShops", "forget_gate", "problems", "rule_for", "save_gate", "terms_of"]
