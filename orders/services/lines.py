"""Order lines as rows."""

from collections.abc import Sequence
from typing import Any

from oms.kernel.sql import copy_rows
from orders.channel_order import ChannelLine
from orders.services import set_parts
from orders.services.intake_rows import SkuOf, mapped_of, standing_amount, standing_quantity

LINE_COLUMNS = [
    "id", "order_id", "position", "recipient_position", "channel_line_id", "channel_sku", "sku_id", "units", "name",
    "options", "quantity", "cancelled_quantity", "unit_price", "amount", "tax_rate", "release_date", "reserved",
    "allocated_quantity", "shipped_quantity", "discount", "gift",
]  # fmt: skip


def insert(rows: Sequence[tuple[int, int, int, ChannelLine]], sku_of: SkuOf, granted: set[str]) -> None:
    """Write (id, order id, position, channel line) rows and what sets among them are made of; `granted` holds the
    refs that got their promise."""
    copy_rows("orders_orderline", LINE_COLUMNS, [_line_row(item, sku_of, granted) for item in rows])
    mapped = [(line_id, mapped_of(sku_of, line), line) for line_id, _order, _position, line in rows]
    set_parts.keep((line_id, sku.sku_id, sku.units, line.tax_rate) for line_id, sku, line in mapped if sku)


def _line_row(row: tuple[int, int, int, ChannelLine], sku_of: SkuOf, granted: set[str]) -> list[Any]:
    line_id, order_id, position, line = row
    mapped = mapped_of(sku_of, line)
    return [
        line_id, order_id, position, line.recipient, line.line_id[:64], line.channel_sku[:120],
        mapped.sku_id if mapped else None, mapped.units if mapped else 1, line.name[:300], line.options,
        standing_quantity(line), line.cancelled_quantity, line.unit_price, standing_amount(line), line.tax_rate,
        mapped.release_date if mapped else None, f"line:{line_id}" in granted, 0, 0,
        line.discount, line.gift[:200],
    ]  # fmt: skip
