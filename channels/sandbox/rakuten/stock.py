"""Inventory API 2.0 and 2.1, and item search."""

import base64
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from werkzeug import Request, Response

from channels.sandbox.errors import UnknownListing
from channels.sandbox.goods import Listing
from channels.sandbox.rakuten.answers import iso, stock_errors, traced
from channels.sandbox.simulator import Simulator, json_response

MANAGE_NUMBER = re.compile(r"[a-zA-Z0-9\-_]{1,32}")
MOST, WRITE_MOST, READ_MOST = 99_999, 400, 1000
HELD = ("operationLeadTime", "shipFromIds")
OFFSET_REACH = 10_000


def bulk_get(mall: Simulator, body: Any, version: str) -> Response:
    """Pairs that do not exist are just missing from the answer."""
    rows = body.get("inventories") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= READ_MOST:
        return stock_errors([("IE0121", "inventories: 1 to 1000", "inventories")])
    bad = [
        ("IE0001", "required", f"inventories[{place}].{key}")
        for place, row in enumerate(rows)
        for key in ("manageNumber", "variantId")
        if not isinstance(row, dict) or not row.get(key)
    ]
    if bad:
        return stock_errors(bad)
    found = (_shown(mall, *_pair(row, version), version) for row in rows)
    return traced(json_response({"inventories": [row for row in found if row]}))


def _pair(row: Mapping[str, Any], version: str) -> tuple[str, str]:
    """manageNumber is always lowered, variantId only by 2.0."""
    variant = str(row["variantId"])
    return str(row["manageNumber"]).lower(), variant.lower() if version == "2.0" else variant


def _shown(mall: Simulator, manage: str, variant: str, version: str) -> dict[str, Any] | None:
    key = f"{manage}/{variant}"
    try:
        row = mall.world.shown("rakuten", key)
        quantity, updated = row.quantity, row.updated_at
    except UnknownListing:
        orphan = mall.world.recall("rakuten", f"orphan:{key}")
        if orphan is None:
            return None
        quantity, updated = orphan, mall.now()
    held = mall.world.recall("rakuten", f"held:{key}", {}) if version == "2.1" else {}
    times = {"created": iso(updated), "updated": iso(updated)}
    return {"manageNumber": manage, "variantId": variant, "quantity": quantity, **times, **held}


def bulk_upsert(mall: Simulator, body: Any, version: str) -> Response:
    """All rows or none; 204 without a body. 2.1 replaces a row: what is not sent along is deleted."""
    rows = body.get("inventories") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows:
        return stock_errors([("GE0011", "empty body", "")])
    if len(rows) > WRITE_MOST:
        return stock_errors([("IE0121", "inventories: 1 to 400", f"inventories[{WRITE_MOST}]")])
    bad = [problem for place, row in enumerate(rows) for problem in _problems(mall, row, place, version)]
    if not bad:
        bad = _doubles(rows, version)
    if not bad:
        bad = [("IE0002", "invalid", f"inventories[{place}]") for place in range(len(rows)) if mall.row_fails()]
    if bad:
        return stock_errors(bad)
    for row in rows:
        _write(mall, row, version)
    return traced(Response(status=204))


def _problems(mall: Simulator, row: Any, place: int, version: str) -> list[tuple[str, str, str]]:
    path = f"inventories[{place}]"
    if not isinstance(row, dict):
        return [("IE0002", "not an object", path)]
    missing = [key for key in ("manageNumber", "variantId", "mode", "quantity") if row.get(key) in (None, "")]
    if missing:
        return [("IE0001", "required", f"{path}.{key}") for key in missing]
    problems = []
    if not MANAGE_NUMBER.fullmatch(str(row["manageNumber"])):
        problems.append(("IE0002", "invalid", f"{path}.manageNumber"))
    if len(str(row["variantId"]).encode()) > 32:
        problems.append(("IE0004", "too long", f"{path}.variantId"))
    if row["mode"] not in ("ABSOLUTE", "RELATIVE"):
        problems.append(("IE0002", "invalid", f"{path}.mode"))
    if not isinstance(row["quantity"], int) or isinstance(row["quantity"], bool):
        problems.append(("IE0002", "invalid", f"{path}.quantity"))
    return problems or _range_problems(mall, row, path, version)


