"""What people stick on orders in bulk: tags, the mark "important", priority, who looks after it; and taking it back.

Every change is journaled with what was before, which is what undoing reads.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from oms.kernel.models import User
from orders.models import Order, OrderEvent, OrderTag
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


@transaction.atomic
def undo(action: str, *, actor: Actor) -> list[int]:
    """Take back what one action did, where nobody changed it since; returns the orders. Twice does nothing."""
    events = list(
        OrderEvent.objects.filter(action=action, kind__in=[LABELLED, TAGGED, UNTAGGED])
        .prefetch_related("values")
        .order_by("pk")
    )
    done: dict[int, None] = {}
    for kind, back in ((TAGGED, remove_tag), (UNTAGGED, add_tag)):
        for tag in sorted({event.text for event in events if event.kind == kind}):
            ids = [event.order_id for event in events if event.kind == kind and event.text == tag]
            done |= dict.fromkeys(back(ids, tag, actor=actor))
    for (name, before, after), ids in _changes(events).items():
        done |= dict.fromkeys(_put_back(ids, name, before, after, actor))
    return list(done)


def _changes(events: Sequence[OrderEvent]) -> dict[tuple[str, str, str], list[int]]:
    found: dict[tuple[str, str, str], list[int]] = {}
    for event in events:
        for value in event.values.all():
            found.setdefault((value.field, value.before, value.after), []).append(event.order_id)
    return found


def _put_back(order_ids: Sequence[int], name: str, before: str, after: str, actor: Actor) -> list[int]:
    names = _usernames()
    rows, column = _lock(order_ids), {"assignee": "assignee_id"}.get(name, name)
    still = [id_ for id_, row in rows.items() if _word(name, row[column], names) == after]
    return change(still, {name: _value(name, before, names)}, actor=actor)


def _usernames() -> dict[int, str]:
    return dict(User.objects.values_list("pk", "username"))


def _word(name: str, value: Any, names: Mapping[int, str]) -> str:
    return names.get(value, "") if name == "assignee" else str(value)


def _value(name: str, word: str, names: Mapping[int, str]) -> Any:
    if name == "assignee":
        return next((pk for pk, username in names.items() if username == word), None)
    return word == "True" if name == "important" else int(word)


def _lock(order_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    return {row["pk"]: dict(row) for row in rows.values("pk", "tags", "important", "priority", "assignee_id")}
