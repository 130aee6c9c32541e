"""Seller check, sending, cancelling, agreeing to a claim."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from channels.sandbox.errors import WorldError
from channels.sandbox.model import SandboxLine, SandboxOrder
from channels.sandbox.numbers import JST
from channels.sandbox.qoo10 import render
from channels.sandbox.qoo10.orders import find_line
from channels.sandbox.qoo10.wire import Refusal, short_day

MOST_ROWS = 500
LATEST = timedelta(days=120)
CARRIERS = {
    "ヤマト宅急便": "yamato",
    "ネコポス": "yamato",
    "佐川急便": "sagawa",
    "ゆうパック": "japanpost",
    "ゆうパケット": "japanpost",
    "クリックポスト": "japanpost",
    "レターパック": "japanpost",
    "西濃運輸": "other",
    "福山通運": "other",
    "Qxpress": "other",
    "その他": "other",
}

Form = Mapping[str, str]
Row = dict[str, Any]


# ---- seller check --------------------------------------------------------------------------------------------------


def check(simulator: Any, form: Form) -> None:
    """One order. Raises Refusal."""
    _check_row(simulator, dict(form), {-10007: -10004})


def check_bulk(simulator: Any, form: Form) -> list[Row]:
    rows = _rows(form, "SendPlanDtInfoJson")
    return [_result(simulator, "cont_no", row, _check_row) for row in rows]


def _check_row(simulator: Any, row: Row, renamed: Mapping[int, int] | None = None) -> None:
    number = str(row.get("OrderNo", ""))
    order, line = find_line(simulator, number, missing=(renamed or {}).get(-10007, -10007))
    now = simulator.now()
    status = render.status_of(order, line, now)
    if status == 3:
        raise Refusal(-10012, "すでに発注確認済みです。")
    if status != 2:
        raise Refusal(-10013, "配送要請の状態ではありません。")
    if render.claim_of(order, line):
        raise Refusal(-10014, "クレーム中の注文です。")
    try:
        planned = short_day(str(row.get("EstShipDt", "")))
    except ValueError:
        raise Refusal(-10016, "発送予定日がありません。") from None
    today = now.astimezone(JST).date()
    if planned <= today:
        raise Refusal(-10018, "発送予定日は本日より後の日付です。")
    if planned > today + LATEST:
        raise Refusal(-10017, "発送予定日が上限を超えています。")
    _mark_checked(simulator, order, line, f"{planned:%Y%m%d}")


def _mark_checked(simulator: Any, order: SandboxOrder, line: SandboxLine, planned: str) -> None:
    checked = {**order.extra.get("checked", {}), line.line_id: planned}
    changed = simulator.world.annotate("qoo10", order.number, checked=checked)
    if changed.state == "placed" and all(one.line_id in checked for one in changed.live_lines):
        simulator.world.confirm("qoo10", order.number, payload={"planned": planned})


# ---- sending -------------------------------------------------------------------------------------------------------


def send(simulator: Any, form: Form) -> None:
    _send_row(simulator, dict(form), {-10122: -10004})


def send_bulk(simulator: Any, form: Form) -> list[Row]:
    rows = _rows(form, "ShippingInfoJson")
    return [_result(simulator, "contr_no", row, _send_row) for row in rows]


def _send_row(simulator: Any, row: Row, renamed: Mapping[int, int] | None = None) -> None:
    number, carrier, tracking = (str(row.get(name, "")) for name in ("OrderNo", "ShippingCorp", "TrackingNo"))
    if not number.isdigit():
        raise Refusal(-10115, "注文番号を確認してください。")
    if not carrier or not tracking:
        raise Refusal(-10116, "必須項目がありません。")
    order, line = find_line(simulator, number, missing=(renamed or {}).get(-10122, -10122))
    if carrier not in CARRIERS:
        raise Refusal(-10120, "配送会社名を確認してください。")
    if not 8 <= len(tracking) <= 50:
        raise Refusal(-10105, "送り状番号の桁数を確認してください。")
    status = render.status_of(order, line, simulator.now())
    if render.claim_of(order, line):
        raise Refusal(-10101, "クレーム中の注文です。")
    if status not in (2, 3):
        raise Refusal(-10010, "更新に失敗しました。")
    if _is_used(simulator, order, tracking):
        raise Refusal(-10103, "すでに使用された送り状番号です。")
    _ship(simulator, order, line, row)


def _is_used(simulator: Any, order: SandboxOrder, tracking: str) -> bool:
    """A number belongs to one basket; `strict_tracking` refuses it within the basket, too."""
    for other in simulator.world.orders("qoo10"):
        if (other.number != order.number or simulator.strict_tracking) and any(
            parcel.tracking == tracking for parcel in other.parcels
        ):
            return True
    return False


def _ship(simulator: Any, order: SandboxOrder, line: SandboxLine, row: Row) -> None:
    if order.state == "placed":
        simulator.world.confirm("qoo10", order.number, payload={"by": "sending"})
    try:
        simulator.world.ship(
            "qoo10",
            order.number,
            carrier=CARRIERS[row["ShippingCorp"]],
            tracking=str(row["TrackingNo"]),
            shipped_on=simulator.now().astimezone(JST).date(),
            quantities={line.line_no: line.open_quantity},
            payload={name: str(value) for name, value in row.items()},
        )
    except WorldError:
        raise Refusal(-10010, "更新に失敗しました。") from None


# ---- cancelling ----------------------------------------------------------------------------------------------------


def cancel(simulator: Any, form: Form) -> None:
    number, reason = form.get("ContrNo", ""), form.get("CancelReason", "")
    if not number.isdigit():
        raise Refusal(-10001, "注文番号を確認してください。")
    order, line = find_line(simulator, number, missing=-10002)
    if reason not in ("", "1", "2", "3") or render.status_of(order, line, simulator.now()) not in (1, 2, 3):
        raise Refusal(-10004, "キャンセルできない状態です。")
    try:
        simulator.world.cancel(
            "qoo10",
            order.number,
            reason=form.get("SellerMemo", "") or {"": "在庫切れ"}.get(reason, reason),
            by="shop",
            line_nos=[line.line_no],
            restock=bool(reason),
            payload=dict(form),
        )
    except WorldError:
        raise Refusal(-10004, "キャンセルできない状態です。") from None
    words = {**order.extra.get("reasons", {}), line.line_id: form.get("SellerMemo", "")}
    simulator.world.annotate("qoo10", order.number, reasons=words)
    if not reason:  # out of stock: the mall stops selling it
        simulator.world.set_stock("qoo10", line.listing.key, 0, payload={"by": "cancel"})


def accept_claim(simulator: Any, form: Form) -> None:
    """The seller agrees to the buyer's claim: a wish to cancel ends the line. Raises Refusal."""
    number = form.get("orderNo", "")
    if not number.isdigit():
        raise Refusal(-10001, "注文番号を確認してください。")
    order, line = find_line(simulator, number, missing=-10002)
    claim = render.claim_of(order, line)
    if claim is None or claim["claimStatus"] not in (render.CLAIM_WORDS[1], render.CLAIM_WORDS[2]):
        raise Refusal(-10004, "承認できる状態ではありません。")
    others = {one.line_id: {"status": 1, "reason": claim["reason"]} for one in order.live_lines if one is not line}
    try:
        simulator.world.annotate("qoo10", order.number, claims={**order.extra.get("claims", {}), **others})
        simulator.world.cancel(
            "qoo10", order.number, reason=claim["reason"], by="shop", line_nos=[line.line_no], payload=dict(form)
        )
    except WorldError:
        raise Refusal(-10004, "承認できる状態ではありません。") from None


# ---- bulk ----------------------------------------------------------------------------------------------------------


def _rows(form: Form, field: str) -> list[Row]:
    try:
        rows = json.loads(form.get(field, ""))
    except ValueError:
        raise Refusal(-10006, "JSONを確認してください。") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refusal(-10006, "JSONを確認してください。")
    if len(rows) > MOST_ROWS:
        raise Refusal(-10011, "一度に処理できる件数を超えています。")
    return rows


def _result(simulator: Any, key: str, row: Row, apply: Callable[[Any, Row], None]) -> Row:
    """A row's own code; the outer one stays 0."""
    try:
        if simulator.row_fails():
            raise Refusal(-10010, "更新に失敗しました。")
        apply(simulator, row)
        code, message = 0, "SUCCESS"
    except Refusal as refusal:
        code, message = refusal.code, refusal.message
    number = str(row.get("OrderNo", ""))
    return {
        key: int(number) if number.isdigit() else number,
        "result_cd": code,
        "transc_nm": row.get("ShippingCorp", ""),
        "ResultCode": code,
        "ResultMsg": message,
    }
