"""A shop's payment terms as services read and keep them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oms.kernel.models import User
from orders.decide.payments import Terms, terms_for
from orders.models import Order, PaymentGate, Shop
from orders.services import stage as stages

FIELDS = (
    "method", "collector", "ships_when", "due_days", "remind_days", "final_days", "cancel_days", "scarce_days",
    "auto_cancel", "code",
)  # fmt: skip


class TermsOfShops:
    """The terms of some shops, read once."""

    def __init__(self, shops: Iterable[Shop]) -> None:
        self._own = {shop.pk: shop.can("own_payments") for shop in shops}
        self._rows: dict[int, list[Terms]] = {}
        for row in PaymentGate.objects.filter(shop__in=self._own):
            self._rows.setdefault(row.shop_id, []).append(terms_of(row))

    def of(self, shop_id: int, method: str, code: str) -> Terms:
        return terms_for(
            self._rows.get(shop_id, ()), method=method, code=code, own_payments=self._own.get(shop_id, False)
        )

    def of_order(self, order: Order) -> Terms:
        return self.of(order.shop_id, order.payment_method, order.payment_name)


def terms_of(row: PaymentGate) -> Terms:
    return Terms(**{name: getattr(row, name) for name in FIELDS})


def rule_for(order: Order) -> Terms:
    """The terms of one order (its shop loaded). One query."""
    return TermsOfShops([order.shop]).of_order(order)


@transaction.atomic
def save_gate(shop: Shop, terms: Terms, *, by: User | None) -> PaymentGate:
    """Write the terms of one method or code; the stages of orders that wait, or are about to ship, follow."""
    values = {name: getattr(terms, name) for name in FIELDS if name != "code"}
    same: dict[str, Any] = (
        {"shop": shop, "code": terms.code} if terms.code else {"shop": shop, "code": "", "method": terms.method}
    )
    row, _made = PaymentGate.objects.update_or_create(**same, defaults=values)
    _follow(shop)
    return row


@transaction.atomic
def forget_gate(row: PaymentGate) -> None:
    """Back to the standard."""
    shop = row.shop
    row.delete()
    _follow(shop)


def _follow(shop: Shop) -> None:
    """Orders before the instruction: the only ones that a gate can still stop or let go."""
    before = ["new", "review", "awaiting_payment", "awaiting_stock", "awaiting_release", "scheduled", "ready"]
    rows = Order.objects.filter(shop=shop, stage__in=before).order_by("pk")
    stages.recompute(list(rows.values_list("pk", flat=True)))


def problems(terms: Terms) -> Mapping[str, str]:
    """What does not fit together, by field, in words."""
    found = {}
    if terms.remind_days and terms.final_days and terms.final_days <= terms.remind_days:
        found["final_days"] = _("最終督促は督促より後の日にしてください。")
    last = terms.final_days or terms.remind_days
    if terms.cancel_days and terms.cancel_days <= max(last, terms.due_days):
        found["cancel_days"] = _("キャンセルは支払期限と最終督促より後の日にしてください。")
    if terms.scarce_days and terms.cancel_days and terms.scarce_days > terms.cancel_days:
        found["scarce_days"] = _("在庫が少ない商品の期限は、ふつうのキャンセルより早い日にしてください。")
    if terms.auto_cancel and not terms.cancel_days:
        found["auto_cancel"] = _("自動キャンセルには、キャンセルまでの日数が必要です。")
    return found