def _range_problems(mall: Simulator, row: Mapping[str, Any], path: str, version: str) -> list[tuple[str, str, str]]:
    now = _shown(mall, *_pair(row, version), version)
    if row["mode"] == "RELATIVE":
        if now is None:
            return [("IE0500", "no such row", f"{path}.mode")]
        after = now["quantity"] + row["quantity"]
        return [] if 0 <= after <= MOST else [("IE0117", "out of range", f"{path}.quantity")]
    return [] if 0 <= row["quantity"] <= MOST else [("IE0003", "out of range", f"{path}.quantity")]


def _doubles(rows: Sequence[Mapping[str, Any]], version: str) -> list[tuple[str, str, str]]:
    seen: set[tuple[str, str]] = set()
    for place, row in enumerate(rows):
        if _pair(row, version) in seen:
            return [("IE1102", "the same row twice", f"inventories[{place}]")]
        seen.add(_pair(row, version))
    return []


def _write(mall: Simulator, row: Mapping[str, Any], version: str) -> None:
    manage, variant = _pair(row, version)
    key = f"{manage}/{variant}"
    relative = row["mode"] == "RELATIVE"
    try:
        mall.world.set_stock("rakuten", key, row["quantity"], relative=relative, payload={"mode": row["mode"]})
    except UnknownListing:
        # A row for an item that does not exist is taken without an error.
        before = mall.world.recall("rakuten", f"orphan:{key}", 0) if relative else 0
        mall.world.remember("rakuten", f"orphan:{key}", before + row["quantity"])
    if version == "2.1":
        mall.world.remember("rakuten", f"held:{key}", {name: row[name] for name in HELD if row.get(name)})


def one_row(mall: Simulator, method: str, names: Mapping[str, str], version: str, body: Any) -> Response:
    """GET, PUT or DELETE of one SKU's row; `names` has manageNumber and variantId."""
    pair = _pair(names, version)
    if method == "PUT":
        row = {**(body if isinstance(body, dict) else {}), **names}
        bad = _problems(mall, row, 0, version)
        if bad:
            return stock_errors([(code, text, path.partition(".")[2]) for code, text, path in bad])
        _write(mall, row, version)
        return traced(Response(status=204))
    shown = _shown(mall, *pair, version)
    if shown is None:
        return stock_errors([("GE0014", "not found", "")], 404)
    if method == "DELETE":
        mall.world.set_stock("rakuten", "/".join(pair), 0)
        return traced(Response(status=204))
    return traced(json_response(shown))


def variants_of(mall: Simulator, manage: str) -> Response:
    rows = [listing for listing in mall.world.listings("rakuten") if listing.codes["manage_number"] == manage.lower()]
    if not rows:
        return stock_errors([("GE0014", "not found", "")], 404)
    return traced(json_response({"manageNumber": manage.lower(), "variantIds": [r.codes["variant_id"] for r in rows]}))


def range_get(mall: Simulator, request: Request, version: str) -> Response:
    least, most = request.args.get("minQuantity", ""), request.args.get("maxQuantity", "")
    if not least.isdigit() or not most.isdigit() or int(most) - int(least) > 1000:
        return stock_errors([("IE0116", "range", "")])
    found = (
        _shown(mall, one.codes["manage_number"], one.codes["variant_id"], version)
        for one in mall.world.listings("rakuten")
    )
    rows = [row for row in found if row and int(least) <= row["quantity"] <= int(most)]
    return traced(json_response({"inventories": rows}))


# ---- items -----------------------------------------------------------------------------------------------------------


