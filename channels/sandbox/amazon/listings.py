"""Listings Items 2021-08-01: search, get, patch of the quantity."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.sandbox.amazon.answers import (
    csv,
    denied,
    integer,
    invalid,
    not_found,
    page_token,
    parse_time,
    read_page_token,
    utc,
    yen,
)
from channels.sandbox.errors import UnknownListing
from channels.sandbox.goods import Listing
from channels.sandbox.numbers import AMAZON_MARKETPLACE_ID, AMAZON_SELLER_ID
from channels.sandbox.simulator import Simulator

DATA = frozenset({
    "summaries", "attributes", "issues", "offers", "fulfillmentAvailability", "procurement", "relationships",
    "productTypes",
})  # fmt: skip
SORTS = frozenset({"sku", "createdDate", "lastUpdatedDate"})
OPENED = datetime(2021, 4, 1, tzinfo=UTC)
AVAILABILITY = "/attributes/fulfillment_availability"
MOST = 99_999

Json = Mapping[str, Any]


class ListingCalls:
    """`stock_delay_s`: how long an accepted quantity takes to show. `search_cap`: where a search ends."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.stock_delay_s = 60.0
        self.search_cap = 1000
        self._created: dict[str, datetime] = {}

    # ---- reading -----------------------------------------------------------------------------------------------

    def get(self, seller_id: str, sku: str, args: Mapping[str, str]) -> dict[str, Any]:
        _check_place(seller_id, args)
        data = csv(args, "includedData", DATA) or ["summaries"]
        try:
            listing = self.simulator.world.listing("amazon", sku)
        except UnknownListing as unknown:
            raise not_found(f"SKU '{sku}' not found in marketplace {AMAZON_MARKETPLACE_ID}") from unknown
        return self._wire(listing, data)

    def search(self, seller_id: str, args: Mapping[str, str]) -> dict[str, Any]:
        _check_place(seller_id, args)
        data = csv(args, "includedData", DATA) or ["summaries"]
        size = integer(args, "pageSize", 10, 1, 20)
        rows = self._sorted(self._matching(args), args)
        start = self._start(args)
        page = self.simulator.page(rows, start, size)
        answer: dict[str, Any] = {"numberOfResults": len(rows), "items": [self._wire(one, data) for one in page]}
        if start + size < min(len(rows), self.search_cap):
            answer["pagination"] = {"nextToken": page_token(start=start + size, query=_digest(args))}
        return answer

    def _start(self, args: Mapping[str, str]) -> int:
        token = args.get("pageToken")
        if not token:
            return 0
        content = read_page_token("pageToken", token)
        if content.get("query") != _digest(args):
            raise invalid("Search parameters do not match the provided 'pageToken'.")
        return int(content["start"])

    def _matching(self, args: Mapping[str, str]) -> Sequence[Listing]:
        rows = self.simulator.world.listings("amazon")
        identifiers, kind = csv(args, "identifiers"), args.get("identifiersType")
        if bool(identifiers) != bool(kind):
            raise invalid("identifiers and identifiersType must be used together.")
        if len(identifiers) > 20:
            raise invalid("identifiers: at most 20 values.")
        if identifiers:
            if kind not in ("SKU", "ASIN"):
                raise invalid(f"Invalid value for identifiersType: {kind}")
            code = "seller_sku" if kind == "SKU" else "asin"
            rows = [row for row in rows if row.codes[code] in identifiers]
        for name, keeps in (("createdAfter", datetime.__ge__), ("createdBefore", datetime.__le__)):
            if name in args:
                bound = parse_time(name, args[name])
                rows = [row for row in rows if keeps(self._created_at(row), bound)]
        return rows

    def _sorted(self, rows: Sequence[Listing], args: Mapping[str, str]) -> list[Listing]:
        by, order = args.get("sortBy", "lastUpdatedDate"), args.get("sortOrder", "DESC")
        if by not in SORTS or order not in ("ASC", "DESC"):
            raise invalid("Invalid value for sortBy or sortOrder.")
        if by == "sku":
            return sorted(rows, key=lambda row: row.key, reverse=order == "DESC")
        if by == "createdDate":
            return sorted(rows, key=lambda row: (self._created_at(row), row.key), reverse=order == "DESC")
        return sorted(rows, key=lambda row: (self._updated_at(row), row.key), reverse=order == "DESC")

    def _created_at(self, listing: Listing) -> datetime:
        """One listing a minute from the shop's opening on; the world does not know when a listing was made."""
        if listing.key not in self._created:
            known = enumerate(self.simulator.world.listings("amazon"))
            self._created = {one.key: OPENED + timedelta(minutes=place) for place, one in known}
        return self._created[listing.key]

    def _updated_at(self, listing: Listing) -> datetime:
        if listing.fulfilled_by == "amazon":
            return self._created_at(listing)
        return self.simulator.world.shown("amazon", listing.key).updated_at

    def _wire(self, listing: Listing, data: Collection[str]) -> dict[str, Any]:
        makers = {
            "summaries": self._summaries,
            "attributes": self._attributes,
            "offers": _offers,
            "fulfillmentAvailability": self._availability,
            "issues": lambda _: [],
            "productTypes": lambda _: [{"marketplaceId": AMAZON_MARKETPLACE_ID, "productType": "PRODUCT"}],
        }
        return {"sku": listing.key, **{name: makers[name](listing) for name in data if name in makers}}

    def _summaries(self, listing: Listing) -> list[Json]:
        summary = {
            "marketplaceId": AMAZON_MARKETPLACE_ID,
            "asin": listing.codes["asin"],
            "productType": "PRODUCT",
            "conditionType": "new_new",
            "status": ["BUYABLE", "DISCOVERABLE"],
            "itemName": listing.title,
            "createdDate": utc(self._created_at(listing)),
            "lastUpdatedDate": utc(self._updated_at(listing)),
        }
        return [summary]

    def _attributes(self, listing: Listing) -> Json:
        sku = self.simulator.world.catalogue.skus[listing.sku]
        submitted = self.simulator.world.recall("amazon", f"submitted:{listing.key}")
        attributes: dict[str, Any] = {
            "item_name": [{"value": listing.title, "language_tag": "ja_JP", "marketplace_id": AMAZON_MARKETPLACE_ID}],
            "externally_assigned_product_identifier": [
                {"type": "ean", "value": sku.jan, "marketplace_id": AMAZON_MARKETPLACE_ID}
            ],
        }
        if submitted is not None:
            attributes["fulfillment_availability"] = [{"fulfillment_channel_code": "DEFAULT", "quantity": submitted}]
        return attributes

    def _availability(self, listing: Listing) -> list[Json]:
        if listing.fulfilled_by == "amazon":
            return [{"fulfillmentChannelCode": "AMAZON_JP"}]
        shown = self.simulator.world.shown("amazon", listing.key)
        return [{"fulfillmentChannelCode": "DEFAULT", "quantity": max(shown.quantity, 0)}]

    # ---- writing -----------------------------------------------------------------------------------------------

    def patch(self, seller_id: str, sku: str, args: Mapping[str, str], body: Json) -> dict[str, Any]:
        _check_place(seller_id, args)
        mode = args.get("mode", "")
        if mode not in ("", "VALIDATION_PREVIEW"):
            raise invalid(f"Invalid value for mode: {mode}")
        if not isinstance(body.get("productType"), str) or not isinstance(body.get("patches"), list):
            raise invalid("productType and patches are required.")
        try:
            self.simulator.world.listing("amazon", sku)
        except UnknownListing as unknown:
            raise invalid(f"SKU '{sku}' not found in marketplace {AMAZON_MARKETPLACE_ID}") from unknown
        issues = self.apply_patches(sku, body["patches"], preview=bool(mode))
        status = "INVALID" if issues else "VALID" if mode else "ACCEPTED"
        submission = f"{self.simulator.world.next_id('amazon', 'submission'):032x}"
        return {"sku": sku, "status": status, "submissionId": submission, "issues": issues}

    def apply_patches(self, sku: str, patches: Sequence[Any], *, preview: bool = False) -> list[Json]:
        """The issues that stop it; with none the quantity is taken over (shown later)."""
        try:
            listing = self.simulator.world.listing("amazon", sku)
        except UnknownListing:
            return [_issue("13013", f"SKU '{sku}' does not exist.", "sku")]
        quantity: int | None = None
        for patch in patches:
            if issue := _patch_issue(listing, patch):
                return [issue]
            quantity = patch["value"][0]["quantity"]
        if quantity is None:
            return [_issue("4000003", "No patch was given.", "patches")]
        if not preview:
            self.simulator.world.remember("amazon", f"submitted:{sku}", quantity)
            self.simulator.world.set_stock(
                "amazon", sku, quantity, shown_after_s=self.stock_delay_s, payload={"quantity": quantity}
            )
        return []


