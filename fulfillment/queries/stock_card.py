"""The stock card of the review inbox: what one order lacks, and what can be done about it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, Q

from inventory.models import Balance, Location, Sku
from inventory.models.product import Coming
from inventory.services import stock
from oms.kernel import clock
from orders.decide.slots import slot_label
from orders.models import Mail, Order, OrderLine
from orders.models.mail import MailEvent

ELSEWHERE = (Location.Kind.WAREHOUSE, Location.Kind.STORE)


@dataclass(frozen=True, slots=True)
class Place:
    """`online`: its goods are promised in the shops already, so that they need not be asked for."""

    name: str
    units: int
    online: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """One SKU of a line (a set's component too): `lacking` units; `coming` are on their way, `arrives` is known."""

    line: str
    sku_id: int
    code: str
    name: str
    lacking: int
    places: Sequence[Place] = ()
    coming: int = 0
    arrives: Coming | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What the customer was told, or counts on."""

    ship_by: datetime | None
    deliver_by: datetime | None
    wish: date | None
    slot: str
    planned: date | None
    told_late_at: datetime | None  # when a mail about a delay went out


def missing(order: Order) -> list[Missing]:
    """The SKUs of lines that have no place for all their pieces. Four queries."""
    rows = list(
        OrderLine.objects.filter(order=order, quantity__gt=F("allocated_quantity"), sku__isnull=False)
        .order_by("position", "pk")
        .values_list("name", "sku", "units", "quantity", "allocated_quantity")
    )
    needs = stock.components({sku for _name, sku, *_rest in rows})
    wanted = [
        (name, part, each * units * (quantity - allocated))
        for name, sku, units, quantity, allocated in rows
        for part, each in needs.get(sku, {}).items()
    ]
    parts = {part for _name, part, _units in wanted}
    skus = Sku.objects.defer("search_text").in_bulk(parts)
    places, coming = _held(parts)
    today = clock.today()
    return [
        Missing(
            name,
            part,
            skus[part].code,
            str(skus[part].name),
            units,
            places.get(part, ()),
            coming.get(part, 0),
            skus[part].coming(today),
        )
        for name, part, units in wanted
    ]


def _held(parts: set[int]) -> tuple[Mapping[int, Sequence[Place]], Mapping[int, int]]:
    """Where these SKUs lie free, the places of first choice first; how many are on their way."""
    free: dict[int, list[Place]] = defaultdict(list)
    coming: dict[int, int] = defaultdict(int)
    there = Q(location__kind=Location.Kind.IN_TRANSIT) | Q(location__kind__in=ELSEWHERE, on_hand__gt=F("reserved"))
    rows = Balance.objects.filter(there, sku__in=parts, on_hand__gt=0, location__active=True)
    for row in rows.select_related("location").order_by("location__priority", "location"):
        place = row.location
        if place is None:  # the pool, which the condition leaves out
            continue
        if place.kind == Location.Kind.IN_TRANSIT:
            coming[row.sku_id] += row.on_hand
        else:
            free[row.sku_id].append(Place(place.name, row.on_hand - row.reserved, place.sells_online))
    return free, coming


def promise(order: Order) -> Promise:
    told = Mail.objects.filter(order=order, event=MailEvent.DELAY_NOTICE, state=Mail.State.SENT).order_by("-sent_at")
    return Promise(
        order.ship_by,
        order.deliver_by,
        order.wish_date,
        slot_label(order.wish_slot),
        order.planned_ship_date,
        told.values_list("sent_at", flat=True).first(),
    )
