"""What of a SKU each shop may sell: the pool, without safety stock and without what its place rules close to it."""

from collections import defaultdict
from collections.abc import Collection

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
    closed = _closed(stocked, shop_ids)
    found = {}
    for shop in shop_ids:
        for sku, needs in parts.items():
            room = [(free[part] - safety.get(part, 0) - closed[shop, part]) // each for part, each in needs.items()]
            own = safety.get(sku, 0) if sku not in needs else 0  # a bundle's own, beside its components'
            found[shop, sku] = max(0, min(room, default=0) - own)
    return found


def _closed(sku_ids: Collection[int], shop_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """(shop, SKU) → free units at places beyond what the shop's rules allow."""
    most: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for shop, place, units in PlaceRule.objects.filter(shop__in=shop_ids).values_list("shop", "location", "most"):
        most[place].append((shop, units))
    closed: dict[tuple[int, int], int] = defaultdict(int)
    if most:
        rows = Balance.objects.filter(sku__in=sku_ids, location__in=most, in_pool=True)
        for sku, place, there, placed in rows.values_list("sku", "location", "on_hand", "reserved"):
            for shop, units in most[place]:
                closed[shop, sku] += max(0, there - placed - units)
    return closed
