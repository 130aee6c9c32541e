"""The RMS simulator: the ESA header, media types, one call a second, and which call goes where."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from werkzeug import Request, Response

from channels.sandbox.faults import Fault
from channels.sandbox.model import Channel
from channels.sandbox.numbers import RAKUTEN_SHOP_URL
from channels.sandbox.rakuten import orders, stock, writes
from channels.sandbox.rakuten.answers import Refusal, envelope, iso, message, order_answer, stock_errors, traced
from channels.sandbox.rakuten.answers import unauthorised as no_entry
from channels.sandbox.simulator import Simulator, json_response, text_response

ORDER_PATH = re.compile(r"^/es/2\.0/order/(?P<name>\w+)/?$")
STOCK_PATH = re.compile(r"^/es/(?P<version>2\.[01])/inventories/(?P<rest>.+?)/?$")
ONE_ROW = re.compile(r"manage-numbers/(?P<manageNumber>[^/]+)/variants/(?P<variantId>[^/]+)")
VARIANT_LIST = re.compile(r"variant-lists/manage-numbers/(?P<manageNumber>[^/]+)")
ITEM_PATH = re.compile(r"^/es/2\.0/items/(?P<rest>.+?)/?$")
LICENSE_PATH = "/es/1.0/license-management/license-key/expiry-date"
ORDER_MEDIA = re.compile(r"application/json;\s*charset=utf-8", re.IGNORECASE)
LICENSE_LIFE = timedelta(days=75)
CALLS_PER_SECOND, BURST = 1, 3
MAINTENANCE = "<html><head><title>メンテナンス中</title></head><body>ただいまメンテナンス中です。</body></html>"

OrderCall = Callable[[Simulator, Mapping[str, Any]], Response]
ORDER_CALLS: dict[str, OrderCall] = {
    "searchOrder": orders.search_order,
    "getOrder": orders.get_order,
    "confirmOrder": writes.confirm_order,
    "updateOrderShipping": writes.update_shipping,
    "updateOrderShippingAsync": writes.update_shipping_async,
    "getResultUpdateOrderShippingAsync": writes.async_result,
    "updateOrderMemo": writes.update_memo,
    "cancelOrder": writes.cancel_order,
    "cancelOrderAfterShipping": writes.cancel_after_shipping,
    "getSubStatusList": writes.sub_statuses,
    "updateOrderSubStatus": writes.update_sub_status,
}

BULK_CALLS = {"POST bulk-get": stock.bulk_get, "POST bulk-upsert": stock.bulk_upsert}


class RakutenSimulator(Simulator):
    """Switches for tests: `license_key` (another one makes the registered key void, as a reissue does),
    `closed` (names of APIs the shop did not tick: "order", "inventories", "items", "license-management"),
    `stock_version` ("" = both; "2.1" = the older inventory API is gone), `unlimited` (manage numbers of items that are
    never sold out)."""

    channel: ClassVar[Channel] = "rakuten"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.license_key = "SL401122_sandboxkey0001"
        self.closed: set[str] = set()
        self.stock_version = ""
        self.unlimited: set[str] = set()

    def credentials(self) -> dict[str, str]:
        return {
            "service_secret": "SP401122_sandboxsecret",
            "license_key": self.license_key,
            "shop_url": RAKUTEN_SHOP_URL,
        }

    def handle(self, request: Request) -> Response:
        if not self._may_enter(request):
            return no_entry()
        if any(f"/{name}/" in request.path for name in self.closed):
            return envelope("ES04-02", "Forbidden", 403)
        if not self.bucket("shop", per_second=CALLS_PER_SECOND, burst=BURST).take():
            return envelope("ES04-06", "Too Many Requests", 429)
        try:
            return self._route(request)
        except Refusal as refusal:
            return refusal.response

    def _may_enter(self, request: Request) -> bool:
        """The header must be exactly ESA, a space, and padded base64 of secret and key around one colon."""
        known = self.credentials()
        wanted = base64.b64encode(f"{known['service_secret']}:{known['license_key']}".encode()).decode()
        return request.headers.get("Authorization") == f"ESA {wanted}"

    def _route(self, request: Request) -> Response:
        if found := ORDER_PATH.match(request.path):
            return self._order(request, found["name"])
        if found := STOCK_PATH.match(request.path):
            return self._stock(request, found["version"], found["rest"])
        if found := ITEM_PATH.match(request.path):
            return self._item(request, found["rest"])
        if request.path.rstrip("/") == LICENSE_PATH and request.method == "GET":
            return self._license(request)
        return envelope("ES04-04", "Not Found", 404)

    def _order(self, request: Request, name: str) -> Response:
        call = ORDER_CALLS.get(name)
        if call is None:
            return envelope("ES04-04", "Not Found", 404)
        if request.method != "POST":
            return envelope("ES04-05", "Method Not Allowed", 405)
        if not ORDER_MEDIA.fullmatch(request.headers.get("Content-Type", "")):
            return envelope("ES04-03", "Unsupported Media Type", 415)
        body = _json(request)
        if not isinstance(body, dict):
            return order_answer([message("COMMON", "ERROR", "011", field="リクエスト")], 400)
        return call(self, body)

    def _stock(self, request: Request, version: str, rest: str) -> Response:
        if self.stock_version not in ("", version):
            return envelope("ES04-04", "Not Found", 404)
        bulk = BULK_CALLS.get(f"{request.method} {rest}")
        if bulk:
            return bulk(self, _json(request), version)
        if rest == "bulk-get/range" and request.method == "GET":
            return stock.range_get(self, request, version)
        if (found := VARIANT_LIST.fullmatch(rest)) and request.method == "GET":
            return stock.variants_of(self, found["manageNumber"])
        if (found := ONE_ROW.fullmatch(rest)) and request.method in ("GET", "PUT", "DELETE"):
            return stock.one_row(self, request.method, found.groupdict(), version, _json(request))
        return stock_errors([("GE0007", "no such path", "")], 404)

    def _item(self, request: Request, rest: str) -> Response:
        if request.method == "GET" and rest == "search":
            return stock.search_items(self, request)
        if request.method == "GET" and rest.startswith("manage-numbers/"):
            return stock.one_item(self, rest.removeprefix("manage-numbers/"))
        return stock_errors([("GE0007", "no such path", "")], 404)

    def _license(self, request: Request) -> Response:
        if request.args.get("licenseKey") != self.license_key:
            return no_entry()
        issued = self.world.recall("rakuten", "license_issued")
        if issued is None:
            issued = self.now().isoformat()
            self.world.remember("rakuten", "license_issued", issued)
        ends = type(self.now()).fromisoformat(issued) + LICENSE_LIFE
        return traced(json_response({"expiryDate": iso(ends)}))

    def fault_response(self, fault: Fault, request: Request) -> Response:
        if fault.kind == "429":
            return envelope("ES04-06", "Too Many Requests", 429)
        if fault.kind == "revoked":
            return no_entry()
        if fault.kind in ("503", "maintenance"):
            return text_response(MAINTENANCE, 503, content_type="text/html; charset=utf-8")
        if STOCK_PATH.match(request.path) or ITEM_PATH.match(request.path):
            return stock_errors([("X0000", "internal error", "")], 500)
        return order_answer([message("COMMON", "ERROR", "001", "システムエラーが発生しました。")], 500)


def _json(request: Request) -> Any:
    """The decoded body, or None when it is no JSON in UTF-8."""
    try:
        return json.loads(request.get_data().decode("utf-8"))
    except ValueError:
        return None
