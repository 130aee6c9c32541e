"""Calls to the admin API: bearer token, one call every 1.1 seconds, answers sorted into `ChannelError` kinds."""

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
from channels.connectors.futureshop import wire
from channels.connectors.futureshop.tokens import WRONG, Tokens, classify_token
from channels.connectors.http import Http, headers
from channels.connectors.limits import Limiter, Plan
from channels.connectors.seen import store_name
from oms.kernel.said import said

PLANS = {"*": Plan(interval_s=wire.INTERVAL_S, burst=1)}
NO_DOMAIN = said("futureshopのAPIドメインが登録されていません。接続先URL（https://APIドメイン）を登録してください。")
NO_RIGHT = noop(
    "futureshopでこの操作（%(path)s）が許可されていません。"
    "API利用設定の権限と、このサーバーのIPアドレスの登録を確認してください。"
)
TOO_FAST = said("futureshopの呼び出し回数の上限に達しました。少し待ってから自動で再試行します。")
DOWN = said("futureshopが応答しないか、メンテナンス中です。復旧後に自動で再試行します。")
LEAST_PAUSE_S = 2.0


class Api:
    """One shop's calls."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self.root = settings.base_url.rstrip("/")
        self._shop_key = settings.credentials.get("shop_key", "")
        limiter = Limiter(PLANS)
        self.memory = limiter.client
        self.store = store_name("futureshop", self.root, self._shop_key)
        # The limit is the client's: shops that share one, and our shop registered twice, share it too.
        client = store_name("futureshop", settings.credentials.get("client_id", "") or self.root)
        self._http = Http(client, classify, limiter)
        self._tokens = Tokens(settings, Http(client, classify_token, limiter), limiter.client)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> requests.Response:
        """A reading call; tried again after passing trouble."""
        return self._call("GET", self._url(path), params=params)

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The decoded pages of a list. `nextUrl` is followed as given, on the API's own host only, and never twice."""
        url, query, passed = self._url(path), dict(params), set()
        while url and url not in passed:
            passed.add(url)
            page = decoded(self._call("GET", url, params=query or None))
            yield page
            url, query = str(page.get("nextUrl") or ""), {}
            if url and _origin(url) != _origin(self.root):
                raise Refused(said("futureshopの続きのページのURLが別のホストを指しています。"), detail="nextUrl")

    def post(self, path: str, body: Mapping[str, Any], *, idempotent: bool = True) -> dict[str, Any]:
        """A write. An absolute one may be sent again; a relative one never is, unless a token or a limit refused it.
        Answers with rows are returned whatever they say."""
        data = json.dumps(body, ensure_ascii=False).encode()
        answer = self._call("POST", self._url(path), data=data, idempotent=idempotent)
        return decoded(answer, rows_decide=True)

    def _url(self, path: str) -> str:
        if not self.root:
            raise CredentialsRefused(NO_DOMAIN)
        return self.root + path

    def _call(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """With the current token; a refused token is replaced once."""
        token = self._tokens.current()
        try:
            return self._send(method, url, token, **kwargs)
        except TokenRefused:
            self._tokens.forget(token)
        try:
            return self._send(method, url, self._tokens.current(), **kwargs)
        except TokenRefused as refused:
            raise CredentialsRefused(WRONG, detail=refused.detail) from None

    def _send(self, method: str, url: str, token: str, *, idempotent: bool = True, **kwargs: Any) -> requests.Response:
        sent = {"Authorization": f"Bearer {token}", "X-SHOP-KEY": self._shop_key, "Accept": "application/json"}
        if "data" in kwargs:
            sent["Content-Type"] = "application/json; charset=UTF-8"
        operation = urlsplit(url).path.rpartition("/v1/")[2] or "api"
        return self._http.call(
            method, url, operation=operation, idempotent=idempotent, headers=headers(**sent), **kwargs
        )


class TokenRefused(ChannelError):
    """The bearer token is not accepted (any more)."""


def classify(response: requests.Response) -> ChannelError | None:
    """By HTTP status; business errors come with any status and are read from the body by `decoded`."""
    status, detail = response.status_code, f"HTTP {response.status_code}"
    if status == 401:
        return TokenRefused(WRONG, detail=detail)
    if status == 403:
        return CredentialsRefused(said(NO_RIGHT, path=urlsplit(response.url).path), detail=detail)
    if status == 429:
        return RateLimited(TOO_FAST, detail=detail, retry_after_s=_pause_s(response))
    if status >= 500:
        return ChannelDown(DOWN, detail=detail, retry_after_s=_pause_s(response) if status == 503 else None)
    return None if response.content.lstrip()[:1] == b"{" else _no_json(status)


def _no_json(status: int) -> ChannelError:
    """HTML: a wrong address, or a page in between."""
    if status == 404:
        return Refused(said("futureshopのAPIが見つかりません。接続先URLを確認してください。"), detail=f"HTTP {status}")
    return ChannelDown(DOWN, detail=f"HTTP {status} not JSON")


def decoded(response: requests.Response, *, rows_decide: bool = False) -> dict[str, Any]:
    """The object of an answer. A failed one raises Refused, unless its rows say what failed (`rows_decide`)."""
    try:
        answer = response.json()
    except ValueError:
        raise ChannelDown(DOWN, detail=f"HTTP {response.status_code} not JSON") from None
    if not isinstance(answer, dict):
        raise ChannelDown(DOWN, detail=f"HTTP {response.status_code} not an object")
    failed = answer.get("status") == "failed" or response.status_code >= 400
    if failed and not (rows_decide and isinstance(answer.get("results"), list)):
        codes = error_codes(answer)
        words = wire.words_of(codes[-1]) if codes else said("futureshopが要求を拒否しました。")
        raise Refused(words, detail=f"HTTP {response.status_code} {' '.join(codes)}".strip())
    return answer


def error_codes(answer: Mapping[str, Any]) -> list[str]:
    """The codes of `errors`, without the general one when there is a better; texts are left out."""
    codes = [str(row.get("code") or "?") for row in dicts(answer.get("errors"))]
    return [code for code in codes if code != "ErrorsPresent"] or codes


def row_error(row: Mapping[str, Any]) -> str:
    """The error code of one row, wherever this call writes it; "" for success."""
    if row.get("status") == "success":
        return ""
    nested = [str(error.get("code") or "") for error in dicts(row.get("errors"))]
    return next((code for code in (str(row.get("errorCode") or ""), str(row.get("code") or ""), *nested) if code), "?")


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; anything else is nothing."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, Sequence) else []


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _pause_s(response: requests.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return max(LEAST_PAUSE_S, float(text) if text.isdigit() else 0.0)
