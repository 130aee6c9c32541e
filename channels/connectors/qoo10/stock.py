"""Listings and stock. A listing is an item ("900000001") or one of its options ("900000001/OPTION-CODE").

Qoo10 finds an option by its axis names and values, and takes a blank sale end as "one year more". Both are read once
per item and kept for a day. Quantities are absolute; Qoo10 does not tell the applied one and may take ten minutes to
show it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from channels.connectors.contract import ListingInfo, Refused, StockPush, StockResult
from channels.connectors.qoo10 import codes
from channels.connectors.qoo10.parse import whole
from channels.connectors.qoo10.rows import Row, plain
from channels.connectors.qoo10.transport import Api, QapiRefused
from channels.connectors.seen import store_name
from oms.kernel.said import said

BULK = 500
GROUP = 20
MOST = 2_147_483_647
KEEP_S = 24 * 3600
PARTLY = -1
JOINT = "||*"
AXES = range(1, 6)
LISTED = ("S2", "S1")  # on sale, stopped by the seller
UNKNOWN_ITEM = said("この商品コードはQoo10に見つかりません。商品の紐付けを確認してください。")
UNKNOWN_OPTION = said("このオプションコードはQoo10の商品に見つかりません。商品の紐付けを確認してください。")

Fields = dict[str, str]
Known = dict[str, Fields]  # listing code → what a stock call must say besides the quantity


# ---- pushing -------------------------------------------------------------------------------------------------------


def push_stock(api: Api, items: Iterable[StockPush]) -> Iterator[StockResult]:
    """One result per item, in batches of 500 per call; a code that Qoo10 refuses stops no other."""
    batch: list[StockPush] = []
    for item in items:
        batch.append(item)
        if len(batch) == BULK:
            yield from _push(api, batch)
            batch = []
    if batch:
        yield from _push(api, batch)


def _push(api: Api, batch: Sequence[StockPush]) -> Iterator[StockResult]:
    """What needs no reading goes first, the rest in small groups, so that reading holds up little."""
    wanted = {item.listing_code: min(max(item.quantity, 0), MOST) for item in batch}
    ready = [code for code in wanted if code in (_stored(api, code) or {})]
    others = [code for code in wanted if code not in set(ready)]
    results = _push_group(api, {code: wanted[code] for code in ready})
    for at in range(0, len(others), GROUP):
        results |= _push_group(api, {code: wanted[code] for code in others[at : at + GROUP]})
    for item in batch:
        yield results[item.listing_code]


def _push_group(api: Api, wanted: Mapping[str, int]) -> dict[str, StockResult]:
    results: dict[str, StockResult] = {}
    items: dict[str, Fields] = {}
    options: dict[str, Fields] = {}
    for code, quantity in wanted.items():
        try:
            row = {**call_fields(api, code), "Qty": str(quantity)}
        except Refused as refused:
            results[code] = StockResult(code, ok=False, error=refused.cause)
        else:
            (options if is_option(code) else items)[code] = row
    results |= _send(api, options, codes.OPTION_BULK, codes.OPTION_ONE)
    return results | _send(api, items, codes.ITEM_BULK, codes.ITEM_ONE)


def _send(api: Api, rows: Mapping[str, Fields], bulk: str, single: str) -> dict[str, StockResult]:
    """A bulk call says only that some rows failed, not which: then each is sent alone."""
    if len(rows) > 1:
        fields = {"ItemInfoJson": json.dumps(list(rows.values()), ensure_ascii=False)}
        try:
            if api.call(bulk, fields, accept=(PARTLY,)).code == 0:
                return {code: StockResult(code, ok=True) for code in rows}
        except QapiRefused:  # refused as a whole: the single calls tell which row it was
            return {code: _send_one(api, single, code, row) for code, row in rows.items()}
    return {code: _send_one(api, single, code, row) for code, row in rows.items()}


def _send_one(api: Api, method: str, code: str, row: Fields) -> StockResult:
    try:
        api.call(method, row)
    except QapiRefused as refused:
        _forget(api, code)
        return StockResult(code, ok=False, error=refused.cause)
    return StockResult(code, ok=True)


def call_fields(api: Api, code: str) -> Fields:
    """What a stock call says besides the quantity. Raises Refused for an unknown code."""
    known = _stored(api, code)
    if known is None or code not in known:
        known = _read_known(api, code)
        api.redis.set(_name(api, code), json.dumps(known), ex=KEEP_S)
    if code not in known:
        raise Refused(UNKNOWN_OPTION if is_option(code) else UNKNOWN_ITEM)
    return known[code]


def is_option(code: str) -> bool:
    return "/" in code


def item_of(code: str) -> str:
    return code.partition("/")[0]


# ---- what is known of an item --------------------------------------------------------------------------------------


def _stored(api: Api, code: str) -> Known | None:
    stored = api.redis.get(_name(api, code))
    return json.loads(stored) if isinstance(stored, bytes) else None


def _forget(api: Api, code: str) -> None:
    api.redis.delete(_name(api, code))


def _name(api: Api, code: str) -> str:
    kind = "options" if is_option(code) else "item"
    return f"{store_name('qoo10', api.base_url, api.settings.shop_code)}:{kind}:{item_of(code)}"


def _read_known(api: Api, code: str) -> Known:
    item = item_of(code)
    if is_option(code):
        return {option_code(item, row): _option_fields(item, row) for row in inventory(api, item)}
    details = item_details(api, item)
    if details is None:
        return {}
    ends = details.get("expiredate", "")[:10]
    seller_code, tax_rate = details.get("sellercode", ""), details.get("taxrate", "")
    return {item: {"ItemCode": item, "SellerCode": seller_code, "ExpireDate": ends, "TaxRate": tax_rate}}


def _option_fields(item: str, row: Row) -> Fields:
    return {
        "ItemCode": item,
        "SellerCode": "",
        "OptionName": _axes(row, "name"),
        "OptionValue": _axes(row, "value"),
        "OptionCode": row["itemtypecode"],
    }


def option_code(item: str, row: Row) -> str:
    return f"{item}/{row['itemtypecode']}"


def _axes(row: Row, kind: str) -> str:
    return JOINT.join(row[f"{kind}{axis}"] for axis in AXES if row.get(f"name{axis}") and f"{kind}{axis}" in row)


def item_details(api: Api, item: str) -> Row | None:
    """None when Qoo10 does not know the item."""
    try:
        rows = api.call(codes.ITEM, {"ItemCode": item}).rows
    except QapiRefused:
        return None
    return next((plain(row) for row in rows if isinstance(row, dict)), None)


def inventory(api: Api, item: str) -> list[Row]:
    """The options that have a code; empty for an item without options."""
    try:
        rows = api.call(codes.INVENTORY, {"ItemCode": item}).rows
    except QapiRefused:
        return []
    found = [plain(row) for row in rows if isinstance(row, dict)]
    return [row for row in found if row.get("name1") and row.get("itemtypecode")]


# ---- reading -------------------------------------------------------------------------------------------------------


def read_stock(api: Api, listing_codes: Sequence[str]) -> dict[str, int]:
    """Shown quantities, one item at a time; unknown codes are left out."""
    by_item: dict[str, list[str]] = {}
    for code in dict.fromkeys(listing_codes):
        by_item.setdefault(item_of(code), []).append(code)
    shown: dict[str, int] = {}
    for item, asked in by_item.items():
        quantities = {listing.code: listing.quantity for listing in _listings_of(api, item)}
        shown |= {code: found for code in asked if (found := quantities.get(code)) is not None}
    return shown


def list_listings(api: Api) -> Iterator[Sequence[ListingInfo]]:
    """Every option of every item on sale or stopped by the seller, a page of items at a time."""
    seen: set[str] = set()
    for status in LISTED:
        for items in _item_pages(api, status):
            fresh = [item for item in items if item not in seen]
            seen.update(fresh)
            listings = [listing for item in fresh for listing in _listings_of(api, item)]
            if listings:
                yield listings


def _item_pages(api: Api, status: str) -> Iterator[list[str]]:
    page, pages = 1, 1
    while page <= pages:
        items, pages = _item_page(api, status, page)
        if not items:
            return
        yield items
        page += 1


def _item_page(api: Api, status: str, page: int) -> tuple[list[str], int]:
    """(item codes, number of pages)."""
    rows = api.call(codes.ALL_ITEMS, {"ItemStatus": status, "Page": str(page)}).rows
    answer: Mapping[str, Any] = rows[0] if rows and isinstance(rows[0], dict) else {}
    items = answer.get("Items") or []
    found = [plain(item) for item in (items if isinstance(items, list) else [items]) if isinstance(item, dict)]
    return [item["itemno"] for item in found if "itemno" in item], whole(str(answer.get("TotalPages") or "1")) or 1


def _listings_of(api: Api, item: str) -> list[ListingInfo]:
    details = item_details(api, item)
    if details is None:
        return []
    price = whole(details.get("itemprice", ""))
    name = details.get("itemtitle", "")
    jan = details.get("industrialcode", "") if details.get("industrialcodetype") == "J" else ""
    options = inventory(api, item)
    if not options:
        return [ListingInfo(item, item, name, quantity=whole(details.get("itemqty", "")), price=price, jan=jan)]
    return [_option_listing(item, name, price, row) for row in options]


def _option_listing(item: str, name: str, price: int | None, row: Row) -> ListingInfo:
    code = option_code(item, row)
    values = " ".join(row[f"value{axis}"] for axis in AXES if f"value{axis}" in row)
    surcharge = whole(row.get("price", "")) or 0
    return ListingInfo(
        code,
        code,
        f"{name} {values}".strip(),
        quantity=whole(row.get("qty", "")),
        price=None if price is None else price + surcharge,
    )
