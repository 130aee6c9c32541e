"""The Qoo10 simulator: certification keys, methods by name, the envelope."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from werkzeug import Request, Response

from channels.sandbox.faults import Fault
from channels.sandbox.model import Channel
from channels.sandbox.numbers import QOO10_SELLER_ID
from channels.sandbox.qoo10 import changes, items, orders
from channels.sandbox.qoo10.wire import Refusal, envelope, gateway_error, plain_text
from channels.sandbox.simulator import Simulator
from channels.sandbox.tokens import TokenStore
from channels.sandbox.world import World

BASE = "/GMKT.INC.Front.QAPIService/ebayjapan.qapi"
API_KEY = "S5sandboxApiKey_g_1_akari_g_2_"
PASSWORD = "sandbox-qoo10-password"
CALLS_PER_SECOND, BURST = 5, 15
KEYS = "certification keys"
EXPIRED, LIVE = "expired", "live"

Call = Callable[[Any, Mapping[str, str]], Any]
QUERIES: dict[str, Call] = {
    "ShippingBasic.GetShippingInfo_v3": orders.list_orders,
    "ShippingBasic.GetShippingInfo_v2": orders.list_orders_old,
    "ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2": orders.one_order,
    "ShippingBasic.GetClaimInfo_V3": orders.list_claims,
    "ShippingBasic.SetSellerCheckYNBulk": changes.check_bulk,
    "ShippingBasic.SetSendingInfoBulk": changes.send_bulk,
    "ItemsLookup.GetAllGoodsInfo": items.all_items,
    "ItemsLookup.GetItemDetailInfo": items.item,
    "ItemsLookup.GetGoodsInventoryInfo": items.inventory,
    "ItemsLookup.GetSellerDeliveryGroupInfo": items.delivery_groups,
    "ItemsOrder.SetGoodsPriceQtyBulk": items.set_items,
    "ItemsOptions.UpdateInventoryDataBulk": items.set_options,
}
COMMANDS: dict[str, Call] = {
    "ShippingBasic.SetSellerCheckYN_V2": changes.check,
    "ShippingBasic.SetSendingInfo": changes.send,
    "Claim.SetCancelProcess": changes.cancel,
    "Claim.SetClaimAccept": changes.accept_claim,
    "ItemsOrder.SetGoodsPriceQty": items.set_item,
    "ItemsOptions.UpdateInventoryQtyUnit": items.set_option,
    "ItemsOptions.UpdateInventoryQtyPlusUnit": items.add_to_option,
    "ItemsBasic.EditGoodsStatus": items.set_status,
}
CREATE_KEY = "CertificationAPI.CreateCertificationKey"
BY_LOWER_NAME = {name.lower(): name for name in (*QUERIES, *COMMANDS, CREATE_KEY)}
SERVICES = {name.partition(".")[0].lower() for name in BY_LOWER_NAME}
VERSIONS = {"ItemsLookup.GetItemDetailInfo": "1.2"}


class CertificationKeys(TokenStore):
    """Keys that live for a year, survive a restart, and end all at once when the tokens expire."""

    def __init__(self, world: World) -> None:
        super().__init__(world.now)
        self._world = world
        self.first = f"S5sandboxKey_g_1_{hashlib.sha256(b'qoo10 sandbox').hexdigest()}_g_2_"

    def state(self, key: str) -> str:
        """live, expired, or "" for an unknown key."""
        return str(self._kept().get(key, ""))

    def make(self) -> str:
        kept = self._kept()
        key = f"{self.first}{len(kept)}"
        self._world.remember("qoo10", KEYS, {**kept, key: LIVE})
        return key

    def expire_all(self) -> None:
        self._world.remember("qoo10", KEYS, dict.fromkeys(self._kept(), EXPIRED))

    def forget_all(self) -> None:
        """As after a change of the QSM password."""
        self._world.remember("qoo10", KEYS, {"-": EXPIRED})

    def _kept(self) -> dict[str, str]:
        kept = self._world.recall("qoo10", KEYS)
        return dict(kept) if kept else {self.first: LIVE}


class Qoo10Simulator(Simulator):
    """Switches for tests: `number_style` (float, text or int), `single_object` (one row comes without a list),
    `strict_tracking` (a tracking number serves one order number only), `shows_stock_after_s`, `items_per_page`."""

    channel: ClassVar[Channel] = "qoo10"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.keys = CertificationKeys(world)
        self.tokens = self.keys
        self.number_style = "float"
        self.single_object = False
        self.strict_tracking = False
        self.shows_stock_after_s = 20.0
        self.items_per_page = items.PER_PAGE

    def credentials(self) -> dict[str, str]:
        return {
            "certification_key": self.keys.first,
            "api_key": API_KEY,
            "user_id": QOO10_SELLER_ID,
            "password": PASSWORD,
        }

    def figures(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with its money as the live service may write it."""
        money = ("Price", "Discount", "Total", "ShippingRate", "Amount", "DiscountSeller", "DiscountQoo10")
        return {
            name: self._figure(value) if isinstance(value, int) and name.lower().endswith(_lower(money)) else value
            for name, value in row.items()
        }

    def _figure(self, value: int) -> int | float | str:
        if self.number_style == "float":
            return float(value)
        return f"{value}.00" if self.number_style == "text" else value

    # ---- calls -----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        if not request.path.startswith(BASE):
            return Response("<html><body>404</body></html>", 404, content_type="text/html")
        if not self.bucket("calls", per_second=CALLS_PER_SECOND, burst=BURST).take():
            return Response("Too Many Requests", 429, content_type="text/plain")
        fields = {**request.args.to_dict(), **request.form.to_dict()}
        asked = request.path.removeprefix(BASE).strip("/") or fields.get("method", "")
        service = asked.partition(".")[0]
        if service.lower() not in SERVICES:
            return plain_text(f"Can't find service Name {service}")
        name = BY_LOWER_NAME.get(asked.lower())
        if name is None:
            return plain_text(f"Can't find method Info {asked}")
        return self._answer(name, request, fields)

    def _answer(self, name: str, request: Request, fields: dict[str, str]) -> Response:
        if request.method == "POST" and request.mimetype != "application/x-www-form-urlencoded" and not request.args:
            return gateway_error(-90001, "存在しないAPIです。")  # JSON bodies are not read
        as_json = fields.get("returnType", "").lower() in ("application/json", "json")
        key = request.headers.get("GiosisCertificationKey") or fields.get("key", "")
        version = request.headers.get("QAPIVersion") or fields.get("v", "")
        if request.method == "POST" and version != VERSIONS.get(name, "1.0"):
            return gateway_error(-90001, "存在しないAPIです。")
        if any(value in ("None", "null") for value in fields.values()):
            return gateway_error(-90001, "存在しないAPIです。")
        if name == CREATE_KEY:
            return self._create_key(key, fields, as_json=as_json)
        state = self.keys.state(key)
        if state != LIVE:
            code, words = (
                (-90004, "認証キーの期限切れ") if state == EXPIRED else (-10000, "販売者認証キーを確認してください。")
            )
            return envelope(code, words, None, as_json=as_json)
        return self._call(name, fields, as_json=as_json)

    def _call(self, name: str, fields: dict[str, str], *, as_json: bool) -> Response:
        try:
            if name in COMMANDS:
                COMMANDS[name](self, fields)
                return envelope(0, "SUCCESS", as_json=as_json)
            result = QUERIES[name](self, fields)
        except Refusal as refusal:
            return envelope(refusal.code, refusal.message, None, as_json=as_json)
        return envelope(0, "成功", self._shape(result), as_json=as_json)

    def _shape(self, result: Any) -> Any:
        """No row is null; one row may come without a list around it."""
        if result == []:
            return None
        if self.single_object and isinstance(result, list) and len(result) == 1:
            return result[0]
        return result

    def _create_key(self, key: str, fields: dict[str, str], *, as_json: bool) -> Response:
        if (key, fields.get("user_id"), fields.get("pwd")) != (API_KEY, QOO10_SELLER_ID, PASSWORD):
            return envelope(-10001, "IDまたはパスワードを確認してください。", "", as_json=as_json)
        return envelope(0, "SUCCESS", self.keys.make(), as_json=as_json)

    # ---- misbehaviour ----------------------------------------------------------------------------------------------

    def fault_response(self, fault: Fault, request: Request) -> Response:
        if fault.kind == "revoked":
            return envelope(-10000, "販売者認証キーを確認してください。", None)
        if fault.kind == "429":
            return Response("Too Many Requests", 429, content_type="text/plain")
        if fault.kind == "maintenance":
            page = "<!DOCTYPE html><html><body>システムメンテナンス中です。</body></html>"
            return Response(page, 200, content_type="text/html; charset=utf-8")
        return Response("<html><body>Server Error</body></html>", int(fault.kind), content_type="text/html")


def _lower(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)
