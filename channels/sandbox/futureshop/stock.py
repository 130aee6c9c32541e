"""Stock and product search."""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from werkzeug import Request, Response

from channels.sandbox.errors import UnknownListing
from channels.sandbox.futureshop.answers import TEXTS, Refusal, moment, rows_answer
from channels.sandbox.futureshop.orders import next_url, start_of
from channels.sandbox.goods import Listing
from channels.sandbox.simulator import json_response

TYPES = frozenset({"regular", "preorder", "planned", "realstore"})
COUNT = re.compile(r"[+-]?\d{1,8}")
MOST = 100


def read(mall: Any, request: Request, page_size: int) -> Response:
    types = set(request.args.get("types", "").split(",")) - {""}
    if not types:
        raise Refusal("Required", "types")
    if not types <= TYPES:
        raise Refusal("InvalidValue", "types")
    return _paged(mall, request, page_size, [_stock_product(mall, group) for group in _products(mall, request)])


def products(mall: Any, request: Request) -> Response:
    count = request.args.get("count", "50")
    if not count.isdigit() or not 50 <= int(count) <= 250:
        raise Refusal("InvalidValue", "count")
    return _paged(mall, request, int(count), [_base(mall, group) for group in _products(mall, request)])


def _paged(mall: Any, request: Request, size: int, rows: Sequence[Mapping[str, Any]]) -> Response:
    start = start_of(request.args.get("cursor", ""))
    answer: dict[str, Any] = {"productList": mall.page(rows, start, size)}
    if start + size < len(rows):
        answer["nextUrl"] = next_url(request, start + size)
    return json_response(answer)


def _products(mall: Any, request: Request) -> list[list[Listing]]:
    wanted = set(request.args.get("productNo", "").split(",")) - {""}
    listings = sorted(mall.world.listings("futureshop"), key=lambda one: one.codes["product_no"])
    groups = [list(group) for _, group in groupby(listings, key=lambda one: one.codes["product_no"])]
    return [group for group in groups if not wanted or group[0].codes["product_no"] in wanted]


def _base(mall: Any, group: Sequence[Listing]) -> dict[str, Any]:
    first = group[0]
    sku = mall.world.catalogue.skus[first.sku]
    number = first.codes["product_no"]
    return {
        "id": int("".join(filter(str.isdigit, number)) or 0),
        "url": number,
        "productNo": number,
        "name": first.title,
        "visible": True,
        "unitPrice": first.price,
        "taxEnabled": True,
        "taxRate": sku.tax_rate,
        "coolDeliveryEnabled": sku.temperature != "ambient",
        "mailDeliveryEnabled": False,
        "inventoryEnabled": number not in mall.unmanaged,
        "variationEnabled": bool(first.codes["vertical_no"] or first.codes["horizontal_no"]),
        "preorderEnabled": sku.is_preorder,
        "type": "NORMAL",
        "plannedStockEnabled": False,
        "dateCreated": "2026-01-05T10:00:00",
    }


def _stock_product(mall: Any, group: Sequence[Listing]) -> dict[str, Any]:
    rows = [
        {
            "skuNo": one.codes["sku_no"],
            "verticalNo": one.codes["vertical_no"],
            "horizontalNo": one.codes["horizontal_no"],
            "janCode": mall.world.catalogue.skus[one.sku].jan,
            "count": mall.world.shown("futureshop", one.key).quantity,
        }
        for one in group
    ]
    return {**_base(mall, group), "inventoryInfo": {"regular": {"inventoryList": rows}}}


# ---- writing ---------------------------------------------------------------------------------------------------------


def write(mall: Any, body: Any) -> Response:
    """Each product is all or nothing; a bad one does not stop the others, and its row does not name the SKU."""
    rows = body.get("productList") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows:
        raise Refusal("Required", "productList")
    if len(rows) > MOST:
        raise Refusal("TooMany", "productList")
    for place, row in enumerate(rows):
        _check(row, f"productList[{place}]")
    return rows_answer([_write_product(mall, row) for row in rows])


def _check(row: Any, path: str) -> None:
    if not isinstance(row, dict) or not row.get("productNo"):
        raise Refusal("Required", f"{path}.productNo")
    for place, sku in enumerate(_skus(row)):
        where = f"{path}.inventoryInfo.regular.inventoryList[{place}]"
        for key in ("verticalNo", "horizontalNo"):
            if not isinstance(sku.get(key), str):
                raise Refusal("Required", f"{where}.{key}")
        count = sku.get("count")
        if isinstance(count, bool) or not isinstance(count, int | str) or not COUNT.fullmatch(str(count)):
            raise Refusal("InvalidValue", f"{where}.count")


def _skus(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    regular = (row.get("inventoryInfo") or {}).get("regular") or {}
    skus = regular.get("inventoryList")
    if not isinstance(skus, list) or not skus:
        raise Refusal("Required", "inventoryInfo")
    return skus


def _write_product(mall: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    number = str(row["productNo"])
    code = "StockNotFound" if mall.row_fails() else _product_error(mall, number, row)
    if code:
        mall.world.tell("futureshop", "stock", number, dict(row), accepted=False)
        return {"status": "failed", "productNo": number, "code": code, "message": TEXTS[code]}
    for sku in _skus(row):
        count = str(sku["count"])
        # A sign in a text makes it a change; a number is the quantity itself.
        relative = isinstance(sku["count"], str) and count[0] in "+-"
        mall.world.set_stock(
            "futureshop", _key(number, sku), int(count), relative=relative, payload={"at": moment(mall.now())}
        )
    return {"status": "success", "productNo": number}


def _product_error(mall: Any, number: str, row: Mapping[str, Any]) -> str:
    if not any(one.codes["product_no"] == number for one in mall.world.listings("futureshop")):
        return "ProductNotFound"
    if number in mall.unmanaged:
        return "NotManagementSettings"
    if any(kind in (row.get("inventoryInfo") or {}) for kind in ("preorder", "plannedList")):
        return "StockNotFound"
    for sku in _skus(row):
        try:
            shown = mall.world.shown("futureshop", _key(number, sku)).quantity
        except UnknownListing:
            return "StockNotFound"
        count = str(sku["count"])
        after = shown + int(count) if isinstance(sku["count"], str) and count[0] in "+-" else int(count)
        if not 0 <= after <= 99_999:
            return "InvalidValue"
    return ""


def _key(number: str, sku: Mapping[str, Any]) -> str:
    return f"{number}/{sku['verticalNo']}/{sku['horizontalNo']}"
