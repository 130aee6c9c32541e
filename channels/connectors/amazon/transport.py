"""Calls of the Selling Partner API: tokens, usage plans, errors by kind."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import requests

from channels.connectors.amazon.pace import Pace
from channels.connectors.amazon.tokens import Tokens, classify_token
from channels.connectors.contract import (
    ChannelDown,
    ChannelError,
    ConnectorSettings,
    CredentialsRefused,
    RateLimited,
    Refused,
)
from channels.connectors.http import Http, headers
from oms.kernel import clock
from oms.kernel.said import said

HOST = "https://sellingpartnerapi-fe.amazon.com"
JAPAN = "A1VC38T7YXB528"
NOTIFICATIONS = "sellingpartnerapi::notifications"

RATE_HEADER = "x-amzn-RateLimit-Limit"
PASSING = ("InternalFailure", "ServiceUnavailable")
PASSING_TROUBLE = said("Amazonが一時的に応答できません。自動で再試行します。")


class TokenRefused(CredentialsRefused):
    """The access token is expired or unknown to Amazon: ask for another one, once."""


class Api:
    """One shop's access to the API. Errors are `ChannelError` kinds; answers are checked JSON."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self.settings = settings
        self.marketplace_id = settings.credentials.get("marketplace_id") or JAPAN
        self.seller_id = settings.credentials.get("seller_id", "")
        self.base_url = (settings.base_url or HOST).rstrip("/")
        self._pace = Pace(settings.shop_code)
        self.redis = self._pace.client
        session = requests.Session()
        self._http = Http(settings.shop_code, classify, self._pace, session)
        token_http = Http(settings.shop_code, classify_token, self._pace, session)
        self._tokens = Tokens(settings, token_http, self.redis)
        self._own_tokens = Tokens(settings, token_http, self.redis, scope=NOTIFICATIONS)
        self.storage = Http(settings.shop_code, classify_storage, self._pace, session)

    def call(
        self,
        method: str,
        path: str,
        operation: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        idempotent: bool = True,
        tries: int = 4,
        grantless: bool = False,
    ) -> Any:
        """The parsed answer, or None for 204. Lists in `query` are given joined by commas.

        `grantless` calls concern the application and not a seller (destinations of notifications)."""
        url = self.base_url + path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        options: dict[str, Any] = {"operation": operation, "idempotent": idempotent, "tries": tries}
        if body is not None:
            options["data"] = json.dumps(body, ensure_ascii=False).encode()
        tokens = self._own_tokens if grantless else self._tokens
        token = tokens.current()
        try:
            response = self._send(method, url, token, options)
        except TokenRefused:
            tokens.forget(token)
            response = self._send(method, url, tokens.current(), options)
        self._pace.answered(operation, response.headers.get(RATE_HEADER))
        return None if response.status_code == requests.codes.no_content else response.json()

    def _send(self, method: str, url: str, token: str, options: Mapping[str, Any]) -> requests.Response:
        wanted = {
            "accept": "application/json",
            "x-amz-access-token": token,
            "x-amz-date": clock.now().strftime("%Y%m%dT%H%M%SZ"),
        }
        if "data" in options:
            wanted["content-type"] = "application/json"
        return self._http.call(method, url, headers=headers(**wanted), **options)


def classify(response: requests.Response) -> ChannelError | None:
    """The kind of trouble an answer of the API means, or None when it is good."""
    status = response.status_code
    answer, errors = _answer(response)
    if status == requests.codes.no_content or (200 <= status < 300 and isinstance(answer, dict) and not errors):
        return None
    first = errors[0] if errors else {}
    code, message = str(first.get("code", ""))[:60], str(first.get("message", ""))[:300]
    detail = f"HTTP {status} {code} {message} [{response.headers.get('x-amzn-RequestId', '-')}]"
    if status == 429 or code == "QuotaExceeded":
        return RateLimited(said("Amazonの呼び出し回数の上限に達しました。しばらく待って再試行します。"), detail=detail)
    if status >= 500 or code in PASSING or (status < 300 and not errors):
        return ChannelDown(PASSING_TROUBLE, detail=detail, uncertain=response.request.method != "GET")
    if status in (401, 403) or code == "Unauthorized":
        return _denied(str(first.get("details", "")), detail)
    kind = NotFound if status == 404 or code == "NotFound" else Refused
    return kind(said("Amazonが受け付けませんでした: %(message)s", message=message or code or status), detail=detail)


def need(answer: Mapping[str, Any], key: str) -> Any:
    """A part of an answer that the API always sends; its absence means that something else answered."""
    if answer.get(key) is None:
        raise ChannelDown(PASSING_TROUBLE, detail=f"answer without {key}")
    return answer[key]


class NotFound(Refused):
    """404: an unknown id, or an order younger than five minutes."""


def _denied(details: str, detail: str) -> ChannelError:
    lowered = details.lower()
    if "expired" in lowered or "malformed" in lowered:
        return TokenRefused(said("Amazonのアクセストークンが拒否されました。認可を確認してください。"), detail=detail)
    return CredentialsRefused(
        said(
            "Amazonに拒否されました。アプリの権限(ロール)、出品者ID、マーケットプレイスを確認し、"
            "権限を増やした場合は再認可してください。"
        ),
        detail=detail,
    )


def _answer(response: requests.Response) -> tuple[Any, list[Mapping[str, Any]]]:
    """(parsed body or None when it is no JSON, its errors). A 200 may carry errors, too."""
    try:
        answer = response.json()
    except ValueError:
        return None, []
    errors = answer.get("errors") if isinstance(answer, dict) else None
    return answer, [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def classify_storage(response: requests.Response) -> ChannelError | None:
    """Errors of the signed upload and download addresses, which speak XML and want no token."""
    status = response.status_code
    if 200 <= status < 300:
        return None
    if status >= 500:
        return ChannelDown(PASSING_TROUBLE, detail=f"HTTP {status} storage")
    return Refused(
        said("Amazonのファイル置き場が受け付けませんでした。もう一度実行してください。"),
        detail=f"HTTP {status} storage",
    )
