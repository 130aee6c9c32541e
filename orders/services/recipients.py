"""Recipients as rows."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from oms.kernel.sql import copy_rows
from orders.channel_order import ChannelOrder, Delivery, Party

AS_ORDERED = Delivery()

COLUMNS = [
    "order_id", "position", "name", "kana", "phone", "postal_code", "prefecture", "city", "address", "company",
    "country", "wish_date", "wish_slot", "method", "sender", "gift", "noshi", "message_card", "shipping_fee", "fees",
]  # fmt: skip
TYPES = {"order_id": "bigint", "position": "smallint", "wish_date": "date", "shipping_fee": "int", "fees": "int"}


def insert(orders: Sequence[tuple[int, ChannelOrder]]) -> None:
    """Write the recipients of orders that have none stored."""
    copy_rows("orders_recipient", COLUMNS, _rows(orders))


def replace(orders: Sequence[tuple[int, ChannelOrder]]) -> None:
    """Bring stored recipients to what the channel says. Rows keep their ids, which planned shipments point to;
    a position the channel no longer names stays while a shipment needs it."""
    rows = _rows(orders)
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO orders_recipient ({", ".join(COLUMNS)})
            SELECT * FROM unnest({", ".join(f"%s::{TYPES.get(name, 'text')}[]" for name in COLUMNS)})
            ON CONFLICT (order_id, position) DO UPDATE SET
                {", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:])}
            """,
            [list(column) for column in zip(*rows, strict=True)],
        )


def columns(order: ChannelOrder, position: int) -> dict[str, Any]:
    """One recipient as its row will hold it."""
    delivery = order.deliveries[position] if position < len(order.deliveries) else AS_ORDERED
    return dict(zip(COLUMNS, _row(0, position, order.recipients[position], delivery), strict=True))


def _rows(orders: Sequence[tuple[int, ChannelOrder]]) -> list[list[Any]]:
    return [
        _row(order_id, position, party, order.deliveries[position] if position < len(order.deliveries) else AS_ORDERED)
        for order_id, order in orders
        for position, party in enumerate(order.recipients)
    ]


def _row(order_id: int, position: int, party: Party, delivery: Delivery) -> list[Any]:
    return [
        order_id, position, party.name[:120], party.kana[:120], party.phone[:30], party.postal_code[:10],
        party.prefecture[:20], party.city[:100], party.address[:300], party.company[:120], party.country[:2],
        delivery.wish_date, delivery.wish_slot[:20], delivery.method[:60], delivery.sender[:120], delivery.gift[:200],
        delivery.noshi[:200], delivery.message_card, delivery.shipping, delivery.fees,
    ]  # fmt: skip
