"""Changing an order at Yahoo! without moving it on: the shop's memo, and fewer pieces of a line (orderChange)."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from lxml import etree

from channels.connectors.contract import Refused
from channels.connectors.yahoo import changes, codes
from channels.connectors.yahoo.fetch import order_info
from channels.connectors.yahoo.parse import amount, read_order
from channels.connectors.yahoo.transport import Api, req
from oms.kernel.said import said

MOST_LINES = 10  # per call
MEMO_BYTES = 750
OPEN = (codes.RESERVED, codes.IN_PROGRESS, codes.ON_HOLD)


def write_memo(api: Api, no: str, text: str) -> None:
    """Replace the shop's note. Words that do not fit are refused, so that nothing is lost unseen."""
    words = text.strip()
    if len(words.encode()) > MEMO_BYTES:
        raise Refused(
            said(
                "Yahoo!に書き込めるメモは全角で約%(most)s文字までです。短くしてください。",
                most=MEMO_BYTES // 3,
            )
        )
    if _has_memo(api, no, words):
        return
    request = req(api.seller_id, Target={"OrderId": no}, Order={"Notes": words})
    changes.send(api, "orderChange", request, done=partial(_has_memo, api, no, words))


def _has_memo(api: Api, no: str, words: str) -> bool:
    """Line breaks and blanks may come back otherwise."""
    return changes.read(api, no).get("Notes", "").split() == words.split()


def cancel_lines(api: Api, order: Mapping[str, Any], quantities: Mapping[str, int], reason: str) -> None:
    """Take pieces off lines; all pieces of all lines cancel the order.

    What a line held at the last import tells the quantity that shall stand, so that a repeated call takes nothing off
    a second time.
    """
    no = str(order["no"])
    now = _quantities(api, no)
    wanted = {line: left for line, left in _wanted(order, now, quantities).items() if now[line] != left}
    if not wanted:
        return
    if not any({**now, **wanted}.values()):
        changes.cancel(api, no, reason)
        return
    lines = list(wanted)
    for at in range(0, len(lines), MOST_LINES):
        part = {line: wanted[line] for line in lines[at : at + MOST_LINES]}
        changes.send(api, "orderChange", _request(api, no, part), done=partial(_stands, api, no, part))


def _request(api: Api, no: str, wanted: Mapping[str, int]) -> Any:
    """`<Order>` holds one `<Item>` per line."""
    request = req(api.seller_id, Target={"OrderId": no}, Order={})
    holder = request.find("Order")
    for line, quantity in wanted.items():
        item = etree.SubElement(holder, "Item")
        etree.SubElement(item, "LineId").text = line
        etree.SubElement(item, "Quantity").text = str(quantity)
    return request


def _wanted(order: Mapping[str, Any], now: Mapping[str, int], quantities: Mapping[str, int]) -> dict[str, int]:
    """Line → the quantity that shall stand. Raises Refused for what is not in the order."""
    known = known_quantities(str(order.get("extra", {}).get("quantities", "")))
    wanted = {}
    for line, pieces in quantities.items():
        if line not in now:
            raise Refused(said("明細 %(line)s はYahoo!の注文にありません。注文を取り込み直してください。", line=line))
        left = known.get(line, now[line]) - pieces
        if pieces < 0 or left < 0:
            raise Refused(said("明細 %(line)s のキャンセル数が注文数を超えています。", line=line))
        wanted[line] = min(left, now[line])
    return wanted


def known_quantities(told: str) -> dict[str, int]:
    """ "1:2,2:1" → {"1": 2, "2": 1}, as parsing kept it."""
    pairs = [part.partition(":") for part in told.split(",") if part]
    return {line: int(quantity) for line, _, quantity in pairs if quantity.isdigit()}


def _quantities(api: Api, no: str) -> dict[str, int]:
    found = order_info(api, no)
    if found is None:
        raise Refused(said("注文 %(no)s はYahoo!ショッピングに見つかりません。", no=no))
    order, items = read_order(found.payload)
    if order.get("OrderStatus") not in OPEN:
        raise Refused(said("この状態の注文は数量を変更できません。ストアクリエイターProで確認してください。"))
    return {item["LineId"]: amount(item.get("Quantity", "")) or 0 for item in items if "LineId" in item}


def _stands(api: Api, no: str, wanted: Mapping[str, int]) -> bool:
    now = _quantities(api, no)
    return all(now.get(line, 0) == quantity for line, quantity in wanted.items())
