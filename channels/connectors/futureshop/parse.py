"""One order detail as a `ChannelOrder`. Pure, and fast: plain dictionary access.

The payload is the detail, or `{"cancelRequested": …, "order": detail}` as our fetch writes it.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from channels.connectors import gift_words
from channels.connectors.contract import Unreadable
from channels.connectors.futureshop import wire
from channels.connectors.futureshop.facts import facts_of
from channels.connectors.futureshop.lines import (
    Row,
    choices_of,
    is_shipped,
    lines_of,
    row,
    rows,
    some_day,
    some_time,
    text,
    yen,
)
from channels.connectors.futureshop.totals import coupons_of, totals_of
from oms.kernel.said import said
from orders.channel_order import ChannelOrder, ChannelState, Delivery, Party, PaymentMethod, PaymentState

BROKEN = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)


def parse_order(payload: str) -> ChannelOrder:
    """Raises Unreadable when number, time or lines cannot be understood; all else may be missing or new."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError) as broken:
        raise Unreadable(said("futureshopの受注データがJSONとして読めません。"), detail=type(broken).__name__) from None
    if not isinstance(found, dict):
        raise Unreadable(said("futureshopの受注データの形が想定と異なります。"))
    wrapped = found.get("order")
    order: Row = wrapped if isinstance(wrapped, dict) else found
    try:
        return _order(order, asked=found.get("cancelRequested") is True)
    except BROKEN as broken:
        # The message of the error is left out: it may quote a buyer's words.
        raise Unreadable(said("futureshopの受注データに読めない値があります。"), detail=type(broken).__name__) from None


def _order(order: Row, *, asked: bool) -> ChannelOrder:
    get = order.get
    shipments = rows(get("shipmentList"))
    if not shipments:
        raise Unreadable(said("futureshopの受注データに送付先（shipmentList）がありません。"))
    status = text(get("status"))
    state = _state(order, shipments)
    method, paid, paid_at = _payment(order, status)
    slot_words = text(wire.shipping_info(shipments[0]).get("preferredDeliveryTime"))
    deliveries = tuple(_delivery(shipment) for shipment in shipments)
    first = deliveries[0]
    return ChannelOrder(
        channel_order_no=_required(order, "orderNo"),
        ordered_at=wire.read_time(_required(order, "date")),
        channel_state=status,
        state=state,
        buyer=_buyer(row(get("buyerInfo"))),
        recipients=tuple(_recipient(row(shipment.get("addressInfo"))) for shipment in shipments),
        deliveries=deliveries,
        lines=lines_of(order, shipments),
        totals=totals_of(order),
        coupons=coupons_of(order),
        payment_method=method,
        payment_state=paid,
        payment_name=text(get("paymentType")),
        paid_at=paid_at,
        updated_at=some_time(get("dateLastUpdated")),
        remarks=_remarks(order, shipments),
        wish_date=first.wish_date,
        wish_slot=first.wish_slot,
        delivery_method=first.method,
        gift=gift_words.by_recipient([delivery.gift for delivery in deliveries]),
        noshi=gift_words.by_recipient([delivery.noshi for delivery in deliveries]),
        message_card=gift_words.by_recipient([delivery.message_card for delivery in deliveries]),
        cancel_requested=asked and state not in (ChannelState.CANCELLED, ChannelState.SHIPPED),
        tracking_nos=_tracking(shipments),
        flags=_flags(order, shipments),
        shop_memo=text(get("shopMemo")),
        extra=facts_of(order, shipments, slot_words),
    )


def _required(order: Row, key: str) -> str:
    value = order.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Unreadable(said("futureshopの受注データに必須項目 %(key)s がありません。", key=key))
    return value.strip()


def _state(order: Row, shipments: Sequence[Row]) -> ChannelState:
    """Unknown states, kinds of orders we do not handle, and addresses told later are provisional."""
    state = wire.STATES.get(text(order.get("status")), ChannelState.PROVISIONAL)
    if state is not ChannelState.OPEN:
        return state
    if all(is_shipped(shipment) for shipment in shipments):
        return ChannelState.SHIPPED
    if text(order.get("type")) in wire.HELD_TYPES or any(
        is_yes(shipment.get("contactLater")) for shipment in shipments
    ):
        return ChannelState.PROVISIONAL
    return state


def is_yes(value: Any) -> bool:
    """Flags are booleans, a few are words."""
    return value is True or value in ("YES", "ON", "true", "1", 1)


