"""One order of the world as Yahoo!'s fields.

`order.extra` may carry what a test wants to see: `fields` (name → text, over whatever group it belongs to),
`item_fields` (line id → name → text) and `inscriptions` (line id → name → text).
"""

import random
from datetime import datetime, timedelta

from channels.sandbox.model import Destination, Person, SandboxLine, SandboxOrder
from channels.sandbox.yahoo.wire import cdata, local_day, moment, tag, words

BUYERS_MINUTES = timedelta(minutes=10)  # in which the buyer may cancel by himself

METHODS = {
    "card": ("payment_a1", "クレジットカード決済", "0"),
    "konbini": ("payment_a6", "コンビニ決済（セブンイレブン）", "1"),
    "bank": ("payment_b1", "銀行振込（前払い）", "1"),
    "cod": ("payment_d1", "商品代引", "0"),
    "deferred": ("payment_a18", "ゆっくり払い", "0"),
}
SETTLEMENTS = {"unpaid": "2", "authorized": "4", "paid": "5", "refunded": "7"}
WRITTEN = frozenset(
    {
        "BuyerComments",
        "SellerComments",
        "Notes",
        "SuspectMessage",
        "PayNotes",
        "CombinedPayMethodName",
        "PayMethodName",
        "ShipMethodName",
        "ShipRequestTime",
        "ShipNotes",
        "Title",
        "ItemId",
        "SubCode",
    }
    | {"Option1Field", "Option1Value", "EazyDeliveryName", "LeadTimeText", "FspLicenseName", "SubCodeOption"}
    | {"GiftWrapType", "GiftWrapMessage", "GiftWrapPaperType", "GiftWrapName", "CancelReasonDetail", "BillMailAddress"}
)
PERSON_WORDS = ("Name", "NameKana", "Prefecture", "City", "Address1", "Address2", "Value")
GROUPS = ("Pay", "Ship", "Detail", "Seller", "Buyer")

Fields = dict[str, str]


def order_fields(order: SandboxOrder, now: datetime) -> Fields:
    """The Order group, which stands directly below OrderInfo."""
    read_only = is_read_only(order, now)
    coupon = sum(_store_coupon(order, line) * line.quantity for line in order.lines)
    return {
        "OrderId": order.number,
        "Version": str(order.version),
        "ParentOrderId": "",
        "ChildOrderId": "",
        "DeviceType": "3" if order.serial % 3 else "1",
        "IsSeen": _truth(bool(order.extra.get("seen"))),
        "IsSplit": "false",
        "OrderTime": moment(order.ordered_at),
        "LastUpdateTime": moment(last_update(order, now)),
        "Suspect": "1" if order.caution else "0",
        "SuspectMessage": "住所に不備がある可能性があります。" if order.caution else "",
        "OrderStatus": order_status(order, now),
        "StoreStatus": str(order.extra.get("store_status", "3" if order.serial % 9 == 4 else "")),
        "BuyerComments": order.remarks,
        "SellerComments": str(order.extra.get("seller_comments", "")),
        "Notes": str(order.extra.get("notes", "リピーター" if order.serial % 23 == 7 else "")),
        "CancelReason": _cancel_reason(order),
        "CancelReasonDetail": str(order.extra.get("cancel_detail", "")),
        "IsMultiShip": "false",
        "MultiShipId": "",
        "UseCouponData": f"STORE{order.serial}" if coupon else "",
        "TotalCouponDiscount": str(coupon) if coupon else "",
        "ShippingCouponFlg": "false",
        "ShippingCouponDiscount": "",
        "IsFirstClassDrugIncludes": "false",
        "IsFirstClassDrugAgreement": "false",
        "IsReadOnly": "1" if read_only else "0",
        "FraudHoldStatus": str(order.extra.get("fraud_hold", "0")),
        "PublicationTime": moment(published_at(order)),
        "IsLineGiftOrder": "false",
        "LineGiftOrderId": "",
        "SocialGiftType": "0",
        "IsSubscription": _truth(order.serial % 31 == 9),
        "SubscriptionId": f"sub-{order.serial}" if order.serial % 31 == 9 else "",
    }


def is_read_only(order: SandboxOrder, now: datetime) -> bool:
    return order.is_open and now < order.ordered_at + BUYERS_MINUTES


