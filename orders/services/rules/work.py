"""One run of rules over a batch of locked orders: their columns as they are and become, and what is left to do."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from django.db import connection

from oms.kernel.sql import update_rows
from orders.decide.rules.engine import Compiled

Found = TypeVar("Found")

TYPES: dict[str, str] = {
    "important": "bool", "priority": "smallint", "assignee_id": "bigint", "planned_ship_date": "date",
    "wish_date": "date", "wish_slot": "text", "delivery_method": "text", "carrier": "text",
    "preferred_location_id": "bigint", "held_at": "timestamptz", "hold_reason": "text", "hold_until": "date",
    "internal_note": "text", "ships_unpaid": "bool",
}  # fmt: skip
# A change of these may move the stage.
GATES = {"planned_ship_date", "held_at", "ships_unpaid"}

LOCK = f"""
SELECT id, shop_id, channel_order_no, ordered_at, recipient_prefecture, allocation_state, fulfillment_state,
       cancelled_at, shipped_at, fulfilled_by_channel, buyer_email, ship_by, member_id, stage, payment_state,
       confirmed_at, tags, fees, discount, total, {", ".join(TYPES)},
       EXISTS (SELECT FROM orders_returncase c
                WHERE c.order_id = orders_order.id AND c.kind = 'undelivered'
                  AND c.state NOT IN ('rejected', 'withdrawn')) AS came_back
  FROM orders_order WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""


@dataclass
class Job:
    """One action for one order. The verb sets `before` and `after` when it did it, else `note` says why not."""

    order_id: int
    rule: Compiled
    key: str
    action: Mapping[str, Any]
    before: Any = None
    after: Any = None
    done: bool = False
    note: str = ""
    quiet: bool = False  # done before; this time it only holds

    def did(self, before: Any = None, after: Any = None) -> None:
        self.before, self.after, self.done = before, after, True


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line that a rule added, which still needs its promise."""

    id: int
    job: Job
    sku_id: int
    quantity: int


@dataclass
class Work:
    """`behind`: the stock door was used in this transaction already, so lines are left to the next run."""

    orders: dict[int, dict[str, Any]]
    behind: bool = False
    changed: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    reasons: set[int] = field(default_factory=set)  # orders whose reason from rules may have changed
    restage: set[int] = field(default_factory=set)
    lines: list[NewLine] = field(default_factory=list)
    let_go: list[str] = field(default_factory=list)  # refs of lines that are gone
    again: set[int] = field(default_factory=set)
    names: dict[str, dict[str, int]] = field(default_factory=dict)  # kind → name → id, looked up once
    found: dict[str, Any] = field(default_factory=dict)  # kind → what else was looked up once

    def put(self, order_id: int, **values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Change columns; returns them before and after, as JSON keeps them."""
        row = self.orders[order_id]
        before = {name: row[name] for name in values}
        for name, value in values.items():
            if row[name] != value:
                row[name] = value
                self.changed[name].add(order_id)
                if name in GATES:
                    self.restage.add(order_id)
        return kept(before), kept(values)

    def look_up(self, kind: str, find: Callable[[], Mapping[str, int]]) -> Mapping[str, int]:
        if kind not in self.names:
            self.names[kind] = dict(find())
        return self.names[kind]

    def once(self, kind: str, find: Callable[[], Found]) -> Found:
        """What `find` finds, looked up once for all orders."""
        if kind not in self.found:
            self.found[kind] = find()
        return cast("Found", self.found[kind])

    def write(self) -> None:
        """One UPDATE per changed column, tags apart, then the versions."""
        touched: set[int] = set()
        for name, kind in TYPES.items():
            ids = sorted(self.changed.get(name, ()))
            update_rows("orders_order", {name: kind}, [(id_, self.orders[id_][name]) for id_ in ids])
            touched |= set(ids)
        touched |= self._write_tags()
        if touched:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE orders_order SET version = version + 1 WHERE id = ANY(%s)", [sorted(touched)])

    def _write_tags(self) -> set[int]:
        ids = sorted(self.changed.get("tags", ()))
        write_tags([(id_, self.orders[id_]["tags"]) for id_ in ids])
        return set(ids)


def write_tags(rows: Sequence[tuple[int, Sequence[str]]]) -> None:
    """Set the tags of orders whose locks the caller holds. Apart, because arrays of arrays are no rows."""
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE orders_order SET tags = %s WHERE id = %s", [(list(tags), id_) for id_, tags in rows]
            )


def lock(order_ids: Sequence[int], *, behind: bool) -> Work:
    """The orders' rows, locked by pk."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [list(order_ids)])
        names = [column.name for column in cursor.description]
        return Work({row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}, behind)


def kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON keeps them."""
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}
