"""Listings and stock. Quantities are sent as absolute numbers, so a batch may be repeated; a change ("+3") may not."""

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from channels.connectors.contract import ChannelDown, ChannelError, ListingInfo, StockAdjust, StockPush, StockResult
from channels.connectors.yahoo.parse import amount
from channels.connectors.yahoo.transport import CAUSES, Answer, Api, YahooRefused, text_of
from oms.kernel.said import said

BATCH = 1000
MOST = 999_999_999
ITEMS_PER_PAGE = 100
FIRST_CHARACTERS = string.digits + string.ascii_lowercase + string.ascii_uppercase + "-"
CODE = re.compile(r"[^\s,:]{1,99}(?::[^\s,:]{1,99})?")
PARTLY = 207
NOT_ACCEPTED = said("Yahoo!ショッピングが在庫数を受け付けませんでした。")
NOT_A_CODE = said("Yahoo!の商品コードの形ではありません。")
UNKNOWN_SUM = said("在庫の増減が反映されたか確認できません。在庫数を送り直してください。")
NO_RECORD = said("Yahoo!ショッピングにこの商品コードの在庫がありません。商品の紐付けを確認してください。")


def push_stock(api: Api, items: Iterable[StockPush]) -> Iterator[StockResult]:
    """One result per item, in batches of 1,000; a code that Yahoo! refuses stops no other."""
    batch: list[StockPush] = []
    for item in items:
        if not CODE.fullmatch(item.listing_code):
            yield StockResult(item.listing_code, ok=False, error=NOT_A_CODE)
            continue
        batch.append(item)
        if len(batch) == BATCH:
            yield from _push(api, batch)
            batch = []
    if batch:
        yield from _push(api, batch)


def _push(api: Api, batch: Sequence[StockPush]) -> Iterator[StockResult]:
    # One code may not stand twice in a call; the last wish counts.
    wanted = {item.listing_code: min(max(item.quantity, 0), MOST) for item in batch}
    results = _send(api, wanted)
    for item in batch:
        yield results[item.listing_code]


def _send(api: Api, wanted: dict[str, int]) -> dict[str, StockResult]:
    """Results by code. A refused call of many codes is halved until the bad code stands alone."""
    fields = {"item_code": ",".join(wanted), "quantity": ",".join(map(str, wanted.values()))}
    try:
        answer = api.form("setStock", fields, idempotent=True)
    except YahooRefused as refused:
        if len(wanted) == 1:
            return {code: StockResult(code, ok=False, error=refused.cause) for code in wanted}
        return {**_send(api, _half(wanted, 0)), **_send(api, _half(wanted, 1))}
    results, bad = _read_results(answer, wanted)
    if answer.status == PARTLY or bad:
        return _after_partial(api, wanted, results, bad)
    missing = [code for code in wanted if code not in results]
    return {**results, **_compare(api, {code: wanted[code] for code in missing})}


# ---- relative changes ----------------------------------------------------------------------------------------------


def adjust_stock(api: Api, items: Iterable[StockAdjust]) -> Iterator[StockResult]:
    """One result per item. What was shown before is read first, so that a lost or partial answer can be judged:
    shown as before, it is sent once more; anything else but the sum is told as unknown and never repeated."""
    batch: list[StockAdjust] = []
    for item in items:
        if not CODE.fullmatch(item.listing_code):
            yield StockResult(item.listing_code, ok=False, error=NOT_A_CODE)
            continue
        batch.append(item)
        if len(batch) == BATCH:
            yield from _adjust(api, batch)
            batch = []
    if batch:
        yield from _adjust(api, batch)


