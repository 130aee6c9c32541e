"""One order of the Orders API 2026-01-01 as a `ChannelOrder`. Pure.

Every enum is open and every block may be missing: a role that the application lacks makes fields vanish silently.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from channels.connectors.amazon.marks import extra_of, flags_of, package_state
from channels.connectors.amazon.money import coupons_of, discount_of, item_sums, totals_of, unit_and_amount
from channels.connectors.amazon.times import aware, wish_of
from channels.connectors.contract import Unreadable
from oms.kernel.said import said
from orders.channel_order import (
    ChannelLine,
    ChannelOrder,
    ChannelState,
    Party,
    PaymentMethod,
    PaymentState,
)

Json = Mapping[str, Any]

# Keyed without underscores, so that the older spellings (PartiallyShipped, Canceled) are understood, too.
STATES = {
    "PENDINGAVAILABILITY": ChannelState.PROVISIONAL,
    "PENDING": ChannelState.PROVISIONAL,
    "UNSHIPPED": ChannelState.OPEN,
    "PARTIALLYSHIPPED": ChannelState.OPEN,
    "SHIPPED": ChannelState.SHIPPED,
    "INVOICEUNCONFIRMED": ChannelState.SHIPPED,
    "CANCELLED": ChannelState.CANCELLED,
    "CANCELED": ChannelState.CANCELLED,
    "UNFULFILLABLE": ChannelState.PROVISIONAL,
}
NOTHING: Json = {}


def parse_order(payload: str) -> ChannelOrder:
    """Raises Unreadable when the order's number, time or lines cannot be read; all else may be missing."""
    try:
        order = json.loads(payload)
        return _order(order)
    except Unreadable:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as broken:
        raise Unreadable(
            said("Amazonの注文データを読み取れませんでした。内容を確認して再取込してください。"),
            detail=f"{type(broken).__name__}",
        ) from broken


def _order(order: Json) -> ChannelOrder:
    fulfillment = order.get("fulfillment") or NOTHING
    items = order["orderItems"] or []
    raw_state = fulfillment.get("fulfillmentStatus") or ""
    by = fulfillment.get("fulfilledBy") or ""
    state = _state(raw_state, by)
    sums = [item_sums(item) for item in items]
    lines = tuple(map(_line, items, sums))
    _check_lines(lines)
    method, payment_name = _payment_method(order.get("payment") or NOTHING)
    wish_date, wish_slot = _wish(fulfillment, items)
    gift, card = _gifts(items)
    cancel_requested, cancel_reason = _cancellation(items)
    preference = (order.get("recipient") or NOTHING).get("deliveryPreference") or NOTHING
    return ChannelOrder(
        channel_order_no=_required_text(order["orderId"]),
        ordered_at=aware(order["createdTime"]),
        updated_at=aware(order["lastUpdatedTime"]) if order.get("lastUpdatedTime") else None,
        channel_state=raw_state,
        state=state,
        buyer=_buyer(order.get("buyer") or NOTHING),
        recipients=(_recipient((order.get("recipient") or NOTHING).get("deliveryAddress") or NOTHING),),
        lines=lines,
        totals=totals_of(order.get("proceeds") or NOTHING, items, sums, lines),
        payment_method=method,
        payment_state=_payment_state(state, raw_state, payment_name),
        payment_name=payment_name,
        remarks=_remarks(preference),
        wish_date=wish_date,
        wish_slot=wish_slot,
        delivery_method=fulfillment.get("fulfillmentServiceLevel") or "",
        ship_by=_end(fulfillment.get("shipByWindow")),
        deliver_by=_end(fulfillment.get("deliverByWindow")),
        gift=gift,
        message_card=card,
        cancel_requested=cancel_requested,
        cancel_reason=cancel_reason,
        fulfilled_by_channel=by == "AMAZON",
        tracking_nos=_tracking_nos(filter(None, order.get("packages") or ())),
        flags=tuple(dict.fromkeys(flags_of(order, items, raw_state))),
        sub_state=package_state(order),
        coupons=coupons_of(items),
        extra=extra_of(order, items, by),
    )


