"""confirmShipment (Orders v0)."""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from channels.sandbox.amazon.answers import Refusal, invalid, not_found, parse_time
from channels.sandbox.amazon.wire_orders import reference_of
from channels.sandbox.errors import UnknownOrder, WrongState
from channels.sandbox.model import Parcel, SandboxOrder
from channels.sandbox.numbers import AMAZON_MARKETPLACE_ID, JST
from channels.sandbox.simulator import Simulator

CARRIERS = {
    "YAMATO": "yamato", "YamatoTransport": "yamato", "SAGAWA": "sagawa", "SagawaExpress": "sagawa",
    "JP_EXPRESS": "japanpost", "NITTSU": "other", "NipponExpress": "other", "FEDEX_JP": "other", "FedEx": "other",
    "DHL": "other", "UPS": "other", "Other": "other",
}  # fmt: skip
CLOCKS_DIFFER = timedelta(minutes=5)

Json = Mapping[str, Any]


class ShipmentCalls:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._lock = threading.Lock()  # one call at a time decides whether a reference is new

    def confirm(self, number: str, body: Json) -> None:
        """Record or edit the package; raises Refusal."""
        try:
            order = self.simulator.world.order("amazon", number)
        except UnknownOrder as unknown:
            raise not_found("The requested order does not exist.") from unknown
        try:
            with self._lock:
                self._apply(order, body)
        except Refusal:
            self.simulator.world.tell("amazon", "ship", number, dict(body), accepted=False)
            raise

    def _apply(self, order: SandboxOrder, body: Json) -> None:
        detail = _checked_detail(body)
        quantities = _quantities(order, detail["orderItems"])
        shipped_at = _ship_date(self.simulator.now(), order, detail)
        if order.fulfilled_by_mall:
            raise invalid("Shipment confirmation is not allowed for orders fulfilled by Amazon.")
        told = {
            "carrier": CARRIERS[detail["carrierCode"]],
            "tracking": detail["trackingNumber"],
            "shipped_on": shipped_at.astimezone(JST).date(),
        }
        known = next((one for one in order.parcels if reference_of(one) == detail["packageReferenceId"]), None)
        if known is not None:
            self._edit(order, known, quantities, told, body)
            return
        if order.state in ("shipped", "cancelled"):
            raise invalid("Failed to confirm shipment. Unable to find package to update. PackageToUpdateNotFound")
        try:
            self.simulator.world.ship("amazon", order.number, quantities=quantities, payload=dict(body), **told)
        except WrongState as wrong:
            raise invalid(f"The order or its items are not in a state that can be confirmed: {order.state}") from wrong

    def _edit(
        self, order: SandboxOrder, parcel: Parcel, quantities: Mapping[int, int], told: dict[str, Any], body: Json
    ) -> None:
        if dict(parcel.quantities) != dict(quantities):
            raise invalid("The items of a confirmed package cannot be changed.")
        if all(getattr(parcel, name) == value for name, value in told.items()):
            return
        self.simulator.world.correct_parcel(
            "amazon", order.number, parcel.parcel_id, payload=dict(body), raw=dict(body), **told
        )


def _checked_detail(body: Json) -> Json:
    if body.get("marketplaceId") != AMAZON_MARKETPLACE_ID:
        raise invalid("MarketplaceId: is missing or invalid.")
    detail = body.get("packageDetail")
    if not isinstance(detail, dict):
        raise invalid("PackageDetail: is required.")
    reference = detail.get("packageReferenceId")
    if not isinstance(reference, str) or not reference.isdecimal() or int(reference) < 1:
        raise invalid("PackageReferenceId: is invalid, must be a positive numeric value.")
    if detail.get("carrierCode") not in CARRIERS:
        raise invalid("CarrierCode: is missing or invalid.")
    if detail["carrierCode"] == "Other" and not detail.get("carrierName"):
        raise invalid("CarrierName: is required when CarrierCode is Other.")
    if not isinstance(detail.get("trackingNumber"), str) or not detail["trackingNumber"].strip():
        raise invalid("TrackingNumber: is required.")
    if not isinstance(detail.get("orderItems"), list) or not detail["orderItems"]:
        raise invalid("OrderItemId is invalid")
    return detail


def _ship_date(now: datetime, order: SandboxOrder, detail: Json) -> datetime:
    shipped_at = parse_time("shipDate", str(detail.get("shipDate", "")))
    if shipped_at > now + CLOCKS_DIFFER:
        raise invalid("ShipDate: cannot be in the future.")
    if shipped_at < order.ordered_at - CLOCKS_DIFFER:
        raise invalid("ShipDate: cannot be before the order date.")
    return shipped_at


def _quantities(order: SandboxOrder, items: list[Any]) -> dict[int, int]:
    """line_no → units; an item named twice is added up."""
    line_nos = {line.line_id: line.line_no for line in order.lines}
    quantities: dict[int, int] = {}
    for item in items:
        if not isinstance(item, dict) or item.get("orderItemId") not in line_nos:
            raise invalid("OrderItemId is invalid")
        quantity = item.get("quantity")
        if isinstance(quantity, bool) or not isinstance(quantity, int) or quantity < 1:
            raise invalid("Quantity: must be a positive number.")
        line_no = line_nos[item["orderItemId"]]
        quantities[line_no] = quantities.get(line_no, 0) + quantity
    return quantities
