"""How many orders each saved view holds: all views by one statement, each counted to a limit, for a few seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.http import QueryDict

from oms.kernel import clock, scope
from orders.filters import STILL_DUE, OrderFilter
from orders.models import Order
from orders.queries import visible

LIMIT = 1000
KEPT_S = 10
PATIENCE_MS = 800  # a view that no index serves must not hold the screen


@dataclass(frozen=True, slots=True)
class Count:
    """`all` and `due` (ship-by today or past) stop at LIMIT + 1. None: not counted in time, or unreadable."""

    all: int | None
    due: int | None

    @property
    def text(self) -> str:
        return "" if self.all is None else f"{LIMIT:,}+" if self.all > LIMIT else f"{self.all:,}"

    @property
    def due_text(self) -> str:
        return f"{LIMIT:,}+" if (self.due or 0) > LIMIT else f"{self.due:,}" if self.due else ""


UNKNOWN = Count(None, None)


def orders_of(query: str) -> "QuerySet[Order] | None":
    """What a saved query lists; None when a condition of it can no longer be read."""
    values = QueryDict(query)
    filters = OrderFilter(values, queryset=visible.orders())
    if filters.form.errors:
        return None
    match values.get("sort", "").removeprefix("-"):  # as the list is narrowed by what it is sorted by
        case "ship_by":
            return filters.qs.filter(STILL_DUE)
        case "told":
            return filters.qs.filter(channel_updated_at__isnull=False)
    return filters.qs


def counts(queries: Sequence[str]) -> dict[str, Count]:
    """The count of each distinct query."""
    keys = {query: f"desk-count:{hash_of(query)}" for query in set(queries)}
    known = cache.get_many(keys.values())
    missing = [query for query, key in keys.items() if key not in known]
    fresh = _counted(missing)
    if fresh:
        cache.set_many({keys[query]: (one.all, one.due) for query, one in fresh.items()}, KEPT_S)
    return {query: fresh[query] if query in fresh else Count(*known[key]) for query, key in keys.items()}


def hash_of(query: str) -> str:
    own = scope.current().key  # people with limits count what they see
    return f"{clock.today():%d}{own}{query.encode().hex()[:180]}{len(query)}".replace(" ", "")


def _counted(queries: Sequence[str]) -> dict[str, Count]:
    """One statement; when it takes too long, one by one, so that only the slow one stays unknown."""
    found = {query: orders_of(query) for query in queries}
    readable = {query: orders for query, orders in found.items() if orders is not None}
    try:
        known = _ask(readable)
    except OperationalError:
        known = {}
        for query, orders in readable.items():
            try:
                known |= _ask({query: orders})
            except OperationalError:
                known[query] = UNKNOWN
    return {query: known.get(query, UNKNOWN) for query in queries}


def _ask(readable: Mapping[str, "QuerySet[Order]"]) -> dict[str, Count]:
    parts: list[str] = []
    values: list[Any] = []
    for orders in readable.values():
        for rows in (orders, orders.filter(STILL_DUE, ship_by__lt=clock.end_of_today())):
            sql, params = rows.order_by().values("pk")[: LIMIT + 1].query.sql_with_params()
            parts.append(f"(SELECT count(*) FROM ({sql}) AS found)")
            values += params
    if not parts:
        return {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        row = cursor.fetchone()
        cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    return {query: Count(row[2 * at], row[2 * at + 1]) for at, query in enumerate(readable)}
