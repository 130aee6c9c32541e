"""When facts and promises collide: the SKUs' balances are locked, and promises end, youngest first, until all fits."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from django.db import transaction

from inventory.models.balance import EntryKind
from inventory.queries.holdings import Held, held_at, held_by
from inventory.queries.rows import balances_of
from inventory.services import door
from inventory.services.book import Book
from inventory.services.moves import StockMoved
from inventory.signals import promises_released

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """Refs that hold nothing any more, and refs that only lost a place."""

    released: list[str] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)


class NeedsLocks(Exception):
    """To end a promise, these balances (a bundle's other components) must be locked too."""

    def __init__(self, balance_ids: set[int]) -> None:
        super().__init__(balance_ids)
        self.balance_ids = balance_ids


def settle(
    sku_ids: Iterable[int],
    plan: Callable[[Book], None],
    *,
    kind: str,
    by_id: int | None = None,
    note: str = "",
    pool_only: bool = False,
) -> Outcome:
    """Lock every balance of these SKUs, let `plan` change the book, end promises that no longer fit, and write.

    Sends `promises_released` inside the transaction. `plan` may be called again on a fresh book: when a bundle's
    promise ends, balances of its other components are needed too, and then all locks are given back first, so that the
    order of locks holds. Raises StockMoved after some rounds; then nothing was written.
    """
    skus = set(sku_ids)
    more: set[int] = set()
    for _round in range(ROUNDS):
        try:
            with transaction.atomic():  # leaving it by NeedsLocks gives the locks back
                book = Book(door.lock(more | {row.id for row in balances_of(skus)}).values())
                plan(book)
                outcome = end_promises(book)
                door.apply(book.changes(), kind=kind, by_id=by_id, note=note, pool_only=pool_only)
                _tell(outcome, kind=kind, by_id=by_id)
                return outcome
        except NeedsLocks as needs:
            more |= needs.balance_ids
    raise StockMoved("promises kept moving to other balances")


def _tell(outcome: Outcome, *, kind: str, by_id: int | None) -> None:
    if outcome.released or outcome.unplaced:
        promises_released.send(
            sender=Outcome, released=outcome.released, unplaced=outcome.unplaced, kind=kind, by_id=by_id
        )


def end_promises(book: Book) -> Outcome:
    """Take back promises in the book until nothing is short. Raises NeedsLocks."""
    short = set(book.short())
    if not short:
        return Outcome()
    skus = {book.rows[balance_id].sku_id for balance_id in short}
    held = _left(book, held_at(row.id for row in book.rows.values() if row.sku_id in skus))
    unplaced = [
        holding
        for balance_id in short
        if book.rows[balance_id].location_id is not None
        for holding in _enough(_youngest_first(held, balance_id), book.excess(balance_id))
    ]
    placed = {(h.ref, h.sku_id) for h in held if h.location_id is not None and h not in unplaced}
    ended = {
        holding.ref
        for balance_id in short
        if book.rows[balance_id].location_id is None
        for holding in _enough(_unplaced_first(_youngest_first(held, balance_id), placed), book.excess(balance_id))
    }
    released = _left(book, held_by(ended))
    if unlocked := {holding.balance_id for holding in released} - book.rows.keys():
        raise NeedsLocks(unlocked)
    lost = [holding for holding in unplaced if holding.ref not in ended]
    for holdings, kind in ((lost, EntryKind.UNALLOCATE), (released, EntryKind.RELEASE)):
        for holding in holdings:
            book.promise(holding.balance_id, -holding.quantity, ref=holding.ref, kind=kind)
    return Outcome(released=sorted(ended), unplaced=sorted({holding.ref for holding in lost}))


def _left(book: Book, held: Iterable[Held]) -> list[Held]:
    """What these holdings are without what the book takes back already."""
    left = [
        replace(holding, quantity=holding.quantity - book.ended(holding.balance_id, holding.ref)) for holding in held
    ]
    return [holding for holding in left if holding.quantity > 0]


def _youngest_first(held: Sequence[Held], balance_id: int) -> list[Held]:
    return sorted((h for h in held if h.balance_id == balance_id), key=lambda h: -h.since)


def _unplaced_first(promises: Sequence[Held], placed: set[tuple[str, int]]) -> list[Held]:
    """A promise that has its place may be in a picker's hands: it goes last."""
    return sorted(promises, key=lambda h: (h.ref, h.sku_id) in placed)


def _enough(holdings: Sequence[Held], units: int) -> list[Held]:
    """The first holdings that together free so many units. Whole ones: a line waits whole."""
    chosen = []
    for holding in holdings:
        if units <= 0:
            break
        chosen.append(holding)
        units -= holding.quantity
    return chosen