def _adjust(api: Api, batch: Sequence[StockAdjust]) -> Iterator[StockResult]:
    deltas: dict[str, int] = {}
    for item in batch:  # one code may not stand twice in a call
        deltas[item.listing_code] = deltas.get(item.listing_code, 0) + item.delta
    before = read_stock(api, list(deltas))
    results = {code: _compared(code, 0, None) for code in deltas if code not in before}
    # Yahoo! shows no less than nothing: to take off more than is shown would leave the sum unknown.
    known = {code: max(delta, -before[code]) for code, delta in deltas.items() if code in before}
    results |= {code: StockResult(code, ok=True, confirmed=before[code]) for code, delta in known.items() if not delta}
    results |= _send_deltas(api, {code: delta for code, delta in known.items() if delta}, before)
    for item in batch:
        yield results[item.listing_code]


def _send_deltas(
    api: Api, deltas: dict[str, int], before: dict[str, int], *, again: bool = True
) -> dict[str, StockResult]:
    if not deltas:
        return {}
    fields = {"item_code": ",".join(deltas), "quantity": ",".join(f"{delta:+d}" for delta in deltas.values())}
    bad: dict[str, StockResult] = {}
    try:
        answer = api.form("setStock", fields, idempotent=False)
    except YahooRefused as refused:
        if len(deltas) == 1:
            return {code: StockResult(code, ok=False, error=refused.cause) for code in deltas}
        first, second = _half(deltas, 0), _half(deltas, 1)
        return {**_send_deltas(api, first, before), **_send_deltas(api, second, before)}
    except ChannelDown as lost:
        if not lost.uncertain:
            raise
    else:
        good, bad = _read_results(answer, deltas)
        if answer.status != PARTLY and not bad and len(good) == len(deltas):
            return good
    rest = {code: delta for code, delta in deltas.items() if code not in bad}
    return {**bad, **_judge_deltas(api, rest, before, again=again)}


def _judge_deltas(api: Api, deltas: dict[str, int], before: dict[str, int], *, again: bool) -> dict[str, StockResult]:
    """Never raises: what cannot be looked at now is unknown, and a caller that got an error would send it again."""
    if not deltas:
        return {}
    try:
        shown = read_stock(api, list(deltas))
    except ChannelError as unread:
        return {
            code: StockResult(code, ok=False, error=said("%(text)s（%(code)s）", text=UNKNOWN_SUM, code=unread.cause))
            for code in deltas
        }
    results, untouched = {}, {}
    for code, delta in deltas.items():
        now = shown.get(code)
        if now == before[code] + delta:
            results[code] = StockResult(code, ok=True, confirmed=now)
        elif now == before[code] and again:
            untouched[code] = delta
        else:
            results[code] = StockResult(code, ok=False, confirmed=now, error=UNKNOWN_SUM)
    return {**results, **_send_deltas(api, untouched, before, again=False)}


def _half(wanted: dict[str, int], which: int) -> dict[str, int]:
    codes = list(wanted)
    middle = len(codes) // 2
    return {code: wanted[code] for code in (codes[middle:] if which else codes[:middle])}


def _read_results(answer: Answer, wanted: dict[str, int]) -> tuple[dict[str, StockResult], dict[str, StockResult]]:
    """(good, bad) by code. Rows that were not asked for are ignored."""
    good, bad = {}, {}
    for row in answer.root.iter("Result"):
        code = row_code(row)
        if code not in wanted:
            continue
        if error := text_of(row, "ErrorCode"):
            cause = CAUSES.get(error.split(",")[0].strip(), NOT_ACCEPTED)
            bad[code] = StockResult(code, ok=False, error=f"{cause}（{error}）")
        else:
            good[code] = StockResult(code, ok=True, confirmed=amount(text_of(row, "Quantity")))
    return good, bad


def _after_partial(
    api: Api, wanted: dict[str, int], good: dict[str, StockResult], bad: dict[str, StockResult]
) -> dict[str, StockResult]:
    """Whether good rows of a partly refused call were applied is not certain: read, and send again what differs."""
    rest = {code: quantity for code, quantity in wanted.items() if code not in bad}
    shown = read_stock(api, list(rest))
    differing = {code: quantity for code, quantity in rest.items() if shown.get(code) != quantity}
    applied = {code: StockResult(code, ok=True, confirmed=shown[code]) for code in rest if code not in differing}
    if not differing:
        return {**bad, **applied}
    if not bad:
        return {**applied, **_compare(api, differing)}
    return {**bad, **applied, **_send(api, differing)}


