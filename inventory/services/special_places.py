"""Places for goods that are not sold as new: in inspection, B-grade, defective, on their way back to the maker.

Each is a location of its own kind outside the pool, made when the first unit needs it.
"""

from collections.abc import Sequence

from inventory.models import Location
from inventory.models.balance import EntryKind
from inventory.queries.availability import free_by_location
from inventory.queries.holdings import Held
from inventory.services.facts import Fact, record
from inventory.services.settlement import Outcome

CODES = {
    Location.Kind.INSPECTION: "INSPECTION",
    Location.Kind.SECOND: "SECOND",
    Location.Kind.DAMAGED: "DAMAGED",
    Location.Kind.TO_MAKER: "TO-MAKER",
}


def place_of_kind(kind: str) -> Location:
    """The first active place of a kind that no channel sells from; made with the kind's name where there is none."""
    known = Location.objects.filter(kind=kind, active=True, sells_online=False).order_by("priority", "pk").first()
    if known:
        return known
    of_kind = Location.Kind(kind)
    made, _new = Location.objects.get_or_create(
        code=CODES[of_kind],
        defaults={"name": str(of_kind.label), "kind": kind, "sells_online": False, "priority": 900},
    )
    return made


def aside_place() -> Location:
    """Where goods lie that must be looked at before anybody sells them."""
    return place_of_kind(Location.Kind.INSPECTION)


def set_aside(held: Sequence[Held], *, ref: str, by_id: int | None = None, note: str = "") -> Outcome:
    """Take units off sale whose promises have just been released (`held`: what `release` returned).

    What had a place moves from there; what was only promised moves from the place with most free units, as far as
    there are any. Call it right after `release`, in its transaction.
    """
    target = aside_place().pk
    moves: dict[tuple[int, int], int] = {}
    unplaced: dict[int, int] = {}
    for holding in held:
        if holding.location_id is None:
            unplaced[holding.sku_id] = unplaced.get(holding.sku_id, 0) + holding.quantity
    for holding in held:
        if holding.location_id is not None and holding.location_id != target:
            key = (holding.sku_id, holding.location_id)
            moves[key] = moves.get(key, 0) + holding.quantity
            unplaced[holding.sku_id] = unplaced.get(holding.sku_id, 0) - holding.quantity
    for sku_id, places in free_by_location({sku for sku, units in unplaced.items() if units > 0}).items():
        for place in sorted(places, key=lambda place: -place.free):
            free = place.free - moves.get((sku_id, place.location_id), 0)
            if place.location_id != target and (units := min(free, unplaced[sku_id])) > 0:
                moves[sku_id, place.location_id] = moves.get((sku_id, place.location_id), 0) + units
                unplaced[sku_id] -= units
    facts = [
        fact
        for (sku_id, location_id), units in sorted(moves.items())
        for fact in (Fact(sku_id, location_id, -units, ref), Fact(sku_id, target, units, ref))
    ]
    return record(facts, kind=EntryKind.TRANSFER, by_id=by_id, note=note)
