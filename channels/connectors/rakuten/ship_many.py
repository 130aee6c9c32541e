"""Telling the parcels of many orders at once: RMS takes up to 100 orders in one asynchronous call and tells the outcome
later. What it refuses, or does not tell in time, is told order by order afterwards (`changes.ship`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from channels.connectors.contract import ChannelDown, ChannelError, Parcel, Refused
from channels.connectors.rakuten import changes
from channels.connectors.rakuten.changes import ToldRows, refuse_shipping, shown_now, untold_rows
from channels.connectors.rakuten.orders import answer_of, outcome
from channels.connectors.rakuten.shipping import missing_rows
from channels.connectors.rakuten.transport import Rms, decoded, dicts, errors, messages
from oms.kernel import clock
from oms.kernel.said import said

ASK_S = (2, 3, 5, 10)  # pauses between questions for the outcome
ONE_BY_ONE = said("楽天がまとめての発送報告を受け付けませんでした。1件ずつ送り直します。")

Baskets = list[dict[str, Any]]


def ship_all(rms: Rms, parcels_of: Mapping[str, Sequence[Parcel]]) -> dict[str, ChannelError]:
    """Make the shipping rows of at most 100 orders say what their parcels say; returns by number what went wrong."""
    troubles: dict[str, ChannelError] = {}
    todo: dict[str, Baskets] = {}
    shown = shown_now(rms, list(parcels_of))
    for no, parcels in parcels_of.items():
        try:
            calls = untold_rows(rms, no, shown[no], parcels)
            if len(calls) > 1:  # more parcels than one call takes
                changes.ship(rms, no, parcels)
            elif calls:
                todo[no] = calls[0]
        except ChannelError as trouble:
            troubles[no] = trouble
    if todo:
        troubles |= _told(rms, todo, parcels_of)
    return troubles


def _told(rms: Rms, todo: Mapping[str, Baskets], parcels_of: Mapping[str, Sequence[Parcel]]) -> dict[str, ChannelError]:
    """Rows that RMS may have taken are marked before the call, so that whoever comes next sends none of them twice."""
    for no, baskets in todo.items():
        ToldRows(rms, no).set([baskets])
    try:
        request_id = _send(rms, todo)
    except ChannelDown as lost:
        if lost.uncertain:
            return dict.fromkeys(todo, ChannelDown(changes.NOT_SHOWN, retry_after_s=changes.LOOK_AGAIN_S))
        _forget(rms, todo)
        raise
    except Refused as refused:
        _forget(rms, todo)
        return {no: ChannelDown(ONE_BY_ONE, detail=refused.detail, retry_after_s=1) for no in todo}
    except ChannelError:
        _forget(rms, todo)
        raise
    answered = _outcomes(rms, request_id)
    shown = shown_now(rms, list(todo)).orders
    troubles: dict[str, ChannelError] = {}
    for no in todo:
        try:
            _settle(no, shown.get(no), parcels_of[no], answered.get(no, []))
        except ChannelError as trouble:
            troubles[no] = trouble
    _forget(rms, [no for no in todo if not isinstance(troubles.get(no), ChannelDown)])
    return troubles


def _send(rms: Rms, todo: Mapping[str, Baskets]) -> str:
    """The number of the request. Raises Refused also for a refusal that comes with HTTP 200."""
    models = [{"orderNumber": no, "BasketidModelList": baskets} for no, baskets in todo.items()]
    answer = decoded(rms.order("updateOrderShippingAsync", {"OrderShippingModelList": models}, idempotent=False))
    if refused := errors(answer):
        raise Refused(ONE_BY_ONE, detail=" ".join(str(row.get("messageCode") or "?") for row in refused))
    return next((str(row["requestId"]) for row in messages(answer) if row.get("requestId")), "")


def _outcomes(rms: Rms, request_id: str) -> dict[str, list[str]]:
    """Error numbers by order; nothing when RMS does not tell in time: what shows decides then."""
    for pause_s in ASK_S if request_id else ():
        clock.sleep(pause_s)
        answer = answer_of(rms, "getResultUpdateOrderShippingAsync", {"requestId": request_id})
        if results := dicts(answer.get("ResultShippingModelList")):
            numbers = {str(row.get("orderNumber") or ""): row for row in results}
            return {no: outcome(row, no)[0] for no, row in numbers.items()}
    return {}


def _settle(no: str, order: Mapping[str, Any] | None, parcels: Sequence[Parcel], bad: Sequence[str]) -> None:
    if order is not None and not list(missing_rows(order, parcels)):
        return
    refuse_shipping(no, bad)
    raise ChannelDown(changes.NOT_SHOWN, retry_after_s=changes.LOOK_AGAIN_S)


def _forget(rms: Rms, numbers: Sequence[str] | Mapping[str, Any]) -> None:
    for no in numbers:
        ToldRows(rms, no).forget()
