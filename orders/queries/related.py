"""Orders that belong to one another: the buyer's others, copies, exchanges."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from orders.models import ManualOrder, Order, ReturnCase
from orders.queries import visible

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Related:
    """How an order came to be by hand, what was copied from it, what it exchanges, and the member's newest others of
    `of_member` in all (this one left out)."""

    source: str = ""
    reason: str = ""
    first: Order | None = None
    copies: Sequence[tuple[Order, str]] = ()
    exchanges: Sequence[Order] = ()
    exchange_of: Order | None = None
    others: Sequence[Order] = field(default_factory=tuple)
    of_member: int = 0

    def __bool__(self) -> bool:
        return bool(self.source or self.first or self.copies or self.exchanges or self.exchange_of or self.others)


def related(order: Order) -> Related:
    """At most six queries; what is of shops that the person may not see is left out."""
    made = visible.of_shops(order.copies.all()).select_related("order").defer("order__search").order_by("pk")
    own = ManualOrder.objects.filter(order=order).select_related("copied_from").defer("copied_from__search").first()
    first = own.copied_from if own and own.copied_from and visible.has(own.copied_from) else None
    cases = ReturnCase.objects.filter(order=order, exchange_order__isnull=False).select_related("exchange_order")
    came_from = ReturnCase.objects.filter(exchange_order=order).select_related("order").first()
    others = _others(order)
    return Related(
        source=str(own.get_source_display()) if own else "",
        reason=str(own.get_copy_reason_display()) if own else "",
        first=first,
        copies=[(row.order, str(row.get_copy_reason_display())) for row in made if row.order],
        exchanges=[case.exchange_order for case in cases if case.exchange_order],
        exchange_of=came_from.order if came_from and visible.has(came_from.order) else None,
        others=others,
        of_member=max(len(others), order.member.order_count - 1) if order.member else 0,
    )


def _others(order: Order) -> list[Order]:
    if not order.member_id:
        return []
    rows = visible.orders().filter(member=order.member_id).exclude(pk=order.pk).select_related("shop")
    return list(rows.defer("search", "channel_parts", "channel_extra").order_by("-ordered_at", "-pk")[:SHOWN])
