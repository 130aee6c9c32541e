"""Calls of the store APIs: three request styles, limits per API and application, errors by kind."""

import codecs
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
import requests
import structlog
from django.conf import settings as django_settings
from lxml import etree

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
from channels.connectors.yahoo import codes
from channels.connectors.yahoo.auth import BearerAuth, Tokens, classify_token, store_key
from oms.kernel.said import said

log = structlog.get_logger(__name__)

SPACING_S = 1.05  # one query a second per URL, for the whole application
PASSING_TROUBLE = said("Yahoo!ショッピングが一時的に応答できません。自動で再試行します。")
SIGNATURE_HEADER = "X-SWS-Authorize-Status"
FAILED_ROOT = re.compile(rb"^\s*(?:<\?xml[^>]*\?>\s*)?<(?:\w+:)?Error[\s>]")
FAILED_STATUS = re.compile(rb"<Status>\s*NG\s*</Status>")
PERSONAL = re.compile(r"[\w.+-]+@[\w.-]+|\d[\d-]{5,}")

PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)

UNSIGNED = said(
    "公開鍵認証が効いていないため、Yahoo!の12時間の制限で止まりました。"
    "公開鍵とバージョンを確認して登録し直し、もう一度連携してください。"
)
CREDENTIAL_CAUSES = {
    "px-04102": UNSIGNED,
    "px-14303": UNSIGNED,
    "px-04303": said("このYahoo!アプリケーションには注文APIの利用許可がありません。Yahoo!に利用を申請してください。"),
    "px-04306": said("このサーバーのIPアドレスがYahoo!に登録されていません。固定IPを登録してください。"),
    "px-04307": said("このYahoo!アプリケーションの利用が許可されていません。申請の状態を確認してください。"),
}
CAUSES = {
    "od90101": said("Yahoo!がリクエストの内容を受け付けませんでした。"),
    "od91801": said("この注文はYahoo!ショッピングに見つかりません。"),
    "st-02101": said("商品コードがYahoo!ショッピングに受け付けられません。商品コードを確認してください。"),
    "st-02104": said("在庫数がYahoo!ショッピングに受け付けられません。"),
}
TRANSIENT = {"od91001", "od91133", "ed-00006", "im-02001"}


class TokenExpired(CredentialsRefused):
    """The access token ended: ask for another one, once."""


