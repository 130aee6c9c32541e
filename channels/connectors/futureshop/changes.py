"""Telling shipments and payments. The writes are absolute, so they may be repeated; an empty field would erase what the
shop holds."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop as noop

from channels.connectors.contract import ChannelDown, Parcel, Refused
from channels.connectors.futureshop import wire
from channels.connectors.futureshop.lines import amount, is_shipped, text
from channels.connectors.futureshop.transport import Api, decoded, dicts, row_error
from oms.kernel.said import said

LOOK_AGAIN_S = 20.0
IS_CANCELLED = noop("futureshopの受注 %(no)s は注文取消のため、%(verb)sを登録できません。")
UNANSWERED = said("futureshopが登録の結果を返しませんでした。登録状況を確認して自動で再試行します。")
NOT_SHOWN = said("futureshopが受け付けた内容がまだ反映されていません。確認して自動で再試行します。")
NOT_COMPLETED = noop(
    "futureshopの受注 %(no)s は出荷を登録しましたが、処理済にできませんでした。%(why)s"
    "futureshopの管理画面で処理済にしてから、手動で完了にしてください。"
)
BY_HAND = said(
    "futureshopの受注はAPIでキャンセルできません。futureshopの管理画面で注文取消を行ってください。"
    "取消は自動で取り込まれます。"
)
DECLINE_BY_HAND = said("futureshopのキャンセル申請は、futureshopの管理画面とお客様へのメールでお断りしてください。")


def ship(api: Api, no: str, parcels: Sequence[Parcel], *, completes: bool = False) -> None:
    """Write tracking numbers and, once all its pieces are told, the shipping date of each shipment concerned. With
    `completes` the order is then set to 処理済, when all its shipments are on their way."""
    order = current(api, no)
    if order.get("status") == "CANCELLED":
        raise Refused(said(IS_CANCELLED, no=no, verb=said("出荷")))
    rows = list(shipment_rows(order, parcels))
    if rows:
        _write(api, wire.SHIP_PATH, no, {"orderNo": no, "shipmentList": rows})
        order = current(api, no)
        if list(shipment_rows(order, parcels)):
            raise ChannelDown(NOT_SHOWN, retry_after_s=LOOK_AGAIN_S)
    if completes and all(map(is_shipped, dicts(order.get("shipmentList")))):
        _complete(api, no, order)


def _complete(api: Api, no: str, order: Mapping[str, Any]) -> None:
    """Whether futureshop takes the same word twice is not known, so the state is looked at first."""
    if order.get("status") not in wire.COMPLETABLE:
        return
    try:
        _write(api, wire.COMPLETE_PATH, no, {"orderNo": no})
    except Refused as refused:
        raise Refused(said(NOT_COMPLETED, no=no, why=refused.cause), detail=refused.detail) from refused
    if current(api, no).get("status") in wire.COMPLETABLE:
        raise ChannelDown(NOT_SHOWN, retry_after_s=LOOK_AGAIN_S)


def report_payment(api: Api, no: str, paid_at: datetime) -> None:
    """Set 入金確認日. A day that the shop has set already stays: it is success."""
    order = current(api, no)
    if text(order.get("receiptDate")):
        return
    if order.get("status") == "CANCELLED":
        raise Refused(said(IS_CANCELLED, no=no, verb=said("入金")))
    _write(api, wire.PAYMENT_PATH, no, {"orderNo": no, "receiptDate": wire.api_date(paid_at)})
    if not text(current(api, no).get("receiptDate")):
        raise ChannelDown(NOT_SHOWN, retry_after_s=LOOK_AGAIN_S)


def current(api: Api, no: str) -> dict[str, Any]:
    return decoded(api.get(wire.DETAIL_PATH.format(no=no)))


def _write(api: Api, path: str, no: str, row: Mapping[str, Any]) -> None:
    """One order's row of an absolute write. Raises what its answer says."""
    answer = api.post(path, {"orderList": [row]})
    mine = [row for row in dicts(answer.get("results")) if row.get("orderNo") == no]
    if not mine:
        raise ChannelDown(UNANSWERED, uncertain=True)
    code = next(filter(None, map(row_error, mine)), "")
    if code == wire.LOCKED:
        raise ChannelDown(wire.words_of(code), detail=code, retry_after_s=wire.LOCK_PAUSE_S)
    if code:
        raise Refused(wire.words_of(code), detail=code)


def shipment_rows(order: Mapping[str, Any], parcels: Sequence[Parcel]) -> Iterator[dict[str, Any]]:
    """Rows of the shipments that differ from what is told; others must not be sent at all."""
    for shipment in dicts(order.get("shipmentList")):
        mine = [parcel for parcel in parcels if not parcel.lines or _line_ids(shipment) & set(parcel.lines)]
        if not mine:
            continue
        info = wire.shipping_info(shipment)
        held = {key: text(info.get(key)) for key in ("invoiceNo", "expectedArrival", "shippingDate")}
        wanted = {**held, "invoiceNo": _numbers(mine)}
        if _is_complete(shipment, mine):
            wanted["shippingDate"] = wire.api_date(max(parcel.shipped_at for parcel in mine))
        if wanted != held:
            yield {"shipmentNo": shipment.get("shipmentNo"), "shippingInfo": wanted}


def _numbers(parcels: Sequence[Parcel]) -> str:
    """All numbers in the one field, whole ones only."""
    numbers = list(dict.fromkeys(parcel.tracking_no for parcel in parcels if parcel.tracking_no))
    while len(" ".join(numbers).encode()) > wire.INVOICE_BYTES and len(numbers) > 1:
        numbers.pop()
    return wire.cut_bytes(" ".join(numbers), wire.INVOICE_BYTES)


def _line_ids(shipment: Mapping[str, Any]) -> set[str]:
    count = len(dicts(shipment.get("productList")))
    return {f"{text(shipment.get('shipmentNo'))}-{position}" for position in range(1, count + 1)}


def _is_complete(shipment: Mapping[str, Any], parcels: Sequence[Parcel]) -> bool:
    """Whether the parcels carry every piece of the shipment; a parcel that names no lines carries all."""
    if any(not parcel.lines for parcel in parcels):
        return True
    for position, product in enumerate(dicts(shipment.get("productList")), start=1):
        line_id = f"{text(shipment.get('shipmentNo'))}-{position}"
        if sum(parcel.lines.get(line_id, 0) for parcel in parcels) < (amount(product.get("count")) or 0):
            return False
    return True
