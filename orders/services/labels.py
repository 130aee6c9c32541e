"""What people stick on orders in bulk: tags, the mark "important", priority, who looks after it, a line of 社内メモ.

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
WRITE_NOTES = """
UPDATE orders_order o SET internal_note = n.note, version = o.version + 1
  FROM unnest(%s::bigint[], %s::text[]) AS n (id, note) WHERE o.id = n.id
"""
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
def add_note(order_ids: Sequence[int], text: str, *, actor: Actor) -> list[int]:
    """Add these lines below the orders' 社内メモ; returns the orders, but for those that end with them already."""
    notes = _notes(order_ids)
    longer = {id_: f"{note}\n{text}" if note else text for id_, note in notes.items() if not ends_with(note, text)}
    return _write_notes(notes, longer, actor)


@transaction.atomic
def take_note(order_ids: Sequence[int], text: str, *, actor: Actor) -> list[int]:
    """Take these lines off the end of the orders' 社内メモ; returns the orders that ended with them."""
    notes = _notes(order_ids)
    shorter = {id_: note.removesuffix(text).removesuffix("\n") for id_, note in notes.items() if ends_with(note, text)}
    return _write_notes(notes, shorter, actor)


def ends_with(note: str, text: str) -> bool:
    """Whether these are its last lines."""
    return note == text or note.endswith(f"\n{text}")


def _notes(order_ids: Sequence[int]) -> dict[int, str]:
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    return dict(rows.values_list("pk", "internal_note"))


def _write_notes(before: Mapping[int, str], after: Mapping[int, str], actor: Actor) -> list[int]:
    """Of orders that are locked."""
    with connection.cursor() as cursor:
        cursor.execute(WRITE_NOTES, [list(after), list(after.values())])
    entries = [Entry(id_, "note", changes={"internal_note": (before[id_], note)}) for id_, note in after.items()]
    journal.write(entries, actor=actor)
    return list(after)


def _usernames() -> dict[int, str]:
    return dict(User.objects.values_list("pk", "username"))


def _word(name: str, value: Any, names: Mapping[int, str]) -> str:
    return names.get(value, "") if name == "assignee" else str(value)


def _lock(order_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    return {row["pk"]: dict(row) for row in rows.values("pk", "tags", "important", "priority", "assignee_id")}
