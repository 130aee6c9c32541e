"""What people stick on orders in bulk: tags, the mark "important", priority, who looks after it.

Every change is journaled with what was before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from oms.kernel.models import User
from orders.models import Order, OrderTag
from orders.services import journal
from orders.services.journal import Actor, Entry

LABELLED, TAGGED, UNTAGGED = "labelled", "tagged", "untagged"
FIELDS = ("important", "priority", "assignee")

ADD = "UPDATE orders_order SET tags = array_append(tags, %s), version = version + 1 WHERE id = ANY(%s)"
REMOVE = "UPDATE orders_order SET tags = array_remove(tags, %s), version = version + 1 WHERE id = ANY(%s)"


@transaction.atomic
def add_tag(order_ids: Sequence[int], tag: str, *, actor: Actor) -> list[int]:
    """Stick a tag on these orders; returns those that did not have it. A new tag gets its (grey) row."""
    OrderTag.objects.get_or_create(name=tag)
    rows = _lock(order_ids)
    return _tag([id_ for id_, row in rows.items() if tag not in row["tags"]], tag, ADD, TAGGED, actor)


@transaction.atomic
def remove_tag(order_ids: Sequence[int], tag: str, *, actor: Actor) -> list[int]:
    """Take a tag off these orders; returns those that had it."""
    rows = _lock(order_ids)
    return _tag([id_ for id_, row in rows.items() if tag in row["tags"]], tag, REMOVE, UNTAGGED, actor)


def _tag(order_ids: list[int], tag: str, statement: str, kind: str, actor: Actor) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [tag, order_ids])
    journal.write([Entry(id_, kind, tag) for id_ in order_ids], actor=actor)
    return order_ids


@transaction.atomic
def change(order_ids: Sequence[int], values: Mapping[str, Any], *, actor: Actor) -> list[int]:
    """Set some of `FIELDS` (the assignee by id, or None); returns the orders where something changed."""
    rows = _lock(order_ids)
    column = {"assignee": "assignee_id"}
    changed = {
        id_: {name: value for name, value in values.items() if row[column.get(name, name)] != value}
        for id_, row in rows.items()
    }
    ids = [id_ for id_, fields in changed.items() if fields]
    Order.objects.filter(pk__in=ids).update(
        **{column.get(name, name): value for name, value in values.items()}, version=F("version") + 1
    )
    names = _usernames()
    journal.write(
        [
            Entry(
                id_,
                LABELLED,
                changes={
                    name: (_word(name, rows[id_][column.get(name, name)], names), _word(name, value, names))
                    for name, value in changed[id_].items()
                },
            )
            for id_ in ids
        ],
        actor=actor,
    )
    return ids


def _usernames() -> dict[int, str]:
    return dict(User.objects.values_list("pk", "username"))


def _word(name: str, value: Any, names: Mapping[int, str]) -> str:
    return names.get(value, "") if name == "assignee" else str(value)


def _lock(order_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    return {row["pk"]: dict(row) for row in rows.values("pk", "tags", "important", "priority", "assignee_id")}
