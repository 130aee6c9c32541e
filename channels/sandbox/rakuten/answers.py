"""How RMS speaks: message rows, the gateway's envelope, stock errors, and its time literals."""

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from werkzeug import Response

from channels.sandbox.numbers import JST
from channels.sandbox.simulator import json_response

LITERAL = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+0900")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
TEXTS = {
    "009": "{0}の項目を指定して下さい。",
    "010": "{0}の値を指定して下さい。",
    "011": "{0}の書式が不正です。",
    "102": "キャンセルされた受注です。",
    "103": "既に処理済みの受注です。",
    "105": "金額が確定していません。",
}


class Refusal(Exception):
    """A request that is refused as a whole; carries the answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def message(operation: str, kind: str, number: str, text: str = "", **more: Any) -> dict[str, Any]:
    """One row of MessageModelList, e.g. ORDER_EXT_API_GET_ORDER_INFO_101."""
    words = text or TEXTS.get(number, "エラーが発生しました。").format(more.pop("field", ""))
    more.pop("field", None)
    code = f"ORDER_EXT_API_{operation}_{kind}_{number}"
    return {"messageType": kind, "messageCode": code, "message": words, **more}


def order_answer(rows: Sequence[Mapping[str, Any]], status: int = 200, **models: Any) -> Response:
    return traced(json_response({"MessageModelList": list(rows), **models}, status))


def bad_request(operation: str, rows: Sequence[tuple[str, str]], **nulls: Any) -> Refusal:
    """HTTP 400 with a row per (number, field); list models are null then."""
    return Refusal(
        order_answer([message(operation, "ERROR", number, field=field) for number, field in rows], 400, **nulls)
    )


def envelope(code: str, text: str, status: int) -> Response:
    """The gateway in front of all APIs."""
    return traced(json_response({"Results": {"errorCode": code, "message": text}}, status))


def unauthorised() -> Response:
    return envelope("ES04-01", "Un-Authorised", 401)


def stock_errors(rows: Sequence[tuple[str, str, str]], status: int = 400) -> Response:
    """(code, text, propertyPath) rows of the inventory and item APIs."""
    errors = [
        {"code": code, "message": text, "metadata": {"propertyPath": path} if path else {}} for code, text, path in rows
    ]
    return traced(json_response({"errors": errors}, status))


def traced(response: Response) -> Response:
    """The headers every answer carries; Timestamp is UTC without saying so."""
    response.headers["RequestId"] = str(uuid.uuid4())
    response.headers["Timestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    response.headers["Cache-Control"] = "no-cache,no-store"
    return response


def literal(moment: datetime | None) -> str | None:
    return moment.astimezone(JST).strftime("%Y-%m-%dT%H:%M:%S+0900") if moment else None


def from_literal(text: Any) -> datetime | None:
    """None for anything but the one accepted literal."""
    if not isinstance(text, str) or not LITERAL.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None


def iso(moment: datetime) -> str:
    """The literal of the inventory and item APIs, with a colon in the offset."""
    return moment.astimezone(JST).isoformat(timespec="seconds")
