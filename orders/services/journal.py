"""The orders' journal: written in batches, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.sql import copy_rows, next_ids


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it. `action` groups what one click did to many orders; empty for the system."""

    by: User | None = None
    action: str = ""


SYSTEM = Actor()


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `changes` maps a field to (before, after); values are kept in the erasable table."""

    order_id: int
    kind: str
    text: str = ""
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def write(entries: Sequence[Entry], *, actor: Actor = SYSTEM) -> None:
    """Append the entries in the caller's transaction."""
    if not entries:
        return
    now = clock.now()
    ids = next_ids("orders_orderevent", len(entries))
    copy_rows(
        "orders_orderevent",
        ["id", "order_id", "at", "kind", "text", "fields", "by_id", "action"],
        [
            (id_, e.order_id, now, e.kind, e.text[:500], _json(list(e.changes)), actor.by and actor.by.pk, actor.action)
            for id_, e in zip(ids, entries, strict=True)
        ],
    )
    values = [
        (id_, name, _value(before), _value(after))
        for id_, entry in zip(ids, entries, strict=True)
        for name, (before, after) in entry.changes.items()
    ]
    if values:
        copy_rows("orders_ordereventvalue", ["event_id", "field", "before", "after"], values)


def _value(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def _json(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
