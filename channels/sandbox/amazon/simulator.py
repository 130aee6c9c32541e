"""The Selling Partner API and its token endpoint: who may call what, how often, and where calls go."""

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from werkzeug import Request, Response

from channels.sandbox.amazon.answers import HTML_503, Refusal, denied, invalid, quota_exceeded
from channels.sandbox.amazon.fba import FbaCalls
from channels.sandbox.amazon.feed_work import AcknowledgementFeed, ListingsFeed
from channels.sandbox.amazon.feeds import ACKNOWLEDGEMENT, LISTINGS, FeedCalls, Work
from channels.sandbox.amazon.listings import ListingCalls
from channels.sandbox.amazon.notifications import NotificationCalls
from channels.sandbox.amazon.orders import OrderCalls
from channels.sandbox.amazon.queue import PREFIX as QUEUE_PREFIX
from channels.sandbox.amazon.queue import QueueCalls, fault_of
from channels.sandbox.amazon.reports import ReportCalls
from channels.sandbox.amazon.restricted import restricted_token
from channels.sandbox.amazon.shipments import ShipmentCalls
from channels.sandbox.faults import Fault
from channels.sandbox.model import Channel
from channels.sandbox.numbers import AMAZON_MARKETPLACE_ID, AMAZON_SELLER_ID
from channels.sandbox.simulator import Simulator, json_response, text_response
from channels.sandbox.world import World

CLIENT_ID = "amzn1.application-oa2-client.sandbox0000000000000000000000"
CLIENT_SECRET = "amzn1.oa2-cs.v1.sandboxsecret00000000000000000000000000000000"
REFRESH_TOKEN = "Atzr|SandboxRefreshTokenOfAkariShoten"
SCOPES = frozenset({"sellingpartnerapi::notifications", "sellingpartnerapi::client_credential:rotation"})
DENIED = {
    "expired": "The access token you provided has expired.",
    "unknown": "The access token you provided is revoked, malformed or invalid.",
}
Route = tuple[str, "re.Pattern[str]", str, float, int]


def _route(method: str, pattern: str, operation: str, per_second: float, burst: int) -> Route:
    return method, re.compile(pattern), operation, per_second, burst


# (method, path, operation, calls per second, burst)
ROUTES = [
    _route("GET", r"/orders/2026-01-01/orders", "searchOrders", 0.0056, 20),
    _route("GET", r"/orders/2026-01-01/orders/([^/]+)", "getOrder", 0.5, 30),
    _route("POST", r"/orders/v0/orders/([^/]+)/shipmentConfirmation", "confirmShipment", 2, 10),
    _route("GET", r"/listings/2021-08-01/items/([^/]+)", "searchListingsItems", 5, 5),
    _route("GET", r"/listings/2021-08-01/items/([^/]+)/([^/]+)", "getListingsItem", 5, 10),
    _route("PATCH", r"/listings/2021-08-01/items/([^/]+)/([^/]+)", "patchListingsItem", 5, 5),
    _route("POST", r"/feeds/2021-06-30/documents", "createFeedDocument", 0.5, 15),
    _route("GET", r"/feeds/2021-06-30/documents/([^/]+)", "getFeedDocument", 0.0222, 10),
    _route("POST", r"/feeds/2021-06-30/feeds", "createFeed", 0.0083, 15),
    _route("GET", r"/feeds/2021-06-30/feeds", "getFeeds", 0.0222, 10),
    _route("GET", r"/feeds/2021-06-30/feeds/([^/]+)", "getFeed", 2, 15),
    _route("DELETE", r"/feeds/2021-06-30/feeds/([^/]+)", "cancelFeed", 2, 15),
    _route("GET", r"/fba/inventory/v1/summaries", "getInventorySummaries", 2, 2),
    _route("POST", r"/tokens/2021-03-01/restrictedDataToken", "createRestrictedDataToken", 1, 10),
    _route("POST", r"/notifications/v1/destinations", "createDestination", 1, 5),
    _route("GET", r"/notifications/v1/destinations", "getDestinations", 1, 5),
    _route("GET", r"/notifications/v1/destinations/([^/]+)", "getDestination", 1, 5),
    _route("DELETE", r"/notifications/v1/destinations/([^/]+)", "deleteDestination", 1, 5),
    _route("POST", r"/notifications/v1/subscriptions/([^/]+)", "createSubscription", 1, 5),
    _route("GET", r"/notifications/v1/subscriptions/([^/]+)", "getSubscription", 1, 5),
    _route("GET", r"/notifications/v1/subscriptions/([^/]+)/([^/]+)", "getSubscriptionById", 1, 5),
    _route("DELETE", r"/notifications/v1/subscriptions/([^/]+)/([^/]+)", "deleteSubscriptionById", 1, 5),
    _route("POST", r"/reports/2021-06-30/reports", "createReport", 0.0167, 15),
    _route("GET", r"/reports/2021-06-30/reports/([^/]+)", "getReport", 2, 15),
    _route("GET", r"/reports/2021-06-30/documents/([^/]+)", "getReportDocument", 0.0167, 15),
    _route("GET", r"/sellers/v1/marketplaceParticipations", "getMarketplaceParticipations", 0.016, 15),
]


