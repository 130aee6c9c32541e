"""setStock, getStock, getItem, myItemList."""

import re
from collections.abc import Mapping
from typing import Any

from werkzeug import Response

from channels.sandbox.catalogue import Listing
from channels.sandbox.errors import UnknownListing
from channels.sandbox.simulator import Simulator
from channels.sandbox.yahoo.wire import (
    BARE_TEXT_XML,
    Refusal,
    cdata,
    item_error,
    moment,
    padded,
    reply,
    result_set,
    tag,
)

MOST_CODES = 1000
MOST_UNITS = 999_999_999
CODE = re.compile(r"[A-Za-z0-9-]{1,99}(:[A-Za-z0-9-]{1,99})?")
QUANTITY = re.compile(r"[+-]?\d{1,12}")
ORPHANS = "orphan stock"


def set_stock(simulator: Any, form: Mapping[str, str]) -> Response:
    codes, quantities = _list(form, "item_code"), _list(form, "quantity")
    if not codes or len(codes) > MOST_CODES:
        raise Refusal(400, "st-02101", "item_codeが不正です。")
    for name in ("quantity", "allow_overdraft", "stock_close"):
        if name in form and len(_list(form, name)) != len(codes):
            raise Refusal(400, "st-02104", f"{name}の個数がitem_codeと一致しません。")
    if len(quantities) != len(codes):
        raise Refusal(400, "st-02104", "quantityは必須です。")
    errors = {
        position: error
        for position, pair in enumerate(zip(codes, quantities, strict=True))
        if (error := _error(*pair) or ("st-02104" if simulator.row_fails() else ""))
    }
    if errors and len(codes) == 1:
        raise Refusal(400, errors[0], "パラメータが不正です。")
    applies = not errors or simulator.partial_stock_applies
    rows = [
        _failed_row(code, errors[position]) if position in errors else _set_row(simulator, code, quantity, applies)
        for position, (code, quantity) in enumerate(zip(codes, quantities, strict=True))
    ]
    return reply(result_set(rows), 207 if errors else 200, content_type=BARE_TEXT_XML)


def _list(form: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in form.get(name, "").split(",")] if form.get(name) else []


def _error(code: str, quantity: str) -> str:
    wrong = []
    if not CODE.fullmatch(code):
        wrong.append("st-02101")
    if not QUANTITY.fullmatch(quantity) or abs(int(quantity)) > MOST_UNITS:
        wrong.append("st-02104")
    return ",".join(wrong)


def _failed_row(code: str, error: str) -> str:
    item, _, sub = code.partition(":")
    return f"<Result>{padded('ItemCode', item)}{padded('SubCode', sub)}{padded('ErrorCode', error)}</Result>"


def _set_row(simulator: Any, code: str, quantity: str, applies: bool) -> str:
    item, _, sub = code.partition(":")
    shown = _apply(simulator, code, quantity) if applies else max(int(quantity), 0)
    return f"<Result>{padded('ItemCode', item)}{padded('SubCode', sub)}{padded('Quantity', shown)}</Result>"


def _apply(simulator: Any, code: str, quantity: str) -> int:
    """A leading sign adds or takes away; a plain number replaces. An unknown code gets a record of its own."""
    relative = quantity[0] in "+-"
    try:
        shown = simulator.world.shown("yahoo", code).quantity
    except UnknownListing:
        orphans = dict(simulator.world.recall("yahoo", ORPHANS, {}))
        orphans[code] = max(0, int(orphans.get(code, 0)) + int(quantity)) if relative else int(quantity)
        simulator.world.remember("yahoo", ORPHANS, orphans)
        return int(orphans[code])
    change = max(int(quantity), -shown) if relative else int(quantity)
    simulator.world.set_stock("yahoo", code, change, relative=relative)
    return shown + change if relative else change


def get_stock(simulator: Any, form: Mapping[str, str]) -> Response:
    codes = _list(form, "item_code")
    if not codes or len(codes) > MOST_CODES or not all(CODE.fullmatch(code) for code in codes):
        raise Refusal(400, "st-02101", "item_codeが不正です。")
    rows = [_stock_row(simulator, code) for code in codes]
    good = sum("<Status>1" in row for row in rows)
    return reply(result_set(rows, extra=f' ok="{good}" ng="{len(rows) - good}"'), content_type=BARE_TEXT_XML)