class YahooRefused(Refused):
    """`code` is Yahoo!'s (od91801 …)."""

    def __init__(self, cause: str, *, code: str, detail: str = "") -> None:
        super().__init__(cause, detail=detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. `status` is 200, or 207 where only part of a stock batch was good."""

    root: Any
    text: str
    status: int


class Api:
    """One store's access. Errors are `ChannelError` kinds."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self.settings = settings
        self.seller_id = settings.credentials.get("seller_id", "")
        self.base_url = api_url(settings.base_url)
        self.redis: redis.Redis = redis.Redis.from_url(django_settings.REDIS_URL)
        self.signed: bool | None = None  # whether the last order call was accepted as signed; None before the first
        self.fields_refused = False  # Yahoo! did not know one of the names we ask for
        application = hashlib.sha256(settings.credentials.get("client_id", "").encode()).hexdigest()[:16]
        limiter = Limiter(
            {name: Plan(SPACING_S) for name in (*codes.ORDER_APIS, *codes.OTHER_APIS, "token")}, client=self.redis
        )
        session = requests.Session()
        self._http = Http(f"yahoo:{application}", classify, limiter, session)
        self._tokens = Tokens(settings, Http(f"yahoo:{application}", classify_token, limiter, session), self.redis)
        self._key_checked = False
        self._store_key: Any = None

    @property
    def has_key(self) -> bool:
        return self._key() is not None

    def order_call(self, name: str, request: Any, *, idempotent: bool) -> Answer:
        """POST an XML request (see `req`) to an order API."""
        body = etree.tostring(request, encoding="UTF-8", xml_declaration=True)
        return self._call(
            "POST",
            name,
            idempotent=idempotent,
            data=body,
            headers=headers(**{"Content-Type": "application/xml; charset=utf-8"}),
        )

    def form(self, name: str, fields: Mapping[str, str], *, idempotent: bool) -> Answer:
        """POST a form to a stock API."""
        return self._call(
            "POST", name, idempotent=idempotent, data={"seller_id": self.seller_id, **fields}, headers=headers()
        )

    def get(self, name: str, query: Mapping[str, str | int]) -> Answer:
        return self._call("GET", name, idempotent=True, params=query, headers=headers())

    def _call(self, method: str, name: str, *, idempotent: bool, **kwargs: Any) -> Answer:
        is_order_api = name in codes.ORDER_APIS
        auth = BearerAuth(self._tokens, self._key() if is_order_api else None)
        for last in (False, True):
            try:
                response = self._http.call(
                    method, f"{self.base_url}/{name}", operation=name, idempotent=idempotent, auth=auth, **kwargs
                )
                break
            except TokenExpired:
                self._tokens.forget(auth.token)
                if last:
                    raise
        if is_order_api:
            self._note_signature(response)
        return read_answer(response, uncertain=not idempotent)

    def _note_signature(self, response: requests.Response) -> None:
        self.signed = response.headers.get(SIGNATURE_HEADER, "").lower() == "authorized"
        if not self.signed:
            log.warning("yahoo_signature_not_accepted", shop=self.settings.shop_code, has_key=self.has_key)

    def _key(self) -> Any:
        if not self._key_checked:
            self._store_key, self._key_checked = store_key(dict(self.settings.credentials)), True
        return self._store_key


def api_url(base_url: str) -> str:
    """The API's root for an origin, a prefix or the whole URL; empty means the real one."""
    base = (base_url or codes.HOST).rstrip("/")
    return base if base.endswith(codes.API_PATH) else base + codes.API_PATH


def req(seller_id: str, **parts: Any) -> Any:
    """`<Req>…<SellerId/></Req>` from nested mappings; None is left out."""
    root = etree.Element("Req")
    _append(root, parts)
    etree.SubElement(root, "SellerId").text = seller_id
    return root


def _append(parent: Any, parts: Mapping[str, Any]) -> None:
    for name, value in parts.items():
        if value is None:
            continue
        child = etree.SubElement(parent, name)
        if isinstance(value, Mapping):
            _append(child, value)
        else:
            child.text = str(value)


# ---- answers -------------------------------------------------------------------------------------------------------


def read_xml(content: bytes) -> Any:
    """The root element, names without namespace. Raises ValueError for anything that is no plain XML.

    What buyers paste may hold control characters or bytes of another encoding; these are dropped, the rest is read.
    """
    try:
        root = etree.fromstring(content, PARSER)
    except etree.XMLSyntaxError:
        try:
            root = etree.fromstring(_cleaned(content), PARSER)
        except etree.XMLSyntaxError as broken:
            raise ValueError("not XML") from broken
    if b"<!DOCTYPE" in content and root.getroottree().docinfo.doctype:
        raise ValueError("a document type is not accepted")
    if b"xmlns" in content:
        for element in root.iter():
            element.tag = etree.QName(element).localname
    return root


ENCODING = re.compile(rb"^\s*<\?xml[^>]*encoding=[\"']([\w.:-]+)[\"']")
CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F])|0*(?:[0-8]|1[124-9]|2\\d|3[01]));"
)


def declared_encoding(content: bytes) -> str:
    """The encoding that the XML names itself, in lower case; "utf-8" when it names none or one nobody knows."""
    found = ENCODING.match(content)
    name = found[1].decode("ascii").lower() if found else "utf-8"
    try:
        return codecs.lookup(WIDER.get(name, name)).name
    except LookupError:
        return "utf-8"


