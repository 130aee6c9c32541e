"""Calls of the Selling Partner API: tokens, usage plans, errors by kind."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote, urlencode

import redis
import requests
from django.conf import settings as django_settings

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
from channels.connectors.limits import Limiter, Plan
from oms.kernel import clock

HOST = "https://sellingpartnerapi-fe.amazon.com"
JAPAN = "A1VC38T7YXB528"

# Default usage plans, calls per second and burst; the answer's rate header replaces the rate (see `Api._learn_rate`).
RATES = {
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "confirmShipment": (2, 10),
    "patchListingsItem": (5, 5),
    "getListingsItem": (5, 10),
    "searchListingsItems": (5, 5),
    "createFeedDocument": (0.5, 15),
    "createFeed": (0.0083, 15),
    "getFeed": (2, 15),
    "getFeeds": (0.0222, 10),
    "getFeedDocument": (0.0222, 10),
    "getMarketplaceParticipations": (0.016, 15),
}
HEAD_ROOM = 1.02  # a little slower than allowed: clocks differ, and a refused call costs more than a short wait
RATE_HEADER = "x-amzn-RateLimit-Limit"
LEARNED_FOR_S = 24 * 3600
PASSING = ("InternalFailure", "ServiceUnavailable")
PASSING_TROUBLE = "Amazonが一時的に応答できません。自動で再試行します。"


class TokenRefused(CredentialsRefused):
    """The access token is expired or unknown to Amazon: ask for another one, once."""


class Api:
    """One shop's access to the API. Errors are `ChannelError` kinds; answers are checked JSON."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self.settings = settings
        self.marketplace_id = settings.credentials.get("marketplace_id") or JAPAN
        self.seller_id = settings.credentials.get("seller_id", "")
        self.base_url = (settings.base_url or HOST).rstrip("/")
        self.redis: redis.Redis = redis.Redis.from_url(django_settings.REDIS_URL)
        self._rates_key = f"amazon:rates:{settings.shop_code}"
        self._plans = self._known_plans()
        limiter = Limiter(self._plans, client=self.redis)
        session = requests.Session()
        self._http = Http(settings.shop_code, classify, limiter, session)
        self._tokens = Tokens(settings, Http(settings.shop_code, classify_token, limiter, session), self.redis)
        self.storage = Http(settings.shop_code, classify_storage, limiter, session)

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
    ) -> Any:
        """The parsed answer, or None for 204. Lists in `query` are given joined by commas."""
        url = self.base_url + path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        options: dict[str, Any] = {"operation": operation, "idempotent": idempotent, "tries": tries}
        if body is not None:
            options["data"] = json.dumps(body, ensure_ascii=False).encode()
        token = self._tokens.current()
        try:
            response = self._send(method, url, token, options)
        except TokenRefused:
            self._tokens.forget(token)
            response = self._send(method, url, self._tokens.current(), options)
        self._learn_rate(operation, response)
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

    def _known_plans(self) -> dict[str, Plan]:
        learned = cast(dict[bytes, bytes], self.redis.hgetall(self._rates_key))
        rates = {name: float(learned.get(name.encode(), rate)) for name, (rate, _) in RATES.items()}
        return {name: Plan(HEAD_ROOM / rates[name], burst) for name, (_, burst) in RATES.items()}

    def _learn_rate(self, operation: str, response: requests.Response) -> None:
        """Amazon may grant a seller another rate than the default one and says so in the answer."""
        rate, plan = _positive(response.headers.get(RATE_HEADER)), self._plans.get(operation)
        if plan is None or rate is None or math.isclose(HEAD_ROOM / rate, plan.interval_s, rel_tol=0.01):
            return
        self._plans[operation] = replace(plan, interval_s=HEAD_ROOM / rate)
        self.redis.hset(self._rates_key, operation, str(rate))
        self.redis.expire(self._rates_key, LEARNED_FOR_S)


def _positive(text: str | None) -> float | None:
    try:
        rate = float(text or 0)
    except ValueError:
        return None
    return rate if rate > 0 and math.isfinite(rate) else None


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
        return RateLimited("Amazonの呼び出し回数の上限に達しました。しばらく待って再試行します。", detail=detail)
    if status >= 500 or code in PASSING or (status < 300 and not errors):
        return ChannelDown(PASSING_TROUBLE, detail=detail, uncertain=response.request.method != "GET")
    if status in (401, 403) or code == "Unauthorized":
        return _denied(str(first.get("details", "")), detail)
    kind = NotFound if status == 404 or code == "NotFound" else Refused
    return kind(f"Amazonが受け付けませんでした: {message or code or status}", detail=detail)


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
        return TokenRefused("Amazonのアクセストークンが拒否されました。認可を確認してください。", detail=detail)
    return CredentialsRefused(
        "Amazonに拒否されました。アプリの権限(ロール)、出品者ID、マーケットプレイスを確認し、"
        "権限を増やした場合は再認可してください。",
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
        "Amazonのファイル置き場が受け付けませんでした。もう一度実行してください。", detail=f"HTTP {status} storage"
    )
