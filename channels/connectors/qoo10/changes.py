"""Telling Qoo10: checked, sent, cancelled. What was told already is looked up, never told blindly again.

A word that Qoo10 accepted is told again only when the order plainly stands as before; states that we cannot read, or an
order that is gone, are no reason for it.
"""

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from channels.connectors.contract import ChannelDown, ChannelError, Parcel, Refused
from channels.connectors.qoo10 import codes
from channels.connectors.qoo10.fetch import one_order
from channels.connectors.qoo10.parse import whole
from channels.connectors.qoo10.rows import Row, plain, status_number
from channels.connectors.qoo10.transport import Api, QapiRefused
from channels.connectors.told import Told
from oms.kernel import clock
from oms.kernel.said import said

BULK = 500
TOGETHER = 100  # baskets; each is looked at afterwards, three a second
SHIP_WITHIN_DAYS = 3  # weekdays after payment
TRAVEL_DAYS = 2  # a parcel is sent so long before the wished day
SHOWS_AFTER_S = (1, 3)
PREPARING, BUYERS_WISH, OTHER_DELAY = "1", "3", "4"  # DelayType
NOT_SHOWN = said("Qoo10は変更を受け付けましたが、注文に反映されていません。自動で送り直します。")
DASHES = str.maketrans(dict.fromkeys("ー‐‑‒–—―−ｰ－-", ""))
NUMBER_KEYS = ("contno", "contrno", "orderno")


def order_numbers(order: Mapping[str, Any]) -> list[str]:
    """Qoo10's order numbers of a basket, from what parsing kept."""
    told = str(order.get("extra", {}).get("order_nos", ""))
    numbers = [number for number in told.split(",") if number]
    if not numbers:
        raise Refused(said("この注文のQoo10の注文番号がわかりません。注文を取り込み直してください。"))
    return numbers


# ---- seller check --------------------------------------------------------------------------------------------------


Plan = tuple[date, str]  # planned day, DelayType


def confirm_all(api: Api, orders: Sequence[Mapping[str, Any]]) -> dict[str, ChannelError]:
    """Check all order numbers of these baskets with their planned ship dates, 500 a call; what is checked already is
    fine. Returns by basket what went wrong."""
    plans: dict[str, Plan] = {}
    basket_of: dict[str, str] = {}
    troubles: dict[str, ChannelError] = {}
    for order in orders:
        try:
            numbers = order_numbers(order)
        except Refused as unknown:
            troubles[order["no"]] = unknown
            continue
        plans |= dict.fromkeys(numbers, planned_date(order.get("extra", {}), clock.today()))
        basket_of |= dict.fromkeys(numbers, order["no"])
    told = list(plans)
    for at in range(0, len(told), BULK):
        found = _checked(api, {number: plans[number] for number in told[at : at + BULK]})
        troubles |= {basket_of[number]: trouble for number, trouble in found.items()}
    return troubles


def _checked(api: Api, plans: Mapping[str, Plan]) -> dict[str, ChannelError]:
    """One call, and one more for what it left as it was: accepted without effect, or the date was today's by Qoo10's
    clock."""
    again, troubles = _check(api, plans)
    if again:
        later = {number: (plans[number][0] + timedelta(days=1), plans[number][1]) for number in again}
        again, more = _check(api, later)
        troubles |= more
    detail = f"{codes.SELLER_CHECK} does not show"
    return troubles | {number: ChannelDown(NOT_SHOWN, detail=detail, uncertain=True) for number in again}


def _check(api: Api, plans: Mapping[str, Plan]) -> tuple[list[str], dict[str, ChannelError]]:
    """Tell the planned days; returns the numbers that have to be told again, and why others cannot be."""
    rows = [
        {"OrderNo": number, "EstShipDt": f"{planned:%Y%m%d}", "DelayType": delay, "DelayMemo": ""}
        for number, (planned, delay) in plans.items()
    ]
    results = _bulk(api, codes.SELLER_CHECK, "SendPlanDtInfoJson", rows, idempotent=True)
    again: list[str] = []
    troubles: dict[str, ChannelError] = {}
    for number in plans:
        code = results.get(number)
        try:
            if code == codes.ALREADY_CHECKED or _is_checked(api, number, accepted=code in (0, None)):
                continue
        except ChannelError as trouble:
            troubles[number] = trouble
            continue
        if code in (0, None, codes.DATE_TOO_EARLY):
            again.append(number)
        else:
            troubles[number] = QapiRefused(codes.SELLER_CHECK, code, "")
    return again, troubles