def _check_place(seller_id: str, args: Mapping[str, str]) -> None:
    if csv(args, "marketplaceIds") != [AMAZON_MARKETPLACE_ID]:
        raise invalid("marketplaceIds: is missing or not a marketplace of this seller.")
    if seller_id != AMAZON_SELLER_ID:
        raise denied("")


def _digest(args: Mapping[str, str]) -> str:
    bound = {name: text for name, text in args.items() if name != "pageToken"}
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:16]


def _offers(listing: Listing) -> list[Json]:
    return [{"marketplaceId": AMAZON_MARKETPLACE_ID, "offerType": "B2C", "price": yen(listing.price)}]


def _issue(code: str, message: str, attribute: str) -> Json:
    return {
        "code": code,
        "message": message,
        "severity": "ERROR",
        "attributeNames": [attribute],
        "categories": ["INVALID_ATTRIBUTE"],
    }


def _patch_issue(listing: Listing, patch: Any) -> Json | None:
    """Why this patch cannot be taken; attribute names are snake_case, values are lists."""
    name = "fulfillment_availability"
    if not isinstance(patch, dict) or patch.get("op") not in ("add", "replace", "merge"):
        return _issue("4000003", "The patch operation is not supported.", "patches")
    if patch.get("path") != AVAILABILITY:
        return _issue("90000900", f"The attribute of path {patch.get('path')} cannot be changed here.", name)
    value = patch.get("value")
    if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], dict):
        return _issue("90000901", "The value must be a list of one object.", name)
    code, text = _value_fault(listing, value[0])
    return _issue(code, text, name) if code else None


def _value_fault(listing: Listing, value: Json) -> tuple[str, str]:
    """(code, text) of what is wrong with one availability, or two empty texts."""
    if set(value) - {"fulfillment_channel_code", "quantity", "lead_time_to_ship_max_days", "restock_date"}:
        return "90000900", "The field names are not known."
    if value.get("fulfillment_channel_code") != "DEFAULT" or listing.fulfilled_by == "amazon":
        return "90000902", "A quantity is possible for the channel DEFAULT only."
    quantity = value.get("quantity")
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not 0 <= quantity <= MOST:
        return "90220", "'quantity' must be a number from 0 on."
    return "", ""
