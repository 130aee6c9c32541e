"""What Yahoo!'s separate states (order, payment, shipping, settlement) mean together.

Unknown values never open an order.
"""

from collections.abc import Mapping

from channels.connectors.yahoo import codes
from orders.channel_order import ChannelState, PaymentMethod, PaymentState

Fields = Mapping[str, str]

PREPAID = "1"  # PayType
YES = ("true", "1")
NOT_HELD = ("", "0", "2")  # FraudHoldStatus values that hold nothing
CHARGED_ON_SHIPPING = {PaymentMethod.CARD, PaymentMethod.WALLET, PaymentMethod.DEFERRED, PaymentMethod.MALL}


def channel_state(order: Fields) -> str:
    """OrderStatus/ShipStatus/PayStatus as told, "?" for what is missing."""
    return "/".join(order.get(name, "?") for name in ("OrderStatus", "ShipStatus", "PayStatus"))


def order_state(order: Fields) -> ChannelState:
    """The state for us. Whatever is not known to be open, shipped or cancelled is provisional."""
    status, shipping = order.get("OrderStatus", ""), order.get("ShipStatus", "")
    if status == codes.CANCELLED or is_split_parent(order):
        return ChannelState.CANCELLED
    if status == codes.COMPLETED or shipping in (codes.SHIPPED, codes.ARRIVED):
        return ChannelState.SHIPPED
    if is_withheld(order) or status not in (codes.RESERVED, codes.IN_PROGRESS):
        return ChannelState.PROVISIONAL
    if shipping in (codes.SHIPPABLE, codes.SHIPPING):
        return ChannelState.OPEN
    if shipping == codes.NOT_SHIPPABLE and waits_for_money(order):
        return ChannelState.OPEN  # the payment gate says what is missing
    return ChannelState.PROVISIONAL


def is_withheld(order: Fields) -> bool:
    """In the buyer's ten minutes, held for fraud, or a gift whose recipient has not answered."""
    return (
        order.get("IsReadOnly", "").lower() in YES
        or order.get("FraudHoldStatus", "") not in NOT_HELD
        or (order.get("IsLineGiftOrder", "").lower() in YES and order.get("IsLineGiftShippable", "").lower() not in YES)
    )


def is_split_parent(order: Fields) -> bool:
    """The store split it at Yahoo!: its child orders replace it."""
    return order.get("IsSplit", "").lower() in YES and bool(order.get("ChildOrderId"))


def waits_for_money(order: Fields) -> bool:
    return order.get("PayType") == PREPAID and order.get("PayStatus") == "0"


def payment_state(order: Fields) -> PaymentState:
    settlement, pay_status = order.get("SettleStatus", ""), order.get("PayStatus", "")
    if settlement in codes.SETTLEMENT_FAILED:
        return PaymentState.FAILED
    if settlement in codes.SETTLEMENT_RETURNED:
        return PaymentState.REFUNDED
    if pay_status == "1":
        return PaymentState.PAID
    method = codes.PAYMENT_METHODS.get(order.get("PayMethod", ""), PaymentMethod.OTHER)
    charged_later = method in CHARGED_ON_SHIPPING and order.get("PayType") == "0"
    if pay_status == "0" and charged_later and order.get("ShipStatus") not in (None, codes.NOT_SHIPPABLE):
        return PaymentState.AUTHORIZED
    return PaymentState.UNPAID


FLAGS = {
    ("OrderStatus", codes.RESERVED): "preorder",
    ("OrderStatus", codes.ON_HOLD): "hold",
    ("Suspect", "1"): "suspect",
    ("ArriveType", "1"): "kyotsuku",
    ("ArriveType", "2"): "asutsuku",
    ("FraudHoldStatus", "1"): "fraud_hold",
    ("FraudHoldStatus", "3"): "fraud_rejected",
    ("SocialGiftType", "1"): "social_gift",
    ("SocialGiftType", "2"): "gift_order",
    ("SocialGiftType", "3"): "wish_list",
    ("ShipCompanyCode", "5001"): "store_pickup",
}
SWITCHES = {
    "IsReadOnly": "buyer_may_cancel",
    "IsLineGiftOrder": "line_gift",
    "IsSubscription": "subscription",
    "IsEazy": "unattended_delivery",
    "IsMallContactlessDelivery": "contactless_delivery",
    "IsMultiShip": "multi_ship",
    "IsFirstClassDrugIncludes": "first_class_drug",
    "IsPayMethodChangePossible": "pay_method_may_change",
    "AgeConfirmCheck": "age_check",
    "NeedReceipt": "receipt_wanted",
    "NeedBillSlip": "bill_slip_wanted",
    "NeedDetailedSlip": "detailed_slip_wanted",
}


def flags(order: Fields) -> tuple[str, ...]:
    """Yahoo!'s marks in our words."""
    found = [flag for (name, value), flag in FLAGS.items() if order.get(name) == value]
    found += [flag for name, flag in SWITCHES.items() if order.get(name, "").lower() in YES]
    if order.get("SettleStatus") in codes.SETTLEMENT_FAILED:
        found.append("settlement_failed")
    if is_split_parent(order):
        found.append("split")
    return tuple(found)
