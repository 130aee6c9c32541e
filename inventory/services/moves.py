"""What orders and goods do to stock, each one call of the door.

A promise is known by its `ref` ("line:8123"): reserving, allocating, shipping and releasing it all use the same one.
The caller holds the lock of the document behind the refs; only a fact (`inventory.services.facts`) takes a promise
away without it, which is why what a ref holds is read again here once the balances are locked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from inventory.models.balance import EntryKind
from inventory.queries.availability import all_pool_ids, place_ids, pool_ids
from inventory.queries.bundles import components
from inventory.queries.holdings import Held, held_by
from inventory.queries.rows import Row
from inventory.services import door, places
from inventory.services.book import Book, spread
from inventory.services.door import Change, Request, StockError


@dataclass(frozen=True, slots=True)
class Part:
    """So many units of a SKU at a place, for `ref`."""

    ref: str
    sku_id: int
    location_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Want:
    """An order line that wants a promise: a bundle's SKU asks for its components, `parts` (SKU → units in one) where
    they are known, else as the catalogue has them."""

    ref: str
    sku_id: int
    quantity: int
    rank: object = 0
    parts: Mapping[int, int] | None = None


class StockMoved(StockError):
    """What was read changed before it was locked. Running the transaction again helps."""


class NotHeld(StockError):
    """These refs do not hold what should be shipped (never placed, released, or shipped already)."""

    def __init__(self, refs: Iterable[str]) -> None:
        self.refs = sorted(set(refs))
        super().__init__(f"nothing allocated for {self.refs}")


def requests_for(wants: Sequence[Want]) -> list[Request]:
    """Requests on today's pools, bundles expanded; makes missing pool rows.

    A bundle without components gets no parts, so `grant` lets it wait.
    """
    catalogue = components({want.sku_id for want in wants if want.parts is None})
    needs = [catalogue[want.sku_id] if want.parts is None else want.parts for want in wants]
    stocked = {part for parts in needs for part in parts}
    pools = pool_ids(stocked)
    if missing := stocked - pools.keys():
        places.ensure_pools(missing)
        pools |= pool_ids(missing)
    return [
        Request(
            want.ref,
            tuple((pools[part], each * want.quantity) for part, each in parts.items()),
            want.rank,
        )
        for want, parts in zip(wants, needs, strict=True)
    ]


def reserve(quantities: Mapping[int, int], *, ref: str, by_id: int | None = None) -> None:
    """Promise units of these pool balances to `ref`, all or none. Raises OutOfStock. For batches use `grant`."""
    door.apply(
        door.reserving([Request(ref, tuple(quantities.items()))]),
        kind=EntryKind.RESERVE,
        by_id=by_id,
    )


def regrant(requests: Sequence[Request], *, by_id: int | None = None) -> set[str]:
    """Replace what these refs hold by what they ask now; returns the refs granted.

    What a ref held, its allocations too, is free for this call. A ref that is not granted holds nothing afterwards.
    """
    return regrant_at(requests, (), by_id=by_id)[0]


def regrant_at(
    requests: Sequence[Request], places: Sequence[Request], *, by_id: int | None = None
) -> tuple[set[str], set[str]]:
    """The same, and of the refs granted those that `places` names get their places too, where all of theirs are free.
    Returns the refs granted, and those placed."""
    refs = {request.ref for request in requests}
    wanted = {balance_id for request in (*requests, *places) for balance_id, _quantity in request.parts}
    with door.in_transaction():
        rows, held = lock_holdings(refs, wanted)
        free = {row.id: row.free for row in rows.values()}
        for holding in held:
            free[holding.balance_id] += holding.quantity
        granted = door.first_come(free, requests)
        served = {request.ref for request in granted}
        placed = door.first_come(free, [request for request in places if request.ref in served])
        allocating = [replace(change, kind=EntryKind.ALLOCATE) for change in door.reserving(placed)]
        door.apply(releasing(held) + door.reserving(granted) + allocating, kind=EntryKind.RESERVE, by_id=by_id)
    return served, {request.ref for request in placed}


def release(refs: Iterable[str], *, by_id: int | None = None) -> list[Held]:
    """Give back everything these refs hold, promises and allocations; returns what that was."""
    with door.in_transaction():
        _rows, held = lock_holdings(refs)
        door.apply(releasing(held), kind=EntryKind.RELEASE, by_id=by_id)
    return held


def allocate(requests: Sequence[Request], *, by_id: int | None = None) -> set[str]:
    """Give promises their places: parts are place balances (`place_ids`, `free_by_location`). Returns the refs placed.

    First ranked first, all parts or none, as `grant`. A ref is only placed as far as it holds the promise in the pool,
    and what it has placed already counts: a promise that a fact took away meanwhile is left alone.
    """
    refs = {request.ref for request in requests}
    wanted = {balance_id for request in requests for balance_id, _quantity in request.parts}
    if not wanted:
        return set()
    with door.in_transaction():
        rows, held = lock_holdings(refs, wanted)
        kept = [request for request in requests if _is_promised(request, rows, held)]
        granted = door.first_come({row.id: row.free for row in rows.values()}, kept)
        door.apply(door.reserving(granted), kind=EntryKind.ALLOCATE, by_id=by_id)
    return {request.ref for request in granted}


def _is_promised(request: Request, rows: Mapping[int, Row], held: Sequence[Held]) -> bool:
    """The ref holds at least as much in the pools as it would then have at places, SKU by SKU."""
    unplaced: dict[int, int] = defaultdict(int)
    for holding in held:
        if holding.ref == request.ref:
            unplaced[holding.sku_id] += holding.quantity if holding.location_id is None else -holding.quantity
    for balance_id, quantity in request.parts:
        unplaced[rows[balance_id].sku_id] -= quantity
    return all(units >= 0 for units in unplaced.values())


def unallocate(refs: Iterable[str], *, by_id: int | None = None) -> list[Held]:
    """Take these refs' places back; their promises in the pool stay. Returns the allocations that ended."""
    with door.in_transaction():
        _rows, held = lock_holdings(refs)
        placed = [holding for holding in held if holding.location_id is not None]
        door.apply(releasing(placed), kind=EntryKind.UNALLOCATE, by_id=by_id)
    return placed