def last_update(order: SandboxOrder, now: datetime) -> datetime:
    """The end of the buyer's minutes touches the order, too."""
    settled_at = order.ordered_at + BUYERS_MINUTES
    return max(order.updated_at, settled_at) if settled_at <= now else order.updated_at


def published_at(order: SandboxOrder) -> datetime:
    told = order.extra.get("published_at")
    return datetime.fromisoformat(told) if told else order.visible_at


def is_held(order: SandboxOrder) -> bool:
    return str(order.extra.get("fraud_hold", "0")) == "1"


def order_status(order: SandboxOrder, now: datetime) -> str:
    if order.state == "cancelled":
        return "4"
    if order.extra.get("completed"):
        return "5"
    if order.extra.get("on_hold"):
        return "3"
    today = now.date()
    waits = order.state != "shipped" and any(line.release_date and line.release_date > today for line in order.lines)
    return "1" if waits else "2"


def ship_status(order: SandboxOrder) -> str:
    if order.state == "shipped":
        return "3"
    if order.state == "pending":
        return "0"
    return str(order.extra.get("ship_status", "1"))


def _cancel_reason(order: SandboxOrder) -> str:
    if order.state != "cancelled":
        return ""
    if told := order.extra.get("cancel_code"):
        return str(told)
    return {"buyer": "300", "mall": "120"}.get(order.cancelled_by, "210")


def pay_fields(order: SandboxOrder) -> Fields:
    code, name, pay_type = METHODS[order.payment.method]
    marked = str(order.extra.get("paid_mark", ""))  # the shop's own mark on a shipped order
    paid = order.payment.state == "paid" or bool(marked)
    both = order.payment.method == "card" and order.serial % 13 == 6
    return {
        "PayStatus": "1" if paid or order.payment.state == "refunded" else "0",
        "SettleStatus": "" if order.payment.method == "cod" else SETTLEMENTS[order.payment.state],
        "PayType": pay_type,
        "PayKind": "0" if order.payment.method == "card" else "6",
        "PayMethod": code,
        "PayMethodName": name,
        "PayActionTime": moment(order.payment.paid_at),
        "PayDate": marked or local_day(order.payment.paid_at),
        "PayNotes": "",
        "SettleId": f"settle{order.serial:08}" if order.payment.method != "cod" else "",
        "PaymentTerm": moment(order.payment.due_at)[:19].replace("T", " "),
        "PayMethodChangeDeadline": "",
        "IsPayMethodChangePossible": "false",
        "CombinedPayType": "0" if both else "",
        "CombinedPayMethod": "payment_a17" if both else "",
        "CombinedPayMethodName": "PayPay残高等" if both else "",
        "NeedBillSlip": _truth(order.serial % 29 == 3),
        "NeedDetailedSlip": _truth(order.serial % 7 == 2),
        "NeedReceipt": _truth(order.serial % 10 == 1),
        "AgeConfirmField": "",
        "AgeConfirmValue": "",
        "AgeConfirmCheck": "false",
        **_person_fields("Bill", order.buyer),
        "BillMailAddress": order.buyer.email,
    }


def ship_fields(order: SandboxOrder) -> Fields:
    destination = order.destination
    told = order.extra.get("ship", {})
    unattended = order.serial % 12 == 5
    return {
        "ShipStatus": ship_status(order),
        "ShipMethod": told.get("ShipMethod", "postage1"),
        "ShipMethodName": "宅配便",
        "ShipRequestDate": f"{destination.wish.day:%Y-%m-%d}" if destination.wish.day else "",
        "ShipRequestTime": _wish_words(destination.wish.slot),
        "ShipNotes": told.get("ShipNotes", ""),
        "ShipCompanyCode": told.get("ShipCompanyCode", ""),
        "ReceiveShopCode": "",
        "ShipInvoiceNumber1": told.get("ShipInvoiceNumber1", ""),
        "ShipInvoiceNumber2": told.get("ShipInvoiceNumber2", ""),
        "ShipInvoiceNumberEmptyReason": told.get("ShipInvoiceNumberEmptyReason", ""),
        "ShipUrl": told.get("ShipUrl", ""),
        "ArriveType": "2" if order.serial % 8 == 2 else "0",
        "ShipDate": _dashed(told.get("ShipDate", "")),
        "ArrivalDate": _dashed(told.get("ArrivalDate", "")),
        **_gift_fields(destination),
        "Option1Field": "入館方法" if order.serial % 17 == 8 else "",
        "Option1Type": "text" if order.serial % 17 == 8 else "",
        "Option1Value": "オートロック" if order.serial % 17 == 8 else "",
        "Option2Field": "",
        "Option2Type": "",
        "Option2Value": "",
        "ReceiveSatelliteType": "",
        "RemoteAreaShippingType": "1" if destination.recipient.address.island else "",
        "IsMallContactlessDelivery": "false",
        "IsEazy": _truth(unattended),
        "EazyDeliveryCode": "1" if unattended else "",
        "EazyDeliveryName": "玄関前" if unattended else "",
        "IsLineGiftShippable": "",
        "ShippingDeadline": "",
        **_person_fields("Ship", destination.recipient),
    }


