"""Catalogue and stock."""

import json
from collections.abc import Mapping
from typing import Any

from channels.sandbox.catalogue import Listing
from channels.sandbox.qoo10.wire import Refusal

PER_PAGE = 500
MOST_ROWS = 500
MOST_UNITS = 2_147_483_647
JOINT = "||*"
ENDS = "sale ends"
STATES = "sale states"
ENDED = "S4"
SALE_STATES = {"1": "S1", "2": "S2", "3": ENDED}
FIRST_END = "2035-12-31"
ONE_YEAR_MORE = "2036-12-31"

Form = Mapping[str, str]
Row = dict[str, Any]


def _variants(simulator: Any, item: str) -> list[Listing]:
    return [one for one in simulator.world.listings("qoo10") if one.codes["item_code"] == item]


def _first_of_items(simulator: Any) -> dict[str, Listing]:
    items: dict[str, Listing] = {}
    for listing in simulator.world.listings("qoo10"):
        items.setdefault(listing.codes["item_code"], listing)
    return items


def _shown(simulator: Any, listing: Listing) -> int:
    return int(simulator.world.shown("qoo10", listing.key).quantity)


def all_items(simulator: Any, form: Form) -> Row:
    status, page = form.get("ItemStatus", ""), form.get("Page", "1") or "1"
    if status not in ("S0", "S1", "S2", "S3", "S5", "S8"):
        raise Refusal(-10001, "商品状態を確認してください。")
    if not page.isdigit() or int(page) < 1:
        raise Refusal(-10002, "ページを確認してください。")
    items = sorted(_first_of_items(simulator).items())
    found = [(code, one) for code, one in items if status_of(simulator, code) == status]
    rows = simulator.page(found, (int(page) - 1) * simulator.items_per_page, simulator.items_per_page)
    return {
        "TotalItems": len(found),
        "TotalPages": -(-len(found) // simulator.items_per_page),
        "PresentPage": int(page),
        "Items": [
            {"ItemCode": code, "SellerCode": one.codes["seller_code"], "ItemStatus": status} for code, one in rows
        ],
    }


def item(simulator: Any, form: Form) -> list[Row]:
    variants = _variants(simulator, form.get("ItemCode", ""))
    if not variants:
        raise Refusal(-10001, "商品がありません。")
    first = variants[0]
    return [
        {
            "ItemCode": first.codes["item_code"],
            "ItemStatus": status_of(simulator, first.codes["item_code"]),
            "ItemTitle": first.title,
            "SellerCode": first.codes["seller_code"],
            "RetailPrice": "0",
            "ItemPrice": f"{first.price}.0000",
            "TaxRate": "S",
            "SettlePrice": str(round(first.price * 0.9)),
            "ItemQty": str(sum(_shown(simulator, one) for one in variants)),
            "ExpireDate": sale_end(simulator, first.codes["item_code"]),
            "IndustrialCodeType": "",
            "IndustrialCode": "",
        }
    ]


def sale_end(simulator: Any, item_code: str) -> str:
    return str(simulator.world.recall("qoo10", ENDS, {}).get(item_code, FIRST_END))


def inventory(simulator: Any, form: Form) -> list[Row]:
    return [
        _option_row(simulator, one)
        for one in _variants(simulator, form.get("ItemCode", ""))
        if one.codes.get("option_code")
    ]


def _option_row(simulator: Any, listing: Listing) -> Row:
    names, values = (listing.codes[key].split(JOINT) for key in ("option_name", "option_value"))
    row: Row = {}
    for axis in range(1, 6):
        row[f"Name{axis}"] = names[axis - 1] if axis <= len(names) else ""
        row[f"Value{axis}"] = values[axis - 1] if axis <= len(values) else ""
    return {**row, "Price": "0.0", "Qty": _shown(simulator, listing), "ItemTypeCode": listing.codes["option_code"]}


# ---- stock ---------------------------------------------------------------------------------------------------------


def set_item(simulator: Any, form: Form) -> None:
    """Raises Refusal. A blank sale end means a year more."""
    variants = _variants(simulator, str(form.get("ItemCode", "")))
    if not variants:
        raise Refusal(-10001, "商品がありません。")
    _require_on_list(simulator, variants[0].codes["item_code"])
    quantity = _quantity(form)
    if str(form.get("Price", "")).strip() == "0":
        raise Refusal(-10004, "価格を確認してください。")
    code = variants[0].codes["item_code"]
    ends = dict(simulator.world.recall("qoo10", ENDS, {}))
    simulator.world.remember("qoo10", ENDS, {**ends, code: form.get("ExpireDate") or ONE_YEAR_MORE})
    if not variants[0].codes.get("option_code"):
        _apply(simulator, variants[0], quantity)


def set_option(simulator: Any, form: Form) -> None:
    """The names and values find the option; the code alone does not. Raises Refusal."""
    name, value = str(form.get("OptionName", "")), str(form.get("OptionValue", ""))
    for listing in _variants(simulator, str(form.get("ItemCode", ""))):
        if (listing.codes["option_name"], listing.codes["option_value"]) == (name, value) and name:
            _require_on_list(simulator, listing.codes["item_code"])
            _apply(simulator, listing, _quantity(form))
            return
    raise Refusal(-10001, "オプションがありません。")


def add_to_option(simulator: Any, form: Form) -> None:
    """PlusQty more or less of an option; not repeatable. Raises Refusal."""
    text = str(form.get("PlusQty", ""))
    if not text.removeprefix("-").isdigit():
        raise Refusal(-10003, "数量を確認してください。")
    for listing in _variants(simulator, str(form.get("ItemCode", ""))):
        wanted = str(form.get("OptionName", "")), str(form.get("OptionValue", ""))
        if (listing.codes["option_name"], listing.codes["option_value"]) == wanted and wanted[0]:
            _apply(simulator, listing, max(0, _shown(simulator, listing) + int(text)))
            return
    raise Refusal(-10001, "オプションがありません。")


def set_status(simulator: Any, form: Form) -> None:
    """1 stops the sale, 2 lets it go on, 3 ends it for good. Raises Refusal."""
    code, wanted = str(form.get("ItemCode", "")), str(form.get("Status", ""))
    if not _variants(simulator, code):
        raise Refusal(-10001, "商品がありません。")
    if wanted not in SALE_STATES:
        raise Refusal(-10006, "商品状態を確認してください。")
    if status_of(simulator, code) == ENDED:
        raise Refusal(-10004, "取引制限中の商品です。")
    states = dict(simulator.world.recall("qoo10", STATES, {}))
    simulator.world.remember("qoo10", STATES, {**states, code: SALE_STATES[wanted]})


def status_of(simulator: Any, item_code: str) -> str:
    return str(simulator.world.recall("qoo10", STATES, {}).get(item_code, "S2"))


def _require_on_list(simulator: Any, item_code: str) -> None:
    if status_of(simulator, item_code) not in ("S1", "S2"):
        raise Refusal(-10009, "変更できない状態の商品です。")


def _quantity(form: Form) -> int:
    text = str(form.get("Qty", ""))
    if not text.isdigit() or int(text) > MOST_UNITS:
        raise Refusal(-10003, "数量を確認してください。")
    return int(text)


def _apply(simulator: Any, listing: Listing, quantity: int) -> None:
    simulator.world.set_stock("qoo10", listing.key, min(quantity, 99999), shown_after_s=simulator.shows_stock_after_s)


def set_items(simulator: Any, form: Form) -> list[Row]:
    return _bulk(simulator, form, set_item)


def set_options(simulator: Any, form: Form) -> list[Row]:
    return _bulk(simulator, form, set_option)


def _bulk(simulator: Any, form: Form, apply: Any) -> list[Row]:
    """Raises Refusal -1 when some rows failed (the others are applied) and -2 for too many."""
    try:
        rows = json.loads(form.get("ItemInfoJson", ""))
    except ValueError:
        raise Refusal(-999, "JSONを確認してください。") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refusal(-999, "JSONを確認してください。")
    if len(rows) > MOST_ROWS:
        raise Refusal(-2, "一度に処理できる件数を超えています。")
    failed = 0
    for row in rows:
        try:
            if simulator.row_fails():
                raise Refusal(-999, "更新に失敗しました。")
            apply(simulator, row)
        except Refusal:
            failed += 1
    if failed:
        raise Refusal(-1, f"{failed}件失敗しました。")
    return []


# ---- the shop ------------------------------------------------------------------------------------------------------


def delivery_groups(simulator: Any, form: Form) -> list[Row]:
    """The shop's ways of sending, with the names it registered for its carriers."""
    ways = (("100001", "F", 500, 4000, "ヤマト宅急便"), ("100002", "X", 0, 0, "佐川急便"))
    return [
        {
            "ShippingNo": number,
            "ShippingFee": fee,
            "ShippingType": kind,
            "FreeCondition": free_from,
            "Region": "JP",
            "Oversea": "N",
            "transcName": carrier,
        }
        for number, kind, fee, free_from, carrier in ways
    ]
