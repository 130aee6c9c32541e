"""Small builders for orders that may travel together."""

from datetime import timedelta
from typing import Any

from django.db import connection

from fulfillment.services.allocate import allocate_waiting
from orders.models import Order, ReasonSetting
from orders.services.intake import take_in
from tests.orders.builders import ORDERED_AT, make_channel_order, make_line, mapped, numbers

SNAPSHOT = {
    "order": "SELECT id, discount, total, tax, tax_by_rate, shipping_fee, fees, stage, allocation_state, "
    "fulfillment_state, location_label, blocking_reasons FROM orders_order ORDER BY id",
    "line": "SELECT id, quantity, amount, reserved, allocated_quantity, shipped_quantity, apart "
    "FROM orders_orderline ORDER BY id",
    "shipment": "SELECT id, location_id, recipient_id, state, carrier, tracking_no, package_count, reference, "
    "created_at, batch_id FROM fulfillment_shipment ORDER BY id",
    "shipment line": "SELECT shipment_id, order_line_id, sku_id, quantity, line_quantity "
    "FROM fulfillment_shipmentline ORDER BY 1, 2, 3",
    "balance": "SELECT sku_id, location_id, on_hand, reserved FROM inventory_balance ORDER BY id",
    "ledger": "SELECT count(*), sum(reserved), sum(on_hand) FROM inventory_entry",
    "task": "SELECT order_id, text FROM orders_ordertask WHERE done_at IS NULL ORDER BY id",
}


def snapshot() -> dict[str, list[tuple]]:
    """Everything that a merge or a split may touch and its undoing must restore."""
    with connection.cursor() as cursor:
        found = {}
        for name, sql in SNAPSHOT.items():
            cursor.execute(sql)
            found[name] = cursor.fetchall()
        return found


def ready(shop, *lines, skus, **fields: Any) -> Order:
    """An order taken in and allocated; later ones were ordered later. The same goods twice are no question here."""
    ReasonSetting.objects.get_or_create(code="duplicate_suspect", defaults={"active": False, "level": "block"})
    values = {"ordered_at": ORDERED_AT + timedelta(minutes=next(numbers))} | fields
    order = make_channel_order(*(lines or (make_line(),)), **values)
    take_in(shop, [order], sku_of=mapped(*skus))
    allocate_waiting()
    return Order.objects.get(channel_order_no=order.channel_order_no)
