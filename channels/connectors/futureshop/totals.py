"""The amounts of an order in our identity (see `Totals`). Header amounts are kept as given."""

from channels.connectors.futureshop import wire
from channels.connectors.futureshop.lines import Row, amount, some_rows, text, yen
from orders.channel_order import Coupon, Totals


def totals_of(order: Row) -> Totals | None:
    """None when the order does not say its totals."""
    goods, total = amount(order.get("productTotal")), amount(order.get("grandTotal"))
    if goods is None or total is None:
        return None
    return Totals(
        goods=goods,
        total=total,
        shipping=_yen(order, "postage"),
        fees=_yen(order, "paymentChargeTotal") + _yen(order, "coolDeliveryChargeTotal"),
        gift_fees=_yen(order, "giftWrappingChargeTotal"),
        discount=abs(amount(wire.first(order, wire.VOLUME_DISCOUNT)) or 0) + abs(_yen(order, wire.BUNDLE_DISCOUNT)),
        coupons_shop=abs(_yen(order, wire.PRODUCT_COUPON)) + abs(_yen(order, wire.POSTAGE_COUPON)),
        points=abs(_yen(order, "usedPointPrice")),
        tax=_yen(order, "taxTotal"),
    )


def coupons_of(order: Row) -> tuple[Coupon, ...]:
    """futureshop's coupons are the shop's own; one may lower the goods, another the postage."""
    named = text(order.get("couponName")) or "、".join(
        name for one in some_rows(order.get("couponList")) if (name := text(one.get("name")))
    )
    kinds = (
        (wire.PRODUCT_COUPON, "productCouponDiscountName"),
        (wire.POSTAGE_COUPON, "postageCouponDiscountName"),
    )
    found = ((text(order.get(name)) or named, abs(yen(order.get(total)))) for total, name in kinds)
    return tuple(Coupon(name, off, "shop") for name, off in found if off)


def _yen(order: Row, key: str) -> int:
    return amount(order.get(key)) or 0
