"""Calls of the QAPI: the certification key, the five shapes of an answer, errors by method and code."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
import requests
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings as django_settings
from lxml import etree

from channels.connectors.alone import alone
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
from channels.connectors.qoo10 import codes
from oms.kernel import clock
from oms.kernel.said import said

SPACING_S = 0.34
RENEW_PAUSE_S = 600
KEY_LASTS_S = 330 * 24 * 3600
PASSING_TROUBLE = said("Qoo10が一時的に応答できません。自動で再試行します。")
PERSONAL = re.compile(r"[\w.+-]+@[\w.-]+|\d[\d-]{5,}")
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)


class KeyEnded(CredentialsRefused):
    """The certification key is expired or revoked; a new one can be made where the QSM login is registered."""


class QapiRefused(Refused):
    """`code` means what it means for `method` only."""

    def __init__(self, method: str, code: int, message: str) -> None:
        cause = codes.CAUSES.get((method, code), said("Qoo10が受け付けませんでした。"))
        super().__init__(
            said("%(text)s（%(code)s）", text=cause, code=code),
            detail=f"{method} {code} {PERSONAL.sub('…', message)[:200]}",
        )
        self.method, self.code = method, code


@dataclass(frozen=True, slots=True)
class Answer:
    """`rows` is the result as a list, whatever shape it came in; `code` is 0 unless the caller accepted others."""

    code: int
    rows: list[Any]


class Api:
    """One seller's access. Errors are `ChannelError` kinds."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self.settings = settings
        self.base_url = api_url(settings.base_url)
        self.redis: redis.Redis = redis.Redis.from_url(django_settings.REDIS_URL)
        limiter = Limiter({"*": Plan(SPACING_S)}, client=self.redis)
        self._http = Http(f"qoo10:{settings.shop_code}", classify, limiter)
        self._keys = Keys(self)

    def call(
        self, method: str, fields: Mapping[str, str], *, idempotent: bool = True, accept: tuple[int, ...] = ()
    ) -> Answer:
        """One method with the seller's key. Codes other than 0 and `accept` raise."""
        key = self._keys.current()
        try:
            return self.send(method, fields, key, idempotent=idempotent, accept=accept)
        except KeyEnded as ended:
            renewed = self._keys.renew(key, ended)
            return self.send(method, fields, renewed, idempotent=idempotent, accept=accept)

    def send(
        self, method: str, fields: Mapping[str, str], key: str, *, idempotent: bool, accept: tuple[int, ...] = ()
    ) -> Answer:
        response = self._http.call(
            "POST",
            f"{self.base_url}/{method}",
            operation=method,
            idempotent=idempotent,
            data={"returnType": "application/json", **fields},
            headers=headers(GiosisCertificationKey=key, QAPIVersion=codes.VERSIONS.get(method, "1.0")),
        )
        code, message, result = read_envelope(response.content, uncertain=not idempotent)
        if code == 0 or code in accept:
            return Answer(code, as_list(result))
        raise error_of(method, code, message, uncertain=not idempotent)


def api_url(base_url: str) -> str:
    """The API's root for an origin, a prefix or the whole URL; empty means the real one."""
    base = (base_url or codes.HOST).rstrip("/")
    return base if base.endswith(codes.PATH) else base + codes.PATH


# ---- the certification key -----------------------------------------------------------------------------------------


