"""Calls that change an order: confirm, shipping rows, cancel, memo, sub-status."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from werkzeug import Response

from channels.sandbox.errors import UnknownOrder, WrongState
from channels.sandbox.model import SandboxOrder
from channels.sandbox.rakuten.answers import DAY, bad_request, message, order_answer
from channels.sandbox.rakuten.progress import progress, shipping_rows
from channels.sandbox.simulator import Simulator

Body = Mapping[str, Any]
CONFIRM, SHIP, CANCEL, MEMO = "CONFIRM_ORDER", "UPDATE_ORDER_SHIPPING", "CANCEL_ORDER", "UPDATE_ORDER_MEMO"
OUR_CARRIERS = {"1001": "yamato", "1002": "sagawa", "1003": "japanpost"}
KNOWN_CARRIERS = frozenset(str(code) for code in range(1000, 1032))
MEMO_LIMITS = {"memo": 1000, "operator": 6, "mailPlugSentence": 1024}
MEMO_FIELDS = ("subStatusId", "deliveryClass", "deliveryDate", "shippingTerm", *MEMO_LIMITS)
ASYNC_POLLS = 2
"""An asynchronous result is "not there yet" for so many questions."""


def confirm_order(mall: Simulator, body: Body) -> Response:
    numbers = body.get("orderNumberList")
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= 100:
        raise bad_request(CONFIRM, [("011", "orderNumberList")])
    rows = [_confirm(mall, str(number)) for number in numbers]
    return order_answer(rows, 400 if all(row["messageType"] == "ERROR" for row in rows) else 200)


def _confirm(mall: Simulator, number: str) -> dict[str, Any]:
    order = _find(mall, number)
    if order is None:
        return message(CONFIRM, "ERROR", "101", "受注が存在しません。", orderNumber=number)
    if mall.row_fails():
        return message(CONFIRM, "ERROR", "001", "システムエラーが発生しました。", orderNumber=number)
    if order.state == "cancelled":
        return message(CONFIRM, "ERROR", "102", orderNumber=number)
    if -9999 in order.extra.get("wire", {}).values():
        return message(CONFIRM, "ERROR", "105", orderNumber=number)
    try:
        mall.world.confirm("rakuten", number)
    except WrongState:
        return message(CONFIRM, "ERROR", "103", orderNumber=number)
    return message(CONFIRM, "INFO", "101", "注文確認に成功しました。", orderNumber=number)


def _find(mall: Simulator, number: Any) -> SandboxOrder | None:
    try:
        return mall.world.order("rakuten", str(number))
    except UnknownOrder:
        return None


# ---- shipping rows ---------------------------------------------------------------------------------------------------


def update_shipping(mall: Simulator, body: Body) -> Response:
    rows, status = apply_shipping(mall, body)
    return order_answer(rows, status)


def apply_shipping(mall: Simulator, body: Body) -> tuple[list[dict[str, Any]], int]:
    """The answer's rows and status. Nothing is changed when any row is bad; the same row sent twice is kept twice."""
    number = body.get("orderNumber")
    order = _find(mall, number)
    if order is None:
        return [message(SHIP, "ERROR", "101", "受注が存在しません。", orderNumber=number)], 400
    if order.state == "cancelled":
        return [message(SHIP, "ERROR", "102", orderNumber=number)], 400
    changes = [
        (str(basket.get("basketId")), row)
        for basket in body.get("BasketidModelList") or []
        for row in basket.get("ShippingModelList") or []
    ]
    bad = [] if changes else [("009", "BasketidModelList")]
    bad += [problem for basket, row in changes for problem in _row_problems(order, basket, row)]
    if any(len(basket.get("ShippingModelList") or []) > 20 for basket in body.get("BasketidModelList") or []):
        bad.append(("011", "ShippingModelList"))
    if bad:
        return [message(SHIP, "ERROR", code, field=field, orderNumber=number) for code, field in bad], 400
    if order.state not in ("ready", "partially_shipped", "shipped"):
        return [message(SHIP, "ERROR", "103", "発送待ちの受注ではありません。", orderNumber=number)], 400
    return [
        _apply_row(mall, order.number, basket, row, place) for place, (basket, row) in enumerate(changes, start=1)
    ], 200


