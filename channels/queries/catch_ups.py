"""Announcements of what an import caught up with, as each person has them before them."""

from datetime import timedelta

from django.db.models import QuerySet

from channels.models import CatchUp
from oms.kernel import clock
from oms.kernel.models import User
from orders.queries import visible

SHOWN_FOR = timedelta(days=3)


def unread(user: User) -> "QuerySet[CatchUp]":
    """Ended ones of the last days that this person has not marked as read, the newest first."""
    rows = CatchUp.objects.filter(ended_at__gte=clock.now() - SHOWN_FOR).exclude(reads__by=user)
    return visible.of_shops(rows, "shop").select_related("shop").order_by("-ended_at", "-pk")