def unplace(parts: Sequence[Part], *, by_id: int | None = None) -> None:
    """Take these parts' places back, as far as their refs still hold them; the promises in the pool stay.

    For a parcel that was stopped: what the same ref holds for other parcels is left alone.
    """
    with door.in_transaction():
        _rows, held = lock_holdings({part.ref for part in parts})
        door.apply(_ending(parts, held), kind=EntryKind.UNALLOCATE, by_id=by_id)


def _ending(parts: Sequence[Part], held: Sequence[Held]) -> list[Change]:
    """The changes that end these parts' places, as far as their refs hold them."""
    left = {holding: holding.quantity for holding in held if holding.location_id is not None}
    ended = []
    for part in parts:
        own = {
            holding: units
            for holding, units in left.items()
            if (holding.ref, holding.sku_id, holding.location_id) == (part.ref, part.sku_id, part.location_id)
        }
        for holding, units in spread(part.quantity, own):
            left[holding] -= units
            ended.append(Change(holding.balance_id, reserved=-units, ref=holding.ref))
    return ended


def replace_parts(
    parts: Sequence[Part], to: Mapping[str, int], *, together: Mapping[str, int], by_id: int | None = None
) -> set[str]:
    """Let what these refs hold at a place be held at another one (`to`: ref → location); the promises in the pool stay.

    All or none of what is `together` (ref → its group), the groups in the order of `parts`. Returns the refs that
    moved; where a part is not held any more, or not free at the other place, the group is left as it is.
    """
    groups: dict[int, list[Part]] = defaultdict(list)
    for part in parts:
        groups[together[part.ref]].append(part)
    balances = place_ids((part.sku_id, to[part.ref]) for part in parts)
    wanted = [own for own in groups.values() if all((part.sku_id, to[part.ref]) in balances for part in own)]
    if not wanted:
        return set()
    with door.in_transaction():
        rows, held = lock_holdings({part.ref for own in wanted for part in own}, balances.values())
        asked = [
            Request(str(rank), tuple((balances[part.sku_id, to[part.ref]], part.quantity) for part in own), rank)
            for rank, own in enumerate(wanted)
            if -sum(change.reserved for change in _ending(own, held)) == sum(part.quantity for part in own)
        ]
        granted = door.first_come({row.id: row.free for row in rows.values()}, asked)
        moved = [part for request in granted for part in wanted[int(request.ref)]]
        given = [
            Change(balances[part.sku_id, to[part.ref]], reserved=part.quantity, ref=part.ref, kind=EntryKind.ALLOCATE)
            for part in moved
        ]
        door.apply(_ending(moved, held) + given, kind=EntryKind.UNALLOCATE, by_id=by_id)
    return {part.ref for part in moved}