def _row_problems(order: SandboxOrder, basket: str, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    problems = []
    if basket not in {place.destination_id for place in order.destinations}:
        problems.append(("011", "basketId"))
    company, day, number = row.get("deliveryCompany"), row.get("shippingDate"), row.get("shippingNumber")
    if company and (not isinstance(company, str) or company not in KNOWN_CARRIERS):
        problems.append(("011", "deliveryCompany"))
    if day and (not isinstance(day, str) or not DAY.fullmatch(day)):
        problems.append(("011", "shippingDate"))
    if number and len(str(number)) > 120:
        problems.append(("011", "shippingNumber"))
    detail = row.get("shippingDetailId")
    if detail and str(detail) not in {str(one["shippingDetailId"]) for one in shipping_rows(order)}:
        problems.append(("011", "shippingDetailId"))
    return problems


def _apply_row(mall: Simulator, number: str, basket: str, row: Mapping[str, Any], place: int) -> dict[str, Any]:
    """Add, change or delete one row; the first row of a basket with a date is its shipment."""
    order = mall.world.order("rakuten", number)
    rows = [dict(one) for one in shipping_rows(order)]
    keys = ("shippingNumber", "deliveryCompany", "shippingDate")
    detail = str(row.get("shippingDetailId") or "")
    if detail:
        kind = "103" if row.get("shippingDeleteFlag") == 1 else "102"
        rows = [one for one in rows if kind != "103" or str(one["shippingDetailId"]) != detail]
        for one in rows:
            if str(one["shippingDetailId"]) == detail:
                one.update({key: row[key] or "" for key in keys if key in row})
    else:
        kind, detail = "101", str(mall.world.next_id("rakuten", "shipping", 910001))
        new = {key: row.get(key) or "" for key in keys}
        rows.append({"shippingDetailId": detail, "basketId": basket, **new})
    mall.world.annotate("rakuten", number, shipping=rows)
    _tell_world(mall, number, basket, row, detail, added=kind == "101")
    words = {"101": "発送情報の追加", "102": "発送情報の更新", "103": "発送情報の削除"}[kind]
    text = f"{words}に成功しました。"
    return message(SHIP, "INFO", kind, text, orderNumber=number, dataNumber=place, shippingDetailId=int(detail))


def _tell_world(mall: Simulator, number: str, basket: str, row: Mapping[str, Any], detail: str, *, added: bool) -> None:
    """A dated row ships what is open in its basket; a row for a basket already shipped is only put on record."""
    order = mall.world.order("rakuten", number)
    place = next(one.no for one in order.destinations if one.destination_id == basket)
    is_open = any(line.open_quantity for line in order.lines if line.destination == place)
    payload = {"shippingDetailId": detail, "basketId": basket, **row}
    if is_open and row.get("shippingDate"):
        mall.world.ship(
            "rakuten",
            number,
            carrier=OUR_CARRIERS.get(row.get("deliveryCompany") or "", "other"),
            tracking=str(row.get("shippingNumber") or ""),
            shipped_on=date.fromisoformat(row["shippingDate"]),
            destination=place,
            payload=payload,
        )
    else:
        mall.world.tell("rakuten", "ship" if added else "correct_parcel", number, payload)


def update_shipping_async(mall: Simulator, body: Body) -> Response:
    """Takes the rows and tells the outcome later; validation errors come with HTTP 200."""
    operation = "UPDATE_ORDER_SHIPPING_ASYNC"
    models = body.get("OrderShippingModelList") or []
    numbers = [model.get("orderNumber") for model in models]
    if not 1 <= len(models) <= 100 or len(set(numbers)) != len(numbers):
        return order_answer([message(operation, "ERROR", "011", field="OrderShippingModelList")])
    results = [
        {"orderNumber": model.get("orderNumber"), "MessageModelList": apply_shipping(mall, model)[0]}
        for model in models
    ]
    request_id = f"{mall.world.next_id('rakuten', 'async', 1):012d}"
    mall.world.remember("rakuten", f"async:{request_id}", {"polls": 0, "results": results})
    text = "発送情報の非同期更新を受け付けました。"
    return order_answer([message(operation, "INFO", "101", text, requestId=request_id)])


def async_result(mall: Simulator, body: Body) -> Response:
    """Running, unknown and expired all look the same."""
    operation = "GET_RESULT_UPDATE_ORDER_SHIPPING_ASYNC"
    key = f"async:{body.get('requestId')}"
    kept = mall.world.recall("rakuten", key)
    if kept:
        mall.world.remember("rakuten", key, {**kept, "polls": kept["polls"] + 1})
    if not kept or kept["polls"] < ASYNC_POLLS:
        text = "処理結果は存在しませんでした。"
        return order_answer([message(operation, "INFO", "101", text)], ResultShippingModelList=[])
    rows = [message(operation, "INFO", "102", "処理結果の取得に成功しました。")]
    return order_answer(rows, ResultShippingModelList=kept["results"])


# ---- cancel, memo, sub-status ----------------------------------------------------------------------------------------


def cancel_order(mall: Simulator, body: Body) -> Response:
    return _cancel(mall, body, allowed=(100, 200, 300))


def cancel_after_shipping(mall: Simulator, body: Body) -> Response:
    return _cancel(mall, body, allowed=(500, 600, 700, 800))


def _cancel(mall: Simulator, body: Body, allowed: tuple[int, ...]) -> Response:
    number = body.get("orderNumber")
    order = _find(mall, number)
    if order is None:
        return order_answer([message(CANCEL, "ERROR", "101", "受注が存在しません。", orderNumber=number)], 400)
    bad = []
    if body.get("inventoryRestoreType") not in (0, 1, 2):
        bad.append(("011", "inventoryRestoreType"))
    if body.get("changeReasonDetailApply") not in (1, 2, 3, 4, 5, 6, 8, 10, 13, 14, 15):
        bad.append(("011", "changeReasonDetailApply"))
    if bad:
        raise bad_request(CANCEL, bad)
    stands = progress(order, mall.now())
    if stands in (800, 900) and stands not in allowed:
        return order_answer([message(CANCEL, "ERROR", "102", orderNumber=number)], 400)
    if stands not in allowed or not order.is_open:
        text = "キャンセルできない状態の受注です。"
        return order_answer([message(CANCEL, "ERROR", "103", text, orderNumber=number)], 400)
    code = int(body["changeReasonDetailApply"])
    mall.world.annotate("rakuten", order.number, cancel_code=code)
    mall.world.cancel("rakuten", order.number, reason=str(code), restock=body["inventoryRestoreType"] != 2)
    return order_answer([message(CANCEL, "INFO", "101", "キャンセル申請に成功しました。", orderNumber=number)])


def update_memo(mall: Simulator, body: Body) -> Response:
    """A key left out stays as it is, null clears it."""
    order = _find(mall, body.get("orderNumber"))
    if order is None:
        raise bad_request(MEMO, [("011", "orderNumber")])
    bad = [("011", key) for key, most in MEMO_LIMITS.items() if len(body.get(key) or "") > most]
    if bad:
        raise bad_request(MEMO, bad)
    facts = {key: body[key] for key in MEMO_FIELDS if key in body}
    names = {"subStatusId": "sub_status_id"}
    mall.world.annotate("rakuten", order.number, **{names.get(key, key): value for key, value in facts.items()})
    mall.world.tell("rakuten", "memo", order.number, facts)
    text = "受注メモの更新に成功しました。"
    return order_answer([message(MEMO, "INFO", "101", text, orderNumber=order.number)])


def sub_statuses(_mall: Simulator, _body: Body) -> Response:
    models = [
        {"orderProgress": step, "SubStatusModelList": [{"subStatusId": step + 1, "subStatusName": name, "orderBy": 1}]}
        for step, name in ((100, "確認中"), (300, "出荷準備中"))
    ]
    rows = [message("GET_SUB_STATUS_LIST", "INFO", "101", "サブステータス一覧の取得に成功しました。")]
    return order_answer(rows, StatusModelList=models)
