"""What an order's progress, checks and payment mean for us (the channel's codes stay in the order)."""

from collections.abc import Iterable, Iterator, Sequence

from channels.connectors.rakuten import wire
from channels.connectors.rakuten.values import Row, rows, text, whole
from orders.channel_order import ChannelState, PaymentMethod, PaymentState

STATES = {
    wire.TO_CONFIRM: ChannelState.TO_CONFIRM,
    wire.AT_RAKUTEN: ChannelState.PROVISIONAL,
    wire.TO_SHIP: ChannelState.OPEN,
    wire.CHANGING: ChannelState.PROVISIONAL,
    wire.SHIPPED: ChannelState.SHIPPED,
    wire.PAYING: ChannelState.SHIPPED,
    wire.PAID: ChannelState.SHIPPED,
    wire.CANCELLING: ChannelState.PROVISIONAL,
    wire.CANCELLED: ChannelState.CANCELLED,
}
HELD_BY_CHECKS = (wire.TO_CONFIRM, wire.TO_SHIP)
CANCEL_ASKED, CHANGE_ASKED = 0, 4
"""Values of `changeType` whose end is told by `changeCmplDatetime`."""

OWN_METHODS = {
    wire.CASH_ON_DELIVERY: PaymentMethod.COD,
    wire.POINTS_ONLY: PaymentMethod.POINTS,
    1: PaymentMethod.CARD,
    9: PaymentMethod.BANK_TRANSFER,
    12: PaymentMethod.WALLET,
    13: PaymentMethod.CONVENIENCE,
    14: PaymentMethod.CONVENIENCE,
    16: PaymentMethod.WALLET,
    17: PaymentMethod.WALLET,
    21: PaymentMethod.DEFERRED,
    27: PaymentMethod.WALLET,
}
"""Used where Rakuten does not collect the money itself."""

ORDER_FLAGS = {
    "asurakuFlag": "asuraku",
    "oneDayOperationFlag": "one_day",
    "deliveryCertPrgFlag": "delivery_certified",
    "isolatedIslandFlag": "island",
    "drugFlag": "drug",
    "dealFlag": "deal",
    "giftCheckFlag": "gift",
    "modifyFlag": "modified",
    "rakutenConfirmFlag": "rakuten_checking",
    "socialGiftFlag": "social_gift",
}
ORDER_TYPES = {4: "subscription", 5: "hanpukai", 6: "preorder"}


def state_of(order: Row, packages: Sequence[Row]) -> ChannelState:
    """An unknown progress is provisional; so is an order that a check of Rakuten or of its data still holds."""
    progress = whole(order.get("orderProgress"))
    state = STATES.get(progress or 0, ChannelState.PROVISIONAL)
    if progress == wire.TO_SHIP and (order.get("cautionDisplayType") == 1 or _asked(order, CHANGE_ASKED)):
        return ChannelState.PROVISIONAL
    if progress in HELD_BY_CHECKS and any(_data_withheld(order, packages)):
        return ChannelState.PROVISIONAL
    return state


def _data_withheld(order: Row, packages: Sequence[Row]) -> Iterable[bool]:
    yield order.get("rakutenConfirmFlag") == 1
    yield any(order.get(key) == wire.NOT_FIXED for key in ("goodsPrice", "postagePrice", "deliveryPrice", "totalPrice"))
    yield any(order.get(key) == wire.NOT_FIXED for key in ("requestPrice", "paymentCharge"))
    yield any(_receiver_unknown(package) for package in packages)


def _receiver_unknown(package: Row) -> bool:
    """A social gift whose receiver has not answered carries placeholders, and a flag from model version 10 on."""
    gift, sender = package.get("SocialGiftModel"), package.get("SenderModel") or {}
    if gift and gift.get("inputFlag") == 0:
        return True
    return wire.SOCIAL_GIFT_WAITING in (sender.get("familyName"), sender.get("subAddress"), sender.get("city"))


def payment_of(order: Row) -> tuple[PaymentMethod, PaymentState, str, str]:
    """(method, state, name for people, Rakuten's code)."""
    settlement = order.get("SettlementModel") or {}
    code = whole(settlement.get("settlementMethodCode"))
    name = text(settlement.get("settlementMethod")) or wire.PAYMENT_NAMES.get(code or 0, text(code))
    method = OWN_METHODS.get(code or 0, PaymentMethod.OTHER)
    known = code in wire.PAYMENT_NAMES
    if known and settlement.get("rpaySettlementFlag") == 1 and method not in (PaymentMethod.COD, PaymentMethod.POINTS):
        method = PaymentMethod.MALL
    return method, _paid(whole(order.get("orderProgress")), code), name, text(code)


def _paid(progress: int | None, code: int | None) -> PaymentState:
    """Rakuten lets an order reach "to ship" only when its money is safe; cash on delivery comes at the door."""
    if progress == wire.PAID:
        return PaymentState.PAID
    if progress not in (wire.TO_SHIP, wire.CHANGING, wire.SHIPPED, wire.PAYING) or code == wire.CASH_ON_DELIVERY:
        return PaymentState.UNPAID
    return PaymentState.PAID if code in wire.PREPAID or code == wire.POINTS_ONLY else PaymentState.AUTHORIZED


def cancel_wish(order: Row) -> tuple[bool, str]:
    """(the buyer or the shop asked to cancel and it is not settled, why)."""
    asked = _asked(order, CANCEL_ASKED)
    waiting = whole(order.get("orderProgress")) == wire.CANCELLING
    reasons = [row for row in rows(order.get("ChangeReasonModelList")) if row.get("changeReasonDetail") is not None]
    code = whole(reasons[-1]["changeReasonDetail"]) if reasons else None
    cancelled = whole(order.get("orderProgress")) == wire.CANCELLED
    why = wire.CANCEL_REASONS.get(code or 0, text(code)) if asked or waiting or cancelled else ""
    return asked or waiting, why


def _asked(order: Row, change_type: int) -> bool:
    return any(
        row.get("changeType") == change_type and not row.get("changeCmplDatetime")
        for row in rows(order.get("ChangeReasonModelList"))
    )


def flags_of(order: Row, packages: Sequence[Row]) -> tuple[str, ...]:
    return tuple(_flags(order, packages))


def _flags(order: Row, packages: Sequence[Row]) -> Iterator[str]:
    for key, flag in ORDER_FLAGS.items():
        if order.get(key) == 1:
            yield flag
    if kind := ORDER_TYPES.get(order.get("orderType") or 0):
        yield kind
    if order.get("cautionDisplayType") == 1:
        detail = text(order.get("cautionDisplayDetailType"))
        yield f"caution:{detail}" if detail else "caution"
    if any(package.get("dropOffFlag") == 1 for package in packages):
        yield "drop_off"
    if any(package.get("DeliveryCvsModel") for package in packages):
        yield "store_pickup"
    if any(_receiver_unknown(package) for package in packages):
        yield "receiver_unknown"
