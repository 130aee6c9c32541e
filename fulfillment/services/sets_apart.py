"""Sets whose components lie in different places: where the set may be sent in parts, they go their own ways."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import F

from inventory.services import stock
from orders.models import OrderLine
from orders.services import set_parts, take_apart
from orders.services.journal import SYSTEM


def take_apart_what_fits_nowhere(order_ids: Sequence[int]) -> list[int]:
    """Take apart the promised sets of these orders that no place has whole, though all places together have every
    component. Returns the orders concerned. Each order is a transaction of its own."""
    lines = list(
        OrderLine.objects.filter(
            order__in=order_ids, reserved=True, sku__is_bundle=True, sku__ships_apart=True,
            allocated_quantity__lt=F("quantity"),
        )
        .order_by("order", "pk")
        .values_list("order", "pk", "sku", "units", F("quantity") - F("allocated_quantity"))
    )  # fmt: skip
    if not lines:
        return []
    needs = set_parts.needs_of([(line, sku, units) for _order, line, sku, units, _pieces in lines])
    free = _free({sku for own in needs.values() for sku in own})
    wanted: dict[int, dict[int, int]] = defaultdict(dict)
    for order, line, _sku, _units, pieces in lines:
        if needs[line] and _only_together(needs[line], pieces, free):
            wanted[order][line] = pieces
    return [order for order, pieces in wanted.items() if _taken_apart(order, pieces)]


def _taken_apart(order_id: int, pieces: Mapping[int, int]) -> bool:
    """False where the order is another one by now."""
    try:
        return bool(take_apart.take_apart(order_id, pieces, actor=SYSTEM))
    except take_apart.CannotTakeApart:
        return False


def _free(skus: set[int]) -> dict[int, dict[int, int]]:
    """SKU → location → free units."""
    return {
        sku: {place.location_id: place.free for place in places}
        for sku, places in stock.free_by_location(skus).items()
    }  # fmt: skip


def _only_together(needs: Mapping[int, int], pieces: int, free: Mapping[int, Mapping[int, int]]) -> bool:
    """All places together have every component, and the places that have whole sets have too few of them."""
    if any(sum(free.get(sku, {}).values()) < units * pieces for sku, units in needs.items()):
        return False
    places = {place for sku in needs for place in free.get(sku, {})}
    whole = sum(min(free.get(sku, {}).get(place, 0) // units for sku, units in needs.items()) for place in places)
    return whole < pieces
