"""Bearer tokens of the admin API, shared between processes through Redis; one process at a time asks for the next.

What lies in Redis is encrypted with a key made of the credentials, so it is of no use without them.
"""

import base64
import hashlib
import json
from dataclasses import dataclass

import redis
import requests
from cryptography.fernet import Fernet, InvalidToken

from channels.connectors.alone import alone
from channels.connectors.contract import ChannelDown, ChannelError, ConnectorSettings, CredentialsRefused, RateLimited
from channels.connectors.futureshop import wire
from channels.connectors.http import Http, headers
from oms.kernel import clock
from oms.kernel.said import said

WRONG = said(
    "futureshopの認証に失敗しました。APIキー、APIパスワード、店舗KEYと、"
    "このサーバーのIPアドレスがfutureshopに登録されているかを確認してください。"
)


@dataclass
class Tokens:
    """The tokens of one client at one shop."""

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
        """The API refused `token`. A newer one that another process stored meanwhile stays."""
        if self._cached() == token:
            self.client.delete(self._key)

    def _fetch(self) -> str:
        credentials = self.settings.credentials
        response = self.http.call(
            "POST",
            token_url(self.settings),
            operation="token",
            idempotent=True,
            data={"grant_type": "client_credentials"},
            auth=(credentials.get("client_id", ""), credentials.get("client_secret", "")),
            headers=headers(**{"X-SHOP-KEY": credentials.get("shop_key", "")}),
        )
        answer = response.json()
        token, lasts_s = str(answer["access_token"]), int(answer.get("expires_in") or 3600)
        good_until = clock.now().timestamp() + lasts_s - min(wire.TOKEN_EARLY_S, lasts_s / 2)
        sealed = self._cipher.encrypt(json.dumps([token, good_until]).encode())
        self.client.set(self._key, sealed, ex=max(lasts_s, 1))
        return token

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
        names = ("client_id", "client_secret", "shop_key")
        parts = [token_url(self.settings), *(self.settings.credentials.get(name, "") for name in names)]
        return hashlib.sha256("\n".join(parts).encode()).digest()

    @property
    def _key(self) -> str:
        return f"futureshop:token:{hashlib.sha256(self._secret).hexdigest()[:32]}"

    @property
    def _cipher(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._secret))


def token_url(settings: ConnectorSettings) -> str:
    """The token endpoint for an origin, a prefix or the whole URL; it lives on the API's own host by default."""
    base = (settings.auth_url or settings.base_url).rstrip("/")
    return base if base.endswith(wire.TOKEN_PATH) else base + wire.TOKEN_PATH


def classify_token(response: requests.Response) -> ChannelError | None:
    """The token endpoint answers in OAuth's shape."""
    status = response.status_code
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if status == 200 and isinstance(answer, dict) and answer.get("access_token"):
        return None
    detail = f"HTTP {status} {str(answer.get('error', ''))[:40] if isinstance(answer, dict) else ''}".strip()
    if status == 429:
        return RateLimited(said("futureshopの呼び出し回数の上限に達しました。自動で再試行します。"), detail=detail)
    if 400 <= status < 500:
        return CredentialsRefused(WRONG, detail=detail)
    return ChannelDown(said("futureshopの認証サーバーが応答しません。自動で再試行します。"), detail=detail)
