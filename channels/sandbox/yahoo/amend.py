"""orderChange: notes, address and quantities of an order that has not left."""

from typing import Any

from werkzeug import Response

from channels.sandbox.errors import WrongState
from channels.sandbox.model import SandboxOrder
from channels.sandbox.yahoo.changes import done, target
from channels.sandbox.yahoo.wire import Refusal, value

MOST_LINES = 10
MOST_NOTE_BYTES = 750
NOTES = {"Notes": "notes", "SellerComments": "seller_comments", "StoreStatus": "store_status"}
GROUPS = {"Ship", "Pay", "Detail"}
MOVING = {"ShipStatus", "PayStatus", "OrderStatus", "OrderId", "ShipInvoiceNumber1", "ShipInvoiceNumber2"}


def order_change(simulator: Any, req: Any) -> Response:
    """What is named changes, the rest stays. Raises Refusal."""
    order = target(simulator, req)
    body = req.find("Order")
    if body is None or not len(body):
        raise Refusal(400, "od90101", "Orderは必須です。")
    notes: dict[str, Any] = {}
    fields = dict(order.extra.get("fields", {}))
    for child in body:
        if child.tag in NOTES:
            notes[NOTES[child.tag]] = _note(value(body, child.tag))
        elif child.tag in GROUPS:
            fields |= _group(child)
        elif child.tag != "Item":
            raise Refusal(400, "od90101", f"変更できない項目です: {child.tag[:40]}")
    _change_lines(simulator, order, body.findall("Item"))
    simulator.world.tell("yahoo", "change", order.number, {**notes, **fields})
    simulator.world.annotate("yahoo", order.number, fields=fields, seen=True, **notes)
    return done()


def _note(words: str) -> str:
    if len(words.encode()) > MOST_NOTE_BYTES:
        raise Refusal(400, "od90101", "文字数の上限を超えています。")
    return words


def _group(group: Any) -> dict[str, str]:
    told = {child.tag: (child.text or "").strip() for child in group}
    if wrong := MOVING & set(told):
        raise Refusal(400, "od90101", f"この項目は専用のAPIで変更してください: {min(wrong)}")
    return told


def _change_lines(simulator: Any, order: SandboxOrder, items: list[Any]) -> None:
    if not items:
        return
    if len(items) > MOST_LINES:
        raise Refusal(400, "od90101", "一度に変更できる商品は10件までです。")
    if order.state not in ("pending", "ready"):
        raise Refusal(400, "od91101", "この注文の数量は変更できません。")
    wanted = {value(item, "LineId"): value(item, "Quantity") for item in items}
    known = {line.line_id: line for line in order.live_lines}
    if any(line not in known or not quantity.isdigit() for line, quantity in wanted.items()):
        raise Refusal(400, "od90101", "LineIdまたはQuantityが不正です。")
    left = {line_id: int(wanted.get(line_id, line.quantity)) for line_id, line in known.items()}
    if not any(left.values()):
        raise Refusal(400, "od91101", "すべての商品を取り消す場合は、注文をキャンセルしてください。")
    try:
        simulator.world.requantify(
            "yahoo", order.number, {known[line].line_no: int(quantity) for line, quantity in wanted.items()}
        )
    except WrongState as wrong:
        raise Refusal(400, "od91101", "この注文の数量は変更できません。") from wrong
