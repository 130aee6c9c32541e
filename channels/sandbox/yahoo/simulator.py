"""The Yahoo! simulator: tokens, the public-key proof, the limit per URL, and which call goes where."""

import base64
import binascii
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from werkzeug import Request, Response

from channels.sandbox.faults import Fault
from channels.sandbox.model import Channel
from channels.sandbox.numbers import JST, YAHOO_SELLER_ID
from channels.sandbox.simulator import Simulator, json_response
from channels.sandbox.world import World
from channels.sandbox.yahoo import amend, changes, keys, orders, stock
from channels.sandbox.yahoo.consent import AUTHORIZATION_PATH, Consents
from channels.sandbox.yahoo.wire import Refusal, error, read_request, value

API = "/ShoppingWebService/V1/"
TOKEN_PATH = "/yconnect/v2/token"
KEY_VERSION = "3"
CLOCK_TOLERANCE = timedelta(minutes=5)
UNSIGNED_LIFE = timedelta(hours=12)
CALLS_PER_SECOND, BURST = 1, 5
REALM = 'Bearer realm="yahooapis.jp", error="invalid_token", error_description='
EXPIRED, INVALID = f'{REALM}"expired token"', f'{REALM}"invalid token"'

ORDER_CALLS: dict[str, Callable[[Any, Any], Response]] = {
    "orderList": orders.order_list,
    "orderInfo": orders.order_info,
    "orderStatusChange": changes.status_change,
    "orderShipStatusChange": changes.ship_status_change,
    "orderPayStatusChange": changes.pay_status_change,
    "orderChange": amend.order_change,
}
FORM_CALLS: dict[str, Callable[[Any, Any], Response]] = {"setStock": stock.set_stock, "getStock": stock.get_stock}
QUERY_CALLS: dict[str, Callable[[Any, Any], Response]] = {
    "getItem": stock.get_item,
    "myItemList": stock.my_item_list,
    **FORM_CALLS,
}


