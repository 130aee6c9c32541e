"""Shipments as the values that documents print: delivery notes with the invoice's fields, and pick lists."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from fulfillment.models import Shipment, ShipmentEvent, ShipmentLine
from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.money import REDUCED, STANDARD, TaxRate
from orders.documents.values import (
    Component,
    Deduction,
    DeliveryNote,
    Fee,
    Letterhead,
    Line,
    Party,
    PickItem,
    PickList,
    PickOrder,
)
from orders.models import Order, OrderLine, Recipient, Shop
from orders.models.order import Carrier, PaymentMethod
from orders.queries.detail import slot_label

NOTE, PICK = "note_printed", "pick_printed"
VARIANT_LABELS = {"", "色", "カラー", "サイズ", "color", "colour", "size"}  # what malls call a variant's options


@dataclass(frozen=True, slots=True)
class Printable:
    """Notes in the order of the shipments; `problems` says why a shipment has none."""

    notes: list[DeliveryNote] = field(default_factory=list)
    shipments: list[int] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Share:
    """What of one order's money belongs to one shipment."""

    amounts: dict[int, int]  # order line → amount of the pieces in this parcel
    fees: dict[str, int]
    cuts: dict[str, int]
    paid: dict[str, int]


def delivery_notes(shipment_ids: Sequence[int]) -> Printable:
    """納品書 of these shipments. A fixed number of queries for any number of shipments."""
    shipments = _loaded(shipment_ids)
    orders = {line.order_line.order_id: line.order_line.order for s in shipments for line in s.lines.all()}
    shares, unpayable = _shares(orders)
    today, result = clock.today(), Printable()
    for shipment in shipments:
        own = list(dict.fromkeys(line.order_line.order_id for line in shipment.lines.all()))
        if blocked := next((orders[pk].channel_order_no for pk in own if pk in unpayable), ""):
            result.problems[shipment.number] = _("受注 %(no)s の値引が商品代金を超えています。") % {"no": blocked}
        elif own:
            parts = [shares[pk, shipment.pk] for pk in own]
            with override(settings.LANGUAGE_CODE):  # paper is for the customer, not for whoever prints it
                result.notes.append(_note(shipment, [orders[pk] for pk in own], parts, today))
            result.shipments.append(shipment.pk)
    return result


def pick_lists(shipment_ids: Sequence[int], *, by: str) -> list[PickList]:
    """One list per location, its parcels in the order of the delivery notes. A fixed number of queries."""
    by_place: dict[int, list[Shipment]] = defaultdict(list)
    for shipment in _loaded(shipment_ids):
        by_place[shipment.location_id].append(shipment)
    known = ShipmentEvent.objects.filter(shipment__in=shipment_ids, kind=PICK)
    reprinted = set(known.values_list("shipment", flat=True))
    with override(settings.LANGUAGE_CODE):
        return [_pick_list(shipments, by, reprinted) for shipments in by_place.values()]


def _loaded(shipment_ids: Sequence[int]) -> list[Shipment]:
    """In printing order: by place, then by deadline, as pickers walk and packers pack."""
    rows = Shipment.objects.filter(pk__in=shipment_ids).exclude(state=Shipment.State.CANCELLED)
    rows = rows.select_related("location", "recipient", "batch").prefetch_related(
        Prefetch("lines", lines_with_orders())
    )
    return list(rows.order_by("location__priority", "location_id", "recipient__order__ship_by", "pk"))


def lines_with_orders() -> QuerySet[ShipmentLine]:
    """Lines for many shipments. An order has ninety columns and stands behind several lines, so it is fetched once."""
    orders = Order.objects.select_related("shop").defer("search", "channel_parts", "channel_extra")
    skus = Sku.objects.defer("search_text")
    return (
        ShipmentLine.objects.select_related("order_line")
        .prefetch_related(
            Prefetch("sku", skus),
            Prefetch("order_line__sku", skus),
            Prefetch("order_line__order", orders),
            "order_line__order__texts",
        )
        .order_by("pk")
    )


# ---- the money of an order, shared over its parcels


def _shares(orders: dict[int, Order]) -> tuple[dict[tuple[int, int], Share], set[int]]:
    """(order, shipment) → its share, and the orders whose discounts exceed what they are taken off.

    Fees stand on the first parcel's note; discounts and points on the first that can bear them.
    """
    placed: dict[int, dict[int, list[tuple[int, int]]]] = {}
    rows = ShipmentLine.objects.filter(order_line__order__in=orders).exclude(shipment__state=Shipment.State.CANCELLED)
    distinct = rows.order_by("shipment__reference", "shipment", "order_line", "pk").values_list(
        "order_line__order", "shipment", "order_line", "line_quantity"
    )
    for order_id, shipment_id, line_id, quantity in dict.fromkeys(distinct):
        placed.setdefault(order_id, {}).setdefault(shipment_id, []).append((line_id, quantity))
    prices: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    for order_id, pk, amount, quantity in OrderLine.objects.filter(order__in=orders).values_list(
        "order", "pk", "amount", "quantity"
    ):
        prices[order_id][pk] = (amount, quantity)
    shares: dict[tuple[int, int], Share] = {}
    unpayable = set()
    for order_id, parcels in placed.items():
        own, left = _order_shares(orders[order_id], parcels, prices[order_id])
        shares |= {(order_id, shipment_id): share for shipment_id, share in own.items()}
        if left:
            unpayable.add(order_id)
    return shares, unpayable


