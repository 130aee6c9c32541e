"""Answers of the QAPI: always status 200, JSON or XML, with a code of the method's own."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from werkzeug import Response

from channels.sandbox.numbers import JST


class Refusal(Exception):
    """Answered with a negative ResultCode."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def envelope(code: int, message: str, result: Any = ..., *, as_json: bool = True) -> Response:
    """`result` is left out for methods that answer with the code only."""
    body: dict[str, Any] = {} if result is ... else {"ResultObject": result}
    body |= {"ResultCode": code, "ResultMsg": message}
    if as_json:
        return _bare(json.dumps(body, ensure_ascii=False), "application/json")
    return _bare(_xml(body), "text/xml")


def gateway_error(code: int, message: str) -> Response:
    """The outer gate has an envelope of its own."""
    return _bare(json.dumps({"ErrorCode": code, "ErrorMsg": message}, ensure_ascii=False), "application/json")


def plain_text(words: str) -> Response:
    return _bare(words, "text/plain")


def _bare(text: str, content_type: str) -> Response:
    """Without a charset, as the real one."""
    response = Response(text.encode())
    response.headers["Content-Type"] = content_type
    return response


def _xml(body: Mapping[str, Any]) -> str:
    inner = "".join(f"<{name}>{_xml_value(value)}</{name}>" for name, value in body.items())
    rows = body.get("ResultObject")
    root = "StdResult" if "ResultObject" not in body else "StdCustomResult"
    if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "ShippingStatus" in rows[0]:
        root = "StdCustomResultOfListOfShippingInfo"
    return f'<?xml version="1.0" encoding="utf-8"?><{root}>{inner}</{root}>'


def _xml_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        names = ["ShippingInfo" if isinstance(row, dict) and "ShippingStatus" in row else "Row" for row in value]
        return "".join(f"<{name}>{_xml_value(row)}</{name}>" for name, row in zip(names, value, strict=True))
    if isinstance(value, dict):
        return "".join(f"<{name}>{_xml_value(one)}</{name}>" for name, one in value.items())
    return escape(str(value))


# ---- values --------------------------------------------------------------------------------------------------------


def local(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(JST):%Y-%m-%d %H:%M:%S}"


def search_time(text: str, *, end: bool) -> datetime:
    """8 or 14 digits of JST; a date as the end means its whole day. Raises ValueError."""
    if len(text) not in (8, 14) or not text.isdigit():
        raise ValueError(text)
    at = datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=JST)
    if end and len(text) == 8:
        at += timedelta(days=1) - timedelta(seconds=1)
    return at.astimezone(UTC)


def short_day(text: str) -> date:
    """yyyyMMdd. Raises ValueError."""
    return datetime.strptime(text, "%Y%m%d").replace(tzinfo=JST).date()
