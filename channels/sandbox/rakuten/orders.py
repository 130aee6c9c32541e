"""searchOrder and getOrder, with the checks the real ones make."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from werkzeug import Response

from channels.sandbox.errors import UnknownOrder
from channels.sandbox.model import SandboxOrder
from channels.sandbox.rakuten.answers import bad_request, from_literal, message, order_answer
from channels.sandbox.rakuten.progress import fixed_at, progress, reported_at
from channels.sandbox.rakuten.render import order_model
from channels.sandbox.simulator import Simulator

Body = Mapping[str, Any]
SEARCH, GET = "SEARCH_ORDER", "GET_ORDER"
NO_RESULT = {"orderNumberList": None, "PaginationResponseModel": None}
WINDOW, REACH_BACK = timedelta(days=63), timedelta(days=730)
REACHABLE = 15_000
PAST_FIXING = ("ready", "partially_shipped", "shipped")


def search_order(mall: Simulator, body: Body) -> Response:
    since, until = _period(mall, body)
    date_type = body.get("dateType")
    if not isinstance(date_type, int) or date_type not in DATES:
        raise bad_request(SEARCH, [("009", "dateType")], **NO_RESULT)
    amount, page, descending = _paging(body)
    found = _matching(mall, date_type, since, until, body.get("orderProgressList"))
    found.sort(key=lambda order: (order.ordered_at, order.serial), reverse=descending)
    if not found:
        nothing = dict.fromkeys(("totalRecordsAmount", "totalPages", "requestPage"))
        rows = [message(SEARCH, "INFO", "102", "該当する受注がありませんでした。")]
        return order_answer(rows, orderNumberList=[], PaginationResponseModel=nothing)
    reachable = found[:REACHABLE]
    return order_answer(
        [message(SEARCH, "INFO", "101", "注文検索に成功しました。")],
        orderNumberList=[order.number for order in mall.page(reachable, (page - 1) * amount, amount)],
        PaginationResponseModel={
            "totalRecordsAmount": len(found),
            "totalPages": -(-len(reachable) // amount),
            "requestPage": page,
        },
    )


def _period(mall: Simulator, body: Body) -> tuple[datetime, datetime]:
    rows = []
    for key in ("startDatetime", "endDatetime"):
        if key not in body:
            rows.append(("009", key))
        elif not from_literal(body[key]):
            rows.append(("011", key))
    since, until = from_literal(body.get("startDatetime")), from_literal(body.get("endDatetime"))
    if rows or since is None or until is None:
        raise bad_request(SEARCH, rows, **NO_RESULT)
    if since > until or until - since > WINDOW or since < mall.now() - REACH_BACK:
        raise bad_request(SEARCH, [("023", "startDatetime")], **NO_RESULT)
    return since, until


def _paging(body: Body) -> tuple[int, int, bool]:
    """(records, page, newest first). A sort list under a wrongly spelled key is ignored, as the real one does."""
    paging = body.get("PaginationRequestModel")
    if not isinstance(paging, dict):
        raise bad_request(SEARCH, [("009", "PaginationRequestModel")], **NO_RESULT)
    amount, page = paging.get("requestRecordsAmount", 30), paging.get("requestPage", 1)
    if not isinstance(amount, int) or not 1 <= amount <= 1000:
        raise bad_request(SEARCH, [("011", "requestRecordsAmount")], **NO_RESULT)
    if not isinstance(page, int) or page < 1:
        raise bad_request(SEARCH, [("011", "requestPage")], **NO_RESULT)
    sort: Body = next(iter(paging.get("SortModelList") or []), {})
    return amount, page, sort.get("sortDirection") != 1


def _matching(
    mall: Simulator, date_type: int, since: datetime, until: datetime, wanted: list[int] | None
) -> list[SandboxOrder]:
    now = mall.now()
    date_of = DATES[date_type]
    end = until + timedelta(seconds=1)  # the literal has whole seconds: the last second belongs to the period
    found = []
    for order in (with_fixed_date(mall, one) for one in mall.world.orders("rakuten", ordered_to=end)):
        at = date_of(order, now)
        if at and since <= at < end and (not wanted or progress(order, now) in wanted):
            found.append(order)
    return found


def with_fixed_date(mall: Simulator, order: SandboxOrder) -> SandboxOrder:
    """The order, remembering when it was first seen ready to ship."""
    if order.state not in PAST_FIXING or "fixed_at" in order.extra:
        return order
    return mall.world.annotate("rakuten", order.number, touch=False, fixed_at=order.updated_at.isoformat())


DATES: Mapping[int, Callable[[SandboxOrder, datetime], datetime | None]] = {
    1: lambda order, _: order.ordered_at,
    2: lambda order, _: order.confirmed_at,
    3: lambda order, _: fixed_at(order),
    4: lambda order, _: order.shipped_at,
    5: reported_at,
    6: lambda order, _: order.payment.paid_at,
}


def get_order(mall: Simulator, body: Body) -> Response:
    numbers, version = body.get("orderNumberList"), body.get("version")
    if version is None:
        raise bad_request(GET, [("009", "version")], OrderModelList=None)
    if not str(version).isdigit() or not 3 <= int(version) <= 10:
        raise bad_request(GET, [("011", "version")], OrderModelList=None)
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= 100:
        raise bad_request(GET, [("011", "orderNumberList")], OrderModelList=None)
    models, rows = [], []
    for number in numbers:
        try:
            if mall.row_fails():
                raise UnknownOrder(str(number))
            order = with_fixed_date(mall, mall.world.order("rakuten", str(number)))
        except UnknownOrder:
            text = "受注情報が取得できませんでした。"
            rows.append(message(GET, "INFO", "102", text, orderNumber=str(number)))
            continue
        models.append(order_model(order, mall.world.relay_address(order), mall.now(), int(version)))
    if models:
        done = f"受注情報取得に成功しました。(取得件数{len(models)}件)"
        rows.insert(0, message(GET, "INFO", "101", done))
    # The reply does not follow the order of the request.
    return order_answer(rows, OrderModelList=models[::-1], version=int(version))
