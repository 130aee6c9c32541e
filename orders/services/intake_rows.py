"""From the channel's typed order to the rows we store. Pure, and fast: this runs for every order of every poll."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from oms.kernel.clock import TOKYO
from oms.kernel.text import search_text
from orders.channel_order import ChannelLine, ChannelOrder, ChannelState, Party, Totals
from orders.decide import remarks, schedule
from orders.decide.found import Listed
from orders.decide.reasons import Address, Item, OrderFacts
from orders.decide.ship_plan import PLAIN, Destination, ShipPlan

NO_TOTALS = Totals(goods=0, total=0)


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a channel's product code stands for: so many `units` of a SKU."""

    sku_id: int
    code: str
    units: int = 1
    release_date: date | None = None
    jan: str = ""
    settled: bool = False  # somebody has decided what the line's option text stands for


SkuOf = Mapping[Any, Mapped]  # by code, and by (code, option text) where a person decided about the text


def mapped_of(sku_of: SkuOf, line: ChannelLine) -> Mapped | None:
    """What a line stands for: as somebody decided for its very text, else as its code says."""
    return (sku_of.get((line.channel_sku, line.options)) if line.options else None) or sku_of.get(line.channel_sku)


# Parts of a channel's order that change, and are applied, separately; what an operator edited stays until the
# channel changes that very part.
PARTS = ("state", "buyer", "recipients", "lines", "totals", "payment", "delivery", "remarks", "memo")


def part_digests(order: ChannelOrder) -> dict[str, str]:
    """A short digest of each part."""
    values: dict[str, object] = {
        "state": (
            order.state,
            order.channel_state,
            order.sub_state,
            order.cancel_requested,
            order.cancel_reason,
            order.flags,
            order.confirm_by,
        ),
        "buyer": order.buyer,
        "recipients": (order.recipients, order.deliveries),
        "lines": [replace(line, shipped_quantity=0) for line in order.lines],  # what left is our own news
        "totals": (order.totals, order.coupons, order.by_rate),
        "payment": (
            order.payment_method,
            order.payment_state,
            order.payment_name,
            order.paid_at,
            order.pay_by,
            order.authorized_until,
        ),
        "delivery": (
            order.wish_date,
            order.wish_slot,
            order.delivery_method,
            order.ship_by,
            order.deliver_by,
            order.remarks,
        ),
        "remarks": (order.remarks, order.gift, order.noshi, order.message_card),
        "memo": order.shop_memo,
    }
    return {
        part: hashlib.blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        for part, value in values.items()
    }


def state_columns(order: ChannelOrder) -> dict[str, Any]:
    return {
        "channel_state": order.channel_state[:60],
        "sub_state": order.sub_state[:60],
        "confirm_by": order.confirm_by,
        "phase": order.state.value,
        "channel_extra": dict(order.extra),
        "flags": [flag[:30] for flag in order.flags],
        "fulfilled_by_channel": order.fulfilled_by_channel,
        "confirmed_at": order.confirmed_at,
        "cancel_requested": order.cancel_requested,
        "cancel_reason": order.cancel_reason[:200],
        "channel_updated_at": order.updated_at,
    }


def buyer_columns(buyer: Party) -> dict[str, Any]:
    return {
        "buyer_name": buyer.name[:120],
        "buyer_kana": buyer.kana[:120],
        "buyer_phone": buyer.phone[:30],
        "buyer_email": buyer.email[:254],
        "buyer_postal_code": buyer.postal_code[:10],
        "buyer_prefecture": buyer.prefecture[:20],
        "buyer_city": buyer.city[:100],
        "buyer_address": buyer.address[:300],
        "buyer_company": buyer.company[:120],
    }


def totals_columns(order: ChannelOrder) -> dict[str, Any]:
    known = order.totals or NO_TOTALS
    return {
        "goods": known.goods,
        "shipping_fee": known.shipping,
        "fees": known.fees,
        "gift_fees": known.gift_fees,
        "discount": known.discount,
        "coupons_shop": known.coupons_shop,
        "coupons_channel": known.coupons_channel,
        "points": known.points,
        "tax_excluded": known.tax_excluded,
        "tax": known.tax,
        "total": order.totals.total if order.totals else None,
        "coupon_list": Jsonb([astuple(coupon) for coupon in order.coupons]),
        "tax_by_rate": Jsonb([astuple(rate) for rate in order.by_rate]),
    }


