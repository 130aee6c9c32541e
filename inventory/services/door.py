"""The one place that writes stock. Two verbs, both of which lock their balances sorted by primary key.

Measured background: `docs/stock.md`. Each trap that the statement avoids is named there.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection, transaction

from inventory.models.balance import EntryKind
from inventory.queries.rows import COLUMNS, Row
from inventory.signals import stock_moved
from oms.kernel import clock
from oms.kernel.said import stored


@dataclass(frozen=True, slots=True)
class Change:
    """Signed differences for one balance row. `kind` and `ref` go to the ledger; an empty `kind` means the call's."""

    balance_id: int
    on_hand: int = 0
    reserved: int = 0
    ref: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A promise wanted by `ref`: all `parts` (balance id, quantity) or nothing. A smaller `rank` is served first.

    Ranks of one call must be comparable with each other (ints, or tuples of one shape). Equal ranks keep list order.
    """

    ref: str
    parts: tuple[tuple[int, int], ...]
    rank: Any = 0

    @classmethod
    def of(cls, ref: str, balance_id: int, quantity: int, rank: Any = 0) -> "Request":
        return cls(ref, ((balance_id, quantity),), rank)


class StockError(Exception):
    """Nothing was written."""


class OutOfStock(StockError):
    """The changes of these balances do not fit into what is there."""

    def __init__(self, balance_ids: Sequence[int], sku_ids: Sequence[int]) -> None:
        super().__init__(f"out of stock: SKUs {sorted(set(sku_ids))}")
        self.balance_ids = list(balance_ids)
        self.sku_ids = sorted(set(sku_ids))


class UnknownPlace(StockError):
    """No such balance row, or no row for such a place (`what` says which)."""

    def __init__(self, balance_ids: Iterable[int], what: str = "") -> None:
        self.balance_ids = sorted(balance_ids)
        super().__init__(what or f"no such balances: {self.balance_ids}")


class PoolApart(StockError):
    """The changes would part a SKU's pool from the sum of its places (one may just have joined or left the pool)."""

    def __init__(self, sku_ids: Iterable[int]) -> None:
        self.sku_ids = sorted(sku_ids)
        super().__init__(f"pool and places would differ: SKUs {self.sku_ids}")


PREPARE_AFTER = 5
KINDS = frozenset(EntryKind.values)

APPLY = """
WITH line AS (
  SELECT * FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::text[], %s::text[])
             AS l(id, on_hand, reserved, ref, kind)),
change AS (SELECT id, sum(on_hand)::int AS on_hand, sum(reserved)::int AS reserved FROM line GROUP BY id),
after AS (
  SELECT b.id, b.sku_id, b.location_id IS NULL AS is_pool, b.in_pool, c.on_hand AS moved, c.reserved AS promised,
         b.on_hand + c.on_hand AS on_hand, b.reserved + c.reserved AS reserved, b.overcommit
    FROM inventory_balance b JOIN change c USING (id) ORDER BY b.id FOR NO KEY UPDATE OF b),
sku AS (
  SELECT sku_id, bool_or(moved > promised) AS freed,
         %s OR coalesce(sum(moved) FILTER (WHERE is_pool), 0) = coalesce(sum(moved) FILTER (WHERE in_pool), 0) AS level
    FROM after GROUP BY sku_id),
verdict AS (
  SELECT (SELECT count(*) FROM after) = (SELECT count(*) FROM change)
     AND (SELECT bool_and(on_hand >= 0 AND reserved BETWEEN 0 AND on_hand + overcommit) FROM after)
     AND (SELECT bool_and(level) FROM sku) AS fits),
moved AS (
  UPDATE inventory_balance b SET on_hand = a.on_hand, reserved = a.reserved
    FROM after a, verdict v WHERE b.id = a.id AND v.fits),
logged AS (
  INSERT INTO inventory_entry (balance_id, on_hand, reserved, kind, ref, note, by_id, at)
  SELECT l.id, l.on_hand, l.reserved, l.kind, l.ref, %s, %s::bigint, %s::timestamptz
    FROM line l, verdict v WHERE v.fits),
publish AS (
  INSERT INTO inventory_publishermark (sku_id, at)
  SELECT sku_id, %s::timestamptz FROM sku, verdict v WHERE v.fits),
allocate AS (
  INSERT INTO inventory_allocatormark (sku_id, at)
  SELECT sku_id, %s::timestamptz FROM sku, verdict v WHERE v.fits AND freed),
watched AS (
  INSERT INTO inventory_watchermark (sku_id, at)
  SELECT sku_id, %s::timestamptz FROM sku JOIN inventory_stockwatch USING (sku_id), verdict v WHERE v.fits)
SELECT c.id, a.sku_id, a.on_hand >= 0 AND a.reserved BETWEEN 0 AND a.on_hand + a.overcommit, s.level
  FROM verdict v, change c LEFT JOIN after a USING (id) LEFT JOIN sku s USING (sku_id)
 WHERE v.fits IS NOT TRUE
"""


