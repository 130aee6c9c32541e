"""What a member bought, in every channel."""

from django.db.models import QuerySet

from orders.models import Order
from orders.queries import visible


def orders_of(member_id: int) -> QuerySet[Order]:
    return (
        visible.orders().filter(member=member_id)
        .select_related("shop")
        .only(
            "channel_order_no", "ordered_at", "stage", "item_summary", "total", "shop__channel_label", "shop__name"
        )
    )  # fmt: skip
