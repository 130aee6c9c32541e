"""Listings and stock. The key is product number and two axis numbers; an answer names only the product."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from channels.connectors.contract import ListingInfo, Refused, StockPush, StockResult
from channels.connectors.futureshop import wire
from channels.connectors.futureshop.lines import amount, text
from channels.connectors.futureshop.transport import Api, dicts, row_error
from oms.kernel.said import said

BAD_CODE = said("futureshopの在庫キー（商品番号/縦軸/横軸）の形が正しくありません。商品を取り込み直してください。")
NO_ROW = said("futureshopがこの商品の更新結果を返しませんでした。自動で再試行します。")

Key = tuple[str, str, str]


def listings(api: Api) -> Iterator[list[ListingInfo]]:
    """Every SKU of regular stock, a page at a time."""
    for page in api.pages(wire.STOCK_PATH, {"types": "regular"}):
        yield [listing for product in dicts(page.get("productList")) for listing in _skus(product)]


def _skus(product: Mapping[str, Any]) -> Iterator[ListingInfo]:
    product_no = text(product.get("productNo"))
    if not product_no:
        return
    managed = product.get("inventoryEnabled") is not False
    for sku in _rows(product):
        vertical, horizontal = text(sku.get("verticalNo")), text(sku.get("horizontalNo"))
        yield ListingInfo(
            code=wire.listing_code(product_no, vertical, horizontal),
            channel_sku=text(sku.get("skuNo")) or product_no,
            name=" ".join(word for word in (text(product.get("name")), vertical, horizontal) if word),
            quantity=amount(sku.get("count")) if managed else None,
            price=amount(product.get("unitPrice")),
            jan=text(sku.get("janCode")),
            channel_keeps_stock=not managed,
        )


def _rows(product: Mapping[str, Any]) -> list[dict[str, Any]]:
    info = product.get("inventoryInfo") or {}
    return dicts((info.get("regular") or {}).get("inventoryList"))


def push(api: Api, items: Iterable[StockPush]) -> Iterator[StockResult]:
    """Absolute quantities, 100 products a call; the last of several values for one listing wins."""
    source = iter(items)
    while batch := list(islice(source, wire.WRITE_MOST)):
        wanted = {item.listing_code: max(0, min(item.quantity, wire.STOCK_MOST)) for item in batch}
        keys = {code: parts for code in wanted if (parts := wire.listing_parts(code))}
        errors = {code: BAD_CODE for code in wanted if code not in keys}
        errors.update(_write_all(api, {code: (key, wanted[code]) for code, key in keys.items()}))
        for item in batch:
            error = errors.get(item.listing_code, "")
            yield StockResult(item.listing_code, ok=not error, error=error)


def _write_all(api: Api, rows: Mapping[str, tuple[Key, int]]) -> dict[str, str]:
    """Errors by listing code. When a product with several SKUs fails, its SKUs are sent again one per call, because
    the answer does not say which of them was bad."""
    errors = _write(api, rows)
    shared: dict[str, list[str]] = {}
    for code in errors:
        shared.setdefault(rows[code][0][0], []).append(code)
    crowded = [codes for codes in shared.values() if len(codes) > 1]
    for turn in range(max(map(len, crowded), default=0)):
        single = {codes[turn]: rows[codes[turn]] for codes in crowded if turn < len(codes)}
        again = _write(api, single)
        errors = {code: error for code, error in errors.items() if code not in single} | again
    return errors


def _write(api: Api, rows: Mapping[str, tuple[Key, int]]) -> dict[str, str]:
    """One call. A refusal of the whole call concerns all its rows."""
    if not rows:
        return {}
    try:
        answer = api.post(wire.STOCK_PATH, {"productList": body_of(rows)})
    except Refused as refused:
        return dict.fromkeys(rows, refused.cause)
    return row_errors(answer, rows)


def body_of(rows: Mapping[str, tuple[Key, int | str]]) -> list[dict[str, Any]]:
    """`productList` of a write: a number is the quantity itself, a text with a sign a change."""
    products: dict[str, list[dict[str, Any]]] = {}
    for (product_no, vertical, horizontal), count in rows.values():
        row = {"verticalNo": vertical, "horizontalNo": horizontal, "count": count}
        products.setdefault(product_no, []).append(row)
    return [
        {"productNo": product_no, "inventoryInfo": {"regular": {"inventoryList": skus}}}
        for product_no, skus in products.items()
    ]


def row_errors(answer: Mapping[str, Any], rows: Mapping[str, tuple[Key, Any]]) -> dict[str, str]:
    """In plain words by listing code."""
    told = {text(row.get("productNo")): row_error(row) for row in dicts(answer.get("results"))}
    if not told and answer.get("status") == "success":
        return {}
    outcomes = {code: told.get(key[0], "missing") for code, (key, _) in rows.items()}
    return {code: NO_ROW if error == "missing" else wire.words_of(error) for code, error in outcomes.items() if error}


def read(api: Api, codes: Sequence[str]) -> dict[str, int]:
    """What futureshop shows; unknown codes are left out."""
    products = list(dict.fromkeys(parts[0] for code in codes if (parts := wire.listing_parts(code))))
    shown: dict[str, int] = {}
    for start in range(0, len(products), wire.READ_PRODUCTS):
        query = {"types": "regular", "productNo": ",".join(products[start : start + wire.READ_PRODUCTS])}
        for page in api.pages(wire.STOCK_PATH, query):
            shown.update(_quantities(page))
    return {code: shown[code] for code in codes if code in shown}


def _quantities(page: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for product in dicts(page.get("productList")):
        for listing in _skus(product):
            if listing.quantity is not None:
                yield listing.code, listing.quantity
