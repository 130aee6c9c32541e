"""What of a SKU each shop may sell: the pool, without safety stock and without what its place rules close to it.

Of a set that may not leave in parts, and of a listing that stands for several units, no more than the places open to
the shop hold whole.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from channels.models import PlaceRule, SkuRule
from inventory.models import Balance
from inventory.services import stock


def supplies(sku_ids: Collection[int], shop_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """(shop, SKU) → units, never below 0. A bundle has as many as its scarcest component allows that shop.

    Unlocked reads, a fixed number of queries. What is promised but not placed yet counts against the open places.
    """
    parts = stock.components(sku_ids)
    stocked = {part for needs in parts.values() for part in needs}
    free = stock.available(stocked)
    safety = dict(
        SkuRule.objects.filter(sku__in={*sku_ids, *stocked}, safety_stock__gt=0).values_list("sku", "safety_stock")
    )
    most = _most(shop_ids)
    closed = _closed(stocked, most)
    whole = _whole_at_places(parts, shop_ids, safety, most)
    found = {}
    for shop in shop_ids:
        for sku, needs in parts.items():
            room = [(free[part] - safety.get(part, 0) - closed[shop, part]) // each for part, each in needs.items()]
            if (there := whole.get((shop, sku))) is not None:
                room.append(there)
            own = safety.get(sku, 0) if sku not in needs else 0  # a bundle's own, beside its components'
            found[shop, sku] = max(0, min(room, default=0) - own)
    return found


Most = dict[int, dict[int, int]]  # location → shop → the most units that it may sell from there


def _most(shop_ids: Collection[int]) -> Most:
    most: Most = defaultdict(dict)
    for shop, place, units in PlaceRule.objects.filter(shop__in=shop_ids).values_list("shop", "location", "most"):
        most[place][shop] = units
    return most


def _closed(sku_ids: Collection[int], most: Most) -> dict[tuple[int, int], int]:
    """(shop, SKU) → free units at places beyond what the shop's rules allow."""
    closed: dict[tuple[int, int], int] = defaultdict(int)
    if most:
        rows = Balance.objects.filter(sku__in=sku_ids, location__in=most, in_pool=True)
        for sku, place, there, placed in rows.values_list("sku", "location", "on_hand", "reserved"):
            for shop, units in most[place].items():
                closed[shop, sku] += max(0, there - placed - units)
    return closed


def _whole_at_places(
    parts: Mapping[int, Mapping[int, int]], shop_ids: Collection[int], safety: Mapping[int, int], most: Most
) -> dict[tuple[int, int], int | None]:
    """(shop, set) → sets that some open place has whole, of sets that may not leave in parts."""
    sets = stock.kept_whole(stock.sets_among(parts))
    if not sets:
        return {}
    places = stock.places_of({part for sku in sets for part in parts[sku]})
    return {(shop, sku): _whole(parts[sku], shop, places, safety, most) for shop in shop_ids for sku in sets}


Packed = tuple[int, int, int]  # shop, SKU, its units in one piece of a listing


def whole_pieces(packed: Collection[Packed]) -> dict[Packed, int | None]:
    """How many pieces of listings that take several units each the places open to the shop hold whole: one piece
    leaves from one place. Sets that may leave in parts are left out. No query for none."""
    if not packed:
        return {}
    parts = stock.components({sku for _shop, sku, _units in packed})
    whole = {sku for sku, needs in parts.items() if sku in needs} | stock.kept_whole(parts)
    stocked = {part for sku in whole for part in parts[sku]}
    places = stock.places_of(stocked)
    rules = SkuRule.objects.filter(sku__in=stocked, safety_stock__gt=0)
    safety, most = dict(rules.values_list("sku", "safety_stock")), _most({shop for shop, *_rest in packed})
    return {
        (shop, sku, units): _whole(
            {part: each * units for part, each in parts[sku].items()}, shop, places, safety, most
        )
        for shop, sku, units in packed
        if sku in whole
    }  # fmt: skip


def _whole(
    needs: Mapping[int, int], shop: int, places: stock.Places, safety: Mapping[int, int], most: Most
) -> int | None:
    """What is kept back counts as if it were promised."""
    open_to_it = [
        {sku: min(units, most.get(place, {}).get(shop, units)) for sku, units in there.items()}
        for place, there in places.free.items()
    ]
    waiting = {sku: places.waiting.get(sku, 0) + safety.get(sku, 0) for sku in needs}
    return stock.whole_sets(needs, open_to_it, waiting, places.coming)
