"""The sum sheet of an order's page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from orders.models import Order, OrderLine


@dataclass(frozen=True, slots=True)
class MoneyRow:
    name: str
    label: str
    amount: int
    always: bool = False


def parts_of(order: Order) -> list[MoneyRow]:
    return [
        MoneyRow("goods", _("商品合計"), order.goods, always=True),
        MoneyRow("shipping", _("送料"), order.shipping_fee, always=True),
        MoneyRow("fees", _("手数料"), order.fees),
        MoneyRow("gift_fees", _("ラッピング料"), order.gift_fees),
        MoneyRow("tax_excluded", _("外税"), order.tax_excluded),
        MoneyRow("discount", _("値引"), -order.discount),
        MoneyRow("coupons_shop", _("店舗クーポン"), -order.coupons_shop),
        MoneyRow("coupons_channel", _("モールクーポン"), -order.coupons_channel),
        MoneyRow("points", _("ポイント利用"), -order.points),
    ]


def money_sheet(order: Order) -> dict[str, Any]:
    """The sum sheet: what makes the total, and what is left unexplained."""
    parts = parts_of(order)
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


def against_lines(order: Order, lines: Iterable[OrderLine]) -> dict[str, Any]:
    """What the lines and the other parts make, beside the total that the channel tells: what `amount_mismatch` and a
    person compare."""
    told, goods = order.goods, sum(line.amount for line in lines if line.quantity)
    rest = [part for part in parts_of(order) if part.name != "goods" and part.amount]
    expected = goods + sum(part.amount for part in rest)
    return {
        "rows": [MoneyRow("lines", _("明細の計"), goods), *rest],
        "told_goods": told if told != goods else None,
        "expected": expected,
        "total": order.total,
        "difference": 0 if order.total is None else order.total - expected,
    }