def _order_shares(
    order: Order, parcels: dict[int, list[tuple[int, int]]], price: dict[int, tuple[int, int]]
) -> tuple[dict[int, Share], int]:
    """The shares of one order's parcels, and how much of its discounts no parcel could bear.

    `parcels`: shipment → (line, pieces); `price`: line → (amount, pieces) of the whole order.
    """
    taken: dict[int, int] = defaultdict(int)
    fees, cuts, paid = fees_of(order), cuts_of(order), payments_of(order)
    shares = {}
    for place, (shipment_id, pieces) in enumerate(parcels.items()):
        amounts = {}
        for line_id, quantity in pieces:
            amount, total = price[line_id]
            before, taken[line_id] = taken[line_id], taken[line_id] + quantity
            amounts[line_id] = amount * taken[line_id] // total - amount * before // total if total else 0
        own_fees = fees if place == 0 else {}
        room = sum(amounts.values()) + sum(own_fees.values())
        own_cuts, room = _borne(cuts, room)
        own_paid, room = _borne(paid, room)
        shares[shipment_id] = Share(amounts, own_fees, own_cuts, own_paid)
    whole = all(taken[line_id] >= quantity for line_id, (_amount, quantity) in price.items())
    return shares, sum(cuts.values()) if whole else 0


def _borne(wanted: dict[str, int], room: int) -> tuple[dict[str, int], int]:
    """As much of each as there is room for; takes it off `wanted`. Returns it, and the room that is left."""
    borne = {}
    for label in list(wanted):
        part = min(wanted[label], room)
        if part > 0:
            borne[label] = part
            wanted[label] -= part
            room -= part
    return borne, room


def fees_of(order: Order) -> dict[str, int]:
    """Label → yen of what comes on top of the goods."""
    rows = {
        "送料": order.shipping_fee,
        "手数料": order.fees,
        "ラッピング料": order.gift_fees,
        "消費税（外税）": order.tax_excluded,
    }
    return {label: amount for label, amount in rows.items() if amount}


def cuts_of(order: Order) -> dict[str, int]:
    """What lowers the price: the shop's own discounts."""
    return {label: n for label, n in (("値引", order.discount), ("店舗クーポン", order.coupons_shop)) if n}


def payments_of(order: Order) -> dict[str, int]:
    """What the mall pays, or the buyer with points: a way of paying."""
    rows = (("モールクーポン", order.coupons_channel), ("ポイント利用", order.points))
    return {label: n for label, n in rows if n}


# ---- delivery note


def _note(shipment: Shipment, orders: Sequence[Order], shares: Sequence[Share], today: date) -> DeliveryNote:
    order, recipient = orders[0], shipment.recipient
    amounts = {line: amount for share in shares for line, amount in share.amounts.items()}
    same = is_same_person(order, recipient)
    return DeliveryNote(
        shop=letterhead(order.shop),
        number=shipment.number,
        issued_on=today,
        ordered_on=clock.in_tokyo(order.ordered_at).date(),
        shipped_on=clock.in_tokyo(shipment.shipped_at).date() if shipment.shipped_at else today,
        order_numbers=tuple(o.channel_order_no for o in orders),
        buyer=_buyer(order),
        recipient=None if same else _recipient(recipient),
        payment_method="、".join(dict.fromkeys(str(PaymentMethod(o.payment_method).label) for o in orders)),
        delivery=str(Carrier(shipment.carrier).label),
        tracking_number=shipment.tracking_no,
        delivery_wish=_wish(order),
        lines=tuple(_lines(shipment, amounts)),
        fees=tuple(Fee(label=label, amount=n) for share in shares for label, n in share.fees.items()),
        deductions=(
            *(Deduction(label=label, amount=n) for share in shares for label, n in share.cuts.items()),
            *(
                Deduction(label=label, amount=n, lowers_price=False)
                for share in shares
                for label, n in share.paid.items()
            ),
        ),
        message="\n".join(
            part for part in (order.shop.delivery_note_message, *texts_for(orders, "delivery_note")) if part
        ),
        hide_prices=not same and any(is_gift(o) for o in orders),
        sender_name=order.buyer_name,
        is_reprint=shipment.printed_at is not None,
        barcode=shipment.number,
    )


def letterhead(shop: Shop) -> Letterhead:
    """The shop as issuer; without a registration number its note is no qualified invoice."""
    return Letterhead(
        name=shop.letterhead_name or shop.name,
        address=shop.letterhead_address,
        phone=shop.letterhead_phone,
        mail=shop.mail_from,
        registration_number=shop.registration_no,
    )


def is_gift(order: Order) -> bool:
    return bool(order.gift or order.noshi or order.message_card)