def _is_checked(api: Api, number: str, *, accepted: bool) -> bool:
    if accepted:
        return _shows(lambda: not _stands_at(api, number, {codes.UNPAID, codes.REQUESTED}))
    status = status_number(_read(api, number).get("shippingstatus", ""))
    return status is not None and status >= codes.CHECKED


def _stands_at(api: Api, number: str, statuses: set[int]) -> bool:
    """Whether the order plainly stands at one of these, without a claim."""
    row = one_order(api, number)
    known = plain(row) if row else {}
    return status_number(known.get("shippingstatus", "")) in statuses and not known.get("claimstatus")


def _shows(done: Callable[[], bool]) -> bool:
    """What is read may run behind what was told by some seconds."""
    for pause_s in (*SHOWS_AFTER_S, None):
        if done():
            return True
        if pause_s:
            clock.sleep(pause_s)
    return False


def planned_date(extra: Mapping[str, str], today: date) -> tuple[date, str]:
    """(planned day, DelayType): three weekdays after payment, the release day of a reservation, or two days before the
    wished day when that is later; tomorrow at the earliest."""
    tomorrow = today + timedelta(days=1)
    if available := extra.get("available_on"):
        return max(date.fromisoformat(available), tomorrow), OTHER_DELAY
    paid_on = date.fromisoformat(extra["paid_on"]) if extra.get("paid_on") else today
    usual = max(weekdays_after(paid_on, SHIP_WITHIN_DAYS), tomorrow)
    if wish := extra.get("wish_on"):
        wished = date.fromisoformat(wish) - timedelta(days=TRAVEL_DAYS)
        if wished > usual:
            return wished, BUYERS_WISH
    return usual, PREPARING


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
        unseen = [row for row in batch if not _settle_sending(api, row, results.get(row["OrderNo"]))]
        if unseen:  # accepted without effect: once more
            results = _bulk(api, codes.SEND, "ShippingInfoJson", unseen, idempotent=False)
            if not all(_settle_sending(api, row, results.get(row["OrderNo"])) for row in unseen):
                raise ChannelDown(NOT_SHOWN, detail=f"{codes.SEND} does not show", uncertain=True)


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
        raise Refused(said("出荷する明細がありません。"))
    return list(rows.values())


def tracking_number(text: str) -> str:
    """Half width, without dashes. Raises Refused when nothing is left or it is too long."""
    number = "".join(unicodedata.normalize("NFKC", text).translate(DASHES).split())
    if not number or len(number) > 50:
        raise Refused(said("Qoo10への発送通知には送り状番号（50文字以内）が必要です。"))
    return number


def _is_sent(api: Api, row: Mapping[str, str]) -> bool:
    """Whether this order is on its way. Raises Refused when it must not be, or is under another number."""
    known = _read(api, row["OrderNo"])
    status, claim = status_number(known.get("shippingstatus", "")), status_number(known.get("claimstatus", ""))
    if status in (codes.SENT, codes.DELIVERED):
        told = known.get("trackingno", "")
        if told and tracking_number(told) != row["TrackingNo"]:
            raise Refused(
                said("注文 %(no)s は別の送り状番号で発送済みです。Qoo10 QSMで確認してください。", no=row["OrderNo"])
            )
        return True
    if claim in codes.CANCEL_ASKED | codes.CANCELLED:
        raise QapiRefused(codes.SEND, -10101, "")
    return False


