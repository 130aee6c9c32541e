"""Amounts of an order. Amazon's grand total is the truth; the breakdowns say where it comes from."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from channels.connectors.contract import Unreadable
from oms.kernel.said import said
from orders.channel_order import ChannelLine, Coupon, Totals

Json = Mapping[str, Any]
NOTHING: Json = {}


def money_yen(money: Json | None) -> int | None:
    """Whole yen of `{"amount": "2980", "currencyCode": "JPY"}`, or None. Raises Unreadable for other currencies."""
    if not money or money.get("amount") is None:
        return None
    if money.get("currencyCode") not in ("JPY", None):
        raise Unreadable(said("Amazonの注文の通貨が日本円ではありません。"))
    amount = money["amount"]
    if isinstance(amount, str):
        whole = amount.removesuffix(".00")
        if whole.isdecimal():  # nearly always; Decimal costs ten times as much
            return int(whole)
    return int(Decimal(str(amount)).quantize(Decimal(1), ROUND_HALF_UP))


def item_sums(item: Json) -> dict[str, int]:
    """Yen by kind of proceeds (ITEM, SHIPPING …) of one order item."""
    return _sums((item.get("proceeds") or NOTHING).get("breakdowns") or ())


def unit_and_amount(product: Json, sums: Mapping[str, int], quantity: int) -> tuple[int, int]:
    """(unit price, line amount) with 0 for what Amazon withholds. The ITEM breakdown is the line's amount."""
    unit = money_yen((product.get("price") or NOTHING).get("unitPrice"))
    goods = sums.get("ITEM")
    if goods is None:
        return unit or 0, (unit or 0) * quantity
    if unit is None:
        unit = goods // quantity if quantity else 0
    return unit, goods


def totals_of(
    proceeds: Json, items: Sequence[Json], sums: Iterable[Mapping[str, int]], lines: Sequence[ChannelLine]
) -> Totals | None:
    """The order's figures, or None while Amazon withholds the total.

    How Amazon splits tax in Japan is not documented. Prices include it, unless the total only adds up with it on top.
    """
    total = money_yen(proceeds.get("grandTotal"))
    if total is None:
        total = _sum_of_items(items)
    if total is None:
        return None
    told: dict[str, int] = {}
    for of_item in sums:
        for kind, amount in of_item.items():
            told[kind] = told.get(kind, 0) + amount
    of_order = _sums(proceeds.get("breakdowns") or ())
    # A tip is charged apart and belongs to no item.
    told = {**told, "DELIVERY_TIP": of_order.get("DELIVERY_TIP", 0)} if told else of_order
    coupons = sum(coupon.amount for coupon in coupons_of(items))
    goods, tax, other = sum(line.amount for line in lines), told.get("TAX", 0), told.get("OTHER", 0)
    shipping, gift_fees = told.get("SHIPPING", 0), told.get("GIFT_WRAP", 0)
    fees = told.get("COD_FEE", 0) + told.get("DELIVERY_TIP", 0) + max(other, 0)
    discount = abs(told.get("DISCOUNT", 0)) - coupons + max(-other, 0)
    without_tax = goods + shipping + fees + gift_fees - discount - coupons
    return Totals(
        goods=goods,
        total=total,
        shipping=shipping,
        fees=fees,
        gift_fees=gift_fees,
        discount=discount,
        coupons_shop=coupons,
        tax=tax,
        tax_excluded=tax if without_tax != total == without_tax + tax else 0,
    )


def coupons_of(items: Iterable[Json]) -> tuple[Coupon, ...]:
    """Discounts of items that name promotions, one per set of promotions. They lower what the seller receives, so he
    pays for them; what Amazon pays for is not told, as it lowers nothing of his."""
    sums: dict[str, int] = {}
    for item in items:
        ids = [
            entry.get("promotionId")
            for entry in filter(None, (item.get("promotion") or NOTHING).get("breakdowns") or ())
        ]
        name = "、".join(filter(None, dict.fromkeys(ids)))
        amount = abs(item_sums(item).get("DISCOUNT", 0))
        if name and amount:
            sums[name] = sums.get(name, 0) + amount
    return tuple(Coupon(name, amount, "shop") for name, amount in sums.items())


def discount_of(item: Json) -> int:
    """The part of the item's discount that is for goods; all of it where Amazon does not split it."""
    for entry in (item.get("proceeds") or NOTHING).get("breakdowns") or ():
        if entry.get("type") != "DISCOUNT":
            continue
        parts = [part for part in entry.get("detailedBreakdowns") or () if part and part.get("subtype")]
        if parts:
            return sum(abs(money_yen(part.get("value")) or 0) for part in parts if part["subtype"] == "ITEM")
        return abs(money_yen(entry.get("subtotal")) or 0)
    return 0


def _sum_of_items(items: Sequence[Json]) -> int | None:
    amounts = [money_yen((item.get("proceeds") or NOTHING).get("proceedsTotal")) for item in items]
    told = [amount for amount in amounts if amount is not None]
    return sum(told) if told and len(told) == len(items) else None


def _sums(breakdowns: Iterable[Json]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for entry in breakdowns:
        amount = money_yen(entry.get("subtotal"))
        if amount is not None:
            kind = entry.get("type") or ""
            sums[kind] = sums.get(kind, 0) + amount
    return sums
