"""An order waits for the last of its pre-orders."""

from collections.abc import Collection

from django.db.models import OuterRef, Subquery

from orders.models import Order, OrderLine


def follow_lines(order_ids: Collection[int]) -> None:
    """Set the orders' release days from their lines. The caller holds the orders' locks."""
    last = OrderLine.objects.filter(order=OuterRef("pk"), quantity__gt=0, release_date__isnull=False)
    newest = last.order_by("-release_date").values("release_date")[:1]
    Order.objects.filter(pk__in=order_ids).update(release_date=Subquery(newest))
