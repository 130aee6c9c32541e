"""Fees and discounts of our own on orders whose price is between shop and buyer: put on, taken off, kept through what
the channel tells anew. They stand in `fees` or `discount` and in `total`, so papers and ledger need not know of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from oms.kernel.money import included_tax
from orders.decide.refunds import rate_of
from orders.models import Order, OrderAdjustment, ReviewReason
from orders.models.order import PaymentState
from orders.services import ledger, review
from orders.services.internal import INTERNAL

FEE, DISCOUNT = OrderAdjustment.Kind.FEE, OrderAdjustment.Kind.DISCOUNT
STANDARD_RATE = 10
INCREASED = "amount_increased"
TAKEN = {PaymentState.PAID, PaymentState.AUTHORIZED}


@dataclass(frozen=True, slots=True)
class New:
    """`amount` in yen with tax; `key` unique in its order."""

    order_id: int
    kind: str
    label: str
    amount: int
    key: str

    @property
    def more(self) -> int:
        """What the buyer owes more."""
        return self.amount if self.kind == FEE else -self.amount


def ours_to_price(order_ids: Sequence[int]) -> set[int]:
    """Of these orders, those whose price no mall has told its buyer: orders without a channel, shops with payment
    contracts of their own, channels that take another amount."""
    rows = Order.objects.filter(pk__in=order_ids).values_list("pk", "flags", "shop__capabilities")
    return {
        pk
        for pk, flags, can in rows
        if INTERNAL in flags or can.get("own_payments") or can.get("amount_change") == "both"
    }


def put_on(new: Sequence[New]) -> dict[int, dict[str, Any]]:
    """Write these rows and the orders' sums; one row an order. Returns per order what has to be known to take it off.

    The caller holds the orders' locks and recomputes their stages. A key that is known changes nothing, and is missing
    in the answer. An order's reasons about money follow.
    """
    made = {one.order_id: one for one in new}
    known = OrderAdjustment.objects.filter(order__in=made).values_list("order", "key")
    for order_id, key in known:
        if made[order_id].key == key:
            del made[order_id]
            if not made:
                return {}
    OrderAdjustment.objects.bulk_create(
        OrderAdjustment(order_id=one.order_id, kind=one.kind, label=one.label, amount=one.amount, key=one.key)
        for one in made.values()
    )
    orders = {order.pk: order for order in Order.objects.filter(pk__in=made).select_related("shop")}
    for order in orders.values():
        if made[order.pk].more < 0:
            ledger.book_channel_money(order)  # what was taken is more than the order costs from now on
    left = {
        pk: {"amount": one.amount, "tax": _tax_of(orders[pk], one), "by_rate": orders[pk].tax_by_rate}
        for pk, one in made.items()
    }
    _move([(one.order_id, one.kind, one.more, left[one.order_id]["tax"], []) for one in made.values()])
    _follow(list(made))
    grown = [orders[pk] for pk, one in made.items() if one.more > 0]
    _ask_for_more([order for order in grown if order.payment_state in TAKEN and not order.payments.exists()], left)
    return left


def take_off(off: Mapping[int, str], left: Mapping[int, Mapping[str, Any]]) -> list[int]:
    """Take off each order's row of that key, with what `put_on` answered for it; returns the orders that had it whole:
    pieces that were taken off an order since may have taken a part of its discount along.

    The caller holds the orders' locks and recomputes their stages.
    """
    rows = OrderAdjustment.objects.filter(order__in=off).select_related("order")
    gone = [row for row in rows if off[row.order_id] == row.key and _is_there(row)]
    OrderAdjustment.objects.filter(pk__in=[row.pk for row in gone]).delete()
    others = set(OrderAdjustment.objects.filter(order__in=off).values_list("order", flat=True))
    _move(
        [
            (
                row.order_id,
                row.kind,
                -row.amount if row.kind == FEE else row.amount,
                -left[row.order_id]["tax"],
                None if row.order_id in others else left[row.order_id]["by_rate"],
            )
            for row in gone
        ]
    )
    ids = [row.order_id for row in gone]
    asked = ReviewReason.objects.filter(order__in=ids, code=INCREASED, state=ReviewReason.State.OPEN)
    ours = [pk for pk, order, said in asked.values_list("pk", "order", "evidence") if said == left[order].get("asked")]
    ReviewReason.objects.filter(pk__in=ours).update(state=ReviewReason.State.AUTO_RESOLVED)
    _follow(ids)
    return ids


def _is_there(row: OrderAdjustment) -> bool:
    return row.amount <= (row.order.fees if row.kind == FEE else row.order.discount)


def keep_on(order_ids: Sequence[int]) -> None:
    """The channel told these orders' sums anew: raise them by the rows that stand. The caller holds the locks."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH own AS (SELECT order_id, coalesce(sum(amount) FILTER (WHERE kind = 'fee'), 0)::int AS fees,
                                coalesce(sum(amount) FILTER (WHERE kind = 'discount'), 0)::int AS discount
                           FROM orders_orderadjustment WHERE order_id = ANY(%s) GROUP BY order_id)
            UPDATE orders_order o SET fees = o.fees + own.fees, discount = o.discount + own.discount,
                   total = o.total + own.fees - own.discount, tax_by_rate = '[]'
              FROM own WHERE o.id = own.order_id
            """,
            [list(order_ids)],
        )


def _tax_of(order: Order, one: New) -> int:
    """The tax inside: a fee's at the usual rate, a discount's as in the whole order. None is told where none was."""
    if not order.tax:
        return 0
    if one.kind == FEE:
        return included_tax(one.amount, rate_of(STANDARD_RATE))
    return -(order.tax * one.amount // max(1, order.total or 0))


Move = tuple[int, str, int, int, Any]  # order, kind, yen more, tax more, the channel's sums by rate (None: left)


def _move(moves: Sequence[Move]) -> None:
    """The channel's own sums by rate were for another total: they go, and come back with the last row."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE orders_order o SET fees = o.fees + CASE WHEN m.kind = 'fee' THEN m.more ELSE 0 END,
                   discount = o.discount - CASE WHEN m.kind = 'fee' THEN 0 ELSE m.more END,
                   total = o.total + m.more, tax = o.tax + m.tax, tax_by_rate = coalesce(m.by_rate, o.tax_by_rate),
                   version = o.version + 1
              FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::int[], %s::jsonb[])
                   AS m(id, kind, more, tax, by_rate) WHERE o.id = m.id
            """,
            [
                [id_ for id_, *_rest in moves],
                [str(kind) for _id, kind, *_rest in moves],
                [more for _id, _kind, more, *_rest in moves],
                [tax for *_rest, tax, _by_rate in moves],
                [None if by_rate is None else Jsonb(by_rate) for *_rest, by_rate in moves],
            ],
        )


def _follow(order_ids: Sequence[int]) -> None:
    ledger.settle(list(order_ids))
    review.sync(list(order_ids))


def _ask_for_more(orders: Sequence[Order], left: dict[int, dict[str, Any]]) -> None:
    """Money that others took, or hold, for us is too little now: a person asks for the rest."""
    for order in orders:
        left[order.pk]["asked"] = review.increased(order.total or 0, (order.total or 0) + left[order.pk]["amount"])
    review.open_quietly([(order.pk, INCREASED, left[order.pk]["asked"]) for order in orders])
