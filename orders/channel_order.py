"""One order as a channel tells it, in our words: the typed value between the connectors and the intake.

A connector's `parse` makes it from one raw payload, purely. Money is whole yen, tax-inclusive unless the name says
otherwise; times are aware; what the channel does not say is empty or None, never guessed.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

# A flag of ours: the order came from the system used before, not from its channel.
MOVED_IN = "moved_in"


class ChannelState(StrEnum):
    """What the channel's own state means for us; the raw code stays in `ChannelOrder.channel_state`."""

    PROVISIONAL = "provisional"  # pending at the channel, or data withheld: reserve, never ship
    TO_CONFIRM = "to_confirm"  # complete, waits for our acknowledgement
    OPEN = "open"  # may be handled
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class PaymentState(StrEnum):
    UNPAID = "unpaid"
    AUTHORIZED = "authorized"
    PAID = "paid"
    FAILED = "failed"
    REFUNDED = "refunded"


class PaymentMethod(StrEnum):
    """Our methods (workflows §7.1); an unknown channel code becomes `other` and keeps its name."""

    CARD = "card"
    MALL = "mall"
    COD = "cod"
    BANK_TRANSFER = "bank_transfer"
    CONVENIENCE = "convenience"
    DEFERRED = "deferred"
    WALLET = "wallet"
    POINTS = "points"
    STORE = "store"
    ACCOUNT = "account"
    FREE = "free"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Party:
    """A buyer or a recipient. `city` is 市区町村; `address` everything after it; `company` a separate line."""

    name: str = ""
    kana: str = ""
    phone: str = ""
    email: str = ""
    postal_code: str = ""
    prefecture: str = ""
    city: str = ""
    address: str = ""
    company: str = ""
    country: str = "JP"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is wished for one recipient alone, where a channel tells it by recipient; empty: as the order says.

    `sender` is the name that shall stand as the sender; `shipping` and `fees` are the parts of the order's figures
    that belong to this recipient (yen, information only: the order's totals hold them already).
    """

    wish_date: date | None = None
    wish_slot: str = ""
    method: str = ""
    sender: str = ""
    gift: str = ""
    noshi: str = ""
    message_card: str = ""
    shipping: int = 0
    fees: int = 0


@dataclass(frozen=True, slots=True)
class Coupon:
    """One coupon used. `by` is who pays for it: "shop" or "channel"."""

    name: str
    amount: int
    by: str = "channel"


@dataclass(frozen=True, slots=True)
class RateSum:
    """What the channel says of one tax rate (percent): the tax-inclusive sum and the tax inside it, in yen."""

    rate: int
    amount: int
    tax: int


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One bought listing. `line_id` is the channel's, unique in the order; `recipient` indexes `recipients`.

    `unit_price` and `amount` are tax-inclusive; `tax_rate` is a percentage (8, 10) or None when not told.
    """

    line_id: str
    channel_sku: str
    name: str
    quantity: int
    unit_price: int
    amount: int
    tax_rate: int | None = None
    options: str = ""
    jan: str = ""
    recipient: int = 0
    cancelled_quantity: int = 0
    shipped_quantity: int = 0
    discount: int = 0  # this line's share of the order's discounts and coupons, where the channel tells it
    gift: str = ""  # wrapping, noshi or engraving chosen for this line, in words


@dataclass(frozen=True, slots=True)
class Totals:
    """The channel's figures. `total` is what the buyer pays after discounts, coupons and points.

    Identity checked at intake: goods + shipping + fees + gift_fees + tax_excluded − discount − coupons_shop
    − coupons_channel − points = total. `tax` is information only (already inside) unless prices are tax-exclusive.
    """

    goods: int
    total: int
    shipping: int = 0
    fees: int = 0  # COD and payment handling
    gift_fees: int = 0
    discount: int = 0
    coupons_shop: int = 0
    coupons_channel: int = 0
    points: int = 0
    tax: int = 0
    tax_excluded: int = 0  # tax that comes on top, where the channel's prices exclude it


@dataclass(frozen=True, slots=True)
class ChannelOrder:
    """One order at one moment. `updated_at` orders versions; None when the channel does not tell it."""

    channel_order_no: str
    ordered_at: datetime
    channel_state: str
    state: ChannelState
    buyer: Party
    recipients: tuple[Party, ...]
    lines: tuple[ChannelLine, ...]
    totals: Totals | None  # None while the channel withholds the amounts
    payment_method: PaymentMethod
    payment_state: PaymentState
    payment_name: str = ""  # the channel's code or label
    paid_at: datetime | None = None
    updated_at: datetime | None = None
    confirmed_at: datetime | None = None
    remarks: str = ""
    wish_date: date | None = None
    wish_slot: str = ""  # "am" or "1416" (from-to hours), "" for none
    delivery_method: str = ""  # the channel's name
    ship_by: datetime | None = None
    deliver_by: datetime | None = None
    gift: str = ""  # wrapping in words
    noshi: str = ""
    message_card: str = ""
    cancel_requested: bool = False
    cancel_reason: str = ""
    fulfilled_by_channel: bool = False  # FBA and the like: never picked by us
    tracking_nos: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()  # the channel's own marks: prime, asuraku, business, preorder …
    sub_state: str = ""  # the channel's finer state (Rakuten's sub-status, Yahoo!'s store status), as it came
    deliveries: tuple[Delivery, ...] = ()  # beside `recipients`, by index; () when the channel tells none by recipient
    coupons: tuple[Coupon, ...] = ()  # their sums by payer stand in `totals`
    by_rate: tuple[RateSum, ...] = ()  # the channel's own figures by tax rate
    confirm_by: datetime | None = None  # the channel cancels the order when nobody acknowledges it until then
    pay_by: datetime | None = None  # how long the buyer has to pay
    authorized_until: datetime | None = None  # when a card's authorisation ends
    shop_memo: str = ""  # the shop's own note at the channel (not the buyer's remark)
    extra: dict[str, str] = field(default_factory=dict)  # ids later calls need (basketId, PackNo, …)
