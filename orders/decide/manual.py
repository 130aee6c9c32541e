"""An order typed in by a person: what it comes to, and the order as a channel would tell it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from oms.kernel.money import REDUCED, STANDARD, TaxRate, rate_totals, spread_discount
from orders.channel_order import (
    ChannelLine,
    ChannelOrder,
    ChannelState,
    Party,
    PaymentMethod,
    PaymentState,
    Totals,
)

# The mark of an order that a person typed in, beside `orders.services.internal.INTERNAL`.
MANUAL = "manual"
FEE_RATE = STANDARD
MOST_TOTAL = 999_999_999


@dataclass(frozen=True, slots=True)
class Item:
    """What is bought, at this price for one piece (yen, tax-inclusive)."""

    sku_id: int
    code: str
    name: str
    tax_rate: int
    quantity: int
    unit_price: int

    @property
    def amount(self) -> int:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Charges:
    """What comes on top of the goods, and what goes off (yen, tax-inclusive)."""

    shipping: int = 0
    fee: int = 0
    gift_fee: int = 0
    discount: int = 0

    @property
    def on_top(self) -> int:
        return self.shipping + self.fee + self.gift_fee


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that was typed about one order."""

    buyer: Party
    recipient: Party
    items: Sequence[Item]
    charges: Charges
    method: PaymentMethod
    wish_date: date | None = None
    wish_slot: str = ""
    delivery_method: str = ""
    gift: str = ""
    noshi: str = ""
    message_card: str = ""
    packing_note: str = ""
    internal_note: str = ""


def totals_of(items: Sequence[Item], charges: Charges) -> Totals:
    """The sums, with the tax inside them rounded once a rate. Raises ValueError for a discount above everything."""
    amounts = [item.amount for item in items]
    on_top = [charges.shipping, charges.fee, charges.gift_fee]
    off_goods, off_fees = spread_discount(amounts, on_top, charges.discount)
    taxed = [(_rate(item.tax_rate), item.amount - off) for item, off in zip(items, off_goods, strict=True)]
    taxed += [(FEE_RATE, fee - off) for fee, off in zip(on_top, off_fees, strict=True)]
    goods = sum(amounts)
    return Totals(
        goods=goods,
        total=goods + charges.on_top - charges.discount,
        shipping=charges.shipping,
        fees=charges.fee,
        gift_fees=charges.gift_fee,
        discount=charges.discount,
        tax=sum(rate.tax for rate in rate_totals(taxed)),
    )


def channel_order(
    draft: Draft, *, number: str, state: str, payment_name: str, flags: Sequence[str], now: datetime
) -> ChannelOrder:
    """What costs nothing is paid; the rest waits for its money as the shop's terms say."""
    totals = totals_of(draft.items, draft.charges)
    return ChannelOrder(
        channel_order_no=number,
        ordered_at=now,
        channel_state=state,
        state=ChannelState.OPEN,
        buyer=draft.buyer,
        recipients=(draft.recipient,),
        lines=tuple(_line(index, item) for index, item in enumerate(draft.items, 1)),
        totals=totals,
        payment_method=draft.method,
        payment_state=PaymentState.UNPAID if totals.total else PaymentState.PAID,
        payment_name=payment_name,
        updated_at=now,
        wish_date=draft.wish_date,
        wish_slot=draft.wish_slot,
        delivery_method=draft.delivery_method,
        gift=draft.gift,
        noshi=draft.noshi,
        message_card=draft.message_card,
        flags=tuple(flags),
    )


def _line(index: int, item: Item) -> ChannelLine:
    return ChannelLine(
        line_id=str(index),
        channel_sku=item.code,
        name=item.name,
        quantity=item.quantity,
        unit_price=item.unit_price,
        amount=item.amount,
        tax_rate=item.tax_rate,
    )


def _rate(percent: int) -> TaxRate:
    return REDUCED if percent == REDUCED.percent else TaxRate(percent)