def _settle_sending(api: Api, row: Mapping[str, str], code: int | None) -> bool:
    """Whether the order is on its way now. Raises what Qoo10 refuses for this row."""
    told = Told(api.redis, "qoo10", api.settings.shop_code, (codes.SEND, sorted(row.items())))
    if code in (0, None):
        told.keep()
        number = row["OrderNo"]
        return _shows(lambda: not _stands_at(api, number, {codes.UNPAID, codes.REQUESTED, codes.CHECKED}))
    if _is_sent(api, row):
        return True
    if told.lately:
        raise ChannelDown(NOT_SHOWN, detail=f"{codes.SEND} {code}", uncertain=True)
    raise QapiRefused(codes.SEND, code, "")


# ---- cancelling ----------------------------------------------------------------------------------------------------


def cancel(api: Api, order: Mapping[str, Any], reason: str) -> None:
    """Cancel each order of the basket. `reason` is a key of `CANCEL_CODES`, or words for the memo."""
    for number in order_numbers(order):
        cancel_one(api, number, reason)


def cancel_lines(api: Api, order: Mapping[str, Any], quantities: Mapping[str, int], reason: str) -> None:
    """Cancel whole order numbers of the basket; Qoo10 cannot take single pieces off one."""
    known = set(order_numbers(order))
    for number, pieces in quantities.items():
        if number not in known and not _is_cancelled(api, number):
            raise Refused(
                said("注文番号 %(number)s はこのカートにありません。注文を取り込み直してください。", number=number)
            )
        if pieces != whole(_read(api, number).get("orderqty", "")):
            raise Refused(
                said("Qoo10では明細の一部の個数だけをキャンセルできません。明細全体をキャンセルしてください。")
            )
    for number in quantities:
        cancel_one(api, number, reason)


def cancel_one(api: Api, number: str, reason: str) -> None:
    """Never told blindly: the order is read before and after, and told again only when it shows nothing."""
    if _is_cancelled(api, number):
        return
    fields = {"ContrNo": number, "CancelReason": codes.CANCEL_CODES.get(reason, codes.CANCEL_OTHER)}
    fields["SellerMemo"] = codes.CANCEL_WORDS.get(reason, reason)[:1000]
    open_states = {codes.UNPAID, codes.REQUESTED, codes.CHECKED}
    _tell(api, codes.CANCEL, fields, number, done=lambda: not _stands_at(api, number, open_states))


def answer_cancel(api: Api, order: Mapping[str, Any], *, accept: bool) -> None:
    """Agree to the buyer's wish to cancel, for every order of the basket that carries one."""
    if not accept:
        raise Refused(said("キャンセル申請の拒否は、Qoo10 QSMの「キャンセル管理」で行ってください。"))
    asked = [number for number in order_numbers(order) if _claim(api, number) in codes.CANCEL_ASKED]
    for number in asked:
        _tell(api, codes.CLAIM_ACCEPT, {"orderNo": number}, number, done=partial(_is_answered, api, number))


def _is_answered(api: Api, number: str) -> bool:
    row = one_order(api, number)
    return row is None or status_number(plain(row).get("claimstatus", "")) not in codes.CANCEL_ASKED


def _tell(api: Api, method: str, fields: Mapping[str, str], number: str, *, done: Callable[[], bool]) -> None:
    """`done` says whether an accepted word shows. A refused one is fine only when the order is cancelled: then the call
    before, whose answer was lost, had done it."""
    told = Told(api.redis, "qoo10", api.settings.shop_code, (method, sorted(fields.items())))
    for last in (False, True):
        try:
            api.call(method, fields, idempotent=False)
            told.keep()
        except ChannelDown as lost:
            if last or not lost.uncertain:
                raise
        except QapiRefused as refused:
            if _is_cancelled(api, number):
                return
            if not told.lately:
                raise
            raise ChannelDown(NOT_SHOWN, detail=refused.detail, uncertain=True) from refused
        if _shows(done):
            return
    raise ChannelDown(NOT_SHOWN, detail=f"{method} does not show", uncertain=True)


def _claim(api: Api, number: str) -> int | None:
    return status_number(_read(api, number).get("claimstatus", ""))


def _is_cancelled(api: Api, number: str) -> bool:
    return _claim(api, number) in codes.CANCELLED


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
        raise Refused(said("注文 %(number)s はQoo10に見つかりません。", number=number))
    return plain(row)
