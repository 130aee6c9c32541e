"""Telling Amazon about parcels: confirmShipment (v0), one call per parcel, `packageReferenceId` is the key."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from channels.connectors.amazon.orders import order_now
from channels.connectors.amazon.times import iso
from channels.connectors.amazon.transport import Api, NotFound
from channels.connectors.contract import ChannelDown, Parcel, Refused
from oms.kernel.said import said

# Amazon's list differs by account and must match exactly: the setting `carrier_codes` overrides an entry.
CARRIER_CODES = {"yamato": "YAMATO", "sagawa": "SAGAWA", "japanpost": "JP_EXPRESS"}
METHODS = {"yamato": "宅急便", "sagawa": "飛脚宅配便", "japanpost": "ゆうパック"}
NAMED_CODES = {
    "日本通運": "NITTSU", "日通": "NITTSU", "fedex": "FEDEX_JP", "フェデックス": "FEDEX_JP", "dhl": "DHL", "ups": "UPS",
}  # fmt: skip
UNNAMED_CARRIER = "その他"  # Amazon wants a name with the code "Other"
SELF_CONFIRMING = {
    "AMAZON_EASY_SHIP": said("マーケットプレイス配送サービスの注文です。セラーセントラルで集荷を手配してください。"),
    "FBM_SHIP_PLUS": said("Ship+の注文はAmazonが出荷を確定します。セラーセントラルで処理してください。"),
}

Json = Mapping[str, Any]


def confirm_parcels(api: Api, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> None:
    """Tell each parcel that Amazon does not show yet. The same reference again edits that parcel at Amazon."""
    number, extra = str(order["no"]), order.get("extra") or {}
    _refuse_what_amazon_ships(extra)
    told = _told(api, number) if len(parcels) > 1 else set()
    for parcel in parcels:
        if _plain(parcel.tracking_no) in told:
            continue
        body = confirmation(api, parcel)
        path = f"/orders/v0/orders/{quote(number, safe='')}/shipmentConfirmation"
        try:
            # Repeating with the same reference is an edit, so a lost answer may be followed by another try.
            api.call("POST", path, "confirmShipment", body=body)
        except NotFound:
            raise
        except Refused:
            # A repeat after the order was completed is refused although the first call did the work.
            if _plain(parcel.tracking_no) not in _told(api, number):
                raise
    _look(api, number, parcels)


def _look(api: Api, number: str, parcels: Sequence[Parcel]) -> None:
    """An answer alone is not believed: what Amazon does not show yet is told again later, which is an edit."""
    if {_plain(parcel.tracking_no) for parcel in parcels} - _told(api, number):
        raise ChannelDown(
            said("出荷通知は受け付けられましたが、Amazonの注文にまだ表示されません。しばらくして確かめ直します。")
        )


def confirmation(api: Api, parcel: Parcel) -> dict[str, Any]:
    """The request body for one parcel. Raises Refused when something Amazon demands is missing."""
    if not parcel.tracking_no:
        raise Refused(
            said("Amazonへの出荷通知には追跡番号が必要です。追跡番号のない発送はセラーセントラルで通知してください。")
        )
    detail: dict[str, Any] = {
        "packageReferenceId": str(parcel.reference),
        "carrierCode": carrier_code(api, parcel.carrier, parcel.carrier_name),
        "trackingNumber": parcel.tracking_no,
        "shipDate": iso(parcel.shipped_at),
        "orderItems": [
            {"orderItemId": line_id, "quantity": quantity} for line_id, quantity in parcel.lines.items() if quantity > 0
        ],
    }
    if detail["carrierCode"] == "Other":
        detail["carrierName"] = parcel.carrier_name or UNNAMED_CARRIER
    if method := shipping_method(api, parcel.carrier):
        detail["shippingMethod"] = method
    return {"marketplaceId": api.marketplace_id, "packageDetail": detail}


def carrier_code(api: Api, carrier: str, name: str = "") -> str:
    own = api.settings.credentials.get(f"carrier_{carrier}") or _own_codes(api).get(carrier, ("", ""))[0]
    return own or CARRIER_CODES.get(carrier) or NAMED_CODES.get(name.strip().lower(), "Other")


def shipping_method(api: Api, carrier: str) -> str:
    """The carrier's service in words, or "" for one we cannot name."""
    own = _own_codes(api).get(carrier)
    return own[1] if own else METHODS.get(carrier, "")


def _own_codes(api: Api) -> dict[str, tuple[str, str]]:
    """(code, service) by our carrier, from a text like "yamato=YAMATO:宅急便, japanpost=JP_EXPRESS"."""
    found: dict[str, tuple[str, str]] = {}
    for part in api.settings.credentials.get("carrier_codes", "").replace("、", ",").split(","):
        carrier, _, told = part.partition("=")
        code, _, service = told.partition(":")
        if carrier.strip() and code.strip():
            found[carrier.strip()] = (code.strip(), service.strip())
    return found


def _refuse_what_amazon_ships(extra: Mapping[str, str]) -> None:
    if extra.get("fulfilled_by") == "AMAZON":
        raise Refused(said("FBAの注文はAmazonが出荷します。出荷通知は不要です。"))
    for program in str(extra.get("programs", "")).split(","):
        if program in SELF_CONFIRMING:
            raise Refused(SELF_CONFIRMING[program])


def _told(api: Api, number: str) -> set[str]:
    """Tracking numbers Amazon already has for the order."""
    order = order_now(api, number, "PACKAGES,FULFILLMENT") or {}
    packages = order.get("packages") or ()
    return {_plain(package.get("trackingNumber") or "") for package in packages} - {""}


def _plain(tracking_no: str) -> str:
    return tracking_no.replace("-", "").replace(" ", "").upper()