def is_same_person(order: Order, recipient: Recipient) -> bool:
    """The parcel goes to the buyer, as far as name and address tell."""
    buyer = (order.buyer_name, order.buyer_postal_code, order.buyer_city, order.buyer_address)
    return buyer == (recipient.name, recipient.postal_code, recipient.city, recipient.address)


def _buyer(order: Order) -> Party:
    return Party(
        name=order.buyer_name,
        company=order.buyer_company,
        postal_code=order.buyer_postal_code.replace("-", ""),
        address=f"{order.buyer_prefecture}{order.buyer_city}{order.buyer_address}",
        phone=order.buyer_phone,
    )


def _recipient(recipient: Recipient) -> Party:
    return Party(
        name=recipient.name,
        company=recipient.company,
        postal_code=recipient.postal_code.replace("-", ""),
        address=f"{recipient.prefecture}{recipient.city}{recipient.address}",
        phone=recipient.phone,
    )


def _wish(order: Order) -> str:
    day = f"{order.wish_date.month}月{order.wish_date.day}日" if order.wish_date else ""
    return " ".join(part for part in (day, slot_label(order.wish_slot)) if part)


def _lines(shipment: Shipment, amounts: dict[int, int]) -> Iterable[Line]:
    """One line per order line; a bundle names its components with the pieces in this parcel."""
    rows: dict[int, list[ShipmentLine]] = defaultdict(list)
    for row in shipment.lines.all():
        rows[row.order_line_id].append(row)
    for line_id, own in rows.items():
        line = own[0].order_line
        bundle = line.sku is not None and line.sku.is_bundle
        yield Line(
            code=line.sku.code if line.sku else line.channel_sku,
            name=line.name,
            options=line.options,
            quantity=own[0].line_quantity,
            unit_price=line.unit_price,
            amount=amounts[line_id],
            rate=_rate(line),
            components=tuple(
                Component(code=row.sku.code, name=row.sku.name, quantity=row.quantity) for row in own if bundle
            ),
        )


def _rate(line: OrderLine) -> TaxRate:
    """The channel's rate, else the product's."""
    percent = line.tax_rate or (line.sku.tax_rate if line.sku else STANDARD.percent)
    return REDUCED if percent == REDUCED.percent else STANDARD


# ---- pick list


def _pick_list(shipments: Sequence[Shipment], by: str, reprinted: set[int]) -> PickList:
    batches = {str(shipment.batch) for shipment in shipments if shipment.batch}
    return PickList(
        batch=batches.pop() if len(batches) == 1 else _("選択した%(n)s件") % {"n": len(shipments)},
        made_at=clock.now(),
        location=shipments[0].location.name,
        by=by,
        orders=tuple(_pick_order(shipment) for shipment in shipments),
        is_reprint=all(shipment.pk in reprinted for shipment in shipments),
    )


def _pick_order(shipment: Shipment) -> PickOrder:
    orders = list({line.order_line.order_id: line.order_line.order for line in shipment.lines.all()}.values())
    deadlines = [order.ship_by for order in orders if order.ship_by]
    return PickOrder(
        order_number=shipment.number,
        recipient=shipment.recipient.name,
        method=str(Carrier(shipment.carrier).label),
        ship_by=clock.in_tokyo(min(deadlines)).date() if deadlines else None,
        gifts=tuple(mark for order in orders for mark in gift_marks(order)),
        remarks=" / ".join(
            [*(order.packing_note for order in orders if order.packing_note), *texts_for(orders, "pick_list")]
        ),
        items=tuple(_pick_item(line) for line in shipment.lines.all()),
        barcode=shipment.number,
    )


def texts_for(orders: Iterable[Order], reader: str) -> list[str]:
    """What rules want this reader to see, each sentence once."""
    found = (text.text for order in orders for text in order.texts.all() if text.reader == reader)
    return list(dict.fromkeys(found))


def gift_marks(order: Order) -> list[str]:
    """What a packer must do beside packing."""
    marks = [_("のし %(text)s") % {"text": order.noshi}] if order.noshi else []
    marks += [_("ラッピング %(text)s") % {"text": order.gift}] if order.gift else []
    return marks + ([_("メッセージカード")] if order.message_card else [])


def _pick_item(line: ShipmentLine) -> PickItem:
    bought: Sku | None = line.order_line.sku
    return PickItem(
        shelf=line.sku.shelf,
        code=line.sku.code,
        name=line.sku.name,
        jan=line.sku.jan,
        options=beyond_name(line.sku.name, [line.sku.variant, *re.split(r"\n| / ", line.order_line.options)]),
        quantity=line.quantity,
        set_name=bought.name if bought and bought.is_bundle else "",
    )


def beyond_name(name: str, options: Iterable[str]) -> str:
    """What the product's name does not already say: "色:紺" goes where the name has 紺, an engraving always stays."""
    said = set(name.split())
    return " / ".join(option for option in options if option and not _is_said(option, said))


def _is_said(option: str, said: set[str]) -> bool:
    label, _colon, value = unicodedata.normalize("NFKC", option).rpartition(":")
    return label.strip().lower() in VARIANT_LABELS and set(value.split()) <= said