def ship(parts: Sequence[Part], *, by_id: int | None = None) -> None:
    """Goods leave: each part was allocated to its ref at that place. Raises NotHeld with nothing written.

    Place and pool both lose the units and the promise.
    """
    pools = [balance_id for ids in all_pool_ids({part.sku_id for part in parts}).values() for balance_id in ids]
    with door.in_transaction():
        rows, held = lock_holdings({part.ref for part in parts}, pools)
        door.apply(shipping(parts, rows, held), kind=EntryKind.SHIP, by_id=by_id)


def unship(parts: Sequence[Part], *, by_id: int | None = None) -> None:
    """The goods of a shipment did not leave after all: they lie at their places again, promised and placed as before.
    Raises OutOfStock with nothing written where the promise no longer fits (a place outside the pool)."""
    skus = {part.sku_id for part in parts}
    pools = {sku: ids[0] for sku, ids in all_pool_ids(skus).items()}
    balances = place_ids((part.sku_id, part.location_id) for part in parts)
    with door.in_transaction():
        rows = door.lock({*pools.values(), *balances.values()})
        changes = []
        for part in parts:
            place = balances[part.sku_id, part.location_id]
            back = part.quantity if rows[place].in_pool else 0
            changes.append(Change(place, part.quantity, part.quantity, part.ref))
            changes.append(Change(pools[part.sku_id], back, part.quantity, part.ref))
        door.apply(changes, kind=EntryKind.SHIP, by_id=by_id)


def shipping(parts: Sequence[Part], rows: Mapping[int, Row], held: Sequence[Held]) -> list[Change]:
    """The changes that ship these parts, one per ref and balance. Pure. Raises NotHeld."""
    book = Book(rows.values())
    holds: dict[tuple[str, int, int | None], list[Held]] = defaultdict(list)
    left: dict[Held, int] = {}
    for holding in held:
        holds[holding.ref, holding.sku_id, holding.location_id].append(holding)
        left[holding] = holding.quantity
    missing = set()
    for part in parts:
        placed = holds[part.ref, part.sku_id, part.location_id]
        promised = holds[part.ref, part.sku_id, None]
        if min(sum(left[h] for h in placed), sum(left[h] for h in promised)) < part.quantity:
            missing.add(part.ref)
            continue
        for holdings in (placed, promised):
            for holding, units in spread(part.quantity, {h: left[h] for h in holdings}):
                left[holding] -= units
                book.promise(holding.balance_id, -units, ref=part.ref)
        place = placed[0].balance_id
        book.move(place, -part.quantity, ref=part.ref)
        if rows[place].in_pool:
            book.take_from_pool(part.sku_id, part.quantity, ref=part.ref, first=[h.balance_id for h in promised])
    if missing:
        raise NotHeld(missing)
    return book.changes()


def releasing(held: Sequence[Held]) -> list[Change]:
    """The changes that end these holdings."""
    return [Change(holding.balance_id, reserved=-holding.quantity, ref=holding.ref) for holding in held]


def lock_holdings(refs: Iterable[str], balance_ids: Iterable[int] = ()) -> tuple[dict[int, Row], list[Held]]:
    """Lock every balance that the refs hold, and these; returns them and what the refs hold, read under the lock.

    Raises StockMoved when a ref got hold of another balance meanwhile, which only its document's owner could do.
    """
    refs = set(refs)
    expected = {holding.balance_id for holding in held_by(refs)} | set(balance_ids)
    rows = door.lock(expected)
    held = held_by(refs)
    if any(holding.balance_id not in rows for holding in held):
        raise StockMoved("two writers of one document: lock its order first")
    return rows, held