def payment_columns(order: ChannelOrder) -> dict[str, Any]:
    return {
        "payment_method": order.payment_method.value,
        "payment_name": order.payment_name[:80],
        "payment_state": order.payment_state.value,
        "paid_at": order.paid_at,
        "pay_by": order.pay_by,
        "authorized_until": order.authorized_until,
    }


def delivery_columns(order: ChannelOrder, plan: ShipPlan = PLAIN) -> dict[str, Any]:
    """The wish from its own fields, else as the remark tells it; the planned day by the plan."""
    remark = remarks.read(order.remarks, ordered_on(order)) if order.remarks else remarks.Remark()
    wish = order.wish_date or remark.wish_date
    carrier = schedule.carrier_of(order.delivery_method)
    return {
        "wish_date": wish,
        "wish_slot": order.wish_slot or remark.wish_slot,
        "delivery_method": order.delivery_method[:60],
        "carrier": carrier,
        "ship_by": order.ship_by,
        "deliver_by": order.deliver_by,
        "planned_ship_date": plan.planned_day(wish, destination(order, carrier), at=order.ordered_at),
        "packing_note": remark.carrier_note,
    }


def destination(order: ChannelOrder, carrier: str) -> Destination:
    first = order.recipients[0] if order.recipients else Party()
    return Destination(first.prefecture, first.postal_code, carrier)


def remarks_columns(order: ChannelOrder) -> dict[str, Any]:
    return {
        "remarks": order.remarks,
        "gift": order.gift[:200],
        "noshi": order.noshi[:200],
        "message_card": order.message_card,
    }


def recipient_columns(recipients: Sequence[Party]) -> dict[str, Any]:
    first = recipients[0] if recipients else Party()
    return {"recipient_name": first.name[:120], "recipient_prefecture": first.prefecture[:20]}


def line_columns(lines: Sequence[ChannelLine], sku_of: SkuOf) -> dict[str, Any]:
    standing = [line for line in lines if standing_quantity(line)]
    dates = [mapped.release_date for line in standing if (mapped := mapped_of(sku_of, line))]
    return {
        "item_summary": item_summary(standing),
        "quantity": sum(standing_quantity(line) for line in standing),
        "release_date": max((day for day in dates if day), default=None),
    }


def has_line_due(lines: Sequence[ChannelLine], sku_of: SkuOf, today: date) -> bool:
    """Some line may ship today: it is not a pre-order still to be released."""
    found = [mapped_of(sku_of, line) for line in lines]
    dates = [mapped.release_date if mapped else None for mapped in found]
    return any(day is None or day <= today for day in dates)


def next_release(lines: Sequence[ChannelLine], sku_of: SkuOf, today: date) -> date | None:
    """The first day on which a pre-ordered line of the order comes out."""
    found = [mapped_of(sku_of, line) for line in lines if standing_quantity(line)]
    dates = [mapped.release_date for mapped in found if mapped]
    return min((day for day in dates if day and day > today), default=None)


def item_summary(lines: Sequence[ChannelLine]) -> str:
    """The first item and how many more there are."""
    if not lines:
        return ""
    more = f" 他{len(lines) - 1}点" if len(lines) > 1 else ""
    return f"{lines[0].name[:150]} ×{standing_quantity(lines[0])}{more}"


def standing_quantity(line: ChannelLine) -> int:
    return max(0, line.quantity - line.cancelled_quantity)


def standing_amount(line: ChannelLine) -> int:
    """The line's amount without its cancelled part."""
    return line.amount if not line.cancelled_quantity else line.unit_price * standing_quantity(line)


SEARCHED_NAME = 100  # characters of a product's name; what malls write behind is advertising


def search_column(order: ChannelOrder, sku_of: SkuOf) -> str:
    """What the desk's search finds an order by: its numbers, the people, where they live by postal code, the goods."""
    parties = (order.buyer, *order.recipients)
    return search_text(
        order.channel_order_no,
        *dict.fromkeys(value for party in parties for value in (party.name, party.kana, party.email, party.company)),
        *sorted({_digits(party.phone) for party in parties}),
        *sorted({_digits(party.postal_code) for party in parties}),
        *(word for line in order.lines for word in _goods_words(line, mapped_of(sku_of, line))),
        *order.tracking_nos,
    )