def _payment(order: Row, status: str) -> tuple[PaymentMethod, PaymentState, datetime | None]:
    """A receipt date says paid; without one, prepaid methods are unpaid and the others may ship."""
    method = wire.method_of(text(order.get("paymentType")))
    paid_at = some_time(order.get("receiptDate"))
    if status == "REFUNDED":
        return method, PaymentState.REFUNDED, paid_at
    if paid_at or order.get("paymentStatus") == "RECEIVED":
        return method, PaymentState.PAID, paid_at
    if order.get("grandTotal") not in (None, "") and not yen(order["grandTotal"]) and yen(order.get("usedPointPrice")):
        return PaymentMethod.POINTS, PaymentState.PAID, None
    return method, PaymentState.AUTHORIZED if method in wire.PAID_LATER else PaymentState.UNPAID, None


def _buyer(person: Row) -> Party:
    get = person.get
    company = (get("companyName"), get("departmentName"))
    return _party(
        person,
        phone=text(get("telNoMain")) or text(get("telNoAlternate")) or text(get("companyTelNo")),
        email=text(get("mail")) or text(get("mobileMail")),
        company=" ".join(word for part in company if (word := text(part))),
    )


def _recipient(person: Row) -> Party:
    return _party(person, phone=text(person.get("phoneNo")), company=text(person.get("companyName")))


def _party(person: Row, *, phone: str, email: str = "", company: str = "") -> Party:
    """futureshop has three free lines and no field for the city; where the city ends is not guessed here."""
    get = person.get
    prefecture = wire.PREFECTURES.get(text(get("prefecture")), "")
    street = f"{text(get('address1'))}{text(get('address2'))}"
    if prefecture:
        street = street.removeprefix(prefecture)
    return Party(
        name=f"{text(get('lastName'))} {text(get('firstName'))}".strip(),
        kana=f"{text(get('lastNameKana'))} {text(get('firstNameKana'))}".strip(),
        phone=phone,
        email=email,
        postal_code=text(wire.first(person, wire.POSTAL_CODE)),
        prefecture=prefecture,
        address=f"{street} {text(get('address3'))}".strip(),
        company=company,
    )


def _delivery(shipment: Row) -> Delivery:
    """What is wished for one destination. A card or noshi chosen as an option of a product belongs to its parcel."""
    info = wire.shipping_info(shipment)
    label = text(shipment.get("giftWrappingLabel"))
    choices = [pair for product in rows(shipment.get("productList")) for pair in choices_of(product)]
    words = gift_words.chosen(choices)
    is_noshi = bool(gift_words.NOSHI_KINDS.search(label))
    wrapped = "" if is_noshi and not gift_words.GIFT.search(label) else label
    return Delivery(
        wish_date=some_day(info.get("preferredDeliveryDate")),
        wish_slot=wire.slot_of(text(info.get("preferredDeliveryTime"))) or "",
        method=text(info.get("deliveryServiceName")),
        gift="、".join(word for word in (wrapped, words.gift) if word),
        noshi="、".join(word for word in (label if is_noshi else "", words.noshi) if word),
        message_card=words.message,
        shipping=yen(shipment.get("postage")),
        fees=yen(shipment.get("paymentCharge")) + yen(shipment.get("coolDeliveryCharge")),
    )


def _remarks(order: Row, shipments: Sequence[Row]) -> str:
    """What the buyer wrote, for the shop and per destination, and wished times that we do not understand."""
    words = [text(order.get("communication"))]
    words += [text(shipment.get("instructions")) for shipment in shipments]
    for shipment in shipments:
        hours = text(wire.shipping_info(shipment).get("preferredDeliveryTime"))
        if wire.slot_of(hours) is None:
            words.append(f"お届け希望時間：{hours}")
    return "\n".join(dict.fromkeys(word for word in words if word))


def _tracking(shipments: Sequence[Row]) -> tuple[str, ...]:
    """Several numbers share one field, separated as the shop likes."""
    numbers = [
        number
        for shipment in shipments
        for number in text(wire.shipping_info(shipment).get("invoiceNo")).replace(",", " ").replace("、", " ").split()
    ]
    return tuple(dict.fromkeys(numbers))


def _flags(order: Row, shipments: Sequence[Row]) -> tuple[str, ...]:
    found = []
    if kind := wire.TYPE_FLAGS.get(text(order.get("type"))):
        found.append(kind)
    if order.get("status") == "PREORDER" and "preorder" not in found:
        found.append("preorder")
    if any(wire.shipping_info(shipment).get("isCoolDelivery") is True for shipment in shipments):
        found.append("cool")
    if is_yes(order.get("blackOrder")):
        found.append("black_order")
    if any(is_yes(shipment.get("contactLater")) for shipment in shipments):
        found.append("contact_later")
    if order.get("status") == "REFUNDED":
        found.append("returned")
    if is_yes(order.get("sbpsAlert")):
        found.append("payment_alert")
    if len(shipments) > 1:
        found.append("several_recipients")
    return tuple(found)
