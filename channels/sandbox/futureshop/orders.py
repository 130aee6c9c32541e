"""Order search ("shipping") and detail."""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from werkzeug import Request, Response

from channels.sandbox.errors import UnknownOrder
from channels.sandbox.futureshop.answers import Refusal, from_query
from channels.sandbox.futureshop.render import detail, is_shipped, list_row, receipt_day
from channels.sandbox.model import SandboxOrder
from channels.sandbox.simulator import Simulator, json_response

UPDATE_WINDOW = timedelta(days=31)
Test = Callable[[SandboxOrder], bool]
DATES: dict[str, Callable[[SandboxOrder], datetime | None]] = {
    "orderDate": lambda order: order.ordered_at,
    "updateDate": lambda order: order.updated_at,
    "cancelDate": lambda order: order.cancelled_at,
    "cancelRequestDate": lambda order: order.cancel_request.at if order.cancel_request else None,
}
CHOICES: dict[str, dict[str, Test]] = {
    "shippingStatus": {"shipped": is_shipped, "notShipped": lambda order: not is_shipped(order)},
    "paymentStatus": {
        "received": lambda order: bool(receipt_day(order)),
        "notReceived": lambda order: not receipt_day(order),
    },
}
KNOWN = frozenset({"orderNo", "cursor", *CHOICES, *(f"{name}{end}" for name in DATES for end in ("Start", "End"))})


def search(mall: Simulator, request: Request, page_size: int) -> Response:
    tests = _tests(mall, request)
    found = [order for order in mall.world.orders("futureshop") if all(test(order) for test in tests)]
    start = start_of(request.args.get("cursor", ""))
    answer: dict[str, Any] = {"orderList": [list_row(order) for order in mall.page(found, start, page_size)]}
    if start + page_size < len(found):
        answer["nextUrl"] = next_url(request, start + page_size)
    return json_response(answer)


def _tests(mall: Simulator, request: Request) -> list[Test]:
    """One test per parameter. Raises Refusal for bad values; unknown parameters are refused too."""
    for name in request.args:
        if name not in KNOWN:
            raise Refusal("InvalidValue", name)
    tests: list[Test] = []
    if numbers := request.args.get("orderNo"):
        wanted = set(numbers.split(","))
        tests.append(lambda order: order.number in wanted)
    for name, choices in CHOICES.items():
        if value := request.args.get(name):
            if value not in choices:
                raise Refusal("InvalidValue", name)
            tests.append(choices[value])
    return tests + [test for name in DATES for test in _date_tests(mall, request, name)]


def _date_tests(mall: Simulator, request: Request, name: str) -> list[Test]:
    bounds = {end: request.args.get(f"{name}{end}", "") for end in ("Start", "End")}
    since, until = (from_query(text, f"{name}{end}") if text else None for end, text in bounds.items())
    if name == "updateDate" and since and (until or mall.now()) - since > UPDATE_WINDOW:
        raise Refusal("InvalidValue", "updateDateStart")
    tests: list[Test] = []
    if since:
        tests.append(_after(DATES[name], since))
    if until:
        tests.append(_before(DATES[name], until))
    return tests


def _after(date_of: Callable[[SandboxOrder], datetime | None], since: datetime) -> Test:
    def test(order: SandboxOrder) -> bool:
        at = date_of(order)
        return at is not None and at >= since

    return test


def _before(date_of: Callable[[SandboxOrder], datetime | None], until: datetime) -> Test:
    """The last second belongs to the period: times have whole seconds."""

    def test(order: SandboxOrder) -> bool:
        at = date_of(order)
        return at is not None and at < until + timedelta(seconds=1)

    return test


def start_of(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode())
    except ValueError:
        raise Refusal("InvalidValue", "cursor") from None


def next_url(request: Request, start: int) -> str:
    """The absolute address of the next page, filters included."""
    cursor = base64.urlsafe_b64encode(str(start).encode()).decode()
    query = {**request.args.to_dict(), "cursor": cursor}
    return f"{request.host_url.rstrip('/')}{request.script_root}{request.path}?{urlencode(query)}"


def one(mall: Simulator, number: str) -> Response:
    """The detail; as in real answers, one key stands in it twice."""
    try:
        order = mall.world.order("futureshop", number)
    except UnknownOrder:
        raise Refusal("NotFound", "orderNo", 404) from None
    text = json.dumps(detail(order), ensure_ascii=False)
    doubled = text.replace('"sbpsTrackingId": ""', '"sbpsTrackingId": "", "sbpsTrackingId": ""', 1)
    return Response(doubled, content_type="application/json; charset=utf-8")
