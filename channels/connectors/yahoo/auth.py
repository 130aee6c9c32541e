"""Access tokens (Yahoo! ID連携 v2) and the store's public-key proof.

One token serves every process until five minutes before its end, and one process at a time asks for the next. What
lies in Redis is encrypted with a key made of the credentials, so it is of no use without them.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass

import redis
import requests
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from requests.auth import AuthBase

from channels.connectors.alone import alone
from channels.connectors.contract import ChannelDown, ChannelError, ConnectorSettings, CredentialsRefused
from channels.connectors.http import Http, headers
from channels.connectors.yahoo.codes import AUTH_HOST, TOKEN_PATH
from oms.kernel import clock
from oms.kernel.said import said

EARLY_S = 300
CAUSES = {
    "invalid_grant": said(
        "Yahoo!ショッピングとの連携が切れました（4週間の期限切れ、またはパスワードや権限の変更）。"
        "もう一度連携してください。"
    ),
    "invalid_client": said(
        "Yahoo!のClient IDまたはシークレットが正しくありません。アプリケーションの設定を確認してください。"
    ),
    "unauthorized_client": said(
        "このYahoo!アプリケーションにはこの認証方法の許可がありません。アプリケーションの設定を確認してください。"
    ),
}
PASSING = {"server_error", "temporarily_unavailable"}


@dataclass
class Tokens:
    """The access tokens of one consent."""

    settings: ConnectorSettings
    http: Http
    client: redis.Redis

    def current(self) -> str:
        """A token good for some minutes more. Raises CredentialsRefused or ChannelDown."""
        if token := self._cached():
            return token
        with alone(self.client, self._key):
            return self._cached() or self._fetch()

    def forget(self, token: str) -> None:
        """Yahoo! called `token` expired. A newer one that another process stored meanwhile stays."""
        if self._cached() == token:
            self.client.delete(self._key)

    def _fetch(self) -> str:
        credentials = self.settings.credentials
        response = self.http.call(
            "POST",
            token_url(self.settings.auth_url),
            operation="token",
            idempotent=True,
            data={"grant_type": "refresh_token", "refresh_token": credentials.get("refresh_token", "")},
            auth=(credentials.get("client_id", ""), credentials.get("client_secret", "")),
            headers=headers(),
        )
        answer = response.json()
        token = str(answer["access_token"])
        self._store(token, lasts_s=int(answer.get("expires_in") or 3600))
        refreshed = str(answer.get("refresh_token") or "")
        if refreshed and refreshed != credentials.get("refresh_token"):
            self.settings.save_credentials({"refresh_token": refreshed})
        return token

    def _store(self, token: str, *, lasts_s: int) -> None:
        good_until = clock.now().timestamp() + lasts_s - min(EARLY_S, lasts_s / 2)
        sealed = self._cipher.encrypt(json.dumps([token, good_until]).encode())
        self.client.set(self._key, sealed, ex=max(lasts_s, 1))

    def _cached(self) -> str:
        sealed = self.client.get(self._key)
        if not isinstance(sealed, bytes):
            return ""
        try:
            token, good_until = json.loads(self._cipher.decrypt(sealed))
        except (InvalidToken, ValueError):
            return ""
        return str(token) if clock.now().timestamp() < good_until else ""

    @property
    def _secret(self) -> bytes:
        names = ("client_id", "client_secret", "refresh_token")
        parts = [self.settings.auth_url, *(self.settings.credentials.get(name, "") for name in names)]
        return hashlib.sha256("\n".join(parts).encode()).digest()

    @property
    def _key(self) -> str:
        return f"yahoo:token:{hashlib.sha256(self._secret).hexdigest()[:32]}"

    @property
    def _cipher(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._secret))


def token_url(auth_url: str) -> str:
    """The token endpoint for an origin, a prefix or the whole URL; empty means the real one."""
    base = (auth_url or AUTH_HOST).rstrip("/")
    return base if base.endswith(TOKEN_PATH) else base + TOKEN_PATH


def classify_token(response: requests.Response) -> ChannelError | None:
    """Errors of the token endpoint, which are OAuth's JSON."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    if response.status_code == requests.codes.ok and answer.get("access_token"):
        return None
    code = str(answer.get("error", ""))[:40]
    detail = f"HTTP {response.status_code} {code}".strip()
    if response.status_code in (400, 401, 403) and code not in PASSING:
        return CredentialsRefused(
            CAUSES.get(code, said("Yahoo!の認証が拒否されました。認証情報を確認してください。")), detail=detail
        )
    return ChannelDown(said("Yahoo!の認証サーバーが応答しません。自動で再試行します。"), detail=detail)


@dataclass(frozen=True, slots=True)
class StoreKey:
    """The store's public key, with which each order call proves that it comes from the store."""

    seller_id: str
    key: RSAPublicKey
    version: str

    def headers(self) -> dict[str, str]:
        """Fresh values: the text carries the time, the padding is random."""
        text = f"{self.seller_id}:{int(clock.now().timestamp())}"
        sealed = self.key.encrypt(text.encode(), padding.PKCS1v15())
        return {
            "X-sws-signature": base64.b64encode(sealed).decode(),
            "X-sws-signature-version": self.version,
        }


def store_key(credentials: dict[str, str]) -> StoreKey | None:
    """The key of the credentials, or None when none is registered. Raises CredentialsRefused for a broken one."""
    text = credentials.get("public_key", "").strip()
    if not text:
        return None
    try:
        key = load_pem_public_key(tidy_pem(text).encode())
    except (ValueError, UnsupportedAlgorithm) as broken:
        raise CredentialsRefused(
            said(
                "Yahoo!の公開鍵を読み取れません。ストアクリエイターProの暗号鍵管理から、"
                "BEGINとENDの行も含めて登録し直してください。"
            ),
            detail=type(broken).__name__,
        ) from broken
    if not isinstance(key, RSAPublicKey):
        raise CredentialsRefused(
            said("Yahoo!の公開鍵がRSA鍵ではありません。暗号鍵管理の公開鍵を登録し直してください。")
        )
    return StoreKey(credentials.get("seller_id", ""), key, credentials.get("public_key_version", "").strip() or "1")


def tidy_pem(text: str) -> str:
    """A PEM whose line breaks were lost (pasted into one line, or written as a backslash and an n)."""
    found = re.search(r"-----BEGIN ([A-Z ]+)-----(.*?)-----END \1-----", text.replace("\\n", "\n"), re.S)
    if not found:
        raise ValueError("no PEM")
    body = "".join(found[2].split())
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {found[1]}-----", *lines, f"-----END {found[1]}-----", ""])


class BearerAuth(AuthBase):
    """Signs each single try, so that a repeated call carries a fresh proof. Holds the token it used."""

    def __init__(self, tokens: Tokens, key: StoreKey | None) -> None:
        self._tokens, self._key = tokens, key
        self.token = ""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self.token = self._tokens.current()
        request.headers["Authorization"] = f"Bearer {self.token}"
        if self._key:
            request.headers.update(self._key.headers())
        return request
