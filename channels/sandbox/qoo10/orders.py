"""Queries for orders and claims."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from channels.sandbox.errors import UnknownOrder
from channels.sandbox.model import SandboxLine, SandboxOrder
from channels.sandbox.qoo10 import render
from channels.sandbox.qoo10.wire import Refusal, search_time

MOST_DAYS = timedelta(days=90)
DATE_FIELDS = {"1": "OrderDate", "2": "PaymentDate", "3": "ShippingDate", "4": "DeliveredDate"}
SINCE_STATUS = {"1": 1, "2": 2, "3": 4, "4": 5}  # the least status at which a date is there
CLAIM_DATES = {"1": "orderDate", "2": "requestDate", "3": "cancelRefundDate"}

Form = Mapping[str, str]


def list_orders(simulator: Any, form: Form) -> list[render.Row]:
    return _list(simulator, form, ("ShippingStatus", "SearchStartDate", "SearchEndDate", "SearchCondition"))


def list_orders_old(simulator: Any, form: Form) -> list[render.Row]:
    rows = _list(simulator, form, ("ShippingStat", "search_Sdate", "search_Edate", "search_condition"))
    return [render.old_spelling(row) for row in rows]


def _list(simulator: Any, form: Form, names: tuple[str, str, str, str]) -> list[render.Row]:
    status, start, end, condition = (form.get(name, "") for name in names)
    first, last = _window(start, end, code=-10001, too_long=-10002)
    if status not in ("", "0", "1", "2", "3", "4", "5"):
        raise Refusal(-10003, "配送状態を確認してください。")
    wanted = {1, 2, 3} if status in ("", "0") else {int(status)}
    if condition not in DATE_FIELDS or max(wanted) < SINCE_STATUS[condition]:
        raise Refusal(-10004, "配送状態と日付条件が一致しません。")
    now = simulator.now()
    rows = []
    for order, line in render.lines_of(simulator.world.orders("qoo10")):
        if render.status_of(order, line, now) in wanted:
            row = render.row_of(order, line, now)
            at = render.moment_of(row[DATE_FIELDS[condition]])
            if at is not None and first <= at <= last:
                rows.append(row)
    return [simulator.figures(row) for row in rows]


def _window(start: str, end: str, *, code: int, too_long: int) -> tuple[datetime, datetime]:
    try:
        first, last = search_time(start, end=False), search_time(end, end=True)
    except ValueError:
        raise Refusal(code, "日付を確認してください。") from None
    if last - first > MOST_DAYS:
        raise Refusal(too_long, "検索期間は90日以内です。")
    return first, last


def one_order(simulator: Any, form: Form) -> list[render.Row]:
    number = form.get("OrderNo", "")
    if not number.isdigit():
        raise Refusal(-10002, "注文番号を確認してください。")
    order, line = find_line(simulator, number, missing=-10003)
    return [simulator.figures(render.one_order_row(order, line, simulator.now()))]


def list_claims(simulator: Any, form: Form) -> list[render.Row]:
    condition, wanted = form.get("search_condition", ""), form.get("ClaimStat", "")
    first, last = _window(form.get("search_Sdate", ""), form.get("search_Edate", ""), code=-10002, too_long=-10003)
    if condition not in CLAIM_DATES:
        raise Refusal(-10002, "検索条件を確認してください。")
    rows = []
    for order, line in render.lines_of(simulator.world.orders("qoo10")):
        claim = render.claim_of(order, line)
        at = render.moment_of(claim[CLAIM_DATES[condition]]) if claim else None
        if claim and at and first <= at <= last and (not wanted or f"({wanted})" in claim["claimStatus"]):
            rows.append(simulator.figures(claim))
    return rows


def find_line(simulator: Any, number: str, *, missing: int) -> tuple[SandboxOrder, SandboxLine]:
    """Raises Refusal with the method's own code for a number that is not there."""
    try:
        order: SandboxOrder = simulator.world.order_of_line("qoo10", number)
    except UnknownOrder:
        raise Refusal(missing, "注文がありません。") from None
    return order, next(line for line in order.lines if line.line_id == number)
