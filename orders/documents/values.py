"""What the documents show, as plain values. All money is whole yen, tax-inclusive; texts are printed as they are."""

from dataclasses import dataclass
from datetime import date, datetime

from oms.kernel.money import STANDARD, Rounding, TaxRate
from orders.documents.noshi import Noshi
from orders.documents.sizes import PaperSize


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """The shop as issuer. An empty registration number means: this document is no qualified invoice."""

    name: str
    company: str = ""
    postal_code: str = ""
    address: str = ""
    phone: str = ""
    mail: str = ""
    registration_number: str = ""  # T + 13 digits, as valid on the day of shipment
    rounding: Rounding = Rounding.FLOOR
    closing: str = ""  # small print: return policy, opening hours
    logo: str = ""  # the digest of a picture, handed to the renderer


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A buyer or a recipient. The name is without title; `honorific` is 様 for people, 御中 for organisations."""

    name: str
    company: str = ""
    honorific: str = "様"
    postal_code: str = ""
    address: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One product inside a set line. `set_name`: of the set inside the set that it comes from."""

    code: str
    name: str
    quantity: int
    set_name: str = ""

    @property
    def words(self) -> str:
        """Its line under the set, without a price."""
        inside = f"{self.set_name} / " if self.set_name else ""
        return f"└ {inside}{self.name}　{self.code}　× {self.quantity:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line as sold. `amount` is what is charged for it, after its own discount."""

    code: str
    name: str
    options: str = ""
    quantity: int
    unit_price: int
    amount: int
    rate: TaxRate = STANDARD
    components: tuple[Component, ...] = ()
    ref: str = ""  # the order line behind it; not printed


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """Shipping, wrapping, cash on delivery …"""

    label: str
    amount: int
    rate: TaxRate = STANDARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """What the buyer does not pay in money. `amount` is positive.

    `lowers_price`: a discount or coupon of the shop, which lowers the taxable amount; otherwise (the mall's points and
    coupons) a way of paying, named below the total.
    """

    label: str
    amount: int
    lowers_price: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryNote:
    """納品書 of a shipment. `hide_prices` (gift): no amount, no tax, `sender_name` for the buyer."""

    shop: Letterhead
    number: str
    issued_on: date
    ordered_on: date | None = None
    shipped_on: date | None = None
    order_numbers: tuple[str, ...] = ()
    channel: str = ""
    channel_order_numbers: tuple[str, ...] = ()
    buyer: Party
    recipient: Party | None = None  # only when it differs from the buyer
    payment_method: str = ""
    delivery: str = ""  # carrier and service
    tracking_number: str = ""
    delivery_wish: str = ""
    lines: tuple[Line, ...]
    fees: tuple[Fee, ...] = ()
    deductions: tuple[Deduction, ...] = ()
    message: str = ""
    hide_prices: bool = False
    sender_name: str = ""
    gift: str = ""  # wrapping and noshi in one line
    show_components: bool = True
    is_reprint: bool = False
    is_invoice: bool = False  # it serves as 適格請求書: named so, and kept
    barcode: str = ""  # scanned at the packing check; printable ASCII
    paper: str = PaperSize.A4.value


@dataclass(frozen=True, slots=True, kw_only=True)
class PickItem:
    """One product to take from a shelf for one order."""

    shelf: str
    code: str
    name: str
    jan: str = ""
    options: str = ""
    quantity: int
    set_name: str = ""  # the set it belongs to
    picture: str = ""  # the digest of what it looks like, handed to the renderer


@dataclass(frozen=True, slots=True, kw_only=True)
class PickOrder:
    """One parcel to pick. `order_number` is the parcel's, `references` those of the orders in it."""

    order_number: str
    references: tuple[str, ...] = ()
    slot: str = ""
    recipient: str = ""
    method: str = ""
    ship_by: date | None = None
    gifts: tuple[str, ...] = ()  # printed large: "のし 紅白蝶結び 御祝 山田", "ラッピング 赤"
    remarks: str = ""
    items: tuple[PickItem, ...]
    barcode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PickList:
    """ピッキングリスト of one batch at one place: sums by shelf, then order by order; or only one of the two.

    `cart` names the round of a multi-order pick ("1 / 3"): orders have slots, and the sums say which slot gets what.
    """

    batch: str
    made_at: datetime
    location: str
    by: str = ""
    orders: tuple[PickOrder, ...]
    is_reprint: bool = False
    show_totals: bool = True
    show_orders: bool = True
    cart: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverParcel:
    """One line of a handover list."""

    number: str
    tracking_number: str
    recipient: str
    prefecture: str = ""
    packages: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverList:
    """集荷リスト: what one carrier takes from one place, to be signed by its driver."""

    carrier: str
    location: str
    made_at: datetime
    by: str = ""
    parcels: tuple[HandoverParcel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnSlip:
    """返品票 that lies in the parcel. No price, so that it may go with a gift."""

    shop: Letterhead
    number: str
    order_numbers: tuple[str, ...]
    shipped_on: date | None
    recipient: str
    lines: tuple[Line, ...]
    barcode: str = ""
    paper: str = PaperSize.A4.value


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnLabel:
    """返送ラベル of one return: for the outside of the parcel, with a sheet that lies inside. No price."""

    shop: Letterhead
    number: str
    order_number: str
    issued_on: date
    to: Party
    sender: Party
    freight: str  # 着払い or 元払い
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkLine:
    """One product to be prepared; `wish` is what was chosen for it alone (wrapping, engraving)."""

    code: str
    name: str
    options: str = ""
    wish: str = ""
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one order wishes beside packing."""

    order_number: str
    wrapping: str = ""
    noshi: Noshi | None = None
    card: str = ""
    lines: tuple[WorkLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSlip:
    """作業指示書 of one parcel: wrapping, noshi, card, engraving. It stays in the house and tells no price."""

    number: str
    location: str
    batch: str = ""
    made_at: datetime
    by: str = ""
    ship_by: date | None = None
    method: str = ""
    recipient: str = ""
    sender: str = ""
    works: tuple[Work, ...]
    remarks: str = ""
    is_reprint: bool = False
    barcode: str = ""
    paper: str = PaperSize.A4.value
