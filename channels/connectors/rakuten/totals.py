"""The amounts of an order in our identity (see `Totals`)."""

from collections.abc import Sequence

from channels.connectors.rakuten.values import Row, amount, rows, whole
from orders.channel_order import Totals

NEEDED = ("goodsPrice", "postagePrice", "requestPrice")
MAY_BE_ABSENT = ("deliveryPrice", "paymentCharge", "additionalFeeOccurAmountToUser")


def totals_of(order: Row, packages: Sequence[Row]) -> Totals | None:
    """None while Rakuten withholds an amount (null or -9999): such figures must never be added up."""
    goods, shipping, total = (amount(order.get(key)) for key in NEEDED)
    fees = [amount(order.get(key)) if order.get(key) is not None else 0 for key in MAY_BE_ABSENT]
    if goods is None or shipping is None or total is None or None in fees:
        return None
    shop, mall = _coupons(order)
    return Totals(
        goods=goods + _tax_on_top(goods, packages),
        total=total,
        shipping=shipping,
        fees=sum(fee or 0 for fee in fees),
        gift_fees=_wrapping(order),
        coupons_shop=shop,
        coupons_channel=mall,
        points=amount((order.get("PointModel") or {}).get("usedPoint")) or 0,
        tax=sum(amount(row.get("reqPriceTax")) or 0 for row in rows(order.get("TaxSummaryModelList"))),
    )


def _coupons(order: Row) -> tuple[int, int]:
    """(paid by the shop, paid back by Rakuten or a maker)."""
    shop = amount(order.get("couponShopPrice")) or 0
    everything = amount(order.get("couponAllTotalPrice"))
    other = amount(order.get("couponOtherPrice"))
    if other is None:
        other = (everything or shop) - shop
    return shop, other


def _wrapping(order: Row) -> int:
    fee = 0
    for key in ("WrappingModel1", "WrappingModel2"):
        wrapping = order.get(key)
        if wrapping and wrapping.get("deleteWrappingFlag") != 1:
            fee += amount(wrapping.get("price")) or 0
            if wrapping.get("includeTaxFlag") == 0:
                fee += amount(wrapping.get("taxPrice")) or 0
    return fee


def _tax_on_top(goods: int, packages: Sequence[Row]) -> int:
    """The tax of lines priced without it, when `goodsPrice` counts them without it too."""
    items = [
        item
        for package in packages
        if package.get("packageDeleteFlag") != 1
        for item in rows(package.get("ItemModelList"))
        if item.get("deleteItemFlag") != 1
    ]
    if all(item.get("includeTaxFlag") != 0 for item in items):
        return 0
    excluded = included = 0
    for item in items:
        units, price = whole(item.get("units")) or 0, amount(item.get("price")) or 0
        with_tax = amount(item.get("priceTaxIncl")) if item.get("includeTaxFlag") == 0 else price
        excluded += price * units
        included += (with_tax or price) * units
    return included - excluded if goods == excluded else 0
