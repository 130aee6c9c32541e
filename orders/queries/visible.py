"""What of the orders the person who asks may see: every list of a screen goes through here.

Without limits the rows come back as they are. One order, shop or paper that a page is about is looked after by
`oms.pages.scope`, before the page is asked.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from oms.kernel import scope
from orders.models import Order, Shop

M = TypeVar("M", bound=Model)


def orders() -> "QuerySet[Order]":
    return of_shops(Order.objects.all(), "shop")


def shops() -> "QuerySet[Shop]":
    return of_shops(Shop.objects.all(), "pk")


def own_shops(_request: object = None) -> "QuerySet[Shop]":
    """`shops`, as django-filter asks for the choices of a field."""
    return shops()


def of_shops(rows: "QuerySet[M, Any]", path: str = "order__shop") -> "QuerySet[M, Any]":
    """The rows whose shop, found by `path`, is one of the person's."""
    own = scope.current().shops
    return rows.filter(**{f"{path}__in": own}) if own else rows


def has(order: Order) -> bool:
    own = scope.current().shops
    return not own or order.shop_id in own


def order_ids(ids: Sequence[int]) -> list[int]:
    """Those of the ids that are the person's orders, in their order. No query without limits."""
    if not scope.current().shops:
        return list(ids)
    own = set(orders().filter(pk__in=ids).values_list("pk", flat=True))
    return [pk for pk in ids if pk in own]


def in_shops(column: str) -> tuple[str, list[Any]]:
    """A condition on a column with a shop's id for raw SQL, and its parameters; nothing without limits."""
    own = scope.current().shops
    return (f" AND {column} = ANY(%s)", [list(own)]) if own else ("", [])
