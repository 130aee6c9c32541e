"""Shipments as the values that documents print: delivery notes with the invoice's fields, and pick lists."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from fulfillment import picking
from fulfillment.decide import cod
from fulfillment.models import Shipment, ShipmentEvent, ShipmentLine
from fulfillment.models.shipment import ENDED
from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.money import TaxRate, yen
from orders.decide.goods_names import OPTIONS, beyond_name
from orders.decide.slots import slot_label
from orders.documents.noshi import in_one_line
from orders.documents.rules import MALL, WE
from orders.documents.values import (
    Component,
    Deduction,
    DeliveryNote,
    Fee,
    HandoverList,
    HandoverParcel,
    Line,
    Party,
    PickItem,
    PickList,
    PickOrder,
    ReturnSlip,
)
from orders.models import BillingAccount, LineComponent, Order, OrderLine, PaperSettings, Recipient
from orders.models.order import PaymentMethod
from orders.queries.gifts import Gift, gift_at, gifts_of
from orders.queries.papers import (
    billed_monthly,
    buyer_of,
    by_rate,
    deductions_of,
    fees_of,
    issuer_for,
    letterhead,
    papers_of,
    rate_known,
    rate_of,
)

NOTE, PICK, HANDOVER, RETURN = "note_printed", "pick_printed", "handover_printed", "return_printed"


Gifts = Mapping[int, Sequence[Gift]]  # order → the wishes of each recipient


@dataclass(frozen=True, slots=True)
class Printable:
    """Notes in the order of the shipments; `problems` says why a shipment has none."""

    notes: list[DeliveryNote] = field(default_factory=list)
    shipments: list[int] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    invoices: list[tuple[DeliveryNote, int, int]] = field(default_factory=list)  # those to be kept: (note, shop, order)


@dataclass(frozen=True, slots=True)
class Price:
    """What a whole order line costs."""

    amount: int
    quantity: int
    rate: TaxRate

    def of(self, pieces: int) -> int:
        """The price of the first so many pieces; all of them cost the amount exactly."""
        return self.amount * pieces // self.quantity if self.quantity else 0


@dataclass(frozen=True, slots=True)
class Share:
    """What of one order's money belongs to one shipment."""

    amounts: dict[int, int]  # order line → amount of the pieces in this parcel
    fees: tuple[Fee, ...]
    deductions: tuple[Deduction, ...]

    @property
    def total(self) -> int:
        fees, off = sum(fee.amount for fee in self.fees), sum(part.amount for part in self.deductions)
        return sum(self.amounts.values()) + fees - off


def delivery_notes(shipment_ids: Sequence[int], *, sort: str = "due", prices: str = "") -> Printable:
    """納品書 of these shipments, in the order of `picking.SORTS`. A fixed number of queries for any number of them.

    `prices`: "hide" or "show" for all; else a gift to somebody else hides them, and so does one recipient of several
    who is not the buyer.
    """
    shipments = loaded(shipment_ids, sort)
    orders = {line.order_line.order_id: line.order_line.order for s in shipments for line in s.lines.all()}
    papers = papers_of(order.shop_id for order in orders.values())
    shares, unpayable = shares_of(orders, papers)
    cash = cod.collected(orders, shares)
    gifts, monthly = gifts_of(orders.values()), set(orders_billed_monthly(orders.values()))
    today, result = clock.today(), Printable()
    for shipment in shipments:
        own = list(dict.fromkeys(line.order_line.order_id for line in shipment.lines.all()))
        if blocked := next((orders[pk].channel_order_no for pk in own if pk in unpayable), ""):
            result.problems[shipment.number] = _("受注 %(no)s の値引が商品代金を超えています。") % {"no": blocked}
        elif own:
            parts = [shares[pk, shipment.pk] for pk in own]
            with override(settings.LANGUAGE_CODE):  # paper is for the customer, not for whoever prints it
                note = _note(shipment, [orders[pk] for pk in own], parts, papers, gifts, today=today, prices=prices)
                if monthly & set(own):  # the month's bill is the invoice
                    note = replace(note, is_invoice=False, shop=replace(note.shop, registration_number=""))
                note = _with_cash(note, sum(cash.get((pk, shipment.pk), 0) for pk in own))
            result.notes.append(note)
            result.shipments.append(shipment.pk)
            if note.is_invoice:
                result.invoices.append((note, orders[own[0]].shop_id, own[0]))
    return result