def _wish_words(slot: str) -> str:
    if slot in ("", "am"):
        return "午前中" if slot else ""
    start, end = slot.split("-")
    return f"{start}:00-{end}:00"


def _dashed(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if day else ""


def _gift_fields(destination: Destination) -> Fields:
    gift = destination.gift
    return {
        "NeedGiftWrap": _truth(bool(gift and gift.wrapping)),
        "GiftWrapType": gift.wrapping if gift else "",
        "GiftWrapMessage": gift.message if gift else "",
        "NeedGiftWrapPaper": _truth(bool(gift and gift.noshi)),
        "GiftWrapPaperType": " ".join(filter(None, (gift.noshi, gift.noshi_purpose))) if gift else "",
        "GiftWrapName": gift.noshi_name if gift else "",
    }


def _person_fields(prefix: str, person: Person) -> Fields:
    address = person.address
    return {
        f"{prefix}LastName": person.family,
        f"{prefix}FirstName": person.given,
        f"{prefix}LastNameKana": person.family_kana,
        f"{prefix}FirstNameKana": person.given_kana,
        f"{prefix}ZipCode": address.postal,
        f"{prefix}Prefecture": address.prefecture,
        f"{prefix}City": address.city,
        f"{prefix}Address1": address.street,
        f"{prefix}Address2": address.building,
        f"{prefix}PhoneNumber": person.phone,
        f"{prefix}EmgPhoneNumber": "",
        f"{prefix}Section1Field": "",
        f"{prefix}Section1Value": person.company,
    }


def detail_fields(order: SandboxOrder) -> Fields:
    fees = order.fees
    return {
        "PayCharge": str(fees.cod_fee),
        "ShipCharge": str(fees.postage + fees.cool_fee),
        "GiftWrapCharge": str(fees.wrapping),
        "Discount": str(fees.coupon_shop + sum(line.discount for line in _counted(order))),
        "Adjustments": "",
        "UsePoint": str(fees.points),
        "GiftCardDiscount": "0",
        "TotalMallCouponDiscount": str(fees.coupon_mall),
        "TotalImmediateBonusAmount": "",
        "LineGiftCharge": "",
        **_pay_parts(order),
        "SettleAmount": str(_total(order)),
        "TotalPrice": str(_total(order)),
    }


def _pay_parts(order: SandboxOrder) -> Fields:
    """What each of two payment methods pays."""
    second = pay_fields(order)["CombinedPayMethod"] and _total(order) // 3
    told = {"PayMethodAmount": _total(order) - second, "CombinedPayMethodAmount": second} if second else {}
    return {name: str(told.get(name, "")) for name in ("PayMethodAmount", "CombinedPayMethodAmount")}


def _counted(order: SandboxOrder) -> tuple[SandboxLine, ...]:
    """A cancelled order keeps the figures it had."""
    return order.lines if order.state == "cancelled" else order.live_lines


def _total(order: SandboxOrder) -> int:
    fees = order.fees
    goods = sum(line.unit_price * line.quantity - line.discount for line in _counted(order))
    return goods + fees.added + fees.misstated - fees.taken


def item_fields(order: SandboxOrder, line: SandboxLine) -> Fields:
    gone = line.cancelled and order.state != "cancelled"
    coupon = _store_coupon(order, line)
    codes = line.listing.codes
    return {
        "LineId": line.line_id,
        "ItemId": codes["item_code"],
        "SubCode": codes.get("sub_code", ""),
        "SubCodeOption": codes.get("sub_code_option", ""),
        "Title": line.listing.title,
        "ItemTaxRatio": str(line.tax_rate),
        "Jan": "",
        "IsUsed": "false",
        "UnitPrice": str(line.unit_price),
        "Quantity": "0" if gone else str(line.quantity),
        "OriginalPrice": str(line.unit_price + coupon) if coupon else "",
        "OriginalNum": str(line.quantity) if coupon else "",
        "CouponData": f"STORE{order.serial}" if coupon else "",
        "CouponDiscount": str(coupon * line.quantity) if coupon else "",
        "CouponUseNum": str(line.quantity) if coupon else "",
        "ReleaseDate": f"{line.release_date:%Y-%m-%d}" if line.release_date else "",
        "LeadTimeText": "1～3営業日で発送",
        "LeadTimeStart": "1",
        "LeadTimeEnd": "3",
    }


def _store_coupon(order: SandboxOrder, line: SandboxLine) -> int:
    """Yen per piece that a store coupon took off; unit prices are told after it."""
    return 100 if order.serial % 11 == 5 and line.unit_price > 500 else 0


def _truth(flag: bool) -> str:
    return "true" if flag else "false"


# ---- as XML --------------------------------------------------------------------------------------------------------


def list_fields(order: SandboxOrder, now: datetime) -> Fields:
    """The flat fields of a row in the list."""
    told = {**order_fields(order, now), **pay_fields(order), **ship_fields(order), **detail_fields(order)}
    return _with_told(order, told)


def _with_told(order: SandboxOrder, fields: Fields) -> Fields:
    told = {name: str(text) for name, text in order.extra.get("fields", {}).items() if name in fields}
    return {**fields, **told}


def order_info(order: SandboxOrder, now: datetime, wanted: set[str]) -> str:
    """`<OrderInfo>` with the wanted fields; the groups stand in an order of this order's own."""
    groups = {
        "Pay": pay_fields(order),
        "Ship": ship_fields(order),
        "Detail": detail_fields(order),
        "Seller": {"SellerId": order.number.rpartition("-")[0]},
        "Buyer": {"IsLogin": "true", "FspLicenseName": "ゴールド" if order.serial % 6 == 0 else ""},
    }
    pad = order.serial % 2 == 0
    parts = [_element(name, _kept(_with_told(order, fields), wanted, pad)) for name, fields in groups.items()]
    parts += [_item(order, line, wanted, pad) for line in order.lines]
    random.Random(order.number).shuffle(parts)
    head = _kept(_with_told(order, order_fields(order, now)), wanted, pad)
    return f"<OrderInfo>{head}{''.join(parts)}</OrderInfo>"


def _element(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>" if inner else ""


def _item(order: SandboxOrder, line: SandboxLine, wanted: set[str], pad: bool) -> str:
    told = order.extra.get("item_fields", {}).get(line.line_id, {})
    inner = _kept({**item_fields(order, line), **told}, wanted, pad)
    if "ItemOption" in wanted:
        inner += "".join(_option(number, *pair) for number, pair in enumerate(line.options, 1)) or "<ItemOption />"
    if "Inscription" in wanted:
        wishes = order.extra.get("inscriptions", {}).get(line.line_id, {})
        inner += "".join(_inscription(number, *pair) for number, pair in enumerate(wishes.items(), 1)) or EMPTY_WISH
    return f"<Item>{inner}</Item>"


EMPTY_WISH = "<Inscription></Inscription>"


def _inscription(number: int, name: str, words_: str) -> str:
    return f"<Inscription><Index>{number}</Index><Name>{cdata(name)}</Name><Value>{cdata(words_)}</Value></Inscription>"


def _option(number: int, name: str, chosen: str) -> str:
    return (
        f"<ItemOption><Index>{number}</Index><Name>{cdata(name)}</Name><Value>{cdata(chosen)}</Value>"
        "<Price>0</Price></ItemOption>"
    )


def _kept(fields: Fields, wanted: set[str], pad: bool) -> str:
    return "".join(
        words(name, text, padded=pad) if name in WRITTEN or name.endswith(PERSON_WORDS) else tag(name, text)
        for name, text in fields.items()
        if name in wanted
    )
