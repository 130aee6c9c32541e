"""orderList, orderInfo, orderCount."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from werkzeug import Response

from channels.sandbox.errors import UnknownOrder
from channels.sandbox.model import SandboxOrder
from channels.sandbox.simulator import Simulator
from channels.sandbox.yahoo import render
from channels.sandbox.yahoo.fields import KNOWN_FIELDS
from channels.sandbox.yahoo.wire import Refusal, parse_stamp, reply, result_set, tag, value

MOST_ROWS = 2000
MOST_FIELD_BYTES = 10_000
TIMES = ("OrderTime", "PublicationTime", "PayMethodChangeDeadline")
MULTIPLE = (
    "OrderStatus",
    "ShipStatus",
    "Suspect",
    "SettleStatus",
    "PayType",
    "DeviceType",
    "ArriveType",
    "SocialGiftType",
)
SINGLE = (
    *("PayStatus", "PayMethod", "IsSeen", "IsSplit", "StoreStatus", "NeedBillSlip", "NeedDetailedSlip", "NeedReceipt"),
    *("BillMailAddress", "BillLastName", "BillFirstName", "BillZipCode", "BillPrefecture", "BillPhoneNumber"),
    *("ShipLastName", "ShipFirstName", "ShipZipCode", "ShipPrefecture", "ShipPhoneNumber", "ShipMethod"),
    *("ShipCompanyCode", "ShipInvoiceNumber1", "ShipInvoiceNumberEmptyReason", "IsEazy", "IsSubscription"),
)
MODES = ("ReadOnlyMode", "FraudHoldDisplayType")


def order_list(simulator: Any, req: Any) -> Response:
    search = req.find("Search")
    wanted = read_fields(simulator, value(search, "Field"))
    size, start = _number(search, "Result", 10, MOST_ROWS), _number(search, "Start", 1, 10**9)
    orders = _matching(simulator, search.find("Condition") if search is not None else None)
    sort = value(search, "Sort") or "+order_time"
    if sort not in ("+order_time", "-order_time"):
        raise Refusal(400, "od90101", "Sortが不正です。")
    orders.sort(key=lambda order: (order.ordered_at, order.serial), reverse=sort.startswith("-"))
    rows = simulator.page(orders, start - 1, size)
    now = simulator.now()
    body = "".join(_row(position, order, now, wanted) for position, order in enumerate(rows, start))
    if orders and not rows:
        body = "<OrderInfo />"
    return reply(f"<Result><Status>OK</Status><Search>{tag('TotalCount', len(orders))}{body}</Search></Result>")


def _row(position: int, order: SandboxOrder, now: datetime, wanted: set[str]) -> str:
    fields = render.list_fields(order, now)
    inner = "".join(tag(name, text) for name, text in fields.items() if name in wanted)
    return f"<OrderInfo>{tag('Index', position)}{inner}</OrderInfo>"


def _number(search: Any, name: str, default: int, most: int) -> int:
    text = value(search, name)
    if text and (not text.isdigit() or not 1 <= int(text) <= most):
        raise Refusal(400, "od90101", f"{name}が不正です。")
    return int(text) if text else default


def read_fields(simulator: Any, text: str) -> set[str]:
    """The names asked for. Raises Refusal for none, too many or unknown ones."""
    if not text or len(text.encode()) > MOST_FIELD_BYTES:
        raise Refusal(400, "od90101", "Fieldが不正です。")
    names = set(text.split(","))
    if unknown := names - (KNOWN_FIELDS - simulator.forgotten_fields):
        raise Refusal(400, "od90101", f"Fieldに存在しないキーがあります: {min(unknown)[:40]}")
    return names


def _matching(simulator: Simulator, condition: Any) -> list[SandboxOrder]:
    asked = {} if condition is None else {child.tag: (child.text or "").strip() for child in condition}
    known = {f"{name}{end}" for name in TIMES for end in ("", "From", "To")}
    unknown = set(asked) - known - {"OrderId", *MULTIPLE, *SINGLE, *MODES}
    if unknown:
        raise Refusal(400, "od90101", f"検索条件が不正です: {min(unknown)[:40]}")
    if not any(asked.get(name) for name in ("OrderId", *known)):
        raise Refusal(400, "od90101", "OrderId、または日時の検索条件が必須です。")
    tests = [_mode_test(simulator, asked), *_time_tests(asked), *_value_tests(simulator, asked)]
    return [order for order in simulator.world.orders("yahoo") if all(test(order) for test in tests)]


Test = Callable[[SandboxOrder], bool]


def _mode_test(simulator: Simulator, asked: dict[str, str]) -> Test:
    mode, held_too = asked.get("ReadOnlyMode") or "0", asked.get("FraudHoldDisplayType") == "1"
    if mode not in ("0", "1", "2"):
        raise Refusal(400, "od90101", "ReadOnlyModeが不正です。")
    now = simulator.now()

    def shown(order: SandboxOrder) -> bool:
        if render.is_held(order) and not held_too:
            return False
        return mode == "2" or render.is_read_only(order, now) == (mode == "1")

    return shown


def _time_tests(asked: dict[str, str]) -> list[Test]:
    times: dict[str, Callable[[SandboxOrder], datetime | None]] = {
        "OrderTime": lambda order: order.ordered_at,
        "PublicationTime": render.published_at,
        "PayMethodChangeDeadline": lambda order: order.payment.due_at,
    }
    return [_between(times[name], asked, name) for name in TIMES if any(key.startswith(name) for key in asked)]


def _between(time_of: Callable[[SandboxOrder], datetime | None], asked: dict[str, str], name: str) -> Test:
    exact, low, high = (asked.get(f"{name}{end}") for end in ("", "From", "To"))
    first = parse_stamp(exact or low or "20000101000000")
    last = parse_stamp(exact or high or "29991231235959")

    def within(order: SandboxOrder) -> bool:
        at = time_of(order)
        return at is not None and first <= at.replace(microsecond=0) <= last

    return within


def _value_tests(simulator: Simulator, asked: dict[str, str]) -> list[Test]:
    now = simulator.now()

    def test(name: str, allowed: set[str]) -> Test:
        return lambda order: render.list_fields(order, now).get(name, "") in allowed

    tests = [test(name, set(asked[name].split(","))) for name in MULTIPLE if asked.get(name)]
    return tests + [test(name, {asked[name]}) for name in (*SINGLE, "OrderId") if asked.get(name)]


# ---- one order, counts ---------------------------------------------------------------------------------------------


def order_info(simulator: Any, req: Any) -> Response:
    target = req.find("Target")
    wanted = read_fields(simulator, value(target, "Field"))
    order = find(simulator, value(target, "OrderId"))
    info = render.order_info(order, simulator.now(), wanted)
    return reply(result_set([f"<Result><Status>OK</Status>{info}</Result>"]))


def find(simulator: Simulator, number: str) -> SandboxOrder:
    """Raises Refusal for an unknown or a held order."""
    if not number:
        raise Refusal(400, "od90101", "OrderIdは必須です。")
    try:
        order = simulator.world.order("yahoo", number)
    except UnknownOrder:
        raise Refusal(404, "od91801", "対象の注文が存在しません。") from None
    if render.is_held(order):
        raise Refusal(404, "od91801", "対象の注文が存在しません。")
    return order


def order_count(simulator: Simulator) -> Response:
    now = simulator.now()
    rows = [(render.list_fields(order, now), order) for order in simulator.world.orders("yahoo")]
    rows = [(fields, order) for fields, order in rows if not render.is_held(order)]

    def count(**wanted: str) -> int:
        return sum(all(fields[name] == text for name, text in wanted.items()) for fields, _ in rows)

    figures = {
        "NewOrder": count(OrderStatus="2", IsSeen="false"),
        "NewReserve": count(OrderStatus="1", IsSeen="false"),
        "WaitPayment": count(OrderStatus="2", PayStatus="0", PayType="1"),
        "WaitShipping": count(OrderStatus="2", ShipStatus="1"),
        "Shipping": count(OrderStatus="2", ShipStatus="2"),
        "Reserve": count(OrderStatus="1"),
        "Holding": count(OrderStatus="3"),
        "WaitDone": count(OrderStatus="2", ShipStatus="3"),
    }
    inner = "".join(tag(name, figure) for name, figure in figures.items())
    return reply(result_set([f"<Result><Status>OK</Status><Count>{inner}</Count></Result>"]))