def orders_billed_monthly(orders: Iterable[Order]) -> list[int]:
    """Those whose invoice is the bill of the month, not the delivery note."""
    return [pk for pk, paper in billed_monthly(orders).items() if paper == BillingAccount.Qualified.BILL]


def pick_lists(
    shipment_ids: Sequence[int], *, by: str, sort: str = "due", mode: str = "both", cart_size: int = 8
) -> list[PickList]:
    """One list per location (and round of a cart), its parcels in the order of the delivery notes. A fixed number of
    queries. `sort` and `mode` as in `picking`."""
    by_place: dict[int, list[Shipment]] = defaultdict(list)
    shipments = loaded(shipment_ids, sort)
    for shipment in shipments:
        by_place[shipment.location_id].append(shipment)
    gifts = gifts_of(line.order_line.order for shipment in shipments for line in shipment.lines.all())
    known = ShipmentEvent.objects.filter(shipment__in=shipment_ids, kind=PICK)
    reprinted = set(known.values_list("shipment", flat=True))
    with override(settings.LANGUAGE_CODE):
        lists = [_pick_list(own, gifts, by, reprinted) for own in by_place.values()]
    return [part for one in lists for part in picking.picked(one, mode, cart_size)]


def handover_lists(shipment_ids: Sequence[int], *, by: str) -> list[HandoverList]:
    """集荷リスト: one per location, carrier and chosen temperature, in the order of numbers. Two queries."""
    rows = Shipment.objects.filter(pk__in=shipment_ids).exclude(state__in=ENDED)
    groups: dict[tuple[int, str, str], list[Shipment]] = defaultdict(list)
    for shipment in rows.select_related("location", "recipient").order_by("location__priority", "location_id", "pk"):
        groups[shipment.location_id, shipment.carrier, shipment.temperature].append(shipment)
    with override(settings.LANGUAGE_CODE):
        return [
            HandoverList(
                carrier=shipments[0].way,
                location=shipments[0].location.name,
                made_at=clock.now(),
                by=by,
                parcels=tuple(_handed_over(shipment) for shipment in shipments),
            )
            for shipments in groups.values()
        ]


def _handed_over(shipment: Shipment) -> HandoverParcel:
    return HandoverParcel(
        number=shipment.number,
        tracking_number=shipment.tracking_no,
        recipient=shipment.recipient.name,
        prefecture=shipment.recipient.prefecture,
        packages=shipment.package_count,
    )


def return_slips(shipment_ids: Sequence[int], *, sort: str = "due") -> list[ReturnSlip]:
    """返品票 of these shipments, in the order of the delivery notes. A fixed number of queries."""
    shipments = loaded(shipment_ids, sort)
    papers = papers_of(line.order_line.order.shop_id for s in shipments for line in s.lines.all())
    return [_return_slip(shipment, papers) for shipment in shipments if shipment.lines.all()]


def _return_slip(shipment: Shipment, papers: dict[int, PaperSettings]) -> ReturnSlip:
    orders = list({line.order_line.order_id: line.order_line.order for line in shipment.lines.all()}.values())
    shop, day = orders[0].shop, clock.in_tokyo(shipment.shipped_at or clock.now()).date()
    return ReturnSlip(
        shop=letterhead(shop, papers[shop.pk], day=day),
        number=shipment.number,
        order_numbers=tuple(order.channel_order_no for order in orders),
        shipped_on=day,
        recipient=shipment.recipient.name,
        lines=tuple(_lines(shipment, defaultdict(int))),
        barcode=shipment.number,
        paper=papers[shop.pk].return_paper,
    )


def without_stopped(shipment_ids: Sequence[int]) -> tuple[list[int], list[str]]:
    """Parcels whose papers may be printed, in their order, and the numbers of those that stopped or are asked to: their
    papers would send them on their way all the same. One query."""
    rows = Shipment.objects.filter(pk__in=shipment_ids, state__in=[*ENDED, Shipment.State.STOP_REQUESTED])
    stopped = {shipment.pk: shipment.number for shipment in rows.only("pk").order_by("pk")}
    return [pk for pk in shipment_ids if pk not in stopped], list(stopped.values())


def loaded(shipment_ids: Sequence[int], sort: str = "due") -> list[Shipment]:
    """In printing order: by place, then as pickers walk and packers pack (`picking.SORTS`)."""
    rows = Shipment.objects.filter(pk__in=shipment_ids).exclude(state__in=ENDED)
    rows = rows.select_related("location", "recipient", "batch").prefetch_related(
        Prefetch("lines", lines_with_orders())
    )
    found = {shipment.pk: shipment for shipment in rows}
    return [found[parcel.pk] for parcel in picking.in_order([_parcel(one) for one in found.values()], sort)]


