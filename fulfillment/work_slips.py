"""Shipments as work slips (作業指示書): those whose goods are wrapped, get a noshi or a card, or are engraved."""

from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings
from django.utils.translation import override

from fulfillment.documents import Gifts, gift_for, loaded, texts_for
from fulfillment.models import Shipment, ShipmentEvent
from oms.kernel import clock
from orders.documents.values import Work, WorkLine, WorkSlip
from orders.models import Order
from orders.models.order import Carrier
from orders.queries.gifts import gifts_of
from orders.queries.papers import papers_of

WORK = "work_printed"


def work_slips(shipment_ids: Sequence[int], *, by: str, sort: str = "due") -> list[tuple[int, WorkSlip]]:
    """(shipment, its slip) in the order of the delivery notes; a parcel that is only packed has none. A fixed number
    of queries."""
    known = ShipmentEvent.objects.filter(shipment__in=shipment_ids, kind=WORK)
    reprinted = set(known.values_list("shipment", flat=True))
    with override(settings.LANGUAGE_CODE):
        shipments = loaded(shipment_ids, sort)
        orders = [order for shipment in shipments for order in _orders(shipment)]
        gifts, papers = gifts_of(orders), papers_of(order.shop_id for order in orders)
        slips = [(shipment, _works(shipment, gifts)) for shipment in shipments]
        return [
            (
                shipment.pk,
                replace(
                    _slip(shipment, works, gifts, by=by, is_reprint=shipment.pk in reprinted),
                    paper=papers[_orders(shipment)[0].shop_id].work_paper,
                ),
            )
            for shipment, works in slips
            if works
        ]


def _orders(shipment: Shipment) -> list[Order]:
    return list({line.order_line.order_id: line.order_line.order for line in shipment.lines.all()}.values())


def _works(shipment: Shipment, gifts: Gifts) -> tuple[Work, ...]:
    found = (_work(shipment, order, gifts) for order in _orders(shipment))
    return tuple(
        work for work in found if work.wrapping or work.noshi or work.card or any(line.wish for line in work.lines)
    )


def _work(shipment: Shipment, order: Order, gifts: Gifts) -> Work:
    gift = gift_for(shipment, order, gifts)
    return Work(
        order_number=order.channel_order_no,
        wrapping=gift.wrapping,
        noshi=gift.noshi,
        card=gift.card,
        lines=_lines(shipment, order),
    )


def _lines(shipment: Shipment, order: Order) -> tuple[WorkLine, ...]:
    rows = {row.order_line_id: row for row in shipment.lines.all() if row.order_line.order_id == order.pk}
    return tuple(
        WorkLine(
            code=row.order_line.sku.code if row.order_line.sku else row.order_line.channel_sku,
            name=row.order_line.name,
            options=row.order_line.options,
            wish=row.order_line.gift,
            quantity=row.line_quantity,
        )
        for row in rows.values()
    )


def _slip(shipment: Shipment, works: tuple[Work, ...], gifts: Gifts, *, by: str, is_reprint: bool) -> WorkSlip:
    orders, recipient = _orders(shipment), shipment.recipient
    deadlines = [order.ship_by for order in orders if order.ship_by]
    notes = [*(order.packing_note for order in orders if order.packing_note), *texts_for(orders, "pick_list")]
    return WorkSlip(
        number=shipment.number,
        location=shipment.location.name,
        batch=str(shipment.batch) if shipment.batch else "",
        made_at=clock.now(),
        by=by,
        ship_by=clock.in_tokyo(min(deadlines)).date() if deadlines else None,
        method=str(Carrier(shipment.carrier).label),
        recipient=recipient.name,
        sender=gift_for(shipment, orders[0], gifts).sender or orders[0].buyer_name,
        works=works,
        remarks="\n".join(dict.fromkeys(notes)),
        is_reprint=is_reprint,
        barcode=shipment.number,
    )
