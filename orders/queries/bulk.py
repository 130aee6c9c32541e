"""What a preview and a result say about orders that were left out."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from orders.models import Order

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Group:
    """Orders with one cause: how many, and the first of them as (id, number)."""

    why: str
    count: int
    orders: list[tuple[int, str]]

    @property
    def more(self) -> int:
        return self.count - len(self.orders)


def grouped(causes: Mapping[int, str]) -> list[Group]:
    """By cause, the largest group first. One query."""
    ids: dict[str, list[int]] = defaultdict(list)
    for order_id, why in causes.items():
        ids[str(why)].append(order_id)
    shown = [order_id for own in ids.values() for order_id in own[:SHOWN]]
    numbers = dict(Order.objects.filter(pk__in=shown).values_list("pk", "channel_order_no"))
    groups = [Group(why, len(own), [(id_, numbers.get(id_, "")) for id_ in own[:SHOWN]]) for why, own in ids.items()]
    return sorted(groups, key=lambda group: -group.count)
