"""What channels keep of an order's people: its archived payloads."""

from collections import defaultdict
from collections.abc import Sequence

from channels.models import QuarantinedOrder, RawOrder
from channels.services import credentials
from orders.services.privacy import Erased


def erase(orders: Sequence[Erased]) -> None:
    """Older payloads go; of the current one only its digest stays, so that the same payload, seen once more, is known
    and not taken in again."""
    numbers: dict[int, list[str]] = defaultdict(list)
    for order in orders:
        numbers[order.shop_id].append(order.number)
    for shop_id, own in numbers.items():
        quarantined = QuarantinedOrder.objects.filter(shop=shop_id, channel_order_no__in=own)
        quarantined.filter(resolved_at__isnull=False).delete()
        rows = RawOrder.objects.filter(shop=shop_id, channel_order_no__in=own)
        waiting = QuarantinedOrder.objects.filter(resolved_at=None, raw__in=rows).values("raw")
        rows.filter(is_current=False).exclude(pk__in=waiting).delete()
        rows.filter(is_current=True, applied=True).update(payload=credentials.encrypt(b"{}"))
