"""Telling Yahoo!: shipped, completed, paid, cancelled.

Each call may be repeated; after a lost answer the order is read first.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from lxml import etree

from channels.connectors.contract import ChannelDown, Parcel, Refused
from channels.connectors.told import Told
from channels.connectors.yahoo import codes
from channels.connectors.yahoo.fetch import order_info
from channels.connectors.yahoo.parse import TOKYO, read_order
from channels.connectors.yahoo.transport import Answer, Api, req, text_of
from oms.kernel import clock
from oms.kernel.said import said

log = structlog.get_logger(__name__)

DASHES = str.maketrans(dict.fromkeys("ー‐‑‒–—―−ｰ－", "-"))
NUMBER = re.compile(r"[0-9A-Za-z-]{1,30}")
COMPLETE_AGAIN_S = 5  # completing right after the shipment may be refused for some seconds
MONEY_NOT_TAKEN = "od91115"
REFUND_NEEDED = "od91123"
CANCELLED_LATER = "od91704"
NOT_SHOWN = said("Yahoo!は変更を受け付けましたが、注文に反映されていません。自動で送り直します。")
SHOWS_AFTER_S = (2, 4)
WAIT_FOR_CANCEL_S = (2, 4, 8)


def ship(api: Api, no: str, parcels: Sequence[Parcel]) -> None:
    """Mark the order shipped with its numbers, then completed when it is paid.

    Shipping captures a card payment. Completion is part of the job because an order that stays open is not paid out;
    an order whose money is still outstanding (cash on delivery, bank transfer) is left open for it.
    """
    told = shipment_fields(parcels)
    order = Order(api, no)
    warned: set[str] = set()
    if not _already_shipped(order.read(), told):
        warned = send(
            api,
            "orderShipStatusChange",
            req(api.seller_id, Target={"OrderId": no, "IsPointFix": "true"}, Order={"Ship": told}),
            done=lambda: _already_shipped(order.read(), told),
        )
    if MONEY_NOT_TAKEN in warned and order.last.get("PayStatus") != "1":
        raise Refused(
            said(
                "出荷は通知できましたが、カードの与信期限が切れていたため、代金を受け取れていません。"
                "ストアクリエイターProで決済を確認し、購入者に連絡してください。"
            ),
            detail=MONEY_NOT_TAKEN,
        )
    complete_if_paid(order)


@dataclass
class Order:
    """One order at Yahoo! and how it was read last, so that no call is spent on what is known."""

    api: Api
    no: str
    last: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> Mapping[str, str]:
        self.last = read(self.api, self.no)
        return self.last


def report_payment(api: Api, no: str, paid_at: datetime) -> None:
    """Mark the order paid on that day. An order that is on its way already is completed with it."""
    order = Order(api, no)
    if order.read().get("PayStatus") != "1":
        request = req(
            api.seller_id,
            Target={"OrderId": no},
            Order={"Pay": {"PayStatus": "1", "PayDate": f"{paid_at.astimezone(TOKYO):%Y%m%d}"}},
        )
        send(api, "orderPayStatusChange", request, done=lambda: order.read().get("PayStatus") == "1")
    complete_if_paid(order)


def complete_if_paid(order: Order) -> None:
    """完了 for an order that is shipped and paid: without it the sale is not paid out."""
    last = order.last
    is_out = last.get("ShipStatus") in (codes.SHIPPED, codes.ARRIVED)
    if is_out and last.get("OrderStatus") == codes.IN_PROGRESS and last.get("PayStatus") == "1":
        _complete(order.api, order.no)


def cancel(api: Api, no: str, reason: str) -> None:
    """Cancel the whole order; Yahoo! mails the buyer. It cannot be undone.

    `reason` is one of Yahoo!'s numbers, a key of `CANCEL_CODES`, or words that are recorded under "other".
    """
    code = reason if reason in codes.CANCEL_REASONS else codes.CANCEL_CODES.get(reason, "230")
    detail = f"ストア都合によるキャンセル：{reason}"[:200] if code == "230" else None
    request = req(
        api.seller_id,
        Target={"OrderId": no, "IsPointFix": "false"},
        Order={"OrderStatus": codes.CANCELLED, "CancelReason": code, "CancelReasonDetail": detail},
    )
    warned = send(api, "orderStatusChange", request, done=lambda: _is_cancelled(api, no))
    if CANCELLED_LATER in warned:
        for pause_s in WAIT_FOR_CANCEL_S:
            if _is_cancelled(api, no):
                return
            clock.sleep(pause_s)
        if not _is_cancelled(api, no):
            raise ChannelDown(
                said("Yahoo!はキャンセルを受け付けましたが、まだ反映していません。自動で確認し直します。"),
                detail=CANCELLED_LATER,
                uncertain=True,
            )


def _is_cancelled(api: Api, no: str) -> bool:
    return read(api, no).get("OrderStatus") == codes.CANCELLED


def _complete(api: Api, no: str) -> None:
    request = req(
        api.seller_id,
        Target={"OrderId": no, "IsPointFix": "true"},
        Order={"OrderStatus": codes.COMPLETED},
    )

    def done() -> bool:
        return read(api, no).get("OrderStatus") == codes.COMPLETED

    try:
        send(api, "orderStatusChange", request, done=done)
    except Refused:
        clock.sleep(COMPLETE_AGAIN_S)
        try:
            send(api, "orderStatusChange", request, done=done)
        except Refused as refused:
            raise Refused(
                said(
                    "出荷は通知できましたが、Yahoo!が注文の完了を受け付けません。入金されるよう、"
                    "もう一度実行するか、ストアクリエイターProで完了にしてください。"
                ),
                detail=refused.detail,
            ) from refused


def send(api: Api, name: str, request: Any, *, done: Callable[[], bool]) -> set[str]:
    """Send a change and look whether it is `done`; returns the codes of warnings.

    An answer that was lost, and one that said OK although nothing shows, are followed by a second sending: every change
    here carries the wanted values, so the same again is harmless. Raises ChannelDown when it still does not show; a
    refusal of what was accepted a moment ago means the same.
    """
    told = Told(api.redis, "yahoo", api.settings.shop_code, (name, etree.tostring(request)))
    for last in (False, True):
        warned: set[str] = set()
        try:
            warned = _warnings(api, request, api.order_call(name, request, idempotent=False))
            told.keep()
        except ChannelDown as lost:
            if last or not lost.uncertain:
                raise
        except Refused as refused:
            if not told.lately:
                raise
            raise ChannelDown(NOT_SHOWN, detail=refused.detail, uncertain=True) from refused
        if CANCELLED_LATER in warned or _shows(done):
            return warned
    raise ChannelDown(NOT_SHOWN, detail=f"{name} was accepted and does not show", uncertain=True)


def _shows(done: Callable[[], bool]) -> bool:
    """Reads may run behind writes by some seconds."""
    for pause_s in (*SHOWS_AFTER_S, None):
        if done():
            return True
        if pause_s:
            clock.sleep(pause_s)
    return False


def _warnings(api: Api, request: Any, answer: Answer) -> set[str]:
    """Warnings come with work that is done. Two of them mean money and must be seen."""
    found = {text_of(warning, "Code") for warning in answer.root.iter("Warning")} - {""}
    if found:
        level = log.error if found & {MONEY_NOT_TAKEN, REFUND_NEEDED} else log.info
        level("yahoo_warning", shop=api.settings.shop_code, codes=sorted(found), order=request.findtext(".//OrderId"))
    return found


def read(api: Api, no: str) -> dict[str, str]:
    found = order_info(api, no)
    if found is None:
        raise Refused(said("注文 %(no)s はYahoo!ショッピングに見つかりません。", no=no))
    return read_order(found.payload)[0]


def _already_shipped(order: Mapping[str, str], told: Mapping[str, str]) -> bool:
    return order.get("ShipStatus") in (codes.SHIPPED, codes.ARRIVED) and all(
        (order.get(name) or "").replace("-", "") == value.replace("-", "")
        for name, value in told.items()
        if name.startswith("ShipInvoiceNumber") and name[-1].isdigit()
    )


# ---- the shipment in Yahoo!'s words --------------------------------------------------------------------------------


def shipment_fields(parcels: Sequence[Parcel]) -> dict[str, str]:
    """Ship fields for all parcels. Two numbers of one carrier fit; further ones go into the notes.

    Raises Refused for a number that Yahoo! would not take.
    """
    if not parcels:
        raise Refused(said("出荷する荷物がありません。"))
    ordered = sorted(parcels, key=lambda parcel: parcel.reference)
    first = ordered[0]
    fields = {
        "ShipStatus": codes.SHIPPED,
        "ShipCompanyCode": company_code(first),
    }
    tracked = [parcel for parcel in ordered if parcel.tracking_no.strip()]
    same = [parcel for parcel in tracked if company_code(parcel) == fields["ShipCompanyCode"]][:2]
    for position, parcel in enumerate(same, start=1):
        fields[f"ShipInvoiceNumber{position}"] = tracking_number(parcel)
    if not same:
        fields["ShipInvoiceNumberEmptyReason"] = codes.UNTRACKED
    others = [parcel for parcel in tracked if parcel not in same]
    if others:
        fields["ShipNotes"] = "／".join(f"{carrier_label(p)} {tracking_number(p)}" for p in others)[:160]
    fields["ShipDate"] = f"{max(parcel.shipped_at for parcel in ordered).astimezone(TOKYO):%Y%m%d}"
    return fields


def company_code(parcel: Parcel) -> str:
    """Yahoo!'s number of the carrier; one that we know by name only is looked up by the beginning of its name."""
    if parcel.carrier in codes.CARRIERS and parcel.carrier != "other":
        return codes.CARRIERS[parcel.carrier]
    name = unicodedata.normalize("NFKC", parcel.carrier_name).strip().upper()
    found = [code for words, code in codes.CARRIER_NAMES.items() if name.startswith(words.upper())]
    return found[0] if found else codes.CARRIERS["other"]


def tracking_number(parcel: Parcel) -> str:
    """The number as Yahoo! takes it for its carrier. Raises Refused."""
    number = unicodedata.normalize("NFKC", parcel.tracking_no).translate(DASHES).replace(" ", "").strip()
    company = company_code(parcel)
    if company == codes.CARRIERS["japanpost"]:
        number = number.replace("-", "")
        good = number.isalnum() and 11 <= len(number) <= 13
    elif company == codes.CARRIERS["yamato"]:
        good = number.replace("-", "").isdigit() and len(number) <= 14
    else:
        good = True
    if not good or not NUMBER.fullmatch(number):
        raise Refused(
            said(
                "送り状番号「%(tracking_no)s」は%(carrier)sの番号としてYahoo!に登録できません。",
                tracking_no=parcel.tracking_no,
                carrier=carrier_label(parcel),
            )
        )
    return number


LABELS = {"yamato": "ヤマト運輸", "sagawa": "佐川急便", "japanpost": "日本郵便"}


def carrier_label(parcel: Parcel) -> str:
    return parcel.carrier_name or LABELS.get(parcel.carrier, "その他")
