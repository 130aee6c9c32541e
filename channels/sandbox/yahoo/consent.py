"""The page on which a person lets an application in, and the codes it gives out.

The real page asks for a login first; here there is nobody to log in as, so it only asks.
"""

import html
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug import Request, Response

AUTHORIZATION_PATH = "/yconnect/v2/authorization"
CODE_LIFE = timedelta(minutes=10)
PAGE = """<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>アプリケーション連携の確認</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="font-family: sans-serif; max-width: 32rem; margin: 4rem auto; line-height: 1.7">
<h1 style="font-size: 1.2rem">アプリケーションに連携を許可しますか</h1>
<p>ストア「{seller}」の注文と在庫の情報に、アプリケーションがアクセスします。</p>
<form method="post" action="{action}">{hidden}
<button name="answer" value="allow">同意する</button> <button name="answer" value="deny">同意しない</button></form>
<p style="color: #666">これは練習用のモールです。</p></body></html>"""


@dataclass(frozen=True)
class Code:
    redirect_uri: str
    until: datetime


class Consents:
    """Codes that were given and not used yet. Thread-safe."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = {}
        self._lock = threading.Lock()

    def page(self, request: Request, client_id: str, seller: str, now: datetime) -> Response:
        """GET asks; POST sends the person back with a code, or with the refusal."""
        asked = request.args if request.method == "GET" else request.form
        wrong = _wrong(asked, client_id)
        if wrong:
            return Response(
                f"<html><body>{html.escape(wrong)}</body></html>", 400, content_type="text/html; charset=utf-8"
            )
        if request.method == "GET":
            names = ("response_type", "client_id", "redirect_uri", "scope", "state")
            hidden = "".join(
                f'<input type="hidden" name="{name}" value="{html.escape(asked.get(name, ""))}">' for name in names
            )
            action = html.escape(request.script_root + request.path)
            text = PAGE.format(seller=html.escape(seller), hidden=hidden, action=action)
            return Response(text, content_type="text/html; charset=utf-8")
        return self._send_back(asked, now)

    def _send_back(self, asked: Any, now: datetime) -> Response:
        back: dict[str, str] = {"state": asked.get("state", "")}
        if asked.get("answer") == "allow":
            back["code"] = secrets.token_urlsafe(12)
            with self._lock:
                self._codes[back["code"]] = Code(asked["redirect_uri"], now + CODE_LIFE)
        else:
            back |= {"error": "access_denied", "error_description": "user denied"}
        joint = "&" if urlsplit(asked["redirect_uri"]).query else "?"
        return Response(status=302, headers={"Location": f"{asked['redirect_uri']}{joint}{urlencode(back)}"})

    def use(self, code: str, redirect_uri: str, now: datetime) -> bool:
        """True once per code, within its life, for the address it was given to."""
        with self._lock:
            given = self._codes.pop(code, None)
        return given is not None and given.redirect_uri == redirect_uri and now <= given.until


def _wrong(asked: Any, client_id: str) -> str:
    if asked.get("client_id") != client_id:
        return "invalid_client: unknown client_id"
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if not asked.get("redirect_uri", "").startswith(("http://", "https://")):
        return "invalid_request: redirect_uri"
    return ""
