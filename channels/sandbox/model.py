"""What a marketplace knows: orders, people, parcels, as frozen values.

Values are never changed in place. `World` replaces an order by a newer one, so a simulator may render the value it
was handed without a lock. All times are aware UTC; all money is whole yen including tax.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from channels.sandbox.goods import CHANNELS, Channel, Listing

__all__ = [
    "CHANNELS",
    "OPEN",
    "WORKABLE",
    "Address",
    "CancelRequest",
    "Channel",
    "Destination",
    "Fees",
    "Gift",
    "Parcel",
    "Payment",
    "PaymentMethod",
    "PaymentState",
    "Person",
    "SandboxLine",
    "SandboxOrder",
    "State",
    "Truth",
    "Wish",
]

State = Literal["pending", "placed", "confirmed", "ready", "partially_shipped", "shipped", "cancelled"]
"""
pending            ordered, the channel waits for the buyer's money and the shop can do nothing yet
placed             waits for the shop's confirmation (only channels in `CONFIRMING`)
confirmed          confirmed by the shop, the payment is still outstanding (only rakuten asks after confirmation)
ready              may be shipped
partially_shipped  some units shipped
shipped            all units shipped
cancelled          dead, see `cancelled_by`
"""

PaymentMethod = Literal["card", "konbini", "bank", "cod", "deferred"]
PaymentState = Literal["unpaid", "authorized", "paid", "refunded"]
"""`unpaid` for cod until delivery; `authorized` for card and deferred until shipped; `paid` when the money is there."""

WORKABLE: frozenset[State] = frozenset({"ready", "partially_shipped"})
OPEN: frozenset[State] = frozenset({"pending", "placed", "confirmed", "ready", "partially_shipped"})


@dataclass(frozen=True, slots=True)
class Address:
    """An address as the buyer typed it on this channel (it may be untidy or undeliverable on purpose)."""

    postal: str  # "150-0001" when tidy
    prefecture: str  # "東京都"
    city: str  # "渋谷区"
    town: str  # "神宮前"
    block: str  # "3-14-2", "" when the buyer left it out
    building: str = ""
    island: bool = False

    @property
    def street(self) -> str:
        """Town and block in one string, as most channels show them."""
        return f"{self.town}{self.block}"

    @property
    def full(self) -> str:
        """Everything but the postal code in one line."""
        return f"{self.prefecture}{self.city}{self.street} {self.building}".strip()


@dataclass(frozen=True, slots=True)
class Person:
    """A buyer or a recipient in the spelling of one channel. `person_id` is truth and never goes on the wire."""

    person_id: str
    family: str
    given: str
    family_kana: str
    given_kana: str
    phone: str  # "090-0000-1234" when tidy
    email: str  # the person's own address; amazon and rakuten must show a relay address, see World.relay_address
    address: Address
    company: str = ""

    @property
    def name(self) -> str:
        return f"{self.family} {self.given}".strip()

    @property
    def kana(self) -> str:
        return f"{self.family_kana} {self.given_kana}".strip()


@dataclass(frozen=True, slots=True)
class Wish:
    """Delivery wish. `slot` is "" or one of "am", "12-14", "14-16", "16-18", "18-20", "19-21"."""

    day: date | None = None
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Gift:
    """Gift wishes of one destination."""

    wrapping: str = ""  # "包装紙(花柄)", "" = none
    wrapping_fee: int = 0
    noshi: str = ""  # "紅白蝶結び", "" = none
    noshi_purpose: str = ""  # "御祝"
    noshi_name: str = ""  # "佐藤"
    message: str = ""
    hide_prices: bool = True


@dataclass(frozen=True, slots=True)
class Payment:
    method: PaymentMethod
    state: PaymentState
    paid_at: datetime | None = None
    due_at: datetime | None = None  # konbini and bank: the channel cancels after it


@dataclass(frozen=True, slots=True)
class Fees:
    """Money beside the goods. Coupons and points are positive figures that lower the amount due."""

    postage: int = 0
    cod_fee: int = 0
    wrapping: int = 0
    cool_fee: int = 0
    coupon_shop: int = 0
    coupon_mall: int = 0
    points: int = 0
    misstated: int = 0  # yen by which the channel's stated totals differ from the sum (trait `amount_mismatch`)

    @property
    def added(self) -> int:
        return self.postage + self.cod_fee + self.wrapping + self.cool_fee

    @property
    def taken(self) -> int:
        return self.coupon_shop + self.coupon_mall + self.points


@dataclass(frozen=True, slots=True)
class SandboxLine:
    line_no: int  # 1…
    line_id: (
        str  # the channel's own line id: amazon orderItemId, rakuten itemDetailId, qoo10 OrderNo, else str(line_no)
    )
    listing: Listing
    quantity: int
    unit_price: int
    tax_rate: int  # 8 or 10
    discount: int = 0  # on the whole line
    destination: int = 1  # Destination.no
    shipped: int = 0
    cancelled: bool = False
    release_date: date | None = None  # set for pre-orders
    options: tuple[tuple[str, str], ...] = ()  # free choices the buyer made: (("名入れ", "なし"),)

    @property
    def amount(self) -> int:
        """Line total after its discount; 0 when cancelled."""
        return 0 if self.cancelled else self.unit_price * self.quantity - self.discount

    @property
    def open_quantity(self) -> int:
        return 0 if self.cancelled else self.quantity - self.shipped


@dataclass(frozen=True, slots=True)
class Destination:
    """One place goods go to. Nearly every order has exactly one; rakuten calls it a package, futureshop a shipment."""

    no: int
    destination_id: str  # digits, unique in the channel: rakuten basketId; futureshop shows `no` instead
    recipient: Person
    wish: Wish = Wish()
    gift: Gift | None = None
    postage: int = 0


@dataclass(frozen=True, slots=True)
class Parcel:
    """A shipment the OMS reported. `carrier` is yamato, sagawa, japanpost or other; `raw` is what was sent."""

    parcel_id: str  # digits: rakuten shippingDetailId, amazon packageReferenceId when it is ours
    destination: int
    carrier: str
    tracking: str
    shipped_on: date
    told_at: datetime
    quantities: Mapping[int, int]  # line_no → units
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """The buyer asked to cancel; the shop must answer. Not a state of its own on most channels."""

    at: datetime
    reason: str
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """What only the world knows about an order; never on the wire, see decision 31 in docs/sandbox.md."""

    needs_judgement: str | None = (
        None  # question address cancel_wish blacklist unmapped_sku stock_short amount_mismatch
    )
    needed_since: datetime | None = None  # judgement is needed from here on (a cancel wish comes later than the order)
    traits: frozenset[str] = frozenset()
    merge_group: str = ""  # orders of one group go to the same recipient


@dataclass(frozen=True, slots=True)
class SandboxOrder:
    channel: Channel
    number: str  # the channel's own order number in its real format (qoo10: PackNo; its lines carry the OrderNo)
    serial: int  # 1… per channel; for simulators that need one more number of their own
    state: State
    ordered_at: datetime
    visible_at: datetime  # before it the channel's API does not show the order
    updated_at: datetime
    buyer: Person
    destinations: tuple[Destination, ...]
    lines: tuple[SandboxLine, ...]
    payment: Payment
    fees: Fees
    ship_by: datetime  # the channel's promise
    remarks: str = ""
    fulfilled_by_mall: bool = False  # FBA: read only for the shop
    caution: bool = False  # the mall warns of fraud or bad address (rakuten cautionDisplayType 1, yahoo Suspect 1 …)
    confirmed_at: datetime | None = None
    shipped_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_by: Literal["", "buyer", "shop", "mall"] = ""
    cancel_reason: str = ""
    cancel_request: CancelRequest | None = None
    parcels: tuple[Parcel, ...] = ()
    version: int = 1
    extra: Mapping[str, Any] = field(default_factory=dict)  # facts only one simulator needs, JSON-able; World.annotate
    truth: Truth = Truth()

    @property
    def live_lines(self) -> tuple[SandboxLine, ...]:
        return tuple(line for line in self.lines if not line.cancelled)

    @property
    def goods_total(self) -> int:
        """Goods after line discounts."""
        return sum(line.amount for line in self.lines)

    @property
    def total(self) -> int:
        """Goods and fees before coupons and points, as the channel states it (rakuten totalPrice)."""
        return self.goods_total + self.fees.added + self.fees.misstated

    @property
    def amount_due(self) -> int:
        """What the buyer pays, as the channel states it (rakuten requestPrice, yahoo TotalPrice, grand total)."""
        return self.total - self.fees.taken

    @property
    def destination(self) -> Destination:
        """The first, for channels that know only one."""
        return self.destinations[0]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def line(self, line_no: int) -> SandboxLine:
        return next(line for line in self.lines if line.line_no == line_no)

    def tax_base(self) -> dict[int, int]:
        """Amount due per tax rate, tax included; fees are 10 %, coupons and points are taken in proportion.

        The sum equals `amount_due` without the misstatement.
        """
        base = {10: self.fees.added} if self.fees.added else {}
        for line in self.live_lines:
            base[line.tax_rate] = base.get(line.tax_rate, 0) + line.amount
        gross, taken = sum(base.values()), self.fees.taken
        if not gross or not taken:
            return base
        reduced = {rate: amount - amount * taken // gross for rate, amount in base.items()}
        reduced[max(reduced)] -= sum(reduced.values()) - (gross - taken)
        return reduced