def apply(
    changes: Sequence[Change], *, kind: str, by_id: int | None = None, note: str = "", pool_only: bool = False
) -> None:
    """Write all changes or none, with their ledger entries and marks, in one statement.

    Locks the balances sorted (`FOR NO KEY UPDATE`) until the transaction ends: call it once, last. Several changes of
    one balance are summed for the verdict and logged one by one; changes of nothing are dropped.
    Raises OutOfStock, UnknownPlace or PoolApart with nothing written; the transaction stays usable.
    A change of a place's `on_hand` must come with the same change of its SKU's pool when the place is in the pool;
    `pool_only` lifts that, for a place that joins or leaves the pool with its goods.
    A change of `reserved` needs a ref: a promise without an owner could never be taken back.
    """
    real = [change for change in changes if change.on_hand or change.reserved]
    if any(change.reserved and not change.ref for change in real):
        raise ValueError("a promise needs a ref")
    if not real:
        return
    if unknown := {change.kind or kind for change in real} - KINDS:
        raise ValueError(f"no such kind of entry: {unknown}")
    at = clock.now()
    refusals = _fetch(
        APPLY,
        (
            [change.balance_id for change in real],
            [change.on_hand for change in real],
            [change.reserved for change in real],
            [change.ref for change in real],
            [change.kind or kind for change in real],
            pool_only,
            stored(note),
            by_id,
            at,
            at,
            at,
            at,
        ),
    )
    if refusals:
        raise _refusal(refusals)
    stock_moved.send(sender=Change)


def _refusal(rows: Sequence[tuple[int, int | None, bool | None, bool | None]]) -> StockError:
    """The gravest cause among (balance, SKU, fits, level)."""
    unknown = [balance for balance, sku, _fits, _level in rows if sku is None]
    if unknown:
        return UnknownPlace(unknown)
    short = [(balance, sku) for balance, sku, fits, _level in rows if not fits and sku is not None]
    if short:
        return OutOfStock([balance for balance, _sku in short], [sku for _balance, sku in short])
    return PoolApart({sku for _balance, sku, _fits, level in rows if not level and sku is not None})


def grant(requests: Sequence[Request], *, kind: str, by_id: int | None = None) -> set[str]:
    """Reserve for as many requests as fit, first ranked first, and return the refs that were granted.

    Requests that are not granted keep waiting; that is an answer, not an error. See `first_come` for who is served.
    Opens a transaction when there is none, and holds the locks of all balances named until its end: call it last.
    Raises UnknownPlace when a balance does not exist; then nothing was granted.
    """
    wanted = {balance_id for request in requests for balance_id, _quantity in request.parts}
    if not wanted:
        return set()
    with in_transaction():
        rows = lock(wanted)
        granted = first_come({row.id: row.free for row in rows.values()}, requests)
        apply(reserving(granted), kind=kind, by_id=by_id)
    return {request.ref for request in granted}


