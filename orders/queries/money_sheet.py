"""The sum sheet of an order's page."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from orders.models import Order


@dataclass(frozen=True, slots=True)
class MoneyRow:
    label: str
    amount: int
    always: bool = False


def money_sheet(order: Order) -> dict[str, Any]:
    """The sum sheet: what makes the total, and what is left unexplained."""
    parts = [
        MoneyRow(_("商品合計"), order.goods, always=True),
        MoneyRow(_("送料"), order.shipping_fee, always=True),
        MoneyRow(_("手数料"), order.fees),
        MoneyRow(_("ラッピング料"), order.gift_fees),
        MoneyRow(_("外税"), order.tax_excluded),
        MoneyRow(_("値引"), -order.discount),
        MoneyRow(_("店舗クーポン"), -order.coupons_shop),
        MoneyRow(_("モールクーポン"), -order.coupons_channel),
        MoneyRow(_("ポイント利用"), -order.points),
    ]
    expected = sum(part.amount for part in parts)
    return {
        "rows": [part for part in parts if part.amount or part.always],
        "total": order.total,
        "coupons": [(name, amount, funder == "shop") for name, amount, funder in order.coupon_list],
        "rates": [(rate, amount, tax) for rate, amount, tax in order.tax_by_rate],
        "tax": order.tax,
        "own": list(order.adjustments.order_by("pk")),
        "difference": 0 if order.total is None else order.total - expected,
    }
