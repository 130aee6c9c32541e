"""Access tokens of Login with Amazon, shared between processes through Redis.

One token serves every worker until a minute before its end; one process at a time asks for a new one. What lies in
Redis is encrypted with a key made of the credentials, so it is of no use without them.
"""

import base64
import hashlib
import json
from dataclasses import dataclass

import redis
import requests
from cryptography.fernet import Fernet, InvalidToken

from channels.connectors.alone import alone
from channels.connectors.contract import ChannelDown, ChannelError, ConnectorSettings, CredentialsRefused
from channels.connectors.http import Http, headers
from oms.kernel import clock
from oms.kernel.said import said

HOST = "https://api.amazon.com"
PATH = "/auth/o2/token"
EARLY_S = 60

CAUSES = {
    "invalid_grant": said(
        "Amazonの認可が無効です(取り消しまたは期限切れ)。セラーセントラルで再認可し、"
        "リフレッシュトークンを登録し直してください。"
    ),
    "invalid_client": said(
        "Amazonのクライアントシークレットが正しくないか期限切れです(180日ごとに更新)。新しい値を登録してください。"
    ),
    "invalid_scope": said("このAmazonアプリには通知の権限がありません。アプリの設定を確認してください。"),
    "unauthorized_client": said("このAmazonアプリには許可がありません。アプリの設定を確認してください。"),
}
PASSING = {"server_error", "temporarily_unavailable", "slow_down"}


@dataclass
class Tokens:
    """The access tokens of one shop's credentials. With a `scope` they are the application's own, of no seller."""

    settings: ConnectorSettings
    http: Http
    client: redis.Redis
    scope: str = ""

    def current(self) -> str:
        """A token that is good for a minute more. Raises CredentialsRefused or ChannelDown."""
        if token := self._cached():
            return token
        with alone(self.client, self._key):
            return self._cached() or self._fetch()

    def forget(self, token: str) -> None:
        """The channel refused `token`. Another process may have stored a newer one, which stays."""
        if self._cached() == token:
            self.client.delete(self._key)

    def _fetch(self) -> str:
        credentials = self.settings.credentials
        if self.scope:
            grant = {"grant_type": "client_credentials", "scope": self.scope}
        else:
            grant = {"grant_type": "refresh_token", "refresh_token": credentials.get("refresh_token", "")}
        form = {
            **grant,
            "client_id": credentials.get("client_id", ""),
            "client_secret": credentials.get("client_secret", ""),
        }
        response = self.http.call(
            "POST",
            token_url(self.settings.auth_url),
            operation="token",
            idempotent=True,
            data=form,
            headers=headers(**{"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}),
        )
        answer = response.json()
        token, lasts_s = str(answer["access_token"]), float(answer.get("expires_in") or 3600)
        self._store(token, lasts_s)
        return token

    def _store(self, token: str, lasts_s: float) -> None:
        good_until = clock.now().timestamp() + lasts_s - EARLY_S
        sealed = self._cipher.encrypt(json.dumps([token, good_until]).encode())
        self.client.set(self._key, sealed, ex=max(int(lasts_s), 1))

    def _cached(self) -> str:
        sealed = self.client.get(self._key)
        if not isinstance(sealed, bytes):
            return ""
        try:
            token, good_until = json.loads(self._cipher.decrypt(sealed))
        except (InvalidToken, ValueError):
            return ""
        return token if clock.now().timestamp() < good_until else ""

    @property
    def _secret(self) -> bytes:
        credentials = self.settings.credentials
        parts = [
            self.settings.auth_url,
            *([self.scope] if self.scope else []),
            *(credentials.get(name, "") for name in ("client_id", "client_secret", "refresh_token")),
        ]
        return hashlib.sha256("\n".join(parts).encode()).digest()

    @property
    def _key(self) -> str:
        return f"amazon:token:{hashlib.sha256(self._secret).hexdigest()[:32]}"

    @property
    def _cipher(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._secret))


def token_url(auth_url: str) -> str:
    """The token endpoint for an origin, a prefix, or the whole URL; empty means the real one."""
    base = (auth_url or HOST).rstrip("/")
    return base if base.endswith(PATH) else base + PATH


def classify_token(response: requests.Response) -> ChannelError | None:
    """Errors of the token endpoint, which have OAuth's shape and not the one of the API."""
    code, answer = _oauth_answer(response)
    if response.status_code == requests.codes.ok and "access_token" in answer:
        return None
    if 400 <= response.status_code < 500 and response.status_code not in (408, 429) and code not in PASSING:
        cause = CAUSES.get(code, said("Amazonの認証が拒否されました。登録した認証情報を確認してください。"))
        return CredentialsRefused(cause, detail=f"HTTP {response.status_code} {code}")
    return ChannelDown(
        said("Amazonの認証サーバーが応答しません。自動で再試行します。"), detail=f"HTTP {response.status_code} {code}"
    )


def _oauth_answer(response: requests.Response) -> tuple[str, dict[str, object]]:
    try:
        answer = response.json()
    except ValueError:
        return "", {}
    return (str(answer.get("error", ""))[:40], answer) if isinstance(answer, dict) else ("", {})