def _stock_row(simulator: Any, code: str) -> str:
    item, _, sub = code.partition(":")
    head = f"{padded('ItemCode', item)}{padded('SubCode', sub)}"
    try:
        shown = simulator.world.shown("yahoo", code)
        quantity, updated = shown.quantity, moment(shown.updated_at)
    except UnknownListing:
        orphans = simulator.world.recall("yahoo", ORPHANS, {})
        if code not in orphans:
            return f"<Result>{head}{tag('Status', 0)}</Result>"
        quantity, updated = orphans[code], moment(simulator.now())
    return (
        f"<Result>{head}{tag('Status', 1)}{padded('Quantity', quantity)}{tag('AllowOverdraft', 0)}"
        f"{tag('IsPublished', 1)}{tag('UpdateTime', updated)}{tag('StockClose', 0)}</Result>"
    )


# ---- items ---------------------------------------------------------------------------------------------------------


def get_item(simulator: Any, query: Mapping[str, str]) -> Response:
    variants = [one for one in simulator.world.listings("yahoo") if one.codes["item_code"] == query.get("item_code")]
    if not variants:
        return item_error("it-05002", "該当する商品がありません。")
    return reply(result_set([_item(simulator, variants)]))


def _item(simulator: Simulator, variants: list[Listing]) -> str:
    first = variants[0]
    subs = "".join(_sub_code(simulator, one) for one in variants if one.codes.get("sub_code"))
    quantity = "" if subs else _shown(simulator, first)
    return (
        f"<Result>{tag('ItemCode', first.codes['item_code'])}<PathList><Path>{cdata('すべて')}</Path></PathList>"
        f"<Name>{cdata(first.title)}</Name>{tag('OriginalPrice')}{tag('Price', first.price)}{tag('SalePrice')}"
        f"{tag('Quantity', quantity)}{tag('Jan')}{tag('Display', 1)}<SubCodes>{subs}</SubCodes>"
        f"{tag('ShowStock', 1)}{tag('UpdateTime', moment(simulator.now()))}{tag('EditingFlag', 0)}</Result>"
    )


def _sub_code(simulator: Simulator, listing: Listing) -> str:
    pairs = [pair.partition(":") for pair in listing.codes.get("sub_code_option", "").split(";") if pair]
    options = "".join(f'<Option name="{name}" value="{chosen}"/>' for name, _, chosen in pairs)
    return f'<SubCode code="{listing.codes["sub_code"]}" quantity="{_shown(simulator, listing)}">{options}</SubCode>'


def _shown(simulator: Simulator, listing: Listing) -> int:
    return simulator.world.shown("yahoo", listing.key).quantity


def my_item_list(simulator: Any, query: Mapping[str, str]) -> Response:
    text, kind = query.get("query", ""), query.get("type", "item_code")
    if not text or kind not in ("item_code", "name"):
        return item_error("it-00001", "queryまたはstcat_keyは必須です。")
    start, size = query.get("start", "1"), query.get("results", "25")
    if not (start.isdigit() and size.isdigit() and int(start) >= 1 and 1 <= int(size) <= 100):
        return item_error("it-00002", "startまたはresultsが不正です。")
    items: dict[str, Listing] = {}
    for listing in simulator.world.listings("yahoo"):
        code = listing.codes["item_code"]
        if (code.startswith(text) if kind == "item_code" else text in listing.title) and code not in items:
            items[code] = listing
    found = sorted(items.items())
    rows = [_list_row(code, listing) for code, listing in simulator.page(found, int(start) - 1, int(size))]
    return reply(result_set(rows, total=len(found), first=int(start)))


def _list_row(code: str, listing: Listing) -> str:
    return (
        f"<Result>{tag('ItemCode', code)}<Name>{cdata(listing.title)}</Name>{tag('Price', listing.price)}"
        f"{tag('EditingFlag', 0)}</Result>"
    )