def search_items(mall: Simulator, request: Request) -> Response:
    """By offset up to 10,000, or by cursor; the cursor repeats when the end is reached."""
    hits, offset = request.args.get("hits", "10"), request.args.get("offset", "0")
    if not hits.isdigit() or not 1 <= int(hits) <= 100:
        return stock_errors([("IE0003", "hits: 1 to 100", "hits")])
    if not offset.isdigit() or int(offset) >= OFFSET_REACH:
        return stock_errors([("IE0003", "offset: 0 to 9999", "offset")])
    wanted = request.args.get("manageNumber", "").lower()
    items = [item for item in _items(mall) if not wanted or item["manageNumber"] == wanted]
    items.sort(key=lambda item: item["manageNumber"], reverse=request.args.get("sortOrder", "desc") == "desc")
    mark = request.args.get("cursorMark", "")
    start = _after(items, mark) if mark else int(offset)
    shown = mall.page(items, start, int(hits))
    end = base64.urlsafe_b64encode(shown[-1]["manageNumber"].encode()).decode() if shown else mark
    body = {"numFound": len(items), "offset": start, "nextCursorMark": end}
    return traced(json_response({**body, "results": [{"item": item} for item in shown]}))


def _after(items: Sequence[Mapping[str, Any]], mark: str) -> int:
    if mark == "*":
        return 0
    last = base64.urlsafe_b64decode(mark).decode()
    places = [place for place, item in enumerate(items) if item["manageNumber"] == last]
    return places[0] + 1 if places else len(items)


def one_item(mall: Simulator, manage: str) -> Response:
    found = next((item for item in _items(mall) if item["manageNumber"] == manage.lower()), None)
    return traced(json_response(found)) if found else stock_errors([("GE0014", "not found", "")], 404)


def _items(mall: Simulator) -> list[dict[str, Any]]:
    listings = sorted(mall.world.listings("rakuten"), key=lambda one: one.codes["manage_number"])
    return [_item(mall, list(group)) for _, group in groupby(listings, key=lambda one: one.codes["manage_number"])]


def _item(mall: Any, group: Sequence[Listing]) -> dict[str, Any]:
    first = group[0]
    sku = mall.world.catalogue.skus[first.sku]
    axes = list(dict.fromkeys(name for one in group for name in _axes(one)))
    return {
        "manageNumber": first.codes["manage_number"],
        "itemNumber": first.codes["item_number"],
        "title": first.title,
        "itemType": "PRE_ORDER" if sku.is_preorder else "NORMAL",
        "hideItem": False,
        "unlimitedInventoryFlag": first.codes["manage_number"] in mall.unlimited,
        "payment": {"taxIncluded": True, "taxRate": f"{sku.tax_rate / 100:.2f}"},
        "variantSelectors": [_selector(name, group) for name in axes],
        "variants": {one.codes["variant_id"]: _variant(mall, one) for one in group},
    }


def _axes(listing: Listing) -> dict[str, str]:
    lines = listing.codes["sku_info"].split("\n")
    return {part[0]: part[2] for line in lines if line and (part := line.partition(":"))}


def _selector(name: str, group: Sequence[Listing]) -> dict[str, Any]:
    values = dict.fromkeys(_axes(one).get(name, "") for one in group)
    return {"key": name, "displayName": name, "values": [{"displayValue": value} for value in values if value]}


def _variant(mall: Simulator, listing: Listing) -> dict[str, Any]:
    jan = mall.world.catalogue.skus[listing.sku].jan
    variant: dict[str, Any] = {
        "selectorValues": _axes(listing),
        "standardPrice": str(listing.price),
        "articleNumber": {"value": jan} if jan else {"exemptionReason": 5},
        "hidden": False,
    }
    if listing.codes["merchant_sku"]:
        variant["merchantDefinedSkuId"] = listing.codes["merchant_sku"]
    return variant
