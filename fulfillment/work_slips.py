"""Shipments as work slips (作業指示書): those whose goods are wrapped, get a noshi or a card, or are engraved."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import override

from fulfillment.documents import loaded, texts_for
from fulfillment.models import Shipment, ShipmentEvent
from oms.kernel import clock
from orders.documents.noshi import read_noshi
from orders.documents.values import Work, WorkLine, WorkSlip
from orders.models import Order
from orders.models.order import Carrier

WORK = "work_printed"


def work_slips(shipment_ids: Sequence[int], *, by: str, sort: str = "due") -> list[tuple[int, WorkSlip]]:
    """(shipment, its slip) in the order of the delivery notes; a parcel that is only packed has none. A fixed number
    of queries."""
    known = ShipmentEvent.objects.filter(shipment__in=shipment_ids, kind=WORK)
    reprinted = set(known.values_list("shipment", flat=True))
    with override(settings.LANGUAGE_CODE):
        slips = [(shipment, _works(shipment)) for shipment in loaded(shipment_ids, sort)]
        return [
            (shipment.pk, _slip(shipment, works, by=by, is_reprint=shipment.pk in reprinted))
            for shipment, works in slips
            if works
        ]


def _orders(shipment: Shipment) -> list[Order]:
    return list({line.order_line.order_id: line.order_line.order for line in shipment.lines.all()}.values())


def _works(shipment: Shipment) -> tuple[Work, ...]:
    found = (_work(shipment, order) for order in _orders(shipment))
    return tuple(
        work for work in found if work.wrapping or work.noshi or work.card or any(line.wish for line in work.lines)
    )


def _work(shipment: Shipment, order: Order) -> Work:
    """A recipient's own wishes go before the order's, which sum up those of all recipients."""
    recipient = shipment.recipient
    own = recipient if recipient.order_id == order.pk else None
    noshi = (own.noshi if own else "") or order.noshi
    return Work(
        order_number=order.channel_order_no,
        wrapping=(own.gift if own else "") or order.gift,
        noshi=read_noshi(noshi) if noshi else None,
        card=(own.message_card if own else "") or order.message_card,
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


def _slip(shipment: Shipment, works: tuple[Work, ...], *, by: str, is_reprint: bool) -> WorkSlip:
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
        sender=recipient.sender or orders[0].buyer_name,
        works=works,
        remarks="\n".join(dict.fromkeys(notes)),
        is_reprint=is_reprint,
        barcode=shipment.number,
    )