def _parcel(shipment: Shipment) -> picking.Parcel:
    lines = list(shipment.lines.all())
    deadlines = [line.order_line.order.ship_by for line in lines if line.order_line.order.ship_by]
    return picking.Parcel(
        pk=shipment.pk,
        place=(shipment.location.priority, shipment.location_id),
        ship_by=min(deadlines) if deadlines else None,
        carrier=shipment.carrier,
        is_gift=any(is_gift(line.order_line.order) for line in lines),
        goods=[(line.sku.shelf, line.sku.code, line.quantity) for line in lines],
    )


def lines_with_orders() -> QuerySet[ShipmentLine]:
    """Lines for many shipments. An order has ninety columns and stands behind several lines, so it is fetched once."""
    orders = Order.objects.select_related("shop").defer("search", "channel_parts", "channel_extra")
    skus = Sku.objects.defer("search_text")
    return (
        ShipmentLine.objects.select_related("order_line__set_line")
        .prefetch_related(
            Prefetch("sku", skus),
            Prefetch("order_line__sku", skus),
            Prefetch("order_line__order", orders),
            "order_line__order__texts",
            "order_line__order__choices",
            "order_line__components",
        )
        .order_by("pk")
    )


# ---- the money of an order, shared over its parcels


def shares_of(
    orders: dict[int, Order], papers: dict[int, PaperSettings]
) -> tuple[dict[tuple[int, int], Share], set[int]]:
    """(order, shipment) → its share, and the orders whose discounts exceed what they are taken off.

    Fees stand on the first parcel's note; discounts and points on the first that can bear them.
    """
    placed: dict[int, dict[int, list[tuple[int, int]]]] = {}
    rows = ShipmentLine.objects.filter(order_line__order__in=orders).exclude(shipment__state__in=ENDED)
    distinct = rows.order_by("shipment__reference", "shipment", "order_line", "pk").values_list(
        "order_line__order", "shipment", "order_line", "line_quantity"
    )
    for order_id, shipment_id, line_id, quantity in dict.fromkeys(distinct):
        placed.setdefault(order_id, {}).setdefault(shipment_id, []).append((line_id, quantity))
    prices: dict[int, dict[int, Price]] = defaultdict(dict)
    for order_id, pk, amount, quantity, rate, usual in OrderLine.objects.filter(order__in=orders).values_list(
        "order", "pk", "amount", "quantity", "tax_rate", "sku__tax_rate"
    ):
        prices[order_id][pk] = Price(amount, quantity, rate_known(rate, usual))
    shares: dict[tuple[int, int], Share] = {}
    unpayable = set()
    for order_id, parcels in placed.items():
        order = orders[order_id]
        own, left = _order_shares(order, papers[order.shop_id], parcels, prices[order_id])
        shares |= {(order_id, shipment_id): share for shipment_id, share in own.items()}
        if left:
            unpayable.add(order_id)
    return shares, unpayable


def _order_shares(
    order: Order, papers: PaperSettings, parcels: dict[int, list[tuple[int, int]]], prices: dict[int, Price]
) -> tuple[dict[int, Share], int]:
    """The shares of one order's parcels, and how much of its discounts no parcel could bear.

    `parcels`: shipment → (line, pieces); `prices`: line → what the whole order has of it.
    """
    taken: dict[int, int] = defaultdict(int)
    fees = fees_of(order, [(price.rate, price.amount) for price in prices.values()])
    deductions = deductions_of(order, papers)
    cuts = {part: part.amount for part in deductions if part.lowers_price}
    paid = {part: part.amount for part in deductions if not part.lowers_price}
    shares = {}
    for place, (shipment_id, pieces) in enumerate(parcels.items()):
        amounts = {}
        for line_id, quantity in pieces:
            price = prices[line_id]
            before, taken[line_id] = taken[line_id], taken[line_id] + quantity
            amounts[line_id] = price.of(taken[line_id]) - price.of(before)
        own_fees = fees if place == 0 else ()
        room = sum(amounts.values()) + sum(fee.amount for fee in own_fees)
        own_cuts, room = _borne(cuts, room)
        own_paid, room = _borne(paid, room)
        shares[shipment_id] = Share(amounts, own_fees, (*own_cuts, *own_paid))
    whole = all(taken[line_id] >= price.quantity for line_id, price in prices.items())
    return shares, sum(cuts.values()) if whole else 0


