"""The numbers of all orders of a time, for the daily comparison: a few short searches, else one report.

Searches are rare (one in three minutes), so a busy day is asked of the report, which is one call whatever its size and
has its own way to the orders.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from channels.connectors.amazon import reports
from channels.connectors.amazon.orders import FRESHEST, PAGE, PATH
from channels.connectors.amazon.times import aware, iso
from channels.connectors.amazon.transport import Api, need
from channels.connectors.limits import unattended
from oms.kernel import clock

REPORT = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL"
SEARCHES = 3  # pages before the report takes over

Numbers = Sequence[tuple[str, datetime]]


def order_numbers(api: Api, since: datetime, until: datetime) -> Iterator[Numbers]:
    """Each number once. The last minutes before now are left out: Amazon does not show them yet."""
    until = min(until, clock.now() - FRESHEST)
    if since >= until:
        return
    seen: set[str] = set()
    pages = _search(api, since, until)
    for count, (page, more) in enumerate(pages, 1):
        yield _new(page, seen)
        if more and count == SEARCHES:
            break
    else:
        return
    with unattended():
        page = list(_report(api, since, until))
    yield _new(page, seen)


def _search(api: Api, since: datetime, until: datetime) -> Iterator[tuple[Numbers, bool]]:
    """(numbers, whether more pages follow); without any block Amazon tells just the numbers and times."""
    query: dict[str, str | int] = {
        "marketplaceIds": api.marketplace_id,
        "createdAfter": iso(since),
        "createdBefore": iso(until),
        "maxResultsPerPage": PAGE,
    }
    while True:
        with unattended():
            answer = api.call("GET", PATH, "searchOrders", query=query)
        token = (answer.get("pagination") or {}).get("nextToken")
        told = [order for order in need(answer, "orders") if order.get("orderId") and order.get("createdTime")]
        yield [(str(order["orderId"]), aware(order["createdTime"])) for order in told], bool(token)
        if not token or token == query.get("paginationToken"):
            return
        query["paginationToken"] = token


def _report(api: Api, since: datetime, until: datetime) -> Iterator[tuple[str, datetime]]:
    """A row is an item, so a number may come several times. Orders of other sales channels are left out."""
    for row in reports.rows(api, REPORT, since, until):
        number, when = (row.get("amazon-order-id") or "").strip(), (row.get("purchase-date") or "").strip()
        if number and when and not (row.get("sales-channel") or "").startswith("Non-Amazon"):
            yield number, aware(when)


def _new(page: Numbers, seen: set[str]) -> Numbers:
    found: dict[str, datetime] = {}
    for number, at in page:
        if number not in seen:
            found.setdefault(number, at)
    seen.update(found)
    return list(found.items())
