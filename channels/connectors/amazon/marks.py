"""The channel's own marks of an order, and the facts that later calls or people need: pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

Json = Mapping[str, Any]
NOTHING: Json = {}

PROGRAM_FLAGS = {"AMAZON_BUSINESS": "business", "AMAZON_EASY_SHIP": "easy_ship", "FBM_SHIP_PLUS": "ship_plus"}
CONSTRAINT_FLAGS = {
    "signatureConfirmation": "signature_required",
    "recipientIdentityVerification": "identity_check",
    "recipientAgeVerification": "age_check",
    "palletDelivery": "pallet",
    "cashOnDelivery": "cod_required",
}
ASSOCIATIONS = {"REPLACEMENT_ORIGINAL_ID": "replacement", "EXCHANGE_ORIGINAL_ID": "exchange"}


def flags_of(order: Json, items: Iterable[Json], raw_state: str) -> Iterable[str]:
    for program in filter(None, order.get("programs") or ()):
        yield PROGRAM_FLAGS.get(program, program.lower())
    if raw_state.replace("_", "").upper() == "PENDINGAVAILABILITY":
        yield "no_reserve"  # an unpaid pre-order: it takes no stock before its release
    if (order.get("salesChannel") or NOTHING).get("channelName") == "NON_AMAZON":
        yield "non_amazon"
    address = (order.get("recipient") or NOTHING).get("deliveryAddress") or NOTHING
    if address.get("addressType") == "PICKUP_POINT":
        yield "pickup_point"
    for association in filter(None, order.get("associatedOrders") or ()):
        kind = association.get("associationType") or "associated"
        yield ASSOCIATIONS.get(kind, kind.lower())
    for item in items:
        yield from _item_flags(item)


def _item_flags(item: Json) -> Iterable[str]:
    for program in filter(None, item.get("programs") or ()):
        yield program.lower()
    product = item.get("product") or NOTHING
    if (product.get("customization") or NOTHING).get("customizedUrl"):
        yield "customized"
    if (product.get("price") or NOTHING).get("priceDesignation"):
        yield "business_price"
    fulfillment = item.get("fulfillment") or NOTHING
    if ((fulfillment.get("packing") or NOTHING).get("serialNumberRequirement") or NOTHING).get("requirementType"):
        yield "serial_required"
    for association in filter(None, item.get("associatedOrderItems") or ()):
        yield (association.get("associationType") or "associated_item").lower()
    shipping = fulfillment.get("shipping") or NOTHING
    if (shipping.get("internationalShipping") or NOTHING).get("iossNumber"):
        yield "ioss"
    for name, value in (shipping.get("shippingConstraints") or NOTHING).items():
        if value == "MANDATORY" and name in CONSTRAINT_FLAGS:
            yield CONSTRAINT_FLAGS[name]


def extra_of(order: Json, items: Iterable[Json], by: str) -> dict[str, str]:
    """All as text; what Amazon does not tell is left out."""
    preference = (order.get("recipient") or NOTHING).get("deliveryPreference") or NOTHING
    aliases = [alias.get("aliasId") for alias in filter(None, order.get("orderAliases") or ())]
    originals = [one.get("orderId") for one in filter(None, order.get("associatedOrders") or ())]
    told = {
        "marketplace_id": (order.get("salesChannel") or NOTHING).get("marketplaceId"),
        "fulfilled_by": by,
        "programs": ",".join(filter(None, order.get("programs") or ())),
        "purchase_order_no": (order.get("buyer") or NOTHING).get("buyerPurchaseOrderNumber"),
        "drop_off": preference.get("dropOffLocation"),
        "seller_order_id": ",".join(filter(None, aliases)),
        "original_order": ",".join(filter(None, originals)),
        "points_granted": _points_granted(items),
        "packages": _packages(order),
    }
    return {name: value for name, value in told.items() if value}


def package_state(order: Json) -> str:
    """Where the parcels are, each state once: "SHIPPED, DELIVERED"."""
    states = [
        (package.get("packageStatus") or NOTHING).get("status") or ""
        for package in filter(None, order.get("packages") or ())
    ]
    return ", ".join(filter(None, dict.fromkeys(states)))


def _points_granted(items: Iterable[Json]) -> str:
    """Amazon points the seller pays for: his cost, no discount of the buyer's."""
    numbers = (
        ((((item.get("expense") or NOTHING).get("pointsCost") or NOTHING).get("pointsGranted")) or NOTHING).get(
            "pointsNumber"
        )
        for item in items
    )
    points = sum(number for number in numbers if isinstance(number, int))
    return str(points) if points else ""


def _packages(order: Json) -> str:
    """The parcels Amazon knows, as compact JSON: reference, carrier, number, state, units by line."""
    found = []
    for package in filter(None, order.get("packages") or ()):
        units = {
            part.get("orderItemId"): part.get("quantity") for part in filter(None, package.get("packageItems") or ())
        }
        told = {
            "reference": package.get("packageReferenceId"),
            "carrier": package.get("carrier"),
            "service": package.get("shippingService"),
            "tracking_no": package.get("trackingNumber"),
            "shipped_at": package.get("shipTime"),
            "status": (package.get("packageStatus") or NOTHING).get("status"),
            "lines": units,
        }
        found.append({name: value for name, value in told.items() if value})
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if any(found) else ""