def _borne(wanted: dict[Deduction, int], room: int) -> tuple[list[Deduction], int]:
    """As much of each as there is room for; takes it off `wanted`. Returns it, and the room that is left."""
    borne = []
    for part in list(wanted):
        amount = min(wanted[part], room)
        if amount > 0:
            borne.append(replace(part, amount=amount))
            wanted[part] -= amount
            room -= amount
    return borne, room


# ---- delivery note


def _note(
    shipment: Shipment,
    orders: Sequence[Order],
    shares: Sequence[Share],
    papers: dict[int, PaperSettings],
    gifts: Gifts,
    *,
    today: date,
    prices: str,
) -> DeliveryNote:
    """The first order speaks for all of a shipment: they are of one shop. It is an invoice where we issue for all."""
    order, recipient, own = orders[0], shipment.recipient, papers[orders[0].shop_id]
    amounts = {line: amount for share in shares for line, amount in share.amounts.items()}
    same = is_same_person(order, recipient)
    wished = [gift_for(shipment, one, gifts) for one in orders]
    shipped_on = clock.in_tokyo(shipment.shipped_at).date() if shipment.shipped_at else today
    issuers = {issuer_for(one.shop, own, one.payment_method) for one in orders}
    shop = letterhead(order.shop, own, day=shipped_on, issuer=WE if issuers == {WE} else MALL)
    chosen = note_choice(orders)
    prices = prices if prices in {"hide", "show"} else chosen.get("prices", "")
    given = any(wished) or any(len(gifts[one.pk]) > 1 for one in orders)  # one of several recipients has not paid it
    hidden = prices == "hide" or (prices != "show" and not same and given)
    message = chosen.get("text") or order.shop.delivery_note_message
    return DeliveryNote(
        shop=shop,
        number=shipment.number,
        issued_on=today,
        ordered_on=clock.in_tokyo(order.ordered_at).date(),
        shipped_on=shipped_on,
        order_numbers=tuple(o.channel_order_no for o in orders),
        buyer=buyer_of(order),
        recipient=None if same else _recipient(recipient),
        payment_method="、".join(dict.fromkeys(str(PaymentMethod(o.payment_method).label) for o in orders)),
        delivery=shipment.way,
        tracking_number=shipment.tracking_no,
        delivery_wish=_wish(order),
        lines=tuple(_lines(shipment, amounts)),
        fees=tuple(fee for share in shares for fee in share.fees),
        deductions=tuple(part for share in shares for part in share.deductions),
        message="\n".join(part for part in (message, *texts_for(orders, "delivery_note")) if part),
        hide_prices=hidden,
        sender_name=wished[0].sender or order.buyer_name,
        show_components=own.note_components,
        paper=chosen.get("paper") or own.note_paper,
        gift="　／　".join(dict.fromkeys(mark for gift in wished for mark in gift_marks(gift))),
        is_reprint=shipment.printed_at is not None,
        is_invoice=bool(shop.registration_number) and not hidden,
        barcode=shipment.number,
    )


def _with_cash(note: DeliveryNote, amount: int) -> DeliveryNote:
    """What the driver takes at the door stands beside the payment method."""
    if not amount or note.hide_prices:
        return note
    words = _("%(method)s（お届け時のお支払い %(yen)s）") % {"method": note.payment_method, "yen": yen(amount)}
    return replace(note, payment_method=words)


def cash_of(shipment_ids: Sequence[int]) -> dict[tuple[int, int], int]:
    """(order, shipment) → yen that the driver takes for the order with this parcel. One query where no order is paid
    at the door, else a fixed number."""
    carried = ShipmentLine.objects.filter(shipment__in=shipment_ids).values("order_line__order")
    rows = Order.objects.select_related("shop").defer("search", "channel_parts", "channel_extra")
    orders = {
        order.pk: order
        for order in rows.filter(pk__in=carried, payment_method=PaymentMethod.COD, cancelled_at=None).order_by("pk")
    }
    if not orders:
        return {}
    wanted = set(shipment_ids)
    found = cod.collected(orders, shares_of(orders, papers_of(order.shop_id for order in orders.values()))[0])
    return {pair: amount for pair, amount in found.items() if pair[1] in wanted}


def is_gift(order: Order) -> bool:
    return bool(order.gift or order.noshi or order.message_card)


