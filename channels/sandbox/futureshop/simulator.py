"""The futureshop simulator: tokens, the shop key, one call a second, and which call goes where."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any, ClassVar

from werkzeug import Request, Response

from channels.sandbox.faults import Fault
from channels.sandbox.futureshop import orders, stock, writes
from channels.sandbox.futureshop.answers import Refusal, failure
from channels.sandbox.model import Channel
from channels.sandbox.numbers import FUTURESHOP_SHOP_KEY
from channels.sandbox.simulator import Simulator, json_response, text_response

API = "/admin-api/v1"
TOKEN_PATH = "/oauth/token"
DETAIL = re.compile(rf"{API}/orders/(?P<number>[^/]+)")
CALLS_PER_SECOND, BURST = 1, 2
TOKEN_LIFE_S = 3600
MAINTENANCE = "<html><body>システムメンテナンス中です。</body></html>"

WRITES: dict[str, Callable[[Any, Any], Response]] = {
    f"{API}/shipping/status": writes.shipping_status,
    f"{API}/payment/status": writes.payment_status,
    f"{API}/order/complete": writes.complete,
    f"{API}/inventory": stock.write,
}


class FutureshopSimulator(Simulator):
    """Switches for tests: `denied` (paths after /v1/ without permission), `locked` and `store_pickup` (order numbers),
    `unmanaged` (product numbers without stock control), page sizes."""

    channel: ClassVar[Channel] = "futureshop"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.denied: set[str] = set()
        self.locked: set[str] = set()
        self.store_pickup: set[str] = set()
        self.unmanaged: set[str] = set()
        self.order_page = 120
        self.stock_page = 100
        self._readings: dict[str, Callable[[Request], Response]] = {
            f"{API}/shipping": lambda request: orders.search(self, request, self.order_page),
            f"{API}/inventory": lambda request: stock.read(self, request, self.stock_page),
            f"{API}/products": lambda request: stock.products(self, request),
        }

    def credentials(self) -> dict[str, str]:
        return {
            "client_id": "sandbox-futureshop-client",
            "client_secret": "sandbox-futureshop-secret",
            "shop_key": FUTURESHOP_SHOP_KEY,
        }

    def handle(self, request: Request) -> Response:
        if not self.bucket("client", per_second=CALLS_PER_SECOND, burst=BURST).take():
            return failure("TooManyRequests", 429)
        if request.path == TOKEN_PATH:
            return self._token(request)
        shop_key = request.headers.get("X-SHOP-KEY") == FUTURESHOP_SHOP_KEY
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not shop_key or self.tokens.check(bearer) != "valid":
            return failure("Unauthorized", 401)
        if request.path.removeprefix(f"{API}/").partition("/")[0] in self.denied:
            return failure("Forbidden", 403)
        try:
            return self._route(request)
        except Refusal as refusal:
            return refusal.response

    def _token(self, request: Request) -> Response:
        known = self.credentials()
        basic = base64.b64encode(f"{known['client_id']}:{known['client_secret']}".encode()).decode()
        good = (
            request.method == "POST"
            and request.headers.get("Authorization") == f"Basic {basic}"
            and request.headers.get("X-SHOP-KEY") == FUTURESHOP_SHOP_KEY
        )
        if not good:
            return json_response({"error": "invalid_client", "error_description": "Bad client credentials"}, 401)
        if request.mimetype != "application/x-www-form-urlencoded" or (
            request.form.get("grant_type") != "client_credentials"
        ):
            return json_response({"error": "unsupported_grant_type", "error_description": "grant_type"}, 400)
        token = self.tokens.issue(life_s=TOKEN_LIFE_S)
        return json_response({"access_token": token, "token_type": "bearer", "expires_in": TOKEN_LIFE_S})

    def _route(self, request: Request) -> Response:
        if request.method == "POST" and request.path in WRITES:
            return WRITES[request.path](self, _json(request))
        if request.method == "GET" and (found := DETAIL.fullmatch(request.path)):
            return orders.one(self, found["number"])
        reading = self._readings.get(request.path) if request.method == "GET" else None
        return reading(request) if reading else failure("NotFound", 404)

    def fault_response(self, fault: Fault, request: Request) -> Response:
        if fault.kind == "429":
            return failure("TooManyRequests", 429)
        if fault.kind == "revoked":
            if request.path == TOKEN_PATH:
                return json_response({"error": "invalid_client", "error_description": "Bad client credentials"}, 401)
            return failure("Unauthorized", 401)
        if fault.kind in ("503", "maintenance"):
            return text_response(MAINTENANCE, 503, content_type="text/html; charset=utf-8")
        return failure("InternalServerError", 500)


def _json(request: Request) -> Any:
    """The decoded body; a body must say that it is UTF-8 JSON. Raises Refusal."""
    if not re.fullmatch(r"application/json;\s*charset=utf-8", request.headers.get("Content-Type", ""), re.IGNORECASE):
        raise Refusal("InvalidValue", "Content-Type", 415)
    try:
        return json.loads(request.get_data().decode("utf-8"))
    except ValueError:
        raise Refusal("InvalidValue", "body") from None