def _goods_words(line: ChannelLine, mapped: Mapped | None) -> tuple[str, ...]:
    codes = (mapped.code, mapped.jan) if mapped else (line.channel_sku,)
    return (*codes, line.name[:SEARCHED_NAME])


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def ordered_on(order: ChannelOrder) -> date:
    return order.ordered_at.astimezone(TOKYO).date()


def order_columns(
    order: ChannelOrder, sku_of: SkuOf, now: datetime, plan: ShipPlan = PLAIN
) -> dict[str, Any]:  # fmt: skip
    """Every column of a new order but its ids, member and stage."""
    return {
        "channel_order_no": order.channel_order_no,
        "ordered_at": order.ordered_at,
        "imported_at": now,
        "channel_parts": part_digests(order),
        **state_columns(order),
        **buyer_columns(order.buyer),
        **totals_columns(order),
        **payment_columns(order),
        **delivery_columns(order, plan),
        **remarks_columns(order),
        "shop_memo": order.shop_memo,
        **recipient_columns(order.recipients),
        **line_columns(order.lines, sku_of),
        "search": search_column(order, sku_of),
        "cancelled_at": now if order.state == ChannelState.CANCELLED else None,
        "shipped_at": now if order.state == ChannelState.SHIPPED else None,
    }


def facts_of(order: ChannelOrder, sku_of: SkuOf, *, listed: Listed | None = None) -> OrderFacts:
    """What the reason checks look at, for an order as the channel tells it; `orders.services.background` adds what
    is known from elsewhere."""
    totals = order.totals or NO_TOTALS
    standing = [line for line in order.lines if standing_quantity(line)]
    return OrderFacts(
        ordered_on=ordered_on(order),
        remarks=order.remarks,
        recipients=[_address(party) for party in order.recipients],
        buyer_phone=order.buyer.phone,
        unmapped=sorted({line.channel_sku for line in standing if line.channel_sku not in sku_of}),
        goods_lines=sum(standing_amount(line) for line in standing),
        goods=totals.goods,
        shipping_fee=totals.shipping,
        fees=totals.fees,
        gift_fees=totals.gift_fees,
        discount=totals.discount,
        coupons=totals.coupons_shop + totals.coupons_channel,
        points=totals.points,
        tax_excluded=totals.tax_excluded,
        total=order.totals.total if order.totals else None,
        cancel_requested=order.cancel_requested,
        cancel_reason=order.cancel_reason,
        gift=order.gift,
        noshi=order.noshi,
        flags=order.flags,
        listed=listed,
        provisional=order.state == ChannelState.PROVISIONAL,
        buyer=_address(order.buyer),
        items=[_item(line, mapped_of(sku_of, line)) for line in standing],
        tax_by_rate=[(rate.rate, rate.amount, rate.tax) for rate in order.by_rate],
        message_card=order.message_card,
        delivery_method=order.delivery_method,
        payment_method=order.payment_method.value,
        payment_name=order.payment_name,
        payment_state=order.payment_state.value,
        pay_by=day_of(order.pay_by),
        authorized_until=day_of(order.authorized_until),
        leave_by=order.ship_by,
        carrier=schedule.carrier_of(order.delivery_method),
    )


def _address(party: Party) -> Address:
    return Address(
        party.postal_code, party.prefecture, party.city, party.address, party.phone, party.name, party.company,
        party.country,
    )  # fmt: skip


def _item(line: ChannelLine, mapped: Mapped | None) -> Item:
    units = mapped.units if mapped else 1
    return Item(
        mapped.sku_id if mapped else None,
        mapped.code if mapped else line.channel_sku,
        standing_quantity(line) * units,
        mapped.release_date if mapped else None,
        wishes=f"{line.options} {line.gift}",
        options=line.options,
        settled=bool(mapped and mapped.settled),
    )


def day_of(moment: datetime | None) -> date | None:
    """The day in Tokyo."""
    return moment.astimezone(TOKYO).date() if moment else None
