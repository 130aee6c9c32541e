"""What the label of a return says: where the goods go, from whom, at whose cost."""

from inventory.models import Location
from inventory.queries.places import own as own_places
from oms.kernel import clock
from orders.decide.slots import slot_label
from orders.documents import look
from orders.documents.values import Letterhead, Line, Party, ReturnLabel
from orders.models import Recipient, ReturnCase, ReturnLine
from orders.queries.papers import letterhead, papers_of, rate_of

PAID_AT_THE_DOOR, PAID_BEFORE = "着払い", "元払い"


def places() -> list[Location]:
    """Where goods may come back to: own warehouses and stores with an address, the usual one first."""
    rows = own_places().filter(active=True, kind__in=[Location.Kind.WAREHOUSE, Location.Kind.STORE])
    return list(rows.exclude(address="").order_by("-kind", "priority", "pk")[:50])


def label_of(case: ReturnCase, place: Location | None) -> ReturnLabel:
    """Without a place the goods go to the address of the shop's papers."""
    order, shop, today = case.order, case.order.shop, clock.today()
    head = letterhead(shop, papers_of([shop.pk])[shop.pk], day=today)
    lines = case.lines.select_related("line__sku", "component__sku").order_by("line__position", "component__position")
    return ReturnLabel(
        shop=head,
        number=case.number,
        order_number=order.channel_order_no,
        issued_on=today,
        to=_place(place, head.name) if place else _office(head),
        sender=_sender(case),
        freight=PAID_AT_THE_DOOR if case.shop_pays_freight else PAID_BEFORE,
        lines=tuple(
            Line(
                code=_code(own),
                name=own.name,
                quantity=own.quantity,
                unit_price=0,
                amount=0,
                rate=rate_of(own.line),
            )
            for own in lines
        ),
        notes=_notes(case),
    )


def _code(own: ReturnLine) -> str:
    sku = own.component.sku if own.component else own.line.sku
    return sku.code if sku else own.line.channel_sku


def _office(head: Letterhead) -> Party:
    return Party(name=head.name, honorific="御中", address=head.address, phone=head.phone)


def _place(place: Location, shop: str) -> Party:
    return Party(
        name=f"{shop} 返品係",
        company=place.name,
        honorific="御中",
        postal_code=place.postal_code.replace("-", ""),
        address=f"{place.prefecture}{place.address}",
        phone=place.phone,
    )


def _sender(case: ReturnCase) -> Party:
    """Whoever got the goods."""
    row = Recipient.objects.filter(order=case.order_id).order_by("position").first()
    if row is None:
        return Party(name=case.order.buyer_name)
    return Party(
        name=row.name,
        company=row.company,
        honorific="",
        postal_code=row.postal_code.replace("-", ""),
        address=f"{row.prefecture}{row.city}{row.address}",
        phone=row.phone,
    )


def _notes(case: ReturnCase) -> tuple[str, ...]:
    if not case.pickup_on:
        return ()
    when = f"{look.day(case.pickup_on)} {slot_label(case.pickup_slot)}".strip()
    return (f"3. {when}に配送会社が集荷に伺います。",)
