"""Listings and stock: the item search, and the inventory calls of 2.0 and 2.1.

2.1 replaces a whole row and deletes lead times that are not sent along; 2.0 leaves them alone but writes variant ids
in lower case. So rows go by 2.0, and only rows whose variant id has capitals go by 2.1, with what the row holds.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.utils.translation import gettext_noop as noop

from channels.connectors.contract import ListingInfo, Refused, StockPush, StockResult
from channels.connectors.rakuten import wire
from channels.connectors.rakuten.transport import Rms, decoded, dicts
from channels.connectors.rakuten.values import amount, text, whole
from oms.kernel.said import said

POSITION = re.compile(r"inventories\[(\d+)\]")
SORT = {"sortKey": "manageNumber", "sortOrder": "asc"}
CARRIED = ("operationLeadTime", "shipFromIds")
BAD_CODE = said("楽天の在庫キー（商品管理番号/SKU管理番号）の形が正しくありません。商品を取り込み直してください。")
NOT_TAKEN = noop("楽天がこのSKUの在庫更新を受け付けませんでした（%(code)s）。RMSの商品登録を確認してください。")


def listings(rms: Rms) -> Iterator[list[ListingInfo]]:
    """Every variant of every item, one search page at a time. Beyond 10,000 items RMS wants its own cursor."""
    offset, found = 0, 1
    while offset < min(found, wire.ITEM_OFFSET_REACH):
        answer = rms.get(wire.ITEM_SEARCH_PATH, {"hits": wire.ITEM_PAGE, "offset": offset, **SORT})
        found = whole(answer.get("numFound")) or 0
        if found > wire.ITEM_OFFSET_REACH:
            yield from _by_cursor(rms)
            return
        results = dicts(answer.get("results"))
        if not results:
            return
        yield [listing for result in results for listing in variants(result.get("item") or {})]
        offset += len(results)


def _by_cursor(rms: Rms) -> Iterator[list[ListingInfo]]:
    cursor, passed = "*", ""
    while cursor and cursor != passed:
        answer = rms.get(wire.ITEM_SEARCH_PATH, {"hits": wire.ITEM_PAGE, "cursorMark": cursor, **SORT})
        passed, cursor = cursor, text(answer.get("nextCursorMark"))
        results = dicts(answer.get("results"))
        if not results:
            return
        yield [listing for result in results for listing in variants(result.get("item") or {})]


def variants(item: Mapping[str, Any]) -> Iterator[ListingInfo]:
    """The variants of one item of the item API, where flags are booleans and prices are texts."""
    manage, found = text(item.get("manageNumber")), item.get("variants")
    if not manage or not isinstance(found, dict):
        return
    for variant_id, variant in found.items():
        if not isinstance(variant, dict):
            continue
        words = (variant.get("selectorValues") or {}).values()
        yield ListingInfo(
            code=wire.listing_code(manage, variant_id),
            channel_sku=wire.channel_sku(
                text(variant.get("merchantDefinedSkuId")), manage, variant_id, text(item.get("itemNumber"))
            ),
            name=" ".join(text(word) for word in (item.get("title"), *words) if text(word)),
            price=_price(item, variant),
            jan=text((variant.get("articleNumber") or {}).get("value")),
            channel_keeps_stock=item.get("unlimitedInventoryFlag") is True,  # a number would mean nothing there
        )


def _price(item: Mapping[str, Any], variant: Mapping[str, Any]) -> int | None:
    """Tax-inclusive, or None: how the shop rounds a price without tax is not told."""
    if (item.get("payment") or {}).get("taxIncluded") is False:
        return None
    try:
        return amount(variant.get("standardPrice"))
    except ValueError:
        return None


def push(rms: Rms, items: Iterable[StockPush]) -> Iterator[StockResult]:
    """Absolute quantities, 400 rows a call. RMS answers nothing, so `confirmed` stays unknown until read back."""
    source = iter(items)
    while batch := list(islice(source, wire.STOCK_WRITE)):
        rows, results = {}, {}
        for item in batch:
            if not is_code(item.listing_code):
                results[item.listing_code] = BAD_CODE
                continue
            shown = max(0, min(item.quantity, wire.STOCK_MOST))
            rows[item.listing_code] = _row(item.listing_code, "ABSOLUTE", shown)
        exact = {code for code, row in rows.items() if row["variantId"] != row["variantId"].lower()}
        results.update(_write(rms, "2.0", {code: row for code, row in rows.items() if code not in exact}))
        results.update(_write_exact(rms, {code: row for code, row in rows.items() if code in exact}))
        for item in batch:
            error = results.get(item.listing_code, "")
            yield StockResult(item.listing_code, ok=not error, error=error)


def is_code(listing_code: str) -> bool:
    manage, slash, variant = listing_code.partition("/")
    return bool(manage and slash and variant)


def relative_row(listing_code: str, delta: int) -> dict[str, Any]:
    return _row(listing_code, "RELATIVE", delta)


def _row(listing_code: str, mode: str, quantity: int) -> dict[str, Any]:
    manage, _, variant = listing_code.partition("/")
    return {"manageNumber": manage, "variantId": variant, "mode": mode, "quantity": quantity}


def _write(rms: Rms, version: str, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Errors by listing code. RMS refuses a whole call for one bad row: the rows it names are dropped, the rest sent
    again; a call that is refused without naming rows is halved until the culprit is alone."""
    if not rows:
        return {}
    codes = list(rows)
    try:
        rms.post(wire.STOCK_WRITE_PATH.format(version=version), {"inventories": [rows[code] for code in codes]})
        return {}
    except Refused as refused:
        if version == "2.0" and "HTTP 404" in refused.detail:
            return _write_exact(rms, rows)
        if " IE" not in refused.detail:
            raise  # not about a row
        bad = {codes[place]: reason for place, reason in named_rows(refused).items() if place < len(codes)}
        if not bad and len(codes) == 1:
            return {codes[0]: said(NOT_TAKEN, code=_code(refused))}
    if bad:
        return {**bad, **_write(rms, version, {code: row for code, row in rows.items() if code not in bad})}
    middle = len(codes) // 2
    first, second = ({code: rows[code] for code in half} for half in (codes[:middle], codes[middle:]))
    return {**_write(rms, version, first), **_write(rms, version, second)}


