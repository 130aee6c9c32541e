"""What happened to goods is booked, always: no fact is refused because units were promised or not in the books.

Promises that can no longer be kept are released youngest first in the same statement, and the floors above are told.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inventory.models.balance import EntryKind
from inventory.queries.holdings import held_by
from inventory.queries.rows import balances_of
from inventory.services import door, places, settlement
from inventory.services.book import Book
from inventory.services.moves import Part
from inventory.services.settlement import Outcome


@dataclass(frozen=True, slots=True)
class Fact:
    """`units` of a SKU came to (+) or left (−) a place; `ref` names the document."""

    sku_id: int
    location_id: int
    units: int
    ref: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A SKU was counted at a place: there are so many."""

    sku_id: int
    location_id: int
    on_hand: int
    ref: str


def receive(
    facts: Sequence[Fact], *, kind: str = EntryKind.RECEIVE, by_id: int | None = None, note: str = ""
) -> Outcome:
    """Goods arrive (`units` > 0). Waiting pre-orders are covered first. Makes missing balances."""
    return record(facts, kind=kind, by_id=by_id, note=note)


def correct(facts: Sequence[Fact], *, by_id: int | None = None, note: str = "") -> Outcome:
    """Somebody sets the books right, with a reason."""
    return record(facts, kind=EntryKind.CORRECT, by_id=by_id, note=note)


def transfer(
    sku_units: Mapping[int, int], *, source: int, target: int, ref: str, by_id: int | None = None, note: str = ""
) -> Outcome:
    """Move units (SKU → how many) from one location to another, in one step. The total does not change.

    For goods on the road, transfer to a location of kind in-transit and from there on arrival.
    """
    facts = [
        fact
        for sku_id, units in sku_units.items()
        for fact in (Fact(sku_id, source, -units, ref), Fact(sku_id, target, units, ref))
    ]
    return record(facts, kind=EntryKind.TRANSFER, by_id=by_id, note=note)


def count(counts: Sequence[Counted], *, by_id: int | None = None, note: str = "") -> Outcome:
    """Set places to what was counted; the differences are taken under the lock, so no sale in between is lost."""
    places.ensure_balances((counted.sku_id, counted.location_id) for counted in counts)

    def differences(book: Book) -> None:
        for counted in counts:
            there = book.on_hand[book.place(counted.sku_id, counted.location_id)]
            units = counted.on_hand - there
            enter(book, [Fact(counted.sku_id, counted.location_id, units, counted.ref)])

    skus = {counted.sku_id for counted in counts}
    return settlement.settle(skus, differences, kind=EntryKind.COUNT, by_id=by_id, note=note)


@dataclass(frozen=True, slots=True)
class ShortPick:
    """A picker found fewer than a parcel needs: SKU → units missing at the place. `shelf_empty`: nothing else of them
    lies there, so what the books called free is not there either. `parts` lose their places."""

    location_id: int
    missing: Mapping[int, int]
    parts: Sequence[Part]
    shelf_empty: bool
    ref: str


def short_pick(short: ShortPick, *, by_id: int | None = None, note: str = "") -> Outcome:
    """Book it, and take the parts' places back in the same statement. Their promises stay as far as the pools have the
    goods; they count as promises without a place."""

    def plan(book: Book) -> None:
        held = {
            (holding.ref, holding.balance_id): holding.quantity for holding in held_by(part.ref for part in short.parts)
        }
        facts = []
        for sku_id, units in short.missing.items():
            place = book.place(sku_id, short.location_id)
            free = max(0, book.on_hand[place] - book.reserved[place]) if short.shelf_empty else 0
            facts.append(Fact(sku_id, short.location_id, -min(units + free, book.on_hand[place]), short.ref))
        for part in short.parts:
            place = book.place(part.sku_id, short.location_id)
            if units := min(part.quantity, held.get((part.ref, place), 0)):
                book.promise(place, -units, ref=part.ref, kind=EntryKind.UNALLOCATE)
        enter(book, facts)

    skus = {*short.missing, *(part.sku_id for part in short.parts)}
    return settlement.settle(skus, plan, kind=EntryKind.SHORT_PICK, by_id=by_id, note=note)


def record(facts: Sequence[Fact], *, kind: str, by_id: int | None = None, note: str = "") -> Outcome:
    """Book these facts under `kind` (damage, POS sale, short pick, return …), all at once; makes missing balances.

    Tried first on what was read unlocked, in one statement; only if that does not fit are the SKUs' balances locked,
    the youngest promises released and `promises_released` sent. Units beyond the books are booked in first, as
    `surplus`. Raises UnknownPlace when a SKU or location does not exist, or the SKU is a bundle.
    """
    if not facts:
        return Outcome()
    skus = {fact.sku_id for fact in facts}
    places.ensure_balances((fact.sku_id, fact.location_id) for fact in facts)
    if _fit_at_once(facts, skus, kind=kind, by_id=by_id, note=note):
        return Outcome()
    return settlement.settle(skus, lambda book: enter(book, facts), kind=kind, by_id=by_id, note=note)


def _fit_at_once(facts: Sequence[Fact], skus: set[int], *, kind: str, by_id: int | None, note: str) -> bool:
    """The usual case: nothing promised is in the way. False, with nothing written, when it is, or the world moved."""
    book = Book(balances_of(skus))
    enter(book, facts)
    if book.short():
        return False
    try:
        door.apply(book.changes(), kind=kind, by_id=by_id, note=note)
    except (door.OutOfStock, door.PoolApart):
        return False
    return True


def enter(book: Book, facts: Sequence[Fact]) -> None:
    """Plan these facts: places, and their pools with the net of each document, so that a transfer leaves them alone."""
    into_pool: dict[tuple[int, str], int] = defaultdict(int)
    for fact in facts:
        place = book.place(fact.sku_id, fact.location_id)
        unbooked = max(0, -(book.on_hand[place] + fact.units))
        if unbooked:
            book.move(place, unbooked, ref=fact.ref, kind=EntryKind.SURPLUS)
        book.move(place, fact.units, ref=fact.ref)
        if book.rows[place].in_pool:
            into_pool[fact.sku_id, fact.ref] += fact.units + unbooked
    for (sku_id, ref), units in into_pool.items():
        if units > 0:
            book.add_to_pool(sku_id, units, ref=ref)
        else:
            book.take_from_pool(sku_id, -units, ref=ref)
