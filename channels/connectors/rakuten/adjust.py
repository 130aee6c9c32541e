"""Relative changes of stock. They are never sent twice: after a lost answer the rows are read and compared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from channels.connectors.contract import ChannelDown, Refused, StockAdjust, StockResult
from channels.connectors.rakuten import stock, wire
from channels.connectors.rakuten.transport import Rms
from oms.kernel.said import said

NO_ROW = said("楽天にこのSKUの在庫がまだありません。先に在庫数を送ってください。")
OUT_OF_RANGE = said("増減後の在庫数が楽天の範囲（0〜99,999）を外れます。")
UNCLEAR = said("楽天の応答がなく、在庫が増減されたか確かめられませんでした。在庫数を送り直してください。")
NOT_DONE = said("楽天の応答がなく、在庫の増減は行われていません。もう一度実行してください。")


def adjust(rms: Rms, items: Iterable[StockAdjust]) -> Iterator[StockResult]:
    """Deltas in batches; several for one listing are added up, as RMS takes a listing once in a call."""
    source = iter(items)
    while batch := list(islice(source, wire.STOCK_WRITE)):
        deltas: dict[str, int] = {}
        for item in batch:
            deltas[item.listing_code] = deltas.get(item.listing_code, 0) + item.delta
        shown = stock.read(rms, list(deltas))
        errors = _refused_here(deltas, shown)
        todo = {code: delta for code, delta in deltas.items() if code not in errors and delta}
        errors |= _send(rms, todo, shown)
        for code in deltas:
            error = errors.get(code, "")
            yield StockResult(code, ok=not error, error=error)


def _refused_here(deltas: Mapping[str, int], shown: Mapping[str, int]) -> dict[str, str]:
    """One row that RMS would refuse makes it refuse the whole call."""
    errors = {}
    for code, delta in deltas.items():
        if not stock.is_code(code):
            errors[code] = stock.BAD_CODE
        elif code not in shown:
            errors[code] = NO_ROW
        elif not 0 <= shown[code] + delta <= wire.STOCK_MOST:
            errors[code] = OUT_OF_RANGE
    return errors


def _send(rms: Rms, deltas: Mapping[str, int], shown: Mapping[str, int]) -> dict[str, str]:
    """Errors by listing code. Rows that RMS names are dropped and the others sent again: it applies all or none."""
    if not deltas:
        return {}
    codes = list(deltas)
    exact = [code for code in codes if code != code.lower()]
    errors: dict[str, str] = {}
    for version, part in (("2.0", [code for code in codes if code not in exact]), ("2.1", exact)):
        errors |= _send_part(rms, version, {code: deltas[code] for code in part}, shown)
    return errors


def _send_part(rms: Rms, version: str, deltas: Mapping[str, int], shown: Mapping[str, int]) -> dict[str, str]:
    if not deltas:
        return {}
    codes = list(deltas)
    rows = [stock.relative_row(code, deltas[code]) for code in codes]
    if version == "2.1":
        rows = stock.with_held_values(rms, rows)
    try:
        rms.post(wire.STOCK_WRITE_PATH.format(version=version), {"inventories": rows}, idempotent=False)
        return {}
    except ChannelDown:
        return _compared(codes, deltas, shown, stock.read(rms, codes))
    except Refused as refused:
        if version == "2.0" and "HTTP 404" in refused.detail:
            return _send_part(rms, "2.1", deltas, shown)
        bad = {codes[place]: reason for place, reason in stock.named_rows(refused).items() if place < len(codes)}
        if not bad:
            return dict.fromkeys(codes, refused.cause)
    return {**bad, **_send_part(rms, version, {code: deltas[code] for code in codes if code not in bad}, shown)}


def _compared(
    codes: Sequence[str], deltas: Mapping[str, int], before: Mapping[str, int], after: Mapping[str, int]
) -> dict[str, str]:
    """RMS applies all rows of a call or none, so rows that nobody bought meanwhile tell of the others."""
    done = sum(after.get(code) == before[code] + deltas[code] for code in codes)
    untouched = sum(after.get(code) == before[code] for code in codes)
    if done and not untouched:
        return {}
    return dict.fromkeys(codes, NOT_DONE if untouched and not done else UNCLEAR)
