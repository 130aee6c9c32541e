"""The amounts of an order in our identity (see `Totals`)."""

from collections.abc import Sequence

from channels.connectors.rakuten import wire
from channels.connectors.rakuten.values import (
    Row,
    amount,
    code,
    is_on,
    percent,
    rows,
    some_row,
    some_rows,
    text,
    whole,
    yen,
)
from orders.channel_order import Coupon, RateSum, Totals

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
        points=amount(some_row(order.get("PointModel")).get("usedPoint")) or 0,
        tax=sum(rate.tax for rate in by_rate(order)),
    )


def by_rate(order: Row) -> tuple[RateSum, ...]:
    """What Rakuten asks for at each tax rate, and the tax inside it."""
    sums = ((percent(row.get("taxRate")), row) for row in some_rows(order.get("TaxSummaryModelList")))
    return tuple(
        RateSum(rate, yen(row.get("reqPrice")), yen(row.get("reqPriceTax"))) for rate, row in sums if rate is not None
    )


def coupons_of(order: Row) -> tuple[Coupon, ...]:
    """Each coupon with who pays: the shop for its own, Rakuten or a maker for all others."""
    return tuple(
        Coupon(text(row.get("couponName")) or text(row.get("couponCode")), off, _payer(row))
        for row in some_rows(order.get("CouponModelList"))
        if (off := yen(row.get("couponTotalPrice")))
    )


def _payer(coupon: Row) -> str:
    return "shop" if text(coupon.get("couponCapitalCode")) == wire.PAID_BY_SHOP else "channel"


def line_discounts(order: Row) -> dict[str, int]:
    """Line id → yen of the coupons that belong to this line alone."""
    found: dict[str, int] = {}
    for row in some_rows(order.get("CouponModelList")):
        line_id = text(row.get("itemDetailId"))
        if line_id not in ("", "0"):
            found[line_id] = found.get(line_id, 0) + yen(row.get("couponTotalPrice"))
    return found


def _coupons(order: Row) -> tuple[int, int]:
    """(paid by the shop, paid back by Rakuten or a maker)."""
    shop = amount(order.get("couponShopPrice")) or 0
    everything = amount(order.get("couponAllTotalPrice"))
    other = amount(order.get("couponOtherPrice"))
    if order.get("couponShopPrice") is None and everything is None:
        listed = coupons_of(order)
        sums = {by: sum(one.amount for one in listed if one.by == by) for by in ("shop", "channel")}
        return sums["shop"], sums["channel"]
    if other is None:
        other = (everything or shop) - shop
    return shop, other


def _wrapping(order: Row) -> int:
    fee = 0
    for key in ("WrappingModel1", "WrappingModel2"):
        wrapping = some_row(order.get(key))
        if wrapping and not is_on(wrapping.get("deleteWrappingFlag")):
            fee += amount(wrapping.get("price")) or 0
            if code(wrapping.get("includeTaxFlag")) == 0:
                fee += amount(wrapping.get("taxPrice")) or 0
    return fee


def _tax_on_top(goods: int, packages: Sequence[Row]) -> int:
    """The tax of lines priced without it, when `goodsPrice` counts them without it too."""
    items = [
        item
        for package in packages
        if not is_on(package.get("packageDeleteFlag"))
        for item in rows(package.get("ItemModelList"))
        if not is_on(item.get("deleteItemFlag"))
    ]
    if all(code(item.get("includeTaxFlag")) != 0 for item in items):
        return 0
    excluded = included = 0
    for item in items:
        units, price = whole(item.get("units")) or 0, amount(item.get("price")) or 0
        with_tax = amount(item.get("priceTaxIncl")) if code(item.get("includeTaxFlag")) == 0 else price
        excluded += price * units
        included += (with_tax or price) * units
    return included - excluded if goods == excluded else 0
