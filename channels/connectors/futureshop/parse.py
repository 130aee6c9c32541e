"""One order detail as a `ChannelOrder`. Pure, and fast: plain dictionary access.

The payload is the detail, or `{"cancelRequested": …, "order": detail}` as our fetch writes it.
"""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from channels.connectors.contract import Unreadable
from channels.connectors.futureshop import wire
from channels.connectors.futureshop.lines import Row, amount, is_shipped, lines_of, rows, text
from channels.connectors.futureshop.totals import totals_of
from orders.channel_order import ChannelOrder, ChannelState, Party, PaymentMethod, PaymentState


def parse_order(payload: str) -> ChannelOrder:
    """Raises Unreadable when number, time or lines cannot be understood; all else may be missing or new."""
    try:
        found = json.loads(payload)
    except ValueError as broken:
        raise Unreadable("futureshopの受注データがJSONとして読めません。", detail=type(broken).__name__) from None
    if not isinstance(found, dict):
        raise Unreadable("futureshopの受注データの形が想定と異なります。")
    wrapped = found.get("order")
    order = wrapped if isinstance(wrapped, dict) else found
    try:
        return _order(order, asked=found.get("cancelRequested") is True)
    except (ValueError, TypeError, AttributeError) as broken:
        # The message of the error is left out: it may quote a buyer's words.
        raise Unreadable("futureshopの受注データに読めない値があります。", detail=type(broken).__name__) from None


def _order(order: Row, *, asked: bool) -> ChannelOrder:
    get = order.get
    shipments = rows(get("shipmentList"))
    if not shipments:
        raise Unreadable("futureshopの受注データに送付先（shipmentList）がありません。")
    info = wire.shipping_info(shipments[0])
    status = text(get("status"))
    state = _state(order, shipments)
    method, paid, paid_at = _payment(order, status)
    slot_words = text(info.get("preferredDeliveryTime"))
    return ChannelOrder(
        channel_order_no=_required(order, "orderNo"),
        ordered_at=wire.read_time(_required(order, "date")),
        channel_state=status,
        state=state,
        buyer=_buyer(get("buyerInfo") or {}),
        recipients=tuple(_recipient(shipment.get("addressInfo") or {}) for shipment in shipments),
        lines=lines_of(order, shipments),
        totals=totals_of(order),
        payment_method=method,
        payment_state=paid,
        payment_name=text(get("paymentType")),
        paid_at=paid_at,
        updated_at=_time(get("dateLastUpdated")),
        remarks=_remarks(order, shipments, slot_words),
        wish_date=_day(info.get("preferredDeliveryDate")),
        wish_slot=wire.slot_of(slot_words) or "",
        delivery_method=text(info.get("deliveryServiceName")),
        gift=_joined(shipment.get("giftWrappingLabel") for shipment in shipments),
        cancel_requested=asked and state not in (ChannelState.CANCELLED, ChannelState.SHIPPED),
        tracking_nos=_tracking(shipments),
        flags=_flags(order, shipments),
        extra=_extra(order, shipments, slot_words),
    )


def _required(order: Row, key: str) -> str:
    value = order.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Unreadable(f"futureshopの受注データに必須項目 {key} がありません。")
    return value.strip()


def _state(order: Row, shipments: Sequence[Row]) -> ChannelState:
    """Unknown states, kinds of orders we do not handle, and addresses told later are provisional."""
    state = wire.STATES.get(text(order.get("status")), ChannelState.PROVISIONAL)
    if state is not ChannelState.OPEN:
        return state
    if all(is_shipped(shipment) for shipment in shipments):
        return ChannelState.SHIPPED
    if order.get("type") in wire.HELD_TYPES or any(is_yes(shipment.get("contactLater")) for shipment in shipments):
        return ChannelState.PROVISIONAL
    return state


def is_yes(value: Any) -> bool:
    """Flags are booleans, a few are words."""
    return value is True or value in ("YES", "ON", "true", "1", 1)


def _payment(order: Row, status: str) -> tuple[PaymentMethod, PaymentState, datetime | None]:
    """A receipt date says paid; without one, prepaid methods are unpaid and the others may ship."""
    method = wire.method_of(text(order.get("paymentType")))
    paid_at = _time(order.get("receiptDate"))
    if status == "REFUNDED":
        return method, PaymentState.REFUNDED, paid_at
    if paid_at or order.get("paymentStatus") == "RECEIVED":
        return method, PaymentState.PAID, paid_at
    if amount(order.get("grandTotal")) == 0 and amount(order.get("usedPointPrice")):
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


def _remarks(order: Row, shipments: Sequence[Row], slot_words: str) -> str:
    """What the buyer wrote, for the shop and per destination, and a wished time that we do not understand."""
    words = [text(order.get("communication"))]
    words += [text(shipment.get("instructions")) for shipment in shipments]
    if wire.slot_of(slot_words) is None:
        words.append(f"お届け希望時間：{slot_words}")
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
    return tuple(found)


def _extra(order: Row, shipments: Sequence[Row], slot_words: str) -> dict[str, str]:
    """Facts that later calls or screens may want; empty ones are left out."""
    facts = {
        "shipment_nos": ",".join(text(shipment.get("shipmentNo")) for shipment in shipments),
        "payment_code": text(order.get("paymentType")),
        "payment_receipt": text(order.get("conveniPayoutNo")),
        "member_id": text((order.get("buyerInfo") or {}).get("memberId")),
        "memo": text(order.get("shopMemo")),
        "wish_slot": slot_words,
        "coupon": text(order.get("couponName")),
        "subscription": text(order.get("subscriptionNo")),
    }
    return {key: value for key, value in facts.items() if value}


def _joined(values: Any) -> str:
    return "、".join(dict.fromkeys(word for value in values if (word := text(value))))


def _time(value: Any) -> datetime | None:
    return wire.read_time(value) if value else None


def _day(value: Any) -> date | None:
    return wire.read_date(value) if value else None