class Keys:
    """The seller's certification key: the registered one, or one made from the API key and the QSM login."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def current(self) -> str:
        """Raises CredentialsRefused when there is neither a key nor what makes one."""
        if key := self._made() or self._registered():
            return key
        return self._make(None)

    def renew(self, ended_key: str, ended: KeyEnded) -> str:
        """Another key for one that ended, at most once in ten minutes; raises `ended` where that is not possible."""
        with alone(self._api.redis, self._name):
            key = self._made()
            if key and key != ended_key:
                return key
            if not self._login() or not self._api.redis.set(f"{self._name}:renewed", "1", nx=True, ex=RENEW_PAUSE_S):
                raise ended
            return self._make(ended)

    def _make(self, ended: KeyEnded | None) -> str:
        api_key, user_id, password = self._login() or ("", "", "")
        if not api_key:
            raise CredentialsRefused(
                said(
                    "Qoo10の販売者認証キーが登録されていません。キーそのもの、"
                    "またはAPIキーとQSMのIDとパスワードを登録してください。"
                )
            )
        try:
            answer = self._api.send(codes.CREATE_KEY, {"user_id": user_id, "pwd": password}, api_key, idempotent=True)
        except (Refused, KeyEnded) as refused:
            raise CredentialsRefused(
                said("Qoo10が販売者認証キーを発行しません。APIキー、QSMのIDとパスワードを確認してください。"),
                detail=refused.detail,
            ) from ended
        key = str(answer.rows[0]) if answer.rows else ""
        if not key:
            raise CredentialsRefused(
                said("Qoo10が空の販売者認証キーを返しました。時間をおいてもう一度試してください。")
            )
        self._api.redis.set(self._name, self._cipher.encrypt(key.encode()), ex=KEY_LASTS_S)
        self._api.settings.save_credentials(
            {"certification_key": key, "certification_issued_at": clock.now().isoformat(timespec="seconds")}
        )
        return key

    def _registered(self) -> str:
        return self._api.settings.credentials.get("certification_key", "").strip()

    def _login(self) -> tuple[str, str, str] | None:
        get = self._api.settings.credentials.get
        login = (get("api_key", "").strip(), get("user_id", "").strip(), get("password", ""))
        return login if all(login) else None

    def _made(self) -> str:
        sealed = self._api.redis.get(self._name)
        if not isinstance(sealed, bytes):
            return ""
        try:
            return self._cipher.decrypt(sealed).decode()
        except InvalidToken:
            return ""

    @property
    def _secret(self) -> bytes:
        names = ("certification_key", "api_key", "user_id", "password")
        parts = [self._api.base_url, *(self._api.settings.credentials.get(name, "") for name in names)]
        return hashlib.sha256("\n".join(parts).encode()).digest()

    @property
    def _name(self) -> str:
        return f"qoo10:key:{hashlib.sha256(self._secret).hexdigest()[:32]}"

    @property
    def _cipher(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._secret))


# ---- answers -------------------------------------------------------------------------------------------------------


def classify(response: requests.Response) -> ChannelError | None:
    """Trouble that HTTP or the shape of the body tells; business errors come with status 200 and a code."""
    status, body = response.status_code, response.content.strip()
    detail = f"HTTP {status}"
    if status == 429:
        return RateLimited(said("Qoo10の呼び出しが多すぎます。間隔をあけて自動で再試行します。"), detail=detail)
    if status >= 500 or status in (408,) or 300 <= status < 400:
        return ChannelDown(PASSING_TROUBLE, detail=detail)
    if status != requests.codes.ok:
        return Refused(said("Qoo10の呼び出し先が正しくありません。店舗のURLを確認してください。"), detail=detail)
    if body.startswith(b"Can't find"):
        return Refused(said("Qoo10にこの機能がありません。"), detail=body[:100].decode("utf-8", "replace"))
    is_page = body[:200].lower().lstrip(b"\xef\xbb\xbf").startswith((b"<!doctype", b"<html"))
    if is_page or body[-1:] not in (b"}", b">"):
        return ChannelDown(PASSING_TROUBLE, detail="not an answer of the API")
    return None


def read_envelope(content: bytes, *, uncertain: bool) -> tuple[int, str, Any]:
    """(code, message, result) from JSON or XML. Raises ChannelDown for what is neither."""
    text = content.decode("utf-8-sig", errors="replace").strip()
    try:
        body = _from_xml(text) if text.startswith("<") else json.loads(text)
        code = body["ErrorCode"] if "ErrorCode" in body and "ResultCode" not in body else body["ResultCode"]
        return int(code), str(body.get("ResultMsg") or body.get("ErrorMsg") or ""), body.get("ResultObject")
    except (ValueError, KeyError, TypeError) as broken:
        raise ChannelDown(
            PASSING_TROUBLE, detail=f"unreadable answer: {type(broken).__name__}", uncertain=uncertain
        ) from None


def _from_xml(text: str) -> dict[str, Any]:
    try:
        root = etree.fromstring(text.encode(), PARSER)
    except etree.XMLSyntaxError:
        raise ValueError("not XML") from None
    for element in root.iter():
        element.tag = etree.QName(element).localname
    body: dict[str, Any] = {child.tag: child.text or "" for child in root if child.tag != "ResultObject"}
    result = root.find("ResultObject")
    if result is not None:
        body["ResultObject"] = _xml_result(result)
    return body


def _xml_result(result: Any) -> Any:
    if not len(result):
        return result.text or ""
    if all(len(child) for child in result):
        return [{field.tag: field.text or "" for field in child} for child in result]
    return {child.tag: _xml_result(child) for child in result}


def as_list(result: Any) -> list[Any]:
    """A result comes as a list, as one object, as null or as empty text."""
    if isinstance(result, list):
        return result
    return [] if result in (None, "") else [result]


def error_of(method: str, code: int, message: str, *, uncertain: bool) -> ChannelError:
    detail = f"{method} {code} {PERSONAL.sub('…', message)[:200]}"
    if code in codes.KEY_ENDED:
        return KeyEnded(codes.KEY_CAUSES[code], detail=detail)
    if code in codes.KEY_REFUSED:
        return CredentialsRefused(
            codes.KEY_CAUSES.get(code, said("Qoo10が認証を受け付けませんでした。認証情報を確認してください。")),
            detail=detail,
        )
    if code == codes.TRY_LATER:
        return ChannelDown(PASSING_TROUBLE, detail=detail, uncertain=uncertain)
    return QapiRefused(method, code, message)