def _compare(api: Api, wanted: dict[str, int]) -> dict[str, StockResult]:
    """Results for codes whose answer was missing, from what Yahoo! shows now."""
    shown = read_stock(api, list(wanted)) if wanted else {}
    return {code: _compared(code, quantity, shown.get(code)) for code, quantity in wanted.items()}


def _compared(code: str, quantity: int, shown: int | None) -> StockResult:
    error = NO_RECORD if shown is None else NOT_ACCEPTED if shown != quantity else ""
    return StockResult(code, ok=not error, confirmed=shown, error=error)


def read_stock(api: Api, listing_codes: Sequence[str]) -> dict[str, int]:
    """Shown quantities; codes without a record or without a limit are left out."""
    shown: dict[str, int] = {}
    asked = [code for code in dict.fromkeys(listing_codes) if CODE.fullmatch(code)]
    for at in range(0, len(asked), BATCH):
        answer = api.form("getStock", {"item_code": ",".join(asked[at : at + BATCH])}, idempotent=True)
        for row in answer.root.iter("Result"):
            quantity = amount(text_of(row, "Quantity"))
            if text_of(row, "Status") != "0" and quantity is not None:
                shown[row_code(row)] = quantity
    return shown


def row_code(row: Any) -> str:
    code, sub_code = text_of(row, "ItemCode"), text_of(row, "SubCode")
    return f"{code}:{sub_code}" if sub_code else code


# ---- listings ------------------------------------------------------------------------------------------------------


def list_listings(api: Api) -> Iterator[Sequence[ListingInfo]]:
    """Every variant of every item, a page of items at a time.

    Items can only be searched by the beginning of their code, so all first characters are asked in turn; variants are
    told by the item's own page only, one call each.
    """
    seen: set[str] = set()
    for character in FIRST_CHARACTERS:
        for codes in _item_codes(api, character):
            fresh = [code for code in codes if code not in seen]
            seen.update(fresh)
            page = [listing for code in fresh for listing in _listings_of(api, code)]
            if page:
                yield page


def _item_codes(api: Api, beginning: str) -> Iterator[list[str]]:
    start = 1
    while True:
        query: dict[str, str | int] = {
            "seller_id": api.seller_id,
            "query": beginning,
            "type": "item_code",
            "sort": "+item_code",
            "start": start,
            "results": ITEMS_PER_PAGE,
        }
        root = api.get("myItemList", query).root
        found = [code for row in root.iter("Result") if (code := text_of(row, "ItemCode"))]
        if found:
            yield found
        start += len(found)
        total = root.get("totalResultsAvailable", "0")
        if not found or not total.isdigit() or start > int(total):
            return


def _listings_of(api: Api, item_code: str) -> list[ListingInfo]:
    """The item's variants, or the item itself; nothing when it was deleted meanwhile."""
    try:
        root = api.get("getItem", {"seller_id": api.seller_id, "item_code": item_code}).root
    except YahooRefused:
        return []
    item = root.find(".//Result")
    if item is None:
        return []
    name, jan = text_of(item, "Name"), text_of(item, "Jan")
    price = amount(text_of(item, "SalePrice")) or amount(text_of(item, "Price"))
    variants = [variant for variant in item.iterfind("SubCodes/SubCode") if variant.get("code")]
    if not variants:
        return [
            ListingInfo(item_code, item_code, name, quantity=amount(text_of(item, "Quantity")), price=price, jan=jan)
        ]
    return [_variant(item_code, name, price, variant) for variant in variants]


def _variant(item_code: str, name: str, price: int | None, variant: Any) -> ListingInfo:
    code = f"{item_code}:{variant.get('code').strip()}"
    options = " ".join(option.get("value", "") for option in variant.iterfind("Option"))
    return ListingInfo(
        code, code, f"{name} {options}".strip(), quantity=amount((variant.get("quantity") or "").strip()), price=price
    )
