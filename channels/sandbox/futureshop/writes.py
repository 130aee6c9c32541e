"""Calls that change orders: shipments, payment marks, closing."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from werkzeug import Response

from channels.sandbox.errors import UnknownOrder, WrongState
from channels.sandbox.futureshop.answers import DAY, TEXTS, Refusal, moment, rows_answer
from channels.sandbox.futureshop.render import told
from channels.sandbox.model import SandboxOrder
from channels.sandbox.simulator import Simulator

Row = Mapping[str, Any]
MOST = 100
KEYS = ("invoiceNo", "expectedArrival", "shippingDate")


def shipping_status(mall: Any, body: Any) -> Response:
    return _each(mall, body, check=_check_shipments, apply=_ship)


def payment_status(mall: Any, body: Any) -> Response:
    return _each(mall, body, check=_check_receipt, apply=_pay)


def complete(mall: Any, body: Any) -> Response:
    return _each(mall, body, check=lambda _row, _path: None, apply=_complete)


def _each(
    mall: Any, body: Any, *, check: Callable[[Row, str], None], apply: Callable[[Simulator, SandboxOrder, Row], str]
) -> Response:
    """Formal errors refuse all; after that each order is on its own."""
    orders = body.get("orderList") if isinstance(body, dict) else None
    if not isinstance(orders, list) or not orders:
        raise Refusal("Required", "orderList")
    if len(orders) > MOST:
        raise Refusal("TooMany", "orderList")
    for place, row in enumerate(orders):
        if not isinstance(row, dict) or not row.get("orderNo"):
            raise Refusal("Required", f"orderList[{place}].orderNo")
        check(row, f"orderList[{place}]")
    return rows_answer([_one(mall, row, apply) for row in orders])


def _one(mall: Any, row: Row, apply: Callable[[Simulator, SandboxOrder, Row], str]) -> dict[str, Any]:
    number = str(row["orderNo"])
    try:
        order = mall.world.order("futureshop", number)
        code = ("OrderLocked" if mall.row_fails() else "") or _barred(mall, order) or apply(mall, order, row)
    except UnknownOrder:
        code = "OrderNotFound"
    except WrongState:
        code = "OrderLocked"
    if not code:
        return {"status": "success", "orderNo": number}
    return {"status": "failed", "orderNo": number, "errorCode": code, "message": TEXTS[code]}


def _barred(mall: Any, order: SandboxOrder) -> str:
    if order.number in mall.locked or order.state == "cancelled":
        return "OrderLocked"
    return "CannotUpdateStorePickup" if order.number in mall.store_pickup else ""


# ---- shipments -------------------------------------------------------------------------------------------------------


def _check_shipments(row: Row, path: str) -> None:
    shipments = row.get("shipmentList")
    if not isinstance(shipments, list) or not shipments:
        raise Refusal("Required", f"{path}.shipmentList")
    for place, shipment in enumerate(shipments):
        where = f"{path}.shipmentList[{place}]"
        info = shipment.get("shippingInfo")
        if not isinstance(shipment.get("shipmentNo"), int) or not isinstance(info, dict):
            raise Refusal("Required", f"{where}.shippingInfo")
        for key in KEYS:
            if not isinstance(info.get(key), str):
                raise Refusal("Required", f"{where}.shippingInfo.{key}")
        for key in KEYS[1:]:
            if info[key] and not DAY.fullmatch(info[key]):
                raise Refusal("InvalidDateFormat", f"{where}.shippingInfo.{key}")
        if len(info["invoiceNo"].encode()) > 100:
            raise Refusal("InvalidValue", f"{where}.shippingInfo.invoiceNo")


def _ship(mall: Simulator, order: SandboxOrder, row: Row) -> str:
    """Overwrites at once; an empty value erases. The first shipping date ships what is open at that place."""
    places = {place.no: place for place in order.destinations}
    if any(shipment["shipmentNo"] not in places for shipment in row["shipmentList"]):
        return "InvalidValue"
    for shipment in row["shipmentList"]:
        number = shipment["shipmentNo"]
        info = {key: shipment["shippingInfo"][key] for key in KEYS}
        now = mall.world.order("futureshop", order.number)
        before = told(now, places[number])
        is_open = any(line.open_quantity for line in now.lines if line.destination == number)
        payload = {"shipmentNo": number, **info}
        if info["shippingDate"] and is_open:
            mall.world.ship(
                "futureshop",
                order.number,
                carrier="other",
                tracking=info["invoiceNo"],
                shipped_on=date.fromisoformat(info["shippingDate"]),
                destination=number,
                payload=payload,
            )
        elif dict(before) != info:
            mall.world.tell("futureshop", "correct_parcel", order.number, payload)
        kept = mall.world.order("futureshop", order.number).extra.get("shipments", {})
        mall.world.annotate("futureshop", order.number, shipments={**kept, str(number): info})
    return ""


# ---- payment and closing ---------------------------------------------------------------------------------------------


def _check_receipt(row: Row, path: str) -> None:
    receipt = row.get("receiptDate")
    if not isinstance(receipt, str):
        raise Refusal("Required", f"{path}.receiptDate")
    if receipt and not DAY.fullmatch(receipt):
        raise Refusal("InvalidDateFormat", f"{path}.receiptDate")


def _pay(mall: Simulator, order: SandboxOrder, row: Row) -> str:
    """Only a mark: nothing is captured anywhere."""
    receipt = str(row["receiptDate"])
    if order.payment.method in ("konbini", "bank"):
        mall.world.record_payment("futureshop", order.number, date.fromisoformat(receipt) if receipt else None)
    mall.world.annotate("futureshop", order.number, receipt=receipt)
    return ""


def _complete(mall: Simulator, order: SandboxOrder, _row: Row) -> str:
    if not order.extra.get("completed_at"):
        mall.world.annotate("futureshop", order.number, completed_at=moment(mall.now()))
        mall.world.tell("futureshop", "complete", order.number, {})
    return ""
