"""The lines of an order, and single values: empty is "", some numbers are texts, keys may be absent."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from channels.connectors.contract import Unreadable
from channels.connectors.futureshop import wire
from channels.connectors.gift_words import chosen
from oms.kernel.said import said
from orders.channel_order import ChannelLine

Row = dict[str, Any]


def text(value: Any) -> str:
    if value.__class__ is str:
        stripped: str = value.strip()
        return stripped
    return "" if value is None else str(value)


def amount(value: Any) -> int | None:
    """Whole yen or units; None for "" and null. Raises ValueError for anything else, fractions included."""
    if value.__class__ is int:
        number: int = value
        return number
    if value is None or value == "":
        return None
    if isinstance(value, float) and not value.is_integer():
        raise ValueError("not a whole number")
    return int(value)


def rows(value: Any) -> list[Row]:
    """A list of objects; "", null and [] mean none. Raises ValueError for another shape."""
    if not value:
        return []
    if not isinstance(value, list) or not all(row.__class__ is dict for row in value):
        raise ValueError("not a list of objects")
    return value


def row(value: Any) -> Row:
    """An object; "" and null are an empty one. Raises ValueError for another shape."""
    if not value:
        return {}
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def some_rows(value: Any) -> list[Row]:
    """The objects of an optional list; anything else is left out."""
    return [one for one in value if one.__class__ is dict] if isinstance(value, list) else []


def some_row(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


def yen(value: Any) -> int:
    """An amount for information only: 0 when it is missing or no number."""
    try:
        return amount(value) or 0
    except (ValueError, TypeError, OverflowError):
        return 0


def some_time(value: Any) -> datetime | None:
    try:
        return wire.read_time(value) if value else None
    except (ValueError, TypeError):
        return None


def some_day(value: Any) -> date | None:
    try:
        return wire.read_date(value) if value else None
    except (ValueError, TypeError):
        return None


def lines_of(order: Row, shipments: Sequence[Row]) -> tuple[ChannelLine, ...]:
    """Lines by destination. There is no line id, so the shipment's number and the place in it make one.

    `price` includes tax whatever `taxIncluded` says. Whether it includes the price of options is told by the sum:
    when only the other reading fits the stated total of goods, options are added.
    """
    with_options = _options_are_extra(order, shipments)
    rates = {
        "STANDARD": yen(wire.first(order, wire.STANDARD_RATE)) or None,
        "REDUCED": yen(order.get("reducedTaxRate")) or None,
    }
    lines: list[ChannelLine] = []
    for place, shipment in enumerate(shipments):
        number, sent = text(shipment.get("shipmentNo")), is_shipped(shipment)
        for position, product in enumerate(rows(shipment.get("productList")), start=1):
            price = _unit_price(product) + (_options_price(product) if with_options else 0)
            rate = rates.get(text(product.get("taxRateCode")))
            lines.append(_line(product, f"{number}-{position}", place, price=price, tax_rate=rate, sent=sent))
    if not lines:
        raise Unreadable(said("futureshopの受注データに商品の明細がありません。"))
    return tuple(lines)


def is_shipped(shipment: Row) -> bool:
    return shipment.get("shipped") is True or bool(text(wire.shipping_info(shipment).get("shippingDate")))


def _line(product: Row, line_id: str, recipient: int, *, price: int, tax_rate: int | None, sent: bool) -> ChannelLine:
    get, count = product.get, _count(product)
    return ChannelLine(
        line_id=line_id,
        channel_sku=text(get("skuNo")) or text(get("productNo")),
        name=text(get("name")),
        quantity=count,
        unit_price=price,
        amount=price * count,
        tax_rate=tax_rate,
        options=_options(product),
        jan=text(get("janCode")),
        recipient=recipient,
        shipped_quantity=count if sent else 0,
        gift=chosen(choices_of(product)).words,
    )


def _count(product: Row) -> int:
    count = amount(product.get("count"))
    if count is None:
        raise Unreadable(said("futureshopの受注データの明細に count がありません。"))
    return count


def _unit_price(product: Row) -> int:
    price = amount(product.get("price"))
    if price is None:
        raise Unreadable(said("futureshopの受注データの明細に price がありません。"))
    return price


def _options_price(product: Row) -> int:
    return sum(amount(option.get("price")) or 0 for option in some_rows(product.get("optionPriceList")))


def _options_are_extra(order: Row, shipments: Sequence[Row]) -> bool:
    products = [product for shipment in shipments for product in rows(shipment.get("productList"))]
    if not any(product.get("optionPriceList") for product in products):
        return False
    total = amount(order.get("productTotal"))
    plain = sum(_unit_price(product) * _count(product) for product in products)
    extra = sum(_options_price(product) * _count(product) for product in products)
    return bool(extra) and total != plain and total == plain + extra


def _options(product: Row) -> str:
    """Variation and the buyer's choices, a line each."""
    get = product.get
    variation = f"{text(get('verticalVariationName'))} {text(get('horizontalVariationName'))}".strip()
    words = [variation, text(get("hanpukaiName"))]
    words += [f"{name}:{choice}" for name, choice in choices_of(product)]
    return "\n".join(word for word in words if word)


def choices_of(product: Row) -> list[tuple[str, str]]:
    """What the buyer chose, with and without a price of its own."""
    free = [(one.get("name"), one.get("selectionItem")) for one in some_rows(product.get("optionList"))]
    priced = [(one.get("name"), one.get("selectionName")) for one in some_rows(product.get("optionPriceList"))]
    return [(text(name), text(choice)) for name, choice in (*free, *priced)]
