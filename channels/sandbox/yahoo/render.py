"""One order of the world as Yahoo!'s fields."""

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
    {"BuyerComments", "PayMethodName", "ShipMethodName", "ShipRequestTime", "ShipNotes", "Title", "ItemId", "SubCode"}
    | {"GiftWrapType", "GiftWrapMessage", "GiftWrapPaperType", "GiftWrapName", "CancelReasonDetail", "BillMailAddress"}
)
PERSON_WORDS = ("Name", "NameKana", "Prefecture", "City", "Address1", "Address2", "Value")
GROUPS = ("Pay", "Ship", "Detail", "Seller", "Buyer")

Fields = dict[str, str]


def order_fields(order: SandboxOrder, now: datetime) -> Fields:
    """The Order group, which stands directly below OrderInfo."""
    read_only = is_read_only(order, now)
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
        "SuspectMessage": "",
        "OrderStatus": order_status(order, now),
        "StoreStatus": "",
        "BuyerComments": order.remarks,
        "SellerComments": "",
        "Notes": "",
        "CancelReason": _cancel_reason(order),
        "CancelReasonDetail": str(order.extra.get("cancel_detail", "")),
        "IsMultiShip": "false",
        "MultiShipId": "",
        "TotalCouponDiscount": "",
        "ShippingCouponDiscount": "",
        "IsReadOnly": "1" if read_only else "0",
        "FraudHoldStatus": str(order.extra.get("fraud_hold", "0")),
        "PublicationTime": moment(published_at(order)),
        "IsLineGiftOrder": "false",
        "SocialGiftType": "0",
        "IsSubscription": "false",
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
    paid = order.payment.state == "paid"
    return {
        "PayStatus": "1" if paid or order.payment.state == "refunded" else "0",
        "SettleStatus": "" if order.payment.method == "cod" else SETTLEMENTS[order.payment.state],
        "PayType": pay_type,
        "PayKind": "0" if order.payment.method == "card" else "6",
        "PayMethod": code,
        "PayMethodName": name,
        "PayActionTime": moment(order.payment.paid_at),
        "PayDate": local_day(order.payment.paid_at),
        "PaymentTerm": moment(order.payment.due_at)[:19].replace("T", " "),
        "CombinedPayMethod": "",
        "CombinedPayMethodName": "",
        "NeedReceipt": "false",
        **_person_fields("Bill", order.buyer),
        "BillMailAddress": order.buyer.email,
    }


def ship_fields(order: SandboxOrder) -> Fields:
    destination = order.destination
    told = order.extra.get("ship", {})
    return {
        "ShipStatus": ship_status(order),
        "ShipMethod": "postage1",
        "ShipMethodName": "宅配便",
        "ShipRequestDate": f"{destination.wish.day:%Y-%m-%d}" if destination.wish.day else "",
        "ShipRequestTime": _wish_words(destination.wish.slot),
        "ShipNotes": told.get("ShipNotes", ""),
        "ShipCompanyCode": told.get("ShipCompanyCode", ""),
        "ReceiveShopCode": "",
        "ShipInvoiceNumber1": told.get("ShipInvoiceNumber1", ""),
        "ShipInvoiceNumber2": told.get("ShipInvoiceNumber2", ""),
        "ArriveType": "0",
        "ShipDate": _dashed(told.get("ShipDate", "")),
        "ArrivalDate": "",
        **_gift_fields(destination),
        "IsEazy": "false",
        "EazyDeliveryName": "",
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
        "SettleAmount": str(_total(order)),
        "TotalPrice": str(_total(order)),
    }


def _counted(order: SandboxOrder) -> tuple[SandboxLine, ...]:
    """A cancelled order keeps the figures it had."""
    return order.lines if order.state == "cancelled" else order.live_lines


def _total(order: SandboxOrder) -> int:
    fees = order.fees
    goods = sum(line.unit_price * line.quantity - line.discount for line in _counted(order))
    return goods + fees.added + fees.misstated - fees.taken


def item_fields(order: SandboxOrder, line: SandboxLine) -> Fields:
    gone = line.cancelled and order.state != "cancelled"
    codes = line.listing.codes
    return {
        "LineId": line.line_id,
        "ItemId": codes["item_code"],
        "SubCode": codes.get("sub_code", ""),
        "SubCodeOption": codes.get("sub_code_option", ""),
        "Title": line.listing.title,
        "ItemTaxRatio": str(line.tax_rate),
        "Jan": "",
        "UnitPrice": str(line.unit_price),
        "Quantity": "0" if gone else str(line.quantity),
        "OriginalPrice": "",
        "CouponDiscount": "",
        "ReleaseDate": f"{line.release_date:%Y-%m-%d}" if line.release_date else "",
        "LeadTimeText": "",
    }


def _truth(flag: bool) -> str:
    return "true" if flag else "false"


# ---- as XML --------------------------------------------------------------------------------------------------------


def list_fields(order: SandboxOrder, now: datetime) -> Fields:
    """The flat fields of a row in the list."""
    return {**order_fields(order, now), **pay_fields(order), **ship_fields(order), **detail_fields(order)}


def order_info(order: SandboxOrder, now: datetime, wanted: set[str]) -> str:
    """`<OrderInfo>` with the wanted fields; the groups stand in an order of this order's own."""
    groups = {
        "Pay": pay_fields(order),
        "Ship": ship_fields(order),
        "Detail": detail_fields(order),
        "Seller": {"SellerId": order.number.rpartition("-")[0]},
        "Buyer": {"IsLogin": "true"},
    }
    pad = order.serial % 2 == 0
    parts = [_element(name, _kept(fields, wanted, pad)) for name, fields in groups.items()]
    parts += [_item(order, line, wanted, pad) for line in order.lines]
    random.Random(order.number).shuffle(parts)
    return f"<OrderInfo>{_kept(order_fields(order, now), wanted, pad)}{''.join(parts)}</OrderInfo>"


def _element(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>" if inner else ""


def _item(order: SandboxOrder, line: SandboxLine, wanted: set[str], pad: bool) -> str:
    inner = _kept(item_fields(order, line), wanted, pad)
    if "ItemOption" in wanted:
        inner += "".join(_option(number, *pair) for number, pair in enumerate(line.options, 1)) or "<ItemOption />"
    if "Inscription" in wanted:
        inner += "<Inscription></Inscription>"
    return f"<Item>{inner}</Item>"


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
