"""Calls to RMS: the ESA header, media types, one call a second, and answers sorted into `ChannelError` kinds."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from django.utils.translation import gettext_noop as noop

from channels.connectors.contract import (
    ChannelDown,
    ChannelError,
    ConnectorSettings,
    CredentialsRefused,
    RateLimited,
    Refused,
)
from channels.connectors.http import Http, headers
from channels.connectors.limits import Limiter, Plan
from channels.connectors.rakuten import wire
from channels.connectors.seen import store_name
from oms.kernel.said import said

# RMS counts per shop over all its APIs.
PLANS = {"*": Plan(interval_s=1.0, burst=1)}

WRONG_KEY = noop(
    "楽天RMSの認証に失敗しました（%(api)s）。serviceSecret と licenseKey を確認してください。"
    "licenseKey は90日で失効します。RMSで再発行した場合は新しいキーを登録してください。"
)
NO_RIGHT = noop(
    "楽天RMSでこの機能（%(api)s）の利用が許可されていません。RMSの「WEB APIサービス」→「利用設定」を確認してください。"
)
TOO_FAST = said("楽天RMSの呼び出し回数の上限に達しました。少し待ってから自動で再試行します。")
DOWN = said("楽天RMSが応答しないか、メンテナンス中です。復旧後に自動で再試行します。")
BUSY_STOCK = said("楽天側で同じ商品の在庫が更新中です。自動で再試行します。")


class Rms:
    """One shop's calls."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self.root = settings.base_url.rstrip("/") or wire.HOST
        self._license_key = settings.credentials.get("license_key", "")
        secret = settings.credentials.get("service_secret", "")
        token = base64.b64encode(f"{secret}:{self._license_key}".encode()).decode()
        self._headers = headers(Authorization=f"ESA {token}")
        limiter = Limiter(PLANS)
        self.memory = limiter.client
        self.store = store_name("rakuten", self.root, secret)
        # Not our shop's code: two registrations of one store share its limit.
        self._http = Http(self.store, classify, limiter)

    def order(self, name: str, body: Mapping[str, Any], *, idempotent: bool) -> requests.Response:
        """POST one order API. The body is sent as UTF-8 under the only content type RMS accepts there."""
        return self._http.call(
            "POST",
            self.root + wire.ORDER_PATH.format(name=name),
            operation=name,
            idempotent=idempotent,
            data=json.dumps(body, ensure_ascii=False).encode(),
            headers={**self._headers, "Content-Type": wire.ORDER_CONTENT_TYPE},
        )

    def post(self, path: str, body: Mapping[str, Any], *, idempotent: bool = True) -> requests.Response:
        """POST a stock API. Absolute quantities and readings may be repeated, relative ones may not."""
        return self._http.call(
            "POST",
            self.root + path,
            operation="inventories",
            idempotent=idempotent,
            data=json.dumps(body, ensure_ascii=False).encode(),
            headers={**self._headers, "Content-Type": wire.ORDER_CONTENT_TYPE},
        )

    def get(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The decoded JSON answer of a reading call."""
        answer = self._http.call(
            "GET", self.root + path, operation="read", idempotent=True, params=params, headers=self._headers
        )
        return decoded(answer)

    def license_expiry(self) -> str:
        """When the licence key ends, as RMS writes it. The key travels in the query: never log this URL."""
        answer = self.get(wire.LICENSE_PATH, {"licenseKey": self._license_key})
        return str(answer.get("expiryDate") or "")


def classify(response: requests.Response) -> ChannelError | None:
    """None for an answer that can be read; per-order ERROR rows inside HTTP 200 are the operation's business."""
    status = response.status_code
    if status == 429:
        return RateLimited(TOO_FAST, detail=trace(response), retry_after_s=retry_after(response))
    if status >= 500:
        return ChannelDown(DOWN, detail=trace(response), retry_after_s=retry_after(response))
    if status == 204:
        return None
    body = response.content.lstrip()
    if body[:1] not in (b"{", b"["):
        return not_json(response)
    if status == 200 and b'"Results"' not in body[:40]:
        return None
    return refusal(response)


def not_json(response: requests.Response) -> ChannelError:
    """HTML or nothing: a maintenance page, a proxy, or a gateway that gives no body."""
    if response.status_code in (401, 403):
        return credentials_error(response, trace(response))
    if 400 <= response.status_code < 500:
        return Refused(
            said("楽天RMSが要求を拒否しました（HTTP %(status_code)s）。", status_code=response.status_code),
            detail=trace(response),
        )
    return ChannelDown(DOWN, detail=trace(response))


def refusal(response: requests.Response) -> ChannelError:
    """The kind of a JSON answer that says no: gateway envelope, stock and item errors, or order messages."""
    try:
        answer = response.json()
    except ValueError:
        return ChannelDown(DOWN, detail=trace(response))
    if not isinstance(answer, dict):
        return Refused(said("楽天RMSの応答の形が想定と異なります。"), detail=trace(response))
    codes = list(error_codes(answer))
    detail = f"{trace(response)} {' '.join(codes)}".strip()
    if response.status_code in (401, 403) or "ES04-01" in codes:
        return credentials_error(response, detail)
    if response.status_code == 409 or "CE0001" in codes:
        return ChannelDown(BUSY_STOCK, detail=detail)
    named = "、".join(dict.fromkeys(code.partition("@")[0] for code in codes)) or f"HTTP {response.status_code}"
    return Refused(said("楽天RMSが要求を拒否しました（%(named)s）。", named=named), detail=detail)


def credentials_error(response: requests.Response, detail: str) -> CredentialsRefused:
    """Says which API refused: a key good for orders may lack the right for stock."""
    path = urlsplit(response.request.url or "").path
    words = WRONG_KEY if response.status_code != 403 else NO_RIGHT
    return CredentialsRefused(said(words, api=api_name(path)), detail=detail)


NAMES = (("/order/", said("受注API")), ("/inventories", said("在庫API")), ("/items", said("商品API")))


def api_name(path: str) -> str:
    for word, name in NAMES:
        if word in path:
            return name
    return said("ライセンス管理API")


def decoded(response: requests.Response) -> dict[str, Any]:
    """The object of a JSON answer. Raises ChannelDown for half an answer or another shape."""
    try:
        answer = response.json()
    except ValueError:
        raise ChannelDown(DOWN, detail=f"{trace(response)} not JSON") from None
    if not isinstance(answer, dict):
        raise ChannelDown(DOWN, detail=f"{trace(response)} not an object")
    return answer


def error_codes(answer: Mapping[str, Any]) -> Iterator[str]:
    """The codes of any of the three error shapes, with the place "@inventories[3]…" where one is named; texts are
    left out, they may quote the buyer."""
    envelope = answer.get("Results")
    if isinstance(envelope, dict) and envelope.get("errorCode"):
        yield str(envelope["errorCode"])
    for row in dicts(answer.get("errors")):
        path = str((row.get("metadata") or {}).get("propertyPath") or "")
        yield f"{row.get('code') or '?'}@{path}" if path else str(row.get("code") or "?")
    for row in errors(answer):
        yield str(row.get("messageCode") or "?")


def messages(answer: Any) -> list[dict[str, Any]]:
    return dicts(answer.get("MessageModelList")) if isinstance(answer, dict) else []


def errors(answer: Any) -> list[dict[str, Any]]:
    """The ERROR rows among the messages of an order API."""
    return [row for row in messages(answer) if row.get("messageType") == "ERROR"]


def number(row: Mapping[str, Any]) -> str:
    """The last part of a message code: "103" of ORDER_EXT_API_CONFIRM_ORDER_ERROR_103."""
    return str(row.get("messageCode") or "").rpartition("_")[2]


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; null, a missing list and foreign elements are nothing."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, Sequence) else []


def trace(response: requests.Response) -> str:
    """What Rakuten's support asks for."""
    request_id = response.headers.get("RequestId", "")
    return f"HTTP {response.status_code} RequestId={request_id}" if request_id else f"HTTP {response.status_code}"


def retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None
