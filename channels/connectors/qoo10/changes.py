"""Telling Qoo10: checked, sent, cancelled. What was told already is looked up, never told blindly again."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from channels.connectors.contract import ChannelDown, Parcel, Refused
from channels.connectors.qoo10 import codes
from channels.connectors.qoo10.fetch import one_order
from channels.connectors.qoo10.rows import Row, plain, status_number
from channels.connectors.qoo10.transport import PASSING_TROUBLE, Api, QapiRefused
from oms.kernel import clock

BULK = 500
SHIP_WITHIN_DAYS = 3  # weekdays after payment
DASHES = str.maketrans(dict.fromkeys("ー‐‑‒–—―−ｰ－-", ""))
NUMBER_KEYS = ("contno", "contrno", "orderno")


def order_numbers(order: Mapping[str, Any]) -> list[str]:
    """Qoo10's order numbers of a basket, from what parsing kept."""
    told = str(order.get("extra", {}).get("order_nos", ""))
    numbers = [number for number in told.split(",") if number]
    if not numbers:
        raise Refused("この注文のQoo10の注文番号がわかりません。注文を取り込み直してください。")
    return numbers


# ---- seller check --------------------------------------------------------------------------------------------------


def confirm(api: Api, order: Mapping[str, Any]) -> None:
    """Check all orders of the basket with a planned ship date; what is checked already is fine."""
    planned = planned_date(order.get("extra", {}), clock.today())
    numbers = order_numbers(order)
    for at in range(0, len(numbers), BULK):
        rows = [
            {"OrderNo": number, "EstShipDt": f"{planned:%Y%m%d}", "DelayType": "1", "DelayMemo": ""}
            for number in numbers[at : at + BULK]
        ]
        results = _bulk(api, codes.SELLER_CHECK, "SendPlanDtInfoJson", rows, idempotent=True)
        for number in numbers[at : at + BULK]:
            _settle_check(api, number, results.get(number))


def _settle_check(api: Api, number: str, code: int | None) -> None:
    if code in (0, codes.ALREADY_CHECKED):
        return
    status = status_number(_read(api, number).get("shippingstatus", ""))
    if status is not None and status >= codes.CHECKED:
        return
    if code is None:
        raise ChannelDown(PASSING_TROUBLE, detail=f"no result for one row of {codes.SELLER_CHECK}", uncertain=True)
    raise QapiRefused(codes.SELLER_CHECK, code, "")


def planned_date(extra: Mapping[str, str], today: date) -> date:
    """Three weekdays after payment, or the release day of a reservation; tomorrow at the earliest."""
    tomorrow = today + timedelta(days=1)
    if available := extra.get("available_on"):
        return max(date.fromisoformat(available), tomorrow)
    paid_on = date.fromisoformat(extra["paid_on"]) if extra.get("paid_on") else today
    return max(weekdays_after(paid_on, SHIP_WITHIN_DAYS), tomorrow)


def weekdays_after(start: date, days: int) -> date:
    at = start
    while days:
        at += timedelta(days=1)
        days -= at.weekday() < 5
    return at


# ---- sending -------------------------------------------------------------------------------------------------------