def is_same_person(order: Order, recipient: Recipient) -> bool:
    """The parcel goes to the buyer, as far as name and address tell."""
    buyer = (order.buyer_name, order.buyer_postal_code, order.buyer_city, order.buyer_address)
    return buyer == (recipient.name, recipient.postal_code, recipient.city, recipient.address)


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
        kept = {part.sku_id: part for part in line.components.all()}
        printed = Line(
            code=line.sku.code if line.sku else line.channel_sku,
            name=line.name,
            options=line.options,
            quantity=own[0].line_quantity,
            unit_price=line.unit_price,
            amount=amounts[line_id],
            rate=rate_of(line),
        )
        yield from by_rate(line, printed, _components(line, own, kept))


def _components(
    line: OrderLine, rows: Sequence[ShipmentLine], kept: Mapping[int, LineComponent]
) -> dict[int, Component]:
    """A set's components in this parcel, by the names they were sold under, in the set's order."""
    if not kept and not (line.sku and line.sku.is_bundle):
        return {}
    ordered = sorted(rows, key=lambda row: kept[row.sku_id].position if row.sku_id in kept else row.pk)
    return {row.sku_id: _component(row, kept.get(row.sku_id)) for row in ordered}


def _component(row: ShipmentLine, part: LineComponent | None) -> Component:
    if part is None:
        return Component(code=row.sku.code, name=row.sku.name, quantity=row.quantity)
    return Component(code=row.sku.code, name=part.name, quantity=row.quantity, set_name=part.set_name)


# ---- pick list


def _pick_list(shipments: Sequence[Shipment], gifts: Gifts, by: str, reprinted: set[int]) -> PickList:
    batches = {str(shipment.batch) for shipment in shipments if shipment.batch}
    return PickList(
        batch=batches.pop() if len(batches) == 1 else _("選択した%(n)s件") % {"n": len(shipments)},
        made_at=clock.now(),
        location=shipments[0].location.name,
        by=by,
        orders=tuple(_pick_order(shipment, gifts) for shipment in shipments),
        is_reprint=all(shipment.pk in reprinted for shipment in shipments),
    )


def _pick_order(shipment: Shipment, gifts: Gifts) -> PickOrder:
    orders = list({line.order_line.order_id: line.order_line.order for line in shipment.lines.all()}.values())
    deadlines = [order.ship_by for order in orders if order.ship_by]
    return PickOrder(
        order_number=shipment.number,
        references=tuple(order.channel_order_no for order in orders),
        recipient=shipment.recipient.name,
        method=shipment.way,
        ship_by=clock.in_tokyo(min(deadlines)).date() if deadlines else None,
        gifts=tuple(mark for order in orders for mark in gift_marks(gift_for(shipment, order, gifts))),
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


def note_choice(orders: Iterable[Order]) -> dict[str, str]:
    """What was chosen for the delivery note of these orders; of each part the first word stands."""
    rows = [one for order in orders for one in order.choices.all() if one.subject.startswith("delivery_note")]
    rows.sort(key=lambda one: one.pk, reverse=True)
    return {name: text for one in rows for name, text in one.values.items() if text}


def gift_for(shipment: Shipment, order: Order, gifts: Gifts) -> Gift:
    """What this order wishes for the recipient of its goods in this parcel."""
    lines = (row.order_line for row in shipment.lines.all() if row.order_line.order_id == order.pk)
    return gift_at(gifts, order.pk, next(line.recipient_position for line in lines))


def gift_marks(gift: Gift) -> list[str]:
    """What a packer must do beside packing."""
    marks = [_("のし %(text)s") % {"text": in_one_line(gift.noshi)}] if gift.noshi else []
    marks += [_("ラッピング %(text)s") % {"text": gift.wrapping}] if gift.wrapping else []
    return marks + ([_("メッセージカード")] if gift.card else [])


def _pick_item(line: ShipmentLine) -> PickItem:
    return PickItem(
        shelf=line.sku.shelf,
        code=line.sku.code,
        name=line.sku.name,
        jan=line.sku.jan,
        options=beyond_name(line.sku.name, [line.sku.variant, *OPTIONS.split(line.order_line.options)]),
        quantity=line.quantity,
        set_name=set_of(line.order_line),
    )


def set_of(line: OrderLine) -> str:
    """The set that a picked product belongs to; empty for plain goods. A component of a set that was taken apart
    still says so."""
    if line.set_line:
        return line.set_line.name
    return line.sku.name if line.sku and line.sku.is_bundle else ""
