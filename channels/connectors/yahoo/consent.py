"""A person agrees in the browser (Yahoo! ID連携 v2, authorization code): the way to a refresh token."""

from collections.abc import Mapping
from urllib.parse import urlencode

from channels.connectors.contract import ConnectorSettings, CredentialsRefused
from channels.connectors.http import Http, headers
from channels.connectors.limits import Limiter, Plan
from channels.connectors.yahoo.auth import classify_token, token_url
from channels.connectors.yahoo.codes import TOKEN_PATH
from oms.kernel.said import said

AUTHORIZATION_PATH = "/yconnect/v2/authorization"
PLANS = {"token": Plan(1.05)}


def authorization_url(settings: ConnectorSettings, redirect_uri: str, state: str) -> str:
    """`redirect_uri` must be the one registered with the application."""
    query = {
        "response_type": "code",
        "client_id": settings.credentials.get("client_id", ""),
        "redirect_uri": redirect_uri,
        "scope": "openid profile",
        "bail": "1",
        "state": state,
    }
    root = token_url(settings.auth_url).removesuffix(TOKEN_PATH)
    return f"{root}{AUTHORIZATION_PATH}?{urlencode(query)}"


def exchange(settings: ConnectorSettings, code: str, redirect_uri: str) -> Mapping[str, str]:
    """The refresh token that the code stands for. A code is good once, so a lost answer needs another consent."""
    http = Http(settings.shop_code, classify_token, Limiter(PLANS))
    response = http.call(
        "POST",
        token_url(settings.auth_url),
        operation="token",
        idempotent=False,
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri},
        auth=(settings.credentials.get("client_id", ""), settings.credentials.get("client_secret", "")),
        headers=headers(),
    )
    refreshed = str(response.json().get("refresh_token") or "")
    if not refreshed:
        raise CredentialsRefused(
            said("Yahoo!からリフレッシュトークンを受け取れませんでした。もう一度連携してください。")
        )
    return {"refresh_token": refreshed}
