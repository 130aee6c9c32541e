"""What is known of a batch before rules judge it: what they did to it and said of it earlier, and the orders without
that, as rules see them."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from oms.kernel import clock
from orders.decide.rules.engine import Compiled, Counters, Subject
from orders.models import RuleMark
from orders.services.rules import active, facts, work
from orders.services.rules.verbs import from_json

APPLIED = RuleMark.State.APPLIED
ABSENT: frozenset[str] = frozenset()
MONEY = {"add_fee": ("fees", 1), "add_discount": ("discount", -1)}  # action → its column, and what it does to `total`


def happened(row: Mapping[str, Any]) -> frozenset[str]:
    """The events that lie behind an order, as its columns tell. Moments of time are not among them."""
    events = {"imported", f"stage_entered:{row['stage']}"}
    events |= {"paid"} if row["payment_state"] == "paid" else set()
    events |= {"confirmed"} if row["confirmed_at"] else set()
    events |= {"allocated", "shipment_planned"} if row["allocation_state"] == "full" else set()
    events |= {"instructed"} if row["fulfillment_state"] != "none" else set()
    events |= {"parcel_returned"} if row["came_back"] else set()
    return frozenset(events | ({"shipped"} if row["shipped_at"] else set()))


def is_ours(row: Mapping[str, Any]) -> bool:
    """Rules leave alone what is cancelled or shipped by the channel."""
    return not row["cancelled_at"] and not row["fulfilled_by_channel"]


@dataclass(frozen=True, slots=True)
class Mark:
    id: int
    rule: int
    version: int
    key: str
    action: str
    params: dict[str, Any]
    before: Any
    after: Any
    state: str


def marks_of(order_ids: Sequence[int]) -> dict[int, dict[tuple[int, str], Mark]]:
    found: dict[int, dict[tuple[int, str], Mark]] = defaultdict(dict)
    rows = RuleMark.objects.filter(order__in=order_ids).order_by("pk")
    for order_id, *values in rows.values_list(
        "order", "pk", "rule", "version", "key", "action", "params", "before", "after", "state"
    ):
        mark = Mark(*values)
        found[order_id][mark.rule, mark.key] = mark
    return found


def traces_of(order_ids: Sequence[int]) -> dict[int, tuple[list[dict[str, Any]], dict[str, Any]]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT order_id, rows, seen FROM orders_ruletrace WHERE order_id = ANY(%s)", [list(order_ids)])
        return {order_id: (_read(rows), _read(seen)) for order_id, rows, seen in cursor.fetchall()}


def _read(value: Any) -> Any:
    """Raw cursors give jsonb as text."""
    return json.loads(value) if isinstance(value, str) else value


def undone(row: Mapping[str, Any], marks: Iterable[Mark]) -> dict[str, Any]:
    """Columns of an order as they would be without what rules did, newest mark first."""
    values: dict[str, Any] = {}
    tags = list(row["tags"])
    for mark in reversed([mark for mark in marks if mark.state == APPLIED]):
        if mark.action in MONEY and mark.after and "amount" in mark.after:
            name, sign = MONEY[mark.action]
            values[name] = values.get(name, row[name]) - mark.after["amount"]
            values["total"] = values.get("total", row["total"] or 0) - sign * mark.after["amount"]
            continue
        if mark.action == "add_tag" and not mark.before["had"]:
            tags = [tag for tag in tags if tag != mark.params["tag"]]
        elif mark.action == "remove_tag" and mark.before["had"]:
            tags.append(mark.params["tag"])
        elif isinstance(mark.before, dict) and isinstance(mark.after, dict):
            values |= _column_before(row, values, mark)
    return values | {"tags": tags}


def _column_before(row: Mapping[str, Any], values: Mapping[str, Any], mark: Mark) -> dict[str, Any]:
    now = {name: work.kept({name: values.get(name, row.get(name))})[name] for name in mark.after}
    if not mark.after.keys() <= work.TYPES.keys() or now != mark.after:
        return {}
    found = {name: from_json(name, value) for name, value in mark.before.items()}
    return found | ({"held": found["held_at"] is not None} if "held_at" in found else {})


def subjects_of(  # noqa: PLR0917 - what is known of them, loaded once by the caller
    orders: Mapping[int, Mapping[str, Any]],
    order_ids: Sequence[int],
    events: Mapping[int, Collection[str]],
    force: active.Active,
    marks: Mapping[int, Mapping[tuple[int, str], Mark]],
    traces: Mapping[int, tuple[list[dict[str, Any]], dict[str, Any]]],
    *,
    every: bool = False,
) -> list[Subject]:
    """The orders as rules see them; `orders` are their rows as `work.lock` reads them."""
    base = {id_: undone(orders[id_], marks.get(id_, {}).values()) for id_ in order_ids}
    loaded = facts.load(order_ids, force.keys, now=clock.now(), undone=base)
    subjects = []
    for id_ in order_ids:
        rows, seen = traces.get(id_, ([], {}))
        loaded[id_] |= {f"seen:{key}": value for key, value in seen.items()}
        live = [mark for mark in marks.get(id_, {}).values() if mark.state == APPLIED]
        subjects.append(
            Subject(
                id_,
                loaded[id_],
                frozenset(events.get(id_, ABSENT)) | (happened(orders[id_]) if every else ABSENT),
                frozenset(row["rule"] for row in rows),
                frozenset(mark.rule for mark in live),
                late=orders[id_]["fulfillment_state"] != "none" or orders[id_]["shipped_at"] is not None,
            )
        )
    return subjects


def locked_counters(rules: Sequence[Compiled]) -> Counters:
    """How often counting rules have worked. One batch at a time counts a rule, or two would both be the twentieth."""
    counting = sorted(rule.id for rule in rules if rule.counts)
    if not counting:
        return Counters()
    with connection.cursor() as cursor:
        for rule_id in counting:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('orders_rule'), %s)", [rule_id])
        return count(counting)


def count(rule_ids: Sequence[int]) -> Counters:
    """The counters as they stand."""
    counters = Counters()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.rule_id, o.member_id, count(DISTINCT m.order_id) FROM orders_rulemark m "
            "JOIN orders_order o ON o.id = m.order_id WHERE m.rule_id = ANY(%s) AND m.state = 'applied' GROUP BY 1, 2",
            [list(rule_ids)],
        )
        for rule_id, member_id, orders in cursor.fetchall():
            counters.total[rule_id] = counters.total.get(rule_id, 0) + orders
            if member_id:
                counters.member[rule_id, member_id] = orders
    return counters