def first_come(free: Mapping[int, int], requests: Sequence[Request]) -> list[Request]:
    """The requests to grant out of `free` (balance → units), in order of rank. Pure.

    A request gets all its parts or none. Where one does not fit, the balances it found too small are closed for every
    later request (strict FIFO: a smaller later line does not slip past); balances it asked in vain, but which had
    enough, stay open and lose nothing. So a bundle that waits for one component does not block the others, and for
    one-part requests of one unit the count granted is exactly min(demand, stock). A request without parts waits.
    """
    left = dict(free)
    granted = []
    for request in sorted(requests, key=lambda request: request.rank):
        needs = _needs(request)
        short = [balance_id for balance_id, quantity in needs.items() if left[balance_id] < quantity]
        for balance_id in short:
            left[balance_id] = 0
        if needs and not short:
            granted.append(request)
            for balance_id, quantity in needs.items():
                left[balance_id] -= quantity
    return granted


def reserving(requests: Sequence[Request]) -> list[Change]:
    """The changes that give each request what it asks."""
    return [
        Change(balance_id, reserved=quantity, ref=request.ref)
        for request in requests
        for balance_id, quantity in _needs(request).items()
    ]


def _needs(request: Request) -> dict[int, int]:
    """Units per balance, once each. Raises ValueError when a part is not positive."""
    needs: dict[int, int] = {}
    for balance_id, quantity in request.parts:
        if quantity <= 0:
            raise ValueError(f"{request.ref}: a promise needs a positive quantity, not {quantity}")
        needs[balance_id] = needs.get(balance_id, 0) + quantity
    return needs


SET_ROOM = """
WITH after AS (
  SELECT b.id, b.sku_id, b.overcommit AS before, greatest(w.room, b.reserved - b.on_hand, 0) AS room
    FROM inventory_balance b JOIN unnest(%s::bigint[], %s::int[]) AS w(id, room) USING (id)
   ORDER BY b.id FOR NO KEY UPDATE OF b),
moved AS (UPDATE inventory_balance b SET overcommit = a.room FROM after a WHERE b.id = a.id),
publish AS (INSERT INTO inventory_publishermark (sku_id, at)
            SELECT DISTINCT sku_id, %s::timestamptz FROM after WHERE room <> before),
allocate AS (INSERT INTO inventory_allocatormark (sku_id, at)
             SELECT DISTINCT sku_id, %s::timestamptz FROM after WHERE room > before),
watched AS (INSERT INTO inventory_watchermark (sku_id, at)
            SELECT DISTINCT sku_id, %s::timestamptz FROM after JOIN inventory_stockwatch USING (sku_id)
             WHERE room <> before)
SELECT id, room FROM after
"""


def set_overcommit(rooms: Mapping[int, int]) -> dict[int, int]:
    """Set the room to promise beyond stock, per pool balance; returns what was set.

    Never below what is promised already: given promises stand. Locks the rows sorted. The room is a setting, not
    stock, so the ledger does not know it.
    """
    at = clock.now()
    set_to = dict(_fetch(SET_ROOM, (list(rooms), list(rooms.values()), at, at, at)))
    stock_moved.send(sender=Change)
    return set_to


def in_transaction() -> AbstractContextManager[object]:
    """The transaction under way, else one of our own. (A nested `atomic` would doom the outer one on a refusal.)"""
    return nullcontext() if connection.in_atomic_block else transaction.atomic()


LOCK = f"SELECT {COLUMNS} FROM inventory_balance WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE"


def lock(balance_ids: Iterable[int]) -> dict[int, Row]:
    """Lock these balances, sorted, until the transaction ends; what was read stays true so long.

    Raises UnknownPlace when one does not exist.
    """
    ids = sorted(set(balance_ids))
    rows = {row[0]: Row(*row) for row in _fetch(LOCK, (ids,))}
    if len(rows) < len(ids):
        raise UnknownPlace(set(ids) - rows.keys())
    return rows


def _fetch(sql: str, parameters: tuple[Any, ...]) -> list[Any]:
    """Rows of one statement, prepared by the server: planning these costs more than running them.

    Django's own cursors bind on the client and turn preparing off for the connection; so it is turned on for this one.
    """
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    raw = connection.connection
    if raw.prepare_threshold is None:
        raw.prepare_threshold = PREPARE_AFTER
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        return cursor.execute(sql, parameters, prepare=True).fetchall()
