"""orderStatusChange, orderShipStatusChange, orderPayStatusChange."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from werkzeug import Response

from channels.sandbox.errors import WrongState
from channels.sandbox.model import SandboxOrder
from channels.sandbox.yahoo import render
from channels.sandbox.yahoo.orders import find
from channels.sandbox.yahoo.wire import Refusal, parse_day, reply, value

MOVES = {"1": "45", "2": "345", "3": "245", "4": "", "5": "24"}
BUYER_REASONS = {"100", "110", "120", "130", "140", "150", "160", "170", "180"}
STORE_REASONS = {"200", "210", "220", "230"}
CARRIERS = {"1001": "yamato", "1002": "sagawa", "1003": "japanpost"}
KNOWN_CARRIERS = {str(code) for code in (*range(1000, 1030), 5000, 5001)}
EMPTY_REASONS = {"101", "102", "103", "104", "105"}
SHIP_KEYS = (
    "ShipStatus",
    "ShipMethod",
    "ShipNotes",
    "ShipCompanyCode",
    "ShipInvoiceNumber1",
    "ShipInvoiceNumber2",
    "ShipInvoiceNumberEmptyReason",
    "ShipUrl",
    "ShipDate",
    "ArrivalDate",
    "IsEazy",
    "EazyDeliveryCode",
    "EazyDeliveryName",
)


def done(warnings: Iterable[str] = ()) -> Response:
    """The good answer; `warnings` are codes."""
    inner = "".join(f"<Warning><Code>{code}</Code><Message/><Detail/></Warning>" for code in warnings)
    return reply(
        '<ResultSet totalResultsAvailable="1" totalResultsReturned="1" ok="1" ng="0">'
        f"<Result><Status>OK</Status>{inner}</Result></ResultSet>"
    )


def target(simulator: Any, req: Any) -> SandboxOrder:
    order = find(simulator, value(req, "Target/OrderId"))
    if render.is_read_only(order, simulator.now()):
        raise Refusal(400, "od91102", "購入者によるキャンセル受付中のため、変更できません。")
    return order


def _point_fix(req: Any) -> str:
    told = value(req, "Target/IsPointFix")
    if told not in ("true", "false"):
        raise Refusal(400, "od90101", "IsPointFixは必須です。")
    return told


# ---- status --------------------------------------------------------------------------------------------------------


def status_change(simulator: Any, req: Any) -> Response:
    order = target(simulator, req)
    point_fix, wanted = _point_fix(req), value(req, "Order/OrderStatus")
    current = render.order_status(order, simulator.now())
    if wanted == current:
        return done(["od91705"])
    if wanted not in MOVES[current] or not wanted:
        raise Refusal(400, "od91101", f"注文ステータスを変更できません（{current}→{wanted[:5]}）。")
    if wanted == "4":
        return _cancel(simulator, req, order)
    if wanted == "5":
        return _complete(simulator, order, point_fix)
    simulator.world.annotate("yahoo", order.number, on_hold=wanted == "3", completed=False, seen=True)
    return done()


def _cancel(simulator: Any, req: Any, order: SandboxOrder) -> Response:
    code, detail = value(req, "Order/CancelReason") or "210", value(req, "Order/CancelReasonDetail")
    if code not in BUYER_REASONS | STORE_REASONS:
        raise Refusal(400, "od90101", "CancelReasonが不正です。")
    if code == "230" and not 10 <= len(detail) <= 200:
        raise Refusal(400, "od90101", "CancelReasonDetailは10文字以上200文字以内です。")
    if simulator.cancels_after_s:
        due = (simulator.now() + timedelta(seconds=simulator.cancels_after_s)).isoformat()
        simulator.world.annotate(
            "yahoo", order.number, cancel_due=due, cancel_code=code, cancel_detail=detail, seen=True
        )
        return done(["od91704"])
    return done(["od91123"] if cancel_now(simulator, order, code, detail) else [])


def cancel_now(simulator: Any, order: SandboxOrder, code: str, detail: str) -> bool:
    """Whether money has to go back. Raises Refusal."""
    captured = order.payment.state == "paid"
    try:
        simulator.world.cancel(
            "yahoo", order.number, reason=code, by="shop", payload={"CancelReason": code, "CancelReasonDetail": detail}
        )
    except WrongState as wrong:
        raise Refusal(400, "od91101", "注文をキャンセルできません。") from wrong
    simulator.world.annotate("yahoo", order.number, cancel_code=code, cancel_detail=detail, cancel_due="", seen=True)
    return captured


def cancel_what_is_due(simulator: Any) -> None:
    """Cancellations that were accepted for later."""
    for order in simulator.world.orders("yahoo", states=["pending", "ready"]):
        due = order.extra.get("cancel_due")
        if due and datetime.fromisoformat(due) <= simulator.now():
            cancel_now(simulator, order, order.extra["cancel_code"], order.extra["cancel_detail"])


def _complete(simulator: Any, order: SandboxOrder, point_fix: str) -> Response:
    if point_fix != "true":
        raise Refusal(400, "od90101", "完了にはIsPointFix=trueが必要です。")
    too_early = order.shipped_at and (simulator.now() - order.shipped_at).total_seconds() < simulator.settles_after_s
    if too_early:
        raise Refusal(400, "od91126", "決済処理中のため、注文を完了できません。")
    simulator.world.annotate("yahoo", order.number, completed=True, seen=True)
    simulator.world.tell("yahoo", "complete", order.number, {})
    return done()


# ---- shipping ------------------------------------------------------------------------------------------------------


def ship_status_change(simulator: Any, req: Any) -> Response:
    order = target(simulator, req)
    if _point_fix(req) != "true":
        raise Refusal(400, "od90101", "IsPointFixはtrueを指定してください。")
    ship = req.find("Order/Ship")
    told = {key: value(ship, key) for key in SHIP_KEYS if value(ship, key)}
    if told.get("ShipStatus") not in ("0", "1", "2", "3", "4"):
        raise Refusal(400, "od90101", "ShipStatusは必須です。")
    if render.order_status(order, simulator.now()) in ("3", "4"):
        raise Refusal(400, "od91101", "この注文の出荷ステータスは変更できません。")
    _check_shipment(told)
    if told["ShipStatus"] in ("0", "1", "2"):
        simulator.world.annotate("yahoo", order.number, ship_status=told["ShipStatus"], seen=True)
        return done()
    return _correct(simulator, order, told) if order.state == "shipped" else _ship(simulator, order, told)


def _ship(simulator: Any, order: SandboxOrder, told: dict[str, str]) -> Response:
    day = parse_day(told["ShipDate"]) if "ShipDate" in told else simulator.now().date()
    try:
        simulator.world.ship(
            "yahoo",
            order.number,
            carrier=CARRIERS.get(told.get("ShipCompanyCode", ""), "other"),
            tracking=told.get("ShipInvoiceNumber1", ""),
            shipped_on=day,
            payload=told,
        )
    except WrongState as wrong:
        raise Refusal(400, "od91101", "この注文は出荷できません。") from wrong
    late = {"PayStatus": "0", "SettleStatus": "10"} if simulator.authorization_ended else {}
    fields = {**order.extra.get("fields", {}), **late}
    simulator.world.annotate("yahoo", order.number, ship=told, fields=fields, seen=True)
    return done(["od91115"] if late else [])


def _correct(simulator: Any, order: SandboxOrder, told: dict[str, str]) -> Response:
    """Telling it again is harmless; other values replace the old ones. The money was taken the first time."""
    before = dict(order.extra.get("ship", {}))
    if {**before, **told} != before:
        changes: dict[str, Any] = {"tracking": told.get("ShipInvoiceNumber1", "")}
        if "ShipCompanyCode" in told:
            changes["carrier"] = CARRIERS.get(told["ShipCompanyCode"], "other")
        if "ShipDate" in told:
            changes["shipped_on"] = parse_day(told["ShipDate"])
        simulator.world.correct_parcel("yahoo", order.number, order.parcels[0].parcel_id, payload=told, **changes)
        simulator.world.annotate("yahoo", order.number, ship={**before, **told})
    return done(["od91113"])


def _check_shipment(told: dict[str, str]) -> None:
    numbers = [told[key] for key in ("ShipInvoiceNumber1", "ShipInvoiceNumber2") if key in told]
    reason, company = told.get("ShipInvoiceNumberEmptyReason"), told.get("ShipCompanyCode")
    if reason and (numbers or reason not in EMPTY_REASONS):
        raise Refusal(400, "od90101", "伝票番号と伝票番号なし理由は同時に指定できません。")
    if company and company not in KNOWN_CARRIERS:
        raise Refusal(400, "od90101", "ShipCompanyCodeが不正です。")
    for number in numbers:
        if not number.replace("-", "").isascii() or not number.replace("-", "").isalnum() or len(number) > 30:
            raise Refusal(400, "od90101", "伝票番号に使用できない文字があります。")
        if company == "1001" and (not number.replace("-", "").isdigit() or len(number) > 14):
            raise Refusal(400, "od90101", "ヤマト運輸の伝票番号が不正です。")
        if company == "1003" and not (number.isalnum() and 11 <= len(number) <= 13):
            raise Refusal(400, "od90101", "日本郵便の伝票番号が不正です。")


# ---- payment -------------------------------------------------------------------------------------------------------


def pay_status_change(simulator: Any, req: Any) -> Response:
    order = target(simulator, req)
    status, day = value(req, "Order/Pay/PayStatus"), value(req, "Order/Pay/PayDate")
    if status not in ("0", "1"):
        raise Refusal(400, "od90101", "PayStatusは必須です。")
    if order.state == "shipped":
        return _mark_paid_late(simulator, order, status, day)
    paid_on = (parse_day(day) if day else simulator.now().date()) if status == "1" else None
    try:
        simulator.world.record_payment("yahoo", order.number, paid_on)
    except WrongState as wrong:
        raise Refusal(400, "od91101", "入金ステータスを変更できません。") from wrong
    simulator.world.annotate("yahoo", order.number, seen=True)
    return done()


def _mark_paid_late(simulator: Any, order: SandboxOrder, status: str, day: str) -> Response:
    """Money that comes after the parcel left: cash on delivery, or a transfer that was trusted."""
    if order.payment.method not in ("cod", "bank"):
        raise Refusal(400, "od91101", "入金ステータスを変更できません。")
    paid_on = parse_day(day) if day else simulator.now().date()
    mark = f"{paid_on:%Y-%m-%d}" if status == "1" else ""
    simulator.world.tell("yahoo", "payment", order.number, {"paid_on": mark})
    simulator.world.annotate("yahoo", order.number, paid_mark=mark, seen=True)
    return done()
