"""One orderInfo reply → `ChannelOrder`. Pure."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from channels.connectors.contract import Unreadable
from channels.connectors.yahoo import codes
from channels.connectors.yahoo.states import channel_state, flags, order_state, payment_state
from channels.connectors.yahoo.transport import read_xml
from oms.kernel.said import said
from orders.channel_order import (
    ChannelLine,
    ChannelOrder,
    ChannelState,
    Coupon,
    Party,
    PaymentMethod,
    PaymentState,
    Totals,
)

TOKYO = ZoneInfo("Asia/Tokyo")
JST = timedelta(hours=9)
DATE_TIME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d))?)?(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?$")
SLOT = re.compile(r"(\d{1,2})(?::?\d\d|時)?\s*[-~～〜ー－―–—−]\s*(\d{1,2})(?::?\d\d|時)?")
GROUPS = {"Pay", "Ship", "Detail", "Seller", "Buyer"}
SHARED_IDENTITY = "1"  # SocialGiftType: the buyer block carries a fixed text and a relay address

Fields = dict[str, str]


def parse_order(payload: str) -> ChannelOrder:
    """Raises Unreadable when the order has no number, no time, or a line without code or quantity."""
    order, items = read_order(payload)
    no = order.get("OrderId", "")
    if not no:
        raise Unreadable(said("Yahoo!の注文に注文番号がありません。"))
    try:
        return _build(no, order, items)
    except (ValueError, OverflowError) as broken:
        raise Unreadable(said("Yahoo!の注文 %(no)s を読み取れません（%(broken)s）。", no=no, broken=broken)) from None


def read_order(payload: str) -> tuple[Fields, list[Fields]]:
    """(all simple fields of the order in one flat mapping, the same per item). Raises Unreadable.

    Names are unique over the groups, groups may come in any order, and the first of a doubled field counts.
    """
    try:
        root = read_xml(payload.encode())
    except ValueError as broken:
        raise Unreadable(said("Yahoo!の注文データがXMLとして読み取れません。"), detail=str(broken)) from broken
    info = root if root.tag == "OrderInfo" else root.find(".//OrderInfo")
    if info is None:
        raise Unreadable(said("Yahoo!の応答に注文データがありません。"))
    order: Fields = {}
    items: list[Fields] = []
    for element in info:
        tag = element.tag
        if tag == "Item":
            items.append(_item_fields(element))
        elif tag in GROUPS:
            _keep(order, element)
        elif tag not in order and (text := element.text) and (text := text.strip()):
            order[tag] = text
    return order, items


def _keep(fields: Fields, group: Any) -> None:
    for child in group:
        if (text := child.text) and (text := text.strip()) and (tag := child.tag) not in fields:
            fields[tag] = text


def _item_fields(item: Any) -> Fields:
    fields: Fields = {}
    chosen: dict[str, list[str]] = {"ItemOption": [], "Inscription": []}
    for child in item:
        tag = child.tag
        if tag in chosen:
            if option := _option(child):
                chosen[tag].append(option)
        elif (text := child.text) and (text := text.strip()) and tag not in fields:
            fields[tag] = text
    for tag, found in chosen.items():
        if found:
            fields[tag] = " / ".join(found)
    return fields


def _option(element: Any) -> str:
    """ "のし: 不要", with what it costs where it costs something; the words alone where they stand without a name."""
    name, value = (element.findtext("Name") or "").strip(), (element.findtext("Value") or "").strip()
    price = (element.findtext("Price") or "").strip()
    told = f"{name}: {value}" if name and value else name or value or (element.text or "").strip()
    return f"{told}（{price}円）" if told and price.strip("0.+-") else told


# ---- the order -----------------------------------------------------------------------------------------------------


def _build(no: str, order: Fields, items: list[Fields]) -> ChannelOrder:
    ordered_at = instant(order.get("OrderTime", ""))
    if ordered_at is None:
        raise ValueError("注文日時がありません")
    state = order_state(order)
    paid = payment_state(order)
    lines = tuple(line for item in items if (line := _line(item, shipped=state is ChannelState.SHIPPED)) is not None)
    if not lines and state is not ChannelState.CANCELLED:
        raise ValueError("明細がありません")
    return ChannelOrder(
        channel_order_no=no,
        ordered_at=ordered_at,
        channel_state=channel_state(order),
        state=state,
        buyer=_buyer(order),
        recipients=(_party(order, "Ship"),),
        lines=lines,
        totals=_totals(order, lines),
        payment_method=codes.PAYMENT_METHODS.get(order.get("PayMethod", ""), PaymentMethod.OTHER),
        payment_state=paid,
        payment_name=order.get("PayMethodName", "") or order.get("PayMethod", ""),
        paid_at=_instant_of_day(order.get("PayDate", "")) if paid is PaymentState.PAID else None,
        updated_at=instant(order.get("LastUpdateTime", "")),
        remarks=order.get("BuyerComments", ""),
        wish_date=day(order.get("ShipRequestDate", "")),
        wish_slot=slot(order.get("ShipRequestTime", "")),
        delivery_method=order.get("ShipMethodName", ""),
        ship_by=instant(order.get("ShippingDeadline", "")),
        gift=_asked(order, "NeedGiftWrap", "GiftWrapType", "ギフト包装"),
        noshi=_noshi(order),
        message_card=order.get("GiftWrapMessage", ""),
        cancel_reason=_cancel_reason(order),
        tracking_nos=tuple(filter(None, (order.get("ShipInvoiceNumber1"), order.get("ShipInvoiceNumber2")))),
        flags=flags(order),
        sub_state=order.get("StoreStatus", ""),
        coupons=_coupons(order),
        pay_by=_pay_by(order, paid),
        shop_memo=order.get("Notes", ""),
        extra=_extra(order, items),
    )


def _line(item: Fields, *, shipped: bool) -> ChannelLine | None:
    """None for a line that the store has set to nothing."""
    code, line_id = item.get("ItemId", ""), item.get("LineId", "")
    if not line_id:
        raise ValueError(said("行番号のない明細があります"))
    quantity = amount(item.get("Quantity", ""))
    if quantity is None or quantity < 0:
        raise ValueError(said("明細%(line_id)sの数量がありません", line_id=line_id))
    if quantity == 0:
        return None
    price = amount(item.get("UnitPrice", "")) or 0
    sub_code = item.get("SubCode", "")
    options = " / ".join(filter(None, (item.get("SubCodeOption"), item.get("ItemOption"))))
    return ChannelLine(
        line_id=line_id,
        channel_sku=f"{code}:{sub_code}" if sub_code else code,
        name=item.get("Title", ""),
        quantity=quantity,
        unit_price=price,
        amount=price * quantity,
        tax_rate=int(rate) if (rate := item.get("ItemTaxRatio", "")).isdigit() else None,
        options=options,
        jan=item.get("Jan", ""),
        gift=item.get("Inscription", ""),
        shipped_quantity=quantity if shipped else 0,
    )


def _totals(order: Fields, lines: tuple[ChannelLine, ...]) -> Totals | None:
    """The channel's figures as told. Unit prices are after the shop's coupon; points include bonus and gift card."""
    total = amount(order.get("TotalPrice", ""))
    if total is None:
        return None
    adjustment = _yen(order, "Adjustments")
    return Totals(
        goods=sum(line.amount for line in lines),
        total=total,
        shipping=_yen(order, "ShipCharge"),
        fees=_yen(order, "PayCharge") + max(adjustment, 0),
        gift_fees=_yen(order, "GiftWrapCharge"),
        discount=_yen(order, "Discount") + max(-adjustment, 0),
        coupons_channel=_yen(order, "TotalMallCouponDiscount"),
        points=_yen(order, "UsePoint"),
    )


def _coupons(order: Fields) -> tuple[Coupon, ...]:
    """The mall's coupon only. The store's own is inside the unit prices already and stands in `extra`."""
    mall = _yen(order, "TotalMallCouponDiscount")
    return (Coupon("モールクーポン", mall, "channel"),) if mall else ()


def _pay_by(order: Fields, paid: PaymentState) -> datetime | None:
    """The term of a prepayment; after a failed settlement, until when the buyer may choose another method."""
    if paid is PaymentState.PAID:
        return None
    return instant(order.get("PaymentTerm", "")) or instant(order.get("PayMethodChangeDeadline", ""))


def _yen(order: Fields, name: str) -> int:
    return amount(order.get(name, "")) or 0


def _buyer(order: Fields) -> Party:
    shared = order.get("SocialGiftType") == SHARED_IDENTITY
    return _party(order, "Bill", email="" if shared else order.get("BillMailAddress", ""))


PARTY_FIELDS = (
    *("LastName", "FirstName", "LastNameKana", "FirstNameKana", "PhoneNumber", "EmgPhoneNumber", "ZipCode"),
    *("Prefecture", "City", "Address1", "Address2", "Section1Value", "Section2Value"),
)
PARTY_KEYS = {prefix: tuple(f"{prefix}{name}" for name in PARTY_FIELDS) for prefix in ("Bill", "Ship")}


def _party(order: Fields, prefix: str, *, email: str = "") -> Party:
    told = [order.get(key, "") for key in PARTY_KEYS[prefix]]
    last, first, last_kana, first_kana, phone, other_phone, postal, prefecture, city, street, house, part, desk = told
    return Party(
        name=_joined(last, first),
        kana=_joined(last_kana, first_kana),
        phone=phone or other_phone,
        email=email,
        postal_code=postal,
        prefecture=prefecture,
        city=city,
        address=_joined(street, house),
        company=_joined(part, desk),
    )


def _joined(first: str | None, second: str | None) -> str:
    return f"{first} {second}" if first and second else first or second or ""


def _asked(order: Fields, switch: str, detail: str, words: str) -> str:
    if order.get(switch, "").lower() not in ("true", "1"):
        return ""
    return order.get(detail, "") or words


def _noshi(order: Fields) -> str:
    kind = _asked(order, "NeedGiftWrapPaper", "GiftWrapPaperType", "のし")
    return _joined(kind, order.get("GiftWrapName")) if kind else ""


def _cancel_reason(order: Fields) -> str:
    code = order.get("CancelReason", "")
    if not code:
        return ""
    if code.isdigit() and 300 <= int(code) <= 380:
        words = "購入者自身によるキャンセル"
    else:
        words = codes.CANCEL_REASONS.get(code, code)
    return _joined(words, order.get("CancelReasonDetail"))


EXTRA = {
    "pay_method": "PayMethod",
    "pay_type": "PayType",
    "settle_status": "SettleStatus",
    "settle_amount": "SettleAmount",
    "settle_id": "SettleId",
    "pay_notes": "PayNotes",
    "pay_method_amount": "PayMethodAmount",
    "combined_pay_method": "CombinedPayMethodName",
    "combined_amount": "CombinedPayMethodAmount",
    "payment_term": "PaymentTerm",
    "pay_method_change_by": "PayMethodChangeDeadline",
    "shop_coupon": "TotalCouponDiscount",
    "shipping_coupon": "ShippingCouponDiscount",
    "gift_card": "GiftCardDiscount",
    "immediate_bonus": "TotalImmediateBonusAmount",
    "line_gift_charge": "LineGiftCharge",
    "ship_method": "ShipMethod",
    "ship_request_time": "ShipRequestTime",
    "ship_company_code": "ShipCompanyCode",
    "ship_notes": "ShipNotes",
    "ship_date": "ShipDate",
    "arrival_date": "ArrivalDate",
    "no_tracking_reason": "ShipInvoiceNumberEmptyReason",
    "remote_area": "RemoteAreaShippingType",
    "receive_shop_code": "ReceiveShopCode",
    "unattended": "EazyDeliveryName",
    "parent_order_id": "ParentOrderId",
    "child_order_id": "ChildOrderId",
    "multi_ship_id": "MultiShipId",
    "line_gift_order_id": "LineGiftOrderId",
    "subscription_id": "SubscriptionId",
    "suspect_message": "SuspectMessage",
    "seller_comments": "SellerComments",
    "membership": "FspLicenseName",
    "emergency_phone": "ShipEmgPhoneNumber",
}
NOTHING = ("0", "0.0")
ASKED = (
    ("Option1Field", "Option1Value"),
    ("Option2Field", "Option2Value"),
    ("AgeConfirmField", "AgeConfirmValue"),
)


def _extra(order: Fields, items: list[Fields]) -> dict[str, str]:
    extra = {key: order[name] for key, name in EXTRA.items() if order.get(name) and order[name] not in NOTHING}
    # What later calls need to know even when it is "0".
    extra |= {key: order[EXTRA[key]] for key in ("pay_type", "settle_status") if EXTRA[key] in order}
    for key, name in (("release_date", "ReleaseDate"), ("lead_time", "LeadTimeText")):
        if told := sorted({item[name] for item in items if item.get(name)}):
            extra[key] = told[-1]
    if answers := [f"{order.get(name, '')}: {order[value]}" for name, value in ASKED if order.get(value)]:
        extra["answers"] = " / ".join(answers)
    extra["quantities"] = ",".join(
        f"{item['LineId']}:{item['Quantity']}" for item in items if item.get("LineId") and item.get("Quantity")
    )
    if order.get("SocialGiftType") == SHARED_IDENTITY and "BillMailAddress" in order:
        extra["relay_mail"] = order["BillMailAddress"]
    return extra


# ---- values --------------------------------------------------------------------------------------------------------


def amount(text: str) -> int | None:
    """A whole number, "1500", "1,500" or "1500.0"; None when empty. Raises ValueError for anything else."""
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        value = float(text.replace(",", ""))
        if not value.is_integer():
            raise ValueError("金額または数量が整数ではありません") from None
        return int(value)


def instant(text: str) -> datetime | None:
    """UTC of "2026-08-01T09:12:44+09:00", "2026-08-01 09:12:44" or 14 digits (JST without offset); None if odd."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return _odd_instant(text)
    return (found if found.tzinfo else found.replace(tzinfo=TOKYO)).astimezone(UTC)


def _odd_instant(text: str) -> datetime | None:
    if not (found := DATE_TIME.match(text)):
        return None
    year, month, day_, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        return (datetime(year, month, day_, hour, minute, second, tzinfo=UTC) - JST).astimezone(UTC)
    except ValueError:
        return None


def day(text: str) -> date | None:
    """ "2026-08-05", "20260805" or the date of a date-time; None if odd."""
    found = DATE_TIME.match(text) if text else None
    if not found:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def _instant_of_day(text: str) -> datetime | None:
    found = day(text)
    return datetime(found.year, found.month, found.day, tzinfo=TOKYO).astimezone(UTC) if found else None


def slot(text: str) -> str:
    """ "14:00-16:00" → "1416", "午前中" → "am", anything else → ""."""
    if not text:
        return ""
    if "午前" in text:
        return "am"
    found = SLOT.search(text.translate(FULL_WIDTH))
    if not found:
        return ""
    start, end = int(found[1]), int(found[2])
    if end <= 12:
        return "am" if start < end else ""
    return f"{start:02}{end:02}" if start < end <= 24 else ""


FULL_WIDTH = str.maketrans("０１２３４５６７８９：", "0123456789:")