def _state(raw: str, by: str) -> ChannelState:
    """An unknown state, or an open order of which nobody says who ships it, is provisional: it never ships."""
    state = STATES.get(raw.replace("_", "").upper(), ChannelState.PROVISIONAL)
    if state is ChannelState.OPEN and by not in ("MERCHANT", "AMAZON"):
        return ChannelState.PROVISIONAL
    return state


def _line(item: Json, sums: Mapping[str, int]) -> ChannelLine:
    product = item.get("product") or NOTHING
    quantity = _quantity(item["quantityOrdered"])
    unit_price, amount = unit_and_amount(product, sums, quantity)
    fulfillment = item.get("fulfillment") or NOTHING
    shipped = _quantity(fulfillment.get("quantityFulfilled") or 0)
    wrap = ((fulfillment.get("packing") or NOTHING).get("giftOption") or NOTHING).get("giftWrapLevel")
    return ChannelLine(
        line_id=_required_text(item["orderItemId"]),
        channel_sku=product.get("sellerSku") or "",  # missing when the listing was deleted
        name=product.get("title") or "",
        quantity=quantity,
        unit_price=unit_price,
        amount=amount,
        shipped_quantity=shipped,
        cancelled_quantity=_cancelled_quantity(item, quantity, shipped),
        options=_options(item, product),
        discount=discount_of(item),
        gift=wrap or "",
    )


def _options(item: Json, product: Json) -> str:
    """What makes this line special, one thing a line."""
    told = []
    if url := (product.get("customization") or NOTHING).get("customizedUrl"):
        told.append(f"カスタマイズ内容: {url}")
    condition = product.get("condition") or NOTHING
    if (condition.get("conditionType") or "NEW").upper() != "NEW":
        parts = (condition.get("conditionType"), condition.get("conditionSubtype"), condition.get("conditionNote"))
        told.append(f"商品の状態: {' / '.join(dict.fromkeys(part for part in parts if part))}")
    measure = item.get("measurement") or NOTHING
    if measure.get("value") is not None and measure.get("unit") != "COUNT":
        told.append(f"量: {measure['value']} {measure.get('unit') or ''}".strip())
    return "\n".join(told)


def _check_lines(lines: tuple[ChannelLine, ...]) -> None:
    if not lines:
        raise Unreadable(said("Amazonの注文に明細がありません。"))
    if len({line.line_id for line in lines}) != len(lines):
        raise Unreadable(said("Amazonの注文で明細番号が重複しています。"))


def _cancelled_quantity(item: Json, quantity: int, shipped: int) -> int:
    """Units that were cancelled. Amazon tells who cancelled but not how many: what is neither shipped nor open is."""
    if not (item.get("cancellation") or NOTHING).get("cancellationExecution"):
        return 0
    still_open = _quantity((item.get("fulfillment") or NOTHING).get("quantityUnfulfilled") or 0)
    return max(quantity - shipped - still_open, 0) or max(quantity - shipped, 0)


