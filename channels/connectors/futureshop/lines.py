"""The lines of an order, and single values: empty is "", some numbers are texts, keys may be absent."""

from collections.abc import Sequence
from typing import Any

from channels.connectors.contract import Unreadable
from channels.connectors.futureshop import wire
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


def lines_of(order: Row, shipments: Sequence[Row]) -> tuple[ChannelLine, ...]:
    """Lines by destination. There is no line id, so the shipment's number and the place in it make one.

    `price` includes tax whatever `taxIncluded` says. Whether it includes the price of options is told by the sum:
    when only the other reading fits the stated total of goods, options are added.
    """
    products = [
        (place, position, shipment, product)
        for place, shipment in enumerate(shipments)
        for position, product in enumerate(rows(shipment.get("productList")), start=1)
    ]
    if not products:
        raise Unreadable("futureshopの受注データに商品の明細がありません。")
    with_options = _options_are_extra(order, [product for _, _, _, product in products])
    rates = {
        "STANDARD": amount(wire.first(order, wire.STANDARD_RATE)),
        "REDUCED": amount(order.get("reducedTaxRate")),
    }
    return tuple(
        _line(
            product,
            line_id=f"{text(shipment.get('shipmentNo'))}-{position}",
            recipient=place,
            unit_price=_unit_price(product) + (_options_price(product) if with_options else 0),
            tax_rate=rates.get(text(product.get("taxRateCode"))),
            shipped=shipment.get("shipped") is True or bool(text(wire.shipping_info(shipment).get("shippingDate"))),
        )
        for place, position, shipment, product in products
    )


def _line(
    product: Row, *, line_id: str, recipient: int, unit_price: int, tax_rate: int | None, shipped: bool
) -> ChannelLine:
    count = _count(product)
    return ChannelLine(
        line_id=line_id,
        channel_sku=text(product.get("skuNo")) or text(product.get("productNo")),
        name=text(product.get("name")),
        quantity=count,
        unit_price=unit_price,
        amount=unit_price * count,
        tax_rate=tax_rate,
        options=_options(product),
        jan=text(product.get("janCode")),
        recipient=recipient,
        shipped_quantity=count if shipped else 0,
    )


def _count(product: Row) -> int:
    count = amount(product.get("count"))
    if count is None:
        raise Unreadable("futureshopの受注データの明細に count がありません。")
    return count


def _unit_price(product: Row) -> int:
    price = amount(product.get("price"))
    if price is None:
        raise Unreadable("futureshopの受注データの明細に price がありません。")
    return price


def _options_price(product: Row) -> int:
    return sum(amount(option.get("price")) or 0 for option in rows(product.get("optionPriceList")))


def _options_are_extra(order: Row, products: Sequence[Row]) -> bool:
    total = amount(order.get("productTotal"))
    plain = sum(_unit_price(product) * _count(product) for product in products)
    extra = sum(_options_price(product) * _count(product) for product in products)
    return bool(extra) and total != plain and total == plain + extra


def _options(product: Row) -> str:
    """Variation and the buyer's choices, a line each."""
    variation = (text(product.get(key)) for key in ("verticalVariationName", "horizontalVariationName"))
    words = [" ".join(word for word in variation if word), text(product.get("hanpukaiName"))]
    for option in rows(product.get("optionList")):
        words.append(f"{text(option.get('name'))}:{text(option.get('selectionItem'))}")
    for option in rows(product.get("optionPriceList")):
        words.append(f"{text(option.get('name'))}:{text(option.get('selectionName'))}")
    return "\n".join(word for word in words if word)