def _write_exact(rms: Rms, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """By 2.1, which keeps capitals: what the rows hold beside the quantity is read first and sent along."""
    if not rows:
        return {}
    return _write(rms, "2.1", dict(zip(rows, with_held_values(rms, list(rows.values())), strict=True)))


def with_held_values(rms: Rms, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the lead times and places that RMS holds for them now."""
    held = {_key(row): row for row in _read_rows(rms, rows)}
    return [
        {**row, **{key: held[_key(row)][key] for key in CARRIED if held.get(_key(row), {}).get(key)}} for row in rows
    ]


def named_rows(refused: Refused) -> dict[int, str]:
    """Place in the call → why, from the refusal's `propertyPath`s."""
    named = {}
    for word in refused.detail.split():
        code, _, path = word.partition("@")
        if found := POSITION.search(path):
            named[int(found[1])] = said(NOT_TAKEN, code=code)
    return named


def _code(refused: Refused) -> str:
    return next(word.partition("@")[0] for word in refused.detail.split() if word.startswith("IE"))


def read(rms: Rms, codes: Sequence[str]) -> dict[str, int]:
    """What Rakuten shows. Unknown pairs are missing from its answer, and so from ours."""
    shown: dict[str, int] = {}
    for start in range(0, len(codes), wire.STOCK_READ):
        wanted = [code.partition("/") for code in codes[start : start + wire.STOCK_READ]]
        pairs = [{"manageNumber": manage, "variantId": variant} for manage, slash, variant in wanted if slash]
        for row in _read_rows(rms, pairs):
            quantity = whole(row.get("quantity"))
            if quantity is not None:
                shown[_key(row)] = quantity
    by_lower = {code.lower(): quantity for code, quantity in shown.items()}
    found = {code: shown.get(code, by_lower.get(code.lower())) for code in codes}
    return {code: quantity for code, quantity in found.items() if quantity is not None}


def _read_rows(rms: Rms, pairs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if not pairs:
        return []
    names = [{"manageNumber": pair["manageNumber"], "variantId": pair["variantId"]} for pair in pairs]
    return dicts(decoded(rms.post(wire.STOCK_READ_PATH, {"inventories": names})).get("inventories"))


def _key(row: Mapping[str, Any]) -> str:
    return wire.listing_code(text(row.get("manageNumber")), text(row.get("variantId")))