# Their everyday supersets: NEC and IBM characters (髙, ①) are no part of the narrower ones.
WIDER = {
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "windows-31j": "cp932",
    "x-sjis": "cp932",
    "euc-jp": "euc_jis_2004",
}


def _cleaned(content: bytes) -> bytes:
    text = content.decode(declared_encoding(content), errors="replace")
    body = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff"))
    return CONTROL.sub("", body).encode("utf-8", "replace")


def text_of(element: Any, path: str) -> str:
    """Stripped text of the first match, "" when it is missing or empty."""
    return (element.findtext(path) or "").strip()


def read_answer(response: requests.Response, *, uncertain: bool) -> Answer:
    try:
        root = read_xml(response.content)
    except ValueError as broken:
        raise ChannelDown(PASSING_TROUBLE, detail=f"unreadable answer: {broken}", uncertain=uncertain) from broken
    if declared_encoding(response.content) == "utf-8":
        text = response.content.decode("utf-8-sig", errors="replace")
    else:
        text = etree.tostring(root, encoding="unicode")  # kept as text, so its old declaration would be wrong
    return Answer(root, text, response.status_code)


def classify(response: requests.Response) -> ChannelError | None:
    """The error an answer tells, by HTTP status first, or None."""
    status = response.status_code
    if status in (200, 207) and not _says_failed(response.content):
        return None
    code, message = read_error(response)
    detail = f"HTTP {status} {code} {PERSONAL.sub('…', message)[:200]}".strip()
    if code in CREDENTIAL_CAUSES:
        return CredentialsRefused(CREDENTIAL_CAUSES[code], detail=detail)
    if status in (401, 403):
        return _denied(status, code, f"{message} {response.headers.get('WWW-Authenticate', '')}", detail)
    if status == 429:
        return RateLimited(
            said("Yahoo!の呼び出し回数の制限に達しました。間隔をあけて自動で再試行します。"), detail=detail
        )
    if status in (200, 207, 400, 404) and code not in TRANSIENT and (code or message):
        cause = CAUSES.get(code, said("Yahoo!ショッピングが受け付けませんでした。"))
        return YahooRefused(
            said("%(text)s（%(code)s）", text=cause, code=code) if code else cause, code=code, detail=detail
        )
    return ChannelDown(PASSING_TROUBLE, detail=detail, uncertain=True)


def _denied(status: int, code: str, words: str, detail: str) -> ChannelError:
    if status == 401:
        kind = TokenExpired if "expired token" in words else CredentialsRefused
        return kind(said("Yahoo!が認証を受け付けませんでした。もう一度連携してください。"), detail=detail)
    if code.startswith("px-") or "insufficient_scope" in words:
        return CredentialsRefused(
            said("Yahoo!がこの操作を許可していません。権限と申請の状態を確認してください。"), detail=detail
        )
    # A burst above one call a second, the application's 50,000 calls a day, and an unknown client look alike.
    return RateLimited(
        said(
            "Yahoo!への呼び出しが一時的に止められました（毎秒または1日の上限）。自動で再試行します。"
            "続く場合はClient IDを確認してください。"
        ),
        detail=detail,
    )


def _says_failed(content: bytes) -> bool:
    # What a buyer wrote can look like anything, so only what stands before the data is read.
    head = content[:600].split(b"<OrderInfo", 1)[0]
    return bool(FAILED_ROOT.match(head) or FAILED_STATUS.search(head))


def read_error(response: requests.Response) -> tuple[str, str]:
    """(code, message); both may be empty."""
    try:
        root = read_xml(response.content)
    except ValueError:
        return "", ""
    error = root if root.tag == "Error" else root.find(".//Error")
    if error is None:
        return "", ""
    message, detail = text_of(error, "Message"), text_of(error, "Detail")
    return text_of(error, "Code")[:40], f"{message} {detail}".strip()
