"""The control door `/_sandbox/…`: JSON for tests, demo days and staff training. No marketplace has such a thing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest

from channels.sandbox.codec import encode
from channels.sandbox.errors import UnknownListing, UnknownOrder, WorldError
from channels.sandbox.life import EVENT_KINDS
from channels.sandbox.model import CHANNELS, Channel
from channels.sandbox.simulator import json_response
from channels.sandbox.world import World

Call = Callable[[dict[str, Any]], Any]


class Control:
    """One method per call; each takes the JSON body (or the query) and returns a JSON-able answer."""

    def __init__(
        self,
        world: World,
        inject: Callable[[str], int],
        clear_faults: Callable[[], None],
        show_faults: Callable[[], Any],
    ) -> None:
        self._world = world
        self._inject = inject
        self._clear_faults = clear_faults
        self._show_faults = show_faults
        self._calls: dict[tuple[str, str], Call] = {
            ("GET", "orders"): self.list_orders,
            ("POST", "orders"): self.place_orders,
            ("POST", "generate"): self.generate,
            ("POST", "flash_sale"): self.flash_sale,
            ("POST", "advance"): self.advance,
            ("POST", "buyer"): self.buyer,
            ("POST", "facts"): self.note_facts,
            ("GET", "faults"): lambda _: self._show_faults(),
            ("POST", "faults"): self.set_faults,
            ("GET", "stock"): self.show_stock,
            ("POST", "stock"): self.set_stock,
            ("GET", "truth"): lambda _: self._world.truth(),
            ("GET", "journal"): self.journal,
        }

    def handle(self, request: Request, path: str) -> Response:
        """404 with the list of calls for an unknown one; 400 or 409 with the cause in words."""
        call = self._calls.get((request.method, path.strip("/")))
        if call is None:
            return json_response({"error": "unknown call", "calls": [" ".join(one) for one in self._calls]}, 404)
        try:
            body = request.args.to_dict() if request.method == "GET" else request.get_json(force=True)
            return json_response(call(body))
        except (UnknownOrder, UnknownListing) as unknown:
            return json_response({"error": str(unknown)}, 404)
        except WorldError as refused:
            return json_response({"error": str(refused), "refusal": type(refused).__name__}, 409)
        except (KeyError, ValueError, TypeError, BadRequest) as wrong:
            return json_response({"error": f"{type(wrong).__name__}: {wrong}"}, 400)

    def list_orders(self, query: dict[str, Any]) -> Any:
        """`?channel=&number=`: visible orders, newest last."""
        channels = [_channel(query["channel"])] if "channel" in query else list(CHANNELS)
        if "number" in query:
            return [encode(self._world.order(channels[0], query["number"]))]
        return [encode(order) for channel in channels for order in self._world.orders(channel)]

    def place_orders(self, body: dict[str, Any]) -> Any:
        """`{channel, lines: [[key, quantity]…], traits, payment, remarks, count}` → the orders placed now."""
        placed = [
            self._world.place_order(
                _channel(body["channel"]),
                [(key, int(quantity)) for key, quantity in body.get("lines", [])],
                traits=body.get("traits", ()),
                payment=body.get("payment"),
                remarks=body.get("remarks"),
            )
            for _ in range(int(body.get("count", 1)))
        ]
        return [encode(order) for order in placed]

    def generate(self, body: dict[str, Any]) -> Any:
        """`{count, over_s}`: plan a day with the exact mix."""
        planned = self._world.generate(int(body["count"]), over=timedelta(seconds=float(body.get("over_s", 0))))
        return {"planned": planned, "happened": self._world.advance()}

    def flash_sale(self, body: dict[str, Any]) -> Any:
        """`{sku, count, over_s}`: buyers who all want one SKU, on every mall that lists it."""
        over = timedelta(seconds=float(body.get("over_s", 0)))
        planned = self._world.flash_sale(body["sku"], int(body["count"]), over=over)
        return {"planned": planned, "happened": self._world.advance()}

    def advance(self, body: dict[str, Any]) -> Any:
        """`{fire, numbers}`: let what is due happen, and first all planned events of a kind (of these orders)."""
        fired = 0
        if "fire" in body:
            if body["fire"] not in EVENT_KINDS:
                raise ValueError(f"unknown event {body['fire']!r}; known: {' '.join(sorted(EVENT_KINDS))}")
            fired = self._world.fire(body["fire"], body.get("numbers"))
        return {"fired": fired, "happened": self._world.advance()}

    def buyer(self, body: dict[str, Any]) -> Any:
        """`{channel, number, does: pay|ask_to_cancel|cancel}`: what this buyer does now."""
        channel, number = _channel(body["channel"]), body["number"]
        if body["does"] == "pay":
            return encode(self._world.pay(channel, number))
        if body["does"] == "ask_to_cancel":
            return encode(self._world.request_cancel(channel, number, body.get("reason", "")))
        if body["does"] == "cancel":
            return encode(self._world.cancel(channel, number, by="buyer", reason=body.get("reason", "お客様都合")))
        raise ValueError(f"a buyer cannot {body['does']!r}")

    def note_facts(self, body: dict[str, Any]) -> Any:
        """`{channel, number, facts: {…}}`: what only this mall tells of the order, see docs/sandbox.md."""
        facts = body["facts"]
        if not isinstance(facts, dict):
            raise ValueError("facts is no object")
        return encode(self._world.annotate(_channel(body["channel"]), body["number"], **facts))

    def set_faults(self, body: dict[str, Any]) -> Any:
        """`{spec}` begins faults, `{clear: true}` ends all first."""
        if body.get("clear"):
            self._clear_faults()
        return {"begun": self._inject(body.get("spec", "")), "active": self._show_faults()}

    def show_stock(self, query: dict[str, Any]) -> Any:
        """`?channel=&sku=`: what the malls show, all listings or those of one SKU."""
        channels = [_channel(query["channel"])] if "channel" in query else list(CHANNELS)
        return [
            {**encode(self._world.shown(channel, one.key)), "sku": one.sku, "mapped": one.mapped}
            for channel in channels
            for one in self._world.listings(channel)
            if query.get("sku") in (None, one.sku)
        ]

    def set_stock(self, body: dict[str, Any]) -> Any:
        """`{channel, key, quantity}` changes a mall's own row; `{restock: {sku: units}}` tells of goods that came."""
        for sku, units in body.get("restock", {}).items():
            self._world.restock(sku, int(units))
        if "key" not in body:
            return {"restocked": len(body.get("restock", {}))}
        return encode(self._world.set_stock(_channel(body["channel"]), body["key"], int(body["quantity"])))

    def journal(self, query: dict[str, Any]) -> Any:
        """`?since=&channel=&kind=`: what the OMS told, oldest first."""
        channel = _channel(query["channel"]) if "channel" in query else None
        told = self._world.journal(since=int(query.get("since", 0)), channel=channel, kind=query.get("kind"))
        return [encode(entry) for entry in told]


def _channel(name: str) -> Channel:
    for channel in CHANNELS:
        if channel == name:
            return channel
    raise ValueError(f"no channel {name!r}; known: {' '.join(CHANNELS)}")
