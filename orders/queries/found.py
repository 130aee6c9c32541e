"""Orders found by a word, as ids: for lists of other things that belong to orders."""

from oms.kernel.search import matching
from orders.queries import visible

LIMIT = 1000


def found_order_ids(typed: str) -> list[int]:
    """The newest orders that hold every typed word, at most `LIMIT`.

    A list of ids lets the other table be read by its index. As a subquery the planner would rather walk that table
    from its newest row, which takes seconds for a word that few orders have.
    """
    return list(matching(visible.orders(), "search", typed).order_by("-pk").values_list("pk", flat=True)[:LIMIT])