# Calls that concern the application and no seller: they take the application's own token, all others a seller's.
GRANTLESS = frozenset({
    "createDestination", "getDestinations", "getDestination", "deleteDestination", "getSubscriptionById",
    "deleteSubscriptionById",
})  # fmt: skip
GRANTLESS_PREFIX = "Atc|"


class AmazonSimulator(Simulator):
    """`limited` switches the usage plans, `token_life_s` sets how long an access token lasts."""

    channel: ClassVar[Channel] = "amazon"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.limited = True
        self._requests = itertools.count(1)
        self.token_life_s = 3600.0
        self.orders = OrderCalls(self)
        self.shipments = ShipmentCalls(self)
        self.listings = ListingCalls(self)
        workers: dict[str, Work] = {LISTINGS: ListingsFeed(self.listings), ACKNOWLEDGEMENT: AcknowledgementFeed(self)}
        self.feeds = FeedCalls(self, workers)
        self.reports = ReportCalls(self, self.feeds)
        self.notifications = NotificationCalls(self)
        self.queue = QueueCalls(self, lambda: self.notifications.tells_changes)
        self.fba = FbaCalls(self)

    def credentials(self) -> dict[str, str]:
        return {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "seller_id": AMAZON_SELLER_ID,
            "marketplace_id": AMAZON_MARKETPLACE_ID,
        }

    def credentials_at(self, root: str) -> dict[str, str]:
        return {**self.credentials(), **self.queue.credentials(self.base_url(root))}

    def handle(self, request: Request) -> Response:
        path = _raw_path(request)
        if path.startswith(QUEUE_PREFIX):
            return self.queue.handle(request)
        self.feeds.advance()
        if path == "/auth/o2/token":
            return self._token(request)
        if path.startswith("/storage/"):
            return self.feeds.storage(request, path.removeprefix("/storage/"))
        rate_header: dict[str, str] = {}
        try:
            operation, words, rate = self._admit(request, path)
            rate_header = {"x-amzn-RateLimit-Limit": str(rate)}
            response = self._calls(request)[operation](*words)
        except Refusal as refusal:
            response = refusal.response()
        response.headers["x-amzn-RequestId"] = f"{next(self._requests):08x}-sandbox"
        if response.status_code < 300 or response.status_code in (400, 404):
            response.headers.update(rate_header)
        return response

    def fault_response(self, fault: Fault, request: Request) -> Response:
        if request.path.startswith(QUEUE_PREFIX):
            return fault_of(fault.kind).response()
        token_call = request.path == "/auth/o2/token"
        if fault.kind == "revoked":
            if token_call:
                return _oauth_error(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token.")
            return denied(DENIED["unknown"]).response()
        if fault.kind == "429":
            return quota_exceeded().response()
        if fault.kind == "500":
            return Refusal(500, "InternalFailure", "We encountered an internal error. Please try again.").response()
        return text_response(HTML_503, 503, content_type="text/html")

    def _token(self, request: Request) -> Response:
        if request.method != "POST" or request.mimetype != "application/x-www-form-urlencoded":
            return _oauth_error(400, "invalid_request", "The request must be a form sent by POST.")
        if wrong := _form_fault(request.form):
            return _oauth_error(*wrong)
        grantless = request.form["grant_type"] == "client_credentials"
        prefix = GRANTLESS_PREFIX if grantless else "Atza|"
        token = self.tokens.issue(life_s=self.token_life_s, prefix=prefix)
        answer = {"access_token": token, "token_type": "bearer", "expires_in": int(self.token_life_s)}
        if request.form["grant_type"] == "refresh_token":
            answer["refresh_token"] = REFRESH_TOKEN
        return json_response(answer)

    def _admit(self, request: Request, path: str) -> tuple[str, tuple[str, ...], float]:
        """(operation, words of the path, its rate); raises Refusal."""
        if not request.headers.get("User-Agent"):
            raise invalid("The user-agent header is required.")
        token = request.headers.get("x-amz-access-token", "")
        if not token:
            raise denied("Access token is missing in the request header.")
        worth = self.tokens.check(token)
        if worth != "valid":
            raise denied(DENIED[worth])
        for method, pattern, operation, per_second, burst in ROUTES:
            found = pattern.fullmatch(path)
            if found and method == request.method:
                if token.startswith(GRANTLESS_PREFIX) != (operation in GRANTLESS):
                    raise denied("")
                if self.limited and not self.bucket(operation, per_second=per_second, burst=burst).take():
                    raise quota_exceeded()
                return operation, tuple(unquote(word) for word in found.groups()), per_second
        # Amazon's gateway does not tell an unknown address from a forbidden one.
        raise denied("")

    def _calls(self, request: Request) -> dict[str, Callable[..., Response]]:
        args = request.args.to_dict()
        return {
            "searchOrders": lambda: json_response(self.orders.search(args)),
            "getOrder": lambda number: json_response(self.orders.get(number, args)),
            "confirmShipment": lambda number: self._confirm_shipment(number, request),
            "searchListingsItems": lambda seller: json_response(self.listings.search(seller, args)),
            "getListingsItem": lambda seller, sku: json_response(self.listings.get(seller, sku, args)),
            "patchListingsItem": lambda seller, sku: json_response(
                self.listings.patch(seller, sku, args, _json_body(request))
            ),
            "createFeedDocument": lambda: json_response(self.feeds.create_document(request, _json_body(request)), 201),
            "getFeedDocument": lambda document: json_response(self.feeds.get_document(request, document)),
            "createFeed": lambda: json_response(self.feeds.create(_json_body(request)), 202),
            "getFeeds": lambda: json_response(self.feeds.search(args)),
            "getFeed": lambda feed: json_response(self.feeds.get(feed)),
            "cancelFeed": self._cancel_feed,
            "getInventorySummaries": lambda: json_response(self.fba.summaries(args)),
            "createRestrictedDataToken": lambda: json_response(restricted_token(self, _json_body(request))),
            **self._notification_calls(request, args),
            "createReport": lambda: json_response(self.reports.create(_json_body(request)), 202),
            "getReport": lambda report: json_response(self.reports.get(report)),
            "getReportDocument": lambda document: json_response(self.reports.get_document(request, document)),
            "getMarketplaceParticipations": lambda: json_response(_participations()),
        }

    def _notification_calls(self, request: Request, args: Mapping[str, str]) -> dict[str, Callable[..., Response]]:
        calls = self.notifications
        return {
            "createDestination": lambda: json_response(calls.create_destination(_json_body(request))),
            "getDestinations": lambda: json_response(calls.destinations()),
            "getDestination": lambda one: json_response(calls.destination(one)),
            "deleteDestination": lambda one: json_response(calls.delete_destination(one)),
            "createSubscription": lambda kind: json_response(calls.subscribe(kind, _json_body(request))),
            "getSubscription": lambda kind: json_response(calls.subscription(kind, args)),
            "getSubscriptionById": lambda kind, one: json_response(calls.subscription_by_id(kind, one)),
            "deleteSubscriptionById": lambda kind, one: json_response(calls.unsubscribe(kind, one)),
        }

    def _confirm_shipment(self, number: str, request: Request) -> Response:
        self.shipments.confirm(number, _json_body(request))
        return Response(status=204)

    def _cancel_feed(self, feed_id: str) -> Response:
        self.feeds.cancel(feed_id)
        return Response(status=200)


def _form_fault(form: Mapping[str, str]) -> tuple[int, str, str] | None:
    """(status, code, text) of what is wrong with a token request."""
    if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
        return 401, "invalid_client", "Client authentication failed"
    if form.get("grant_type") == "client_credentials":
        return None if form.get("scope") in SCOPES else (400, "invalid_scope", "The requested scope is invalid.")
    if form.get("grant_type") != "refresh_token" or "scope" in form:
        return 400, "invalid_request", "The grant_type is not supported or goes with a scope."
    if form.get("refresh_token") != REFRESH_TOKEN:
        text = "The request has an invalid grant parameter : refresh_token. User may have revoked the permission."
        return 400, "invalid_grant", text
    return None


def _participations() -> dict[str, Any]:
    marketplace = {
        "id": AMAZON_MARKETPLACE_ID,
        "name": "Amazon.co.jp",
        "countryCode": "JP",
        "defaultCurrencyCode": "JPY",
        "defaultLanguageCode": "ja_JP",
        "domainName": "www.amazon.co.jp",
    }
    participation = {"isParticipating": True, "hasSuspendedListings": False}
    return {"payload": [{"marketplace": marketplace, "participation": participation, "storeName": "あかり商店"}]}


def _json_body(request: Request) -> dict[str, Any]:
    """Raises Refusal: 415 for another content type, 400 for what is no JSON object."""
    if request.mimetype != "application/json":
        raise Refusal(415, "UnsupportedMediaType", "The content type must be application/json.")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise invalid("The request body is not a JSON object.")
    return body


def _raw_path(request: Request) -> str:
    """The path as it was sent: a quoted slash inside a SKU must not become a separator."""
    raw = str(request.environ.get("REQUEST_URI", "")).partition("?")[0]
    return raw.removeprefix(request.script_root) or request.path


def _oauth_error(status: int, code: str, text: str) -> Response:
    return json_response({"error": code, "error_description": text, "request_id": "sandbox"}, status)