def ship(api: Api, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> None:
    """Report the parcel of each order number in them. Qoo10 cannot take a report back, so each is read first."""
    wanted = sendings(api.settings.credentials, parcels)
    open_rows = [row for row in wanted if not _is_sent(api, row)]
    for at in range(0, len(open_rows), BULK):
        batch = open_rows[at : at + BULK]
        try:
            results = _bulk(api, codes.SEND, "ShippingInfoJson", batch, idempotent=False)
        except ChannelDown as lost:
            if not lost.uncertain:
                raise
            batch = [row for row in batch if not _is_sent(api, row)]
            results = _bulk(api, codes.SEND, "ShippingInfoJson", batch, idempotent=False) if batch else {}
        for row in batch:
            _settle_sending(api, row, results.get(row["OrderNo"]))


def sendings(names: Mapping[str, str], parcels: Sequence[Parcel]) -> list[dict[str, str]]:
    """One row per order number. An order number can carry one parcel only: the first one that holds it."""
    rows: dict[str, dict[str, str]] = {}
    for parcel in sorted(parcels, key=lambda one: one.reference):
        number = tracking_number(parcel.tracking_no)
        carrier = names.get(f"carrier_{parcel.carrier}") or codes.CARRIERS.get(parcel.carrier, codes.CARRIERS["other"])
        if parcel.carrier == "other" and parcel.carrier_name:
            carrier = parcel.carrier_name
        for line_id in parcel.lines:
            rows.setdefault(line_id, {"OrderNo": line_id, "ShippingCorp": carrier, "TrackingNo": number})
    if not rows:
        raise Refused("出荷する明細がありません。")
    return list(rows.values())


def tracking_number(text: str) -> str:
    """Half width, without dashes. Raises Refused when nothing is left or it is too long."""
    number = "".join(unicodedata.normalize("NFKC", text).translate(DASHES).split())
    if not number or len(number) > 50:
        raise Refused("Qoo10への発送通知には送り状番号（50文字以内）が必要です。")
    return number


def _is_sent(api: Api, row: Mapping[str, str]) -> bool:
    """Whether this order is on its way. Raises Refused when it must not be, or is under another number."""
    known = _read(api, row["OrderNo"])
    status, claim = status_number(known.get("shippingstatus", "")), status_number(known.get("claimstatus", ""))
    if status in (codes.SENT, codes.DELIVERED):
        told = known.get("trackingno", "")
        if told and tracking_number(told) != row["TrackingNo"]:
            raise Refused(f"注文 {row['OrderNo']} は別の送り状番号で発送済みです。Qoo10 QSMで確認してください。")
        return True
    if claim in codes.CANCEL_ASKED | codes.CANCELLED:
        raise QapiRefused(codes.SEND, -10101, "")
    return False


def _settle_sending(api: Api, row: Mapping[str, str], code: int | None) -> None:
    if code == 0 or _is_sent(api, row):
        return
    if code is None:
        raise ChannelDown(PASSING_TROUBLE, detail=f"no result for one row of {codes.SEND}", uncertain=True)
    raise QapiRefused(codes.SEND, code, "")


# ---- cancelling ----------------------------------------------------------------------------------------------------


def cancel(api: Api, order: Mapping[str, Any], reason: str) -> None:
    """Cancel each order of the basket. `reason` is a key of `CANCEL_CODES`, or words for the memo."""
    code = codes.CANCEL_CODES.get(reason, codes.CANCEL_OTHER)
    for number in order_numbers(order):
        if _is_cancelled(api, number):
            continue
        fields = {"ContrNo": number, "CancelReason": code, "SellerMemo": reason[:1000]}
        try:
            api.call(codes.CANCEL, fields, idempotent=False)
        except ChannelDown as lost:
            if not lost.uncertain or not _is_cancelled(api, number):
                raise


def _is_cancelled(api: Api, number: str) -> bool:
    return status_number(_read(api, number).get("claimstatus", "")) in codes.CANCELLED


# ---- bulk calls ----------------------------------------------------------------------------------------------------


def _bulk(api: Api, method: str, field: str, rows: Sequence[Mapping[str, str]], *, idempotent: bool) -> dict[str, int]:
    """Result codes by order number; the outer code says nothing about the rows, and a row may be missing."""
    answer = api.call(method, {field: json.dumps(list(rows), ensure_ascii=False)}, idempotent=idempotent)
    results: dict[str, int] = {}
    for result in answer.rows:
        known = plain(result) if isinstance(result, dict) else {}
        number = next((known[key] for key in NUMBER_KEYS if key in known), "")
        code = known.get("resultcd", known.get("resultcode", ""))
        if number and code.lstrip("-").isdigit():
            results[number] = int(code)
    return results


def _read(api: Api, number: str) -> Row:
    row = one_order(api, number)
    if row is None:
        raise Refused(f"注文 {number} はQoo10に見つかりません。")
    return plain(row)
