"""Who holds what: the open promises, read from the ledger by their ref."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class Held:
    """`quantity` units of a balance promised to `ref`. Without location: the promise itself; with: its allocation.

    `since`: the id of the entry that last added to it, so a larger one is a younger promise.
    """

    ref: str
    balance_id: int
    sku_id: int
    location_id: int | None
    quantity: int
    since: int


HELD = """
SELECT e.ref, e.balance_id, b.sku_id, b.location_id, sum(e.reserved)::int, max(e.id) FILTER (WHERE e.reserved > 0)
  FROM inventory_entry e JOIN inventory_balance b ON b.id = e.balance_id
 WHERE {where} AND e.ref <> '' AND e.reserved <> 0
 GROUP BY e.ref, e.balance_id, b.sku_id, b.location_id
HAVING sum(e.reserved) > 0
 ORDER BY 6
"""
HELD_BY = HELD.format(where="e.ref = ANY(%s)")
HELD_AT = HELD.format(where="e.balance_id = ANY(%s)")


def held_by(refs: Iterable[str]) -> list[Held]:
    """What these refs hold, oldest first. Exact for whoever has locked the balances or owns the refs' document."""
    return _read(HELD_BY, sorted(set(refs)))


def held_at(balance_ids: Iterable[int]) -> list[Held]:
    """All promises on these balances, oldest first. Reads their whole ledgers: for conflicts, not per order."""
    return _read(HELD_AT, sorted(set(balance_ids)))


@dataclass(frozen=True, slots=True)
class Promise:
    """An open promise on a SKU: units promised, and how many of them have a place."""

    ref: str
    quantity: int
    placed: int


PROMISES = """
SELECT e.ref, coalesce(sum(e.reserved) FILTER (WHERE b.location_id IS NULL), 0)::int AS promised,
       coalesce(sum(e.reserved) FILTER (WHERE b.location_id IS NOT NULL), 0)::int
  FROM inventory_entry e JOIN inventory_balance b ON b.id = e.balance_id
 WHERE b.sku_id = %s AND e.ref <> '' AND e.reserved <> 0
 GROUP BY e.ref
HAVING sum(e.reserved) FILTER (WHERE b.location_id IS NULL) > 0
 ORDER BY max(e.id) FILTER (WHERE b.location_id IS NULL AND e.reserved > 0) LIMIT %s
"""


def promises_on(sku_id: int, limit: int) -> list[Promise]:
    """Who was promised this SKU, the oldest first. Reads the SKU's whole ledger."""
    with connection.cursor() as cursor:
        cursor.execute(PROMISES, [sku_id, limit])
        return [Promise(*row) for row in cursor.fetchall()]


def _read(sql: str, keys: list[str] | list[int]) -> list[Held]:
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, [keys])
        return [Held(*row) for row in cursor.fetchall()]
