"""What an order's progress, checks and payment mean for us (the channel's codes stay in the order)."""

from collections.abc import Iterable, Iterator, Sequence

from channels.connectors.rakuten import wire
from channels.connectors.rakuten.values import Row, code, is_on, some_row, some_rows, text
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

AMOUNTS = ("goodsPrice", "postagePrice", "deliveryPrice", "totalPrice", "requestPrice", "paymentCharge")

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
    "severalSenderFlag": "several_recipients",
}
ITEM_FLAGS = {"dealFlag": "deal", "drugFlag": "drug", "isSingleItemShipping": "ships_alone"}
TEMPERATURES = {2: "chilled", 3: "frozen"}
CAUTION_CONFIRMED = 2
MEMBERSHIPS = {1: "premium", 2: "student"}
ORDINARY = 1
ORDER_TYPES = {4: "subscription", 5: "hanpukai", 6: "preorder"}


def state_of(order: Row, packages: Sequence[Row]) -> ChannelState:
    """An unknown progress is provisional; so is an order that a check of Rakuten or of its data still holds."""
    progress = code(order.get("orderProgress"))
    state = STATES.get(progress or 0, ChannelState.PROVISIONAL)
    if progress == wire.TO_SHIP and (is_on(order.get("cautionDisplayType")) or _asked(order, CHANGE_ASKED)):
        return ChannelState.PROVISIONAL
    if progress in HELD_BY_CHECKS and any(_data_withheld(order, packages)):
        return ChannelState.PROVISIONAL
    return state


def _data_withheld(order: Row, packages: Sequence[Row]) -> Iterable[bool]:
    yield is_on(order.get("rakutenConfirmFlag"))
    yield any(code(order.get(key)) == wire.NOT_FIXED for key in AMOUNTS)
    yield any(_receiver_unknown(package) for package in packages)


def _receiver_unknown(package: Row) -> bool:
    """A social gift whose receiver has not answered carries placeholders, and a flag from model version 10 on."""
    gift, sender = some_row(package.get("SocialGiftModel")), some_row(package.get("SenderModel"))
    if gift and code(gift.get("inputFlag")) == 0:
        return True
    return wire.SOCIAL_GIFT_WAITING in (sender.get("familyName"), sender.get("subAddress"), sender.get("city"))


def payment_of(order: Row) -> tuple[PaymentMethod, PaymentState, str, str]:
    """(method, state, name for people, Rakuten's code)."""
    settlement = some_row(order.get("SettlementModel"))
    told = settlement.get("settlementMethodCode")
    kind = code(told)
    name = text(settlement.get("settlementMethod")) or wire.PAYMENT_NAMES.get(kind or 0, text(told))
    method = OWN_METHODS.get(kind or 0, PaymentMethod.OTHER)
    known = kind in wire.PAYMENT_NAMES
    if (
        known
        and is_on(settlement.get("rpaySettlementFlag"))
        and method not in (PaymentMethod.COD, PaymentMethod.POINTS)
    ):
        method = PaymentMethod.MALL
    return method, _paid(code(order.get("orderProgress")), kind), name, text(told)


def _paid(progress: int | None, kind: int | None) -> PaymentState:
    """Rakuten lets an order reach "to ship" only when its money is safe; cash on delivery comes at the door."""
    if progress == wire.PAID:
        return PaymentState.PAID
    if progress not in (wire.TO_SHIP, wire.CHANGING, wire.SHIPPED, wire.PAYING) or kind == wire.CASH_ON_DELIVERY:
        return PaymentState.UNPAID
    return PaymentState.PAID if kind in wire.PREPAID or kind == wire.POINTS_ONLY else PaymentState.AUTHORIZED


def cancel_wish(order: Row) -> tuple[bool, str]:
    """(the buyer or the shop asked to cancel and it is not settled, why)."""
    progress = code(order.get("orderProgress"))
    asked = _asked(order, CANCEL_ASKED)
    told = [
        row for row in some_rows(order.get("ChangeReasonModelList")) if row.get("changeReasonDetail") not in (None, "")
    ]
    detail = told[-1]["changeReasonDetail"] if told else None
    concerned = asked or progress in (wire.CANCELLING, wire.CANCELLED)
    why = wire.CANCEL_REASONS.get(code(detail) or 0, text(detail)) if concerned else ""
    return asked or progress == wire.CANCELLING, why


def _asked(order: Row, change_type: int) -> bool:
    return any(
        code(row.get("changeType")) == change_type and not row.get("changeCmplDatetime")
        for row in some_rows(order.get("ChangeReasonModelList"))
    )


def flags_of(order: Row, packages: Sequence[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_flags(order, packages)))


def _flags(order: Row, packages: Sequence[Row]) -> Iterator[str]:
    for key, flag in ORDER_FLAGS.items():
        if is_on(order.get(key)):
            yield flag
    kind = code(order.get("orderType")) or ORDINARY
    if kind != ORDINARY:
        yield ORDER_TYPES.get(kind, f"order_type:{kind}")
    if membership := MEMBERSHIPS.get(code(order.get("membershipType")) or 0):
        yield membership
    if is_on(order.get("cautionDisplayType")):
        detail = text(order.get("cautionDisplayDetailType"))
        yield f"caution:{detail}" if detail else "caution"
    elif code(order.get("cautionDisplayType")) == CAUTION_CONFIRMED:
        yield "checked_by_shop"
    if temperature := TEMPERATURES.get(code(some_row(order.get("DeliveryModel")).get("deliveryClass")) or 0):
        yield temperature
    yield from _package_flags(packages)


def _package_flags(packages: Sequence[Row]) -> Iterator[str]:
    if any(is_on(some_row(package.get("SenderModel")).get("isolatedIslandFlag")) for package in packages):
        yield "island"
    if any(is_on(package.get("dropOffFlag")) for package in packages):
        yield "drop_off"
    if any(some_row(package.get("DeliveryCvsModel")) for package in packages):
        yield "store_pickup"
    if any(_receiver_unknown(package) for package in packages):
        yield "receiver_unknown"
    for key, flag in ITEM_FLAGS.items():
        if any(is_on(item.get(key)) for package in packages for item in some_rows(package.get("ItemModelList"))):
            yield flag
