"""Orders of pre-ordered and other goods, at shops that want such orders parted: without asking, or once the buyer has
agreed to pay for it."""

from collections.abc import Sequence

from django.db import connection

from fulfillment.decide.split_ways import Way
from fulfillment.queries.splits import Wish
from fulfillment.services import split, split_charge
from oms.kernel import clock
from oms.kernel.halves import in_halves
from orders.models.shop import PreorderPolicy
from orders.services.journal import SYSTEM

# Once parted, an order has nothing more to part; one that a person put together again stays so, and so does one whose
# buyer was asked, whatever the answer.
MIXED = """
SELECT o.id FROM orders_order o JOIN orders_shop s ON s.id = o.shop_id AND s.preorder_policy = %(policy)s
 WHERE o.stage IN ('awaiting_stock', 'awaiting_release') AND o.fulfillment_state = 'none' AND o.release_date > %(today)s
   AND EXISTS (SELECT FROM orders_orderline l WHERE l.order_id = o.id AND NOT l.apart
                  AND l.quantity > l.shipped_quantity AND l.release_date > %(today)s)
   AND (EXISTS (SELECT FROM orders_orderline l WHERE l.order_id = o.id AND NOT l.apart
                   AND l.quantity > l.shipped_quantity
                   AND (l.release_date IS NULL OR l.release_date <= %(today)s))
        OR EXISTS (SELECT FROM orders_orderline l JOIN inventory_sku k ON k.id = l.sku_id AND k.ships_apart
                     JOIN orders_linecomponent c ON c.line_id = l.id
                    WHERE l.order_id = o.id AND NOT l.apart AND l.quantity > l.shipped_quantity
                      AND (c.release_date IS NULL OR c.release_date <= %(today)s)
                      AND (k.release_date IS NULL OR k.release_date <= %(today)s)))
   AND NOT EXISTS (SELECT FROM orders_orderevent e WHERE e.order_id = o.id AND e.kind = 'split_undone')
   AND NOT EXISTS (SELECT FROM fulfillment_splitcharge c WHERE c.order_id = o.id)
 ORDER BY o.id
"""


def part() -> list[int]:
    """Let what is out leave before the rest, and ask the buyers who would pay for it; returns the orders that were
    parted. Each is a transaction of its own."""
    split_charge.withdraw_moot()
    if asked := _mixed(PreorderPolicy.CUSTOMER):
        split_charge.ask(dict.fromkeys(asked, 1), Wish(Way.RELEASE), actor=SYSTEM)
    return [
        order_id for order_id in _mixed(PreorderPolicy.SPLIT) if any(in_halves(_parted, [order_id], "order_not_parted"))
    ]


def _mixed(policy: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(MIXED, {"today": clock.today(), "policy": str(policy)})
        return [row[0] for row in cursor.fetchall()]


def _parted(order_ids: Sequence[int]) -> bool:
    """False where the order is another one by now."""
    try:
        return all(split.send_preorders_later(order_id, actor=SYSTEM) for order_id in order_ids)
    except split.CannotSplit:
        return False