def _quantity(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Unreadable(said("Amazonの注文の数量が正しくありません。"))
    return value


def _required_text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Unreadable(said("Amazonの注文番号または明細番号がありません。"))
    return value


def _buyer(buyer: Json) -> Party:
    return Party(
        name=buyer.get("buyerName") or "",
        email=buyer.get("buyerEmail") or "",
        company=buyer.get("buyerCompanyName") or "",
    )


def _recipient(address: Json) -> Party:
    """Amazon often leaves `city` out and lets the first line begin with it; the address check splits it later."""
    prefecture = address.get("stateOrRegion") or ""
    city = address.get("city") or address.get("municipality") or ""
    lines = [address.get(name) or "" for name in ("addressLine1", "addressLine2", "addressLine3")]
    lines[0] = lines[0].removeprefix(prefecture).removeprefix(city)
    district = address.get("districtOrCounty") or ""
    parts = [part.strip() for part in (district, *lines)]
    return Party(
        name=address.get("name") or "",
        phone=address.get("phone") or "",
        postal_code=address.get("postalCode") or "",
        prefecture=prefecture,
        city=city,
        address=" ".join(part for part in parts if part),
        company=address.get("companyName") or "",
        country=address.get("countryCode") or "JP",
    )


def _payment_method(payment: Json) -> tuple[PaymentMethod, str]:
    """Amazon collects, whatever the buyer chose; cash on delivery exists in orders before June 2024 only."""
    executions = filter(None, payment.get("paymentExecutions") or ())
    names = list(dict.fromkeys(execution.get("paymentMethod") or "" for execution in executions))
    named = ", ".join(name for name in names if name)
    cod = any(name in ("CashOnDelivery", "COD") for name in names)
    return PaymentMethod.COD if cod else PaymentMethod.MALL, named


def _payment_state(state: ChannelState, raw_state: str, payment_name: str) -> PaymentState:
    """UNSHIPPED means authorised: the buyer is charged on our shipping notice, unless he paid at a store before."""
    if state is ChannelState.SHIPPED:
        return PaymentState.PAID
    if state is not ChannelState.CANCELLED and raw_state.replace("_", "").upper() in ("UNSHIPPED", "PARTIALLYSHIPPED"):
        return PaymentState.PAID if "ConvenienceStore" in payment_name else PaymentState.AUTHORIZED
    return PaymentState.UNPAID


def _wish(fulfillment: Json, items: Iterable[Json]) -> tuple[date | None, str]:
    """The buyer's wish exists for scheduled deliveries only; other windows are Amazon's own promise."""
    if fulfillment.get("fulfillmentServiceLevel") != "SCHEDULED":
        return None, ""
    for item in items:
        shipping = (item.get("fulfillment") or NOTHING).get("shipping") or NOTHING
        if window := shipping.get("scheduledDeliveryWindow"):
            return wish_of(window)
    return None, ""


def _remarks(preference: Json) -> str:
    """What the buyer wrote or chose for whoever brings it."""
    place = preference.get("dropOffLocation")
    return "\n".join(filter(None, (preference.get("addressInstruction"), f"置き場所の希望: {place}" if place else "")))


def _end(window: Json | None) -> datetime | None:
    latest = (window or NOTHING).get("latestDateTime")
    return aware(latest) if latest else None


def _gifts(items: Iterable[Json]) -> tuple[str, str]:
    """(wrapping, message), each named once though every line repeats it."""
    wraps: dict[str, None] = {}
    cards: dict[str, None] = {}
    for item in items:
        packing = (item.get("fulfillment") or NOTHING).get("packing") or NOTHING
        option = packing.get("giftOption") or NOTHING
        wraps[option.get("giftWrapLevel") or ""] = None
        cards[option.get("giftMessage") or ""] = None
    return "、".join(filter(None, wraps)), "\n".join(filter(None, cards))


def _cancellation(items: Iterable[Json]) -> tuple[bool, str]:
    """(the buyer asks and nobody has settled it, the reasons told by whoever asked or cancelled)."""
    asked = False
    reasons: dict[str, None] = {}
    for item in items:
        cancellation = item.get("cancellation") or NOTHING
        request, done = cancellation.get("cancellationRequest"), cancellation.get("cancellationExecution")
        asked = asked or (bool(request) and not done)
        reasons[(done or request or NOTHING).get("cancelReason") or ""] = None
    return asked, "、".join(filter(None, reasons))


def _tracking_nos(packages: Iterable[Json]) -> tuple[str, ...]:
    numbers = (
        package.get("trackingNumber") or ""
        for package in packages
        if (package.get("packageStatus") or NOTHING).get("status") != "CANCELLED"
    )
    return tuple(dict.fromkeys(filter(None, numbers)))
