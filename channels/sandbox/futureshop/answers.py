"""How the admin API answers: failures of a request, rows of a write, and its times without offset."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from werkzeug import Response

from channels.sandbox.numbers import JST
from channels.sandbox.simulator import json_response

TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
TEXTS = {
    "ErrorsPresent": "エラーが発生しました",
    "Required": "必須項目です",
    "InvalidValue": "値が不正です",
    "InvalidDateFormat": "日付の形式が不正です",
    "TooMany": "件数が上限を超えています",
    "NotFound": "データが存在しません",
    "OrderNotFound": "指定された受注は存在しません",
    "OrderLocked": "指定された受注はロックされています",
    "CannotUpdateStorePickup": "店舗受取の受注は更新できません",
    "ProductNotFound": "指定された商品は存在しません",
    "StockNotFound": "指定された在庫は存在しません",
    "NotManagementSettings": "在庫管理の対象外です",
    "Unauthorized": "認証に失敗しました",
    "Forbidden": "権限がありません",
    "TooManyRequests": "リクエスト数の上限を超えました",
    "InternalServerError": "システムエラーが発生しました",
}


class Refusal(Exception):
    """A request that is refused as a whole; carries the answer."""

    def __init__(self, code: str, path: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.response = failure(code, status, path)


def failure(code: str, status: int, path: str = "") -> Response:
    row = {"code": code, "path": path, "message": TEXTS[code]}
    return json_response({"status": "failed", "errors": [{key: value for key, value in row.items() if value}]}, status)


def rows_answer(rows: Sequence[Mapping[str, Any]]) -> Response:
    """Failed as a whole as soon as one row failed, although the others were applied."""
    if all(row["status"] == "success" for row in rows):
        return json_response({"status": "success", "results": list(rows)})
    general = [{"code": "ErrorsPresent", "message": TEXTS["ErrorsPresent"]}]
    return json_response({"status": "failed", "errors": general, "results": list(rows)})


def moment(at: datetime | None) -> str:
    """Tokyo time without offset; empty for none."""
    return at.astimezone(JST).strftime("%Y-%m-%dT%H:%M:%S") if at else ""


def day(at: datetime | None) -> str:
    return moment(at)[:10]


def from_query(text: str, path: str) -> datetime:
    """Raises Refusal for anything but the one literal."""
    if not TIME.fullmatch(text):
        raise Refusal("InvalidDateFormat", path)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=JST)
    except ValueError:
        raise Refusal("InvalidDateFormat", path) from None