class YahooSimulator(Simulator):
    """Switches for tests:

    - `settles_after_s`: completing is refused so long after the shipment
    - `consent_life`: after which the refresh token is dead; None is never
    - `partial_stock_applies`: whether the good rows of a stock call with bad ones are applied
    - `token_life_s`; `burst`: calls that may come at once (the real one knows 1; a fast clock makes two calls meet)
    - `calls_a_day`: after which everything is forbidden until midnight in Japan
    - `cancels_after_s`: cancellations are accepted for later
    - `authorization_ended`: cards cannot be captured any more
    - `refuses`: a px code with which every order call is turned down
    - `forgotten_fields`: names in `Field` that are no longer known
    """

    channel: ClassVar[Channel] = "yahoo"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.settles_after_s = 0.0
        self.consent_life: timedelta | None = None
        self.partial_stock_applies = True
        self.token_life_s = 3600.0
        self.consents = Consents()
        self.burst = BURST
        self.cancels_after_s = 0.0
        self.authorization_ended = False
        self.refuses = ""
        self.forgotten_fields: frozenset[str] = frozenset()
        self.calls_a_day = 50_000
        self._called = (self.now().astimezone(JST).date(), 0)

    # ---- credentials -----------------------------------------------------------------------------------------------

    def credentials(self) -> dict[str, str]:
        return {
            "client_id": "dj00aiZpPXNhbmRib3hha2FyaSZzPWNvbnN1bWVyc2VjcmV0Jng9MDA-",
            "client_secret": "sandbox-yahoo-secret",
            "refresh_token": "sandbox-yahoo-refresh",
            "seller_id": YAHOO_SELLER_ID,
            "public_key": keys.public_pem(self._key),
            "public_key_version": KEY_VERSION,
        }

    @property
    def _key(self) -> rsa.RSAPrivateKey:
        return keys.private_key(f"order-desk sandbox {YAHOO_SELLER_ID}")

    @property
    def consented_at(self) -> datetime:
        """When a person last logged in for this shop."""
        told = self.world.recall("yahoo", "consented_at")
        if told:
            return datetime.fromisoformat(told)
        self.consent()
        return self.consented_at

    def consent(self) -> None:
        """A person logs in again."""
        self.world.remember("yahoo", "consented_at", self.now().isoformat())

    def _consented(self) -> dict[str, str]:
        """Refresh tokens that consents gave → when."""
        told: dict[str, str] = self.world.recall("yahoo", "refresh_tokens", {})
        return told

    def _refresh_token_is_good(self, token: str) -> bool:
        """Each consent's token lives by itself; a new consent does not end the one before it."""
        if token == self.credentials()["refresh_token"]:
            given = self.consented_at
        elif told := self._consented().get(token):
            given = datetime.fromisoformat(told)
        else:
            return False
        return self.consent_life is None or self.now() <= given + self.consent_life

    # ---- calls -----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        doors = {TOKEN_PATH: self._token, AUTHORIZATION_PATH: self._ask}
        if request.path in doors:
            return doors[request.path](request)
        if not request.path.startswith(API):
            return Response("<html><body>Not Found</body></html>", 404, content_type="text/html")
        name = request.path.removeprefix(API)
        if self._day_is_used_up() or not self.bucket(name, per_second=CALLS_PER_SECOND, burst=self.burst).take():
            return error(403, "", "Your Request was Forbidden")
        denied = self._denied(request)
        if denied is not None:
            return denied
        changes.cancel_what_is_due(self)
        try:
            return self._answer(name, request)
        except Refusal as refusal:
            return refusal.response()

    def _day_is_used_up(self) -> bool:
        today, (day, calls) = self.now().astimezone(JST).date(), self._called
        self._called = (today, calls + 1 if day == today else 1)
        return self._called[1] > self.calls_a_day

    def _answer(self, name: str, request: Request) -> Response:
        if self.refuses and (name in ORDER_CALLS or name == "orderCount"):
            raise Refusal(403, self.refuses, "Your Request was Forbidden")
        if name in ORDER_CALLS and request.method == "POST":
            return self._signed(request, lambda: ORDER_CALLS[name](self, self._req(request)))
        if name == "orderCount" and request.method == "GET":
            self._require_seller(request.args.get("sellerId", ""))
            return self._signed(request, lambda: orders.order_count(self))
        if name in FORM_CALLS and request.method == "POST":
            self._require_seller(request.form.get("seller_id", ""))
            return FORM_CALLS[name](self, request.form)
        if name in QUERY_CALLS and request.method == "GET":
            self._require_seller(request.args.get("seller_id", ""))
            return QUERY_CALLS[name](self, request.args)
        return Response("<html><body>Not Found</body></html>", 404, content_type="text/html")

    def _req(self, request: Request) -> Any:
        root = read_request(request)
        self._require_seller(value(root, "SellerId"))
        return root

    def _require_seller(self, seller_id: str) -> None:
        if seller_id != YAHOO_SELLER_ID:
            raise Refusal(400, "px-04001", '"seller_id" is not specified')

    # ---- who calls -------------------------------------------------------------------------------------------------

    def _ask(self, request: Request) -> Response:
        return self.consents.page(request, self.credentials()["client_id"], YAHOO_SELLER_ID, self.now())

    def _token(self, request: Request) -> Response:
        known = self.credentials()
        given = request.authorization
        client = given and (given.type, given.username, given.password)
        if client != ("basic", known["client_id"], known["client_secret"]):
            return _oauth_error(401, "invalid_client", "invalid client credentials")
        grant = request.form.get("grant_type") if request.method == "POST" else ""
        if grant == "authorization_code":
            return self._first_token(request)
        if grant != "refresh_token":
            return _oauth_error(400, "unsupported_grant_type", "unsupported grant type")
        if not self._refresh_token_is_good(request.form.get("refresh_token", "")):
            return _oauth_error(400, "invalid_grant", "invalid refresh_token")
        return json_response(self._access())

    def _first_token(self, request: Request) -> Response:
        """The code of a consent against its refresh token."""
        if not self.consents.use(request.form.get("code", ""), request.form.get("redirect_uri", ""), self.now()):
            return _oauth_error(400, "invalid_grant", "invalid code")
        fresh = f"sandbox-yahoo-{secrets.token_urlsafe(18)}"
        given = {**self._consented(), fresh: self.now().isoformat()}
        self.world.remember("yahoo", "refresh_tokens", given)
        self.consent()
        return json_response({**self._access(), "refresh_token": fresh, "id_token": "sandbox"})

    def _access(self) -> dict[str, Any]:
        token = self.tokens.issue(life_s=self.token_life_s, prefix="yj-")
        return {"access_token": token, "token_type": "Bearer", "expires_in": int(self.token_life_s)}

    def _denied(self, request: Request) -> Response | None:
        """The answer to a call without a good access token, or None."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            message = "Please provide valid credentials. Authentication parameters in your request incompleted"
            return error(401, "", message, headers={"X-YahooJ-AuthError": "incompleted"})
        worth: Literal["valid", "expired", "unknown"] = self.tokens.check(token)
        if worth == "valid":
            return None
        return _bad_token(EXPIRED if worth == "expired" else INVALID)

    def _signed(self, request: Request, answer: Callable[[], Response]) -> Response:
        """Unsigned order calls are answered as well, for twelve hours after the login; only a header tells."""
        good = self._signature_is_good(request)
        if not good and self.now() > self.consented_at + UNSIGNED_LIFE:
            message = "AccessToken has been expired. This API session is shorter than another API."
            return error(401, "px-04102", message)
        try:
            response = answer()
        except Refusal as refusal:
            response = refusal.response()
        response.headers["X-SWS-Authorize-Status"] = "authorized" if good else "unauthorized"
        return response

    def _signature_is_good(self, request: Request) -> bool:
        if request.headers.get("X-sws-signature-version") != KEY_VERSION:
            return False
        try:
            sealed = base64.b64decode(request.headers.get("X-sws-signature", ""), validate=True)
            seller_id, _, seconds = self._key.decrypt(sealed, padding.PKCS1v15()).decode().partition(":")
        except (binascii.Error, ValueError):
            return False
        if seller_id != YAHOO_SELLER_ID or not seconds.isdigit():
            return False
        return abs(self.now().timestamp() - int(seconds)) <= CLOCK_TOLERANCE.total_seconds()

    # ---- misbehaviour ----------------------------------------------------------------------------------------------

    def fault_response(self, fault: Fault, request: Request) -> Response:
        if fault.kind == "revoked":
            if request.path == TOKEN_PATH:
                return _oauth_error(400, "invalid_grant", "invalid refresh_token")
            return _bad_token(EXPIRED)
        if request.path == TOKEN_PATH:
            return _oauth_error(500 if fault.kind == "500" else 503, "server_error", "internal server error")
        if fault.kind == "429":
            return error(403, "", "Your Request was Forbidden")
        if fault.kind == "maintenance":
            page = "<!DOCTYPE html><html><body>ただいまメンテナンス中です。</body></html>"
            return Response(page, 503, content_type="text/html; charset=utf-8")
        code, message = (
            ("od91001", "システムエラーが発生しました。") if fault.kind == "500" else ("", "Service Unavailable")
        )
        return error(int(fault.kind), code, message)


def _bad_token(realm: str) -> Response:
    return error(401, "", f"Please provide valid credentials. {realm}", headers={"WWW-Authenticate": realm})


def _oauth_error(status: int, code: str, words: str) -> Response:
    return json_response({"error": code, "error_description": words, "error_code": secrets.randbelow(9000)}, status)
