"""Relative changes of stock. They are never sent twice: after a lost answer the rows are read and compared."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from channels.connectors.contract import ChannelDown, Refused, StockAdjust, StockResult
from channels.connectors.futureshop import stock, wire
from channels.connectors.futureshop.stock import Key
from channels.connectors.futureshop.transport import Api
from oms.kernel.said import said

NO_ROW = said("futureshopにこの枝番号の在庫がないか、在庫管理をしない商品です。商品を取り込み直してください。")
OUT_OF_RANGE = said("増減後の在庫数がfutureshopの範囲（0〜99,999,999）を外れます。")
UNCLEAR = said("futureshopの応答がなく、在庫が増減されたか確かめられませんでした。在庫数を送り直してください。")
NOT_DONE = said("futureshopの応答がなく、在庫の増減は行われていません。もう一度実行してください。")


def adjust(api: Api, items: Iterable[StockAdjust]) -> Iterator[StockResult]:
    """Deltas in batches, as texts with a sign; several for one listing are added up."""
    source = iter(items)
    while batch := list(islice(source, wire.WRITE_MOST)):
        deltas: dict[str, int] = {}
        for item in batch:
            deltas[item.listing_code] = deltas.get(item.listing_code, 0) + item.delta
        keys = {code: key for code in deltas if (key := wire.listing_parts(code))}
        shown = stock.read(api, list(keys))
        errors = {code: error for code in deltas if (error := _refused_here(code, deltas[code], keys, shown))}
        todo = {code: delta for code, delta in deltas.items() if code not in errors and delta}
        errors |= _send(api, {code: (keys[code], delta) for code, delta in todo.items()}, shown)
        for code in deltas:
            error = errors.get(code, "")
            yield StockResult(code, ok=not error, error=error)


def _refused_here(code: str, delta: int, keys: Mapping[str, Key], shown: Mapping[str, int]) -> str:
    """A bad row makes its whole product fail, and the answer would not name the row."""
    if code not in keys:
        return stock.BAD_CODE
    if code not in shown:
        return NO_ROW
    return "" if 0 <= shown[code] + delta <= wire.STOCK_MOST else OUT_OF_RANGE


def _send(api: Api, rows: Mapping[str, tuple[Key, int]], shown: Mapping[str, int]) -> dict[str, str]:
    """Errors by listing code."""
    if not rows:
        return {}
    signed = {code: (key, f"{delta:+d}") for code, (key, delta) in rows.items()}
    try:
        answer = api.post(wire.STOCK_PATH, {"productList": stock.body_of(signed)}, idempotent=False)
    except ChannelDown:
        after = stock.read(api, list(rows))
        return {
            code: error
            for code, (_, delta) in rows.items()
            if (error := _compared(shown[code], after.get(code), delta))
        }
    except Refused as refused:
        return dict.fromkeys(rows, refused.cause)
    return stock.row_errors(answer, rows)


def _compared(before: int, after: int | None, delta: int) -> str:
    if after == before + delta:
        return ""
    return NOT_DONE if after == before else UNCLEAR
