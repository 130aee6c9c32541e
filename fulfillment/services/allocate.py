"""Choosing the location: orders past review and payment get their places, as planned shipments."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from fulfillment.models import MergedOrder, Shipment, ShipmentLine
from fulfillment.services import facts, kept_together, preorders, sets_apart, short_pick, shortage
from fulfillment.services.plan import Line, Picture, Placed, place_order
from inventory.models import AllocatorMark, Location
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.halves import in_halves
from orders.models import Order, OrderLine, Recipient, ReviewReason
from orders.models.order import Stage
from orders.services import set_parts, ship_plans, waiting
from orders.services.facts import write_allocated
from orders.services.journal import SYSTEM
from orders.services.reservation import line_ids_of, rank_of, ref_of
from orders.services.rules import wakes

BATCH = 300
MARKS = 5000
UNDER_WAY = [Stage.IN_FULFILLMENT, Stage.PARTIALLY_SHIPPED]


def allocate_waiting() -> int:
    """Serve lines that wait for a promise where stock moved, then place every order that waits for a location.

    Returns how many orders were placed fully or in part. Meant for one worker at a time; several do no harm.
    """
    _promise_where_stock_moved()
    preorders.part()
    placed = 0
    waiting_ids = list(waiting_orders().order_by("-priority", "ship_by", "ordered_at").values_list("pk", flat=True))
    for start in range(0, len(waiting_ids), BATCH):
        placed += _place(waiting_ids[start : start + BATCH])
    return placed


def place_again(line_ids: Sequence[int]) -> list[int]:
    """Look at once for other places for lines that lost theirs to a short pick; returns the orders that found none,
    which say so. Each step is a transaction of its own."""
    _place(sorted(set(OrderLine.objects.filter(pk__in=line_ids).values_list("order", flat=True))))
    return short_pick.ask_about(line_ids)


def _place(order_ids: Sequence[int]) -> int:
    """An order that cannot be placed for a fault of ours keeps no other."""
    return sum(in_halves(_place_some, order_ids, "order_not_placed"))


def _place_some(order_ids: Sequence[int]) -> int:
    placed = len(allocate_orders(order_ids))
    if apart := sets_apart.take_apart_what_fits_nowhere(order_ids):
        placed += len(allocate_orders(apart))
    return placed


def waiting_orders() -> QuerySet[Order]:
    """Orders with lines to place: those whose gate this is, those that lost goods after the instruction, and those that
    nothing else stops than a short pick."""
    lost = OrderLine.objects.filter(order=OuterRef("pk"), allocated_quantity__lt=F("quantity"), reserved=True)
    under_way = Q(stage__in=UNDER_WAY, fulfilled_by_channel=False) & Exists(lost)
    rest = Q(stage__in=[Stage.READY, Stage.SCHEDULED]) & Exists(lost.filter(apart=True))
    asked = ReviewReason.objects.filter(
        order=OuterRef("pk"), code=short_pick.REASON, state=ReviewReason.State.OPEN, level="block"
    )
    short = Q(stage=Stage.REVIEW, blocking_reasons=1) & Exists(lost) & Exists(asked)
    return Order.objects.filter(Q(stage=Stage.AWAITING_STOCK) | under_way | rest | short)


def _promise_where_stock_moved() -> None:
    """Consume the allocator's marks: their SKUs, and bundles sold with them, may now serve lines that wait."""
    with transaction.atomic():
        marks = (
            AllocatorMark.objects.select_for_update(skip_locked=True).order_by("pk").values_list("pk", "sku_id")[:MARKS]
        )
        taken = list(marks)
        if not taken:
            return
        AllocatorMark.objects.filter(pk__in=[pk for pk, _sku in taken]).delete()
        skus = {sku for _pk, sku in taken}
        waiting.promise_waiting(sorted(skus | stock.once_bundles_of(skus)))


@transaction.atomic
def allocate_orders(order_ids: Sequence[int]) -> list[int]:
    """Give each waiting line a place with stock, in order of rank. Returns the orders that got at least one place.

    Takes the orders' locks (orders that someone works on are left for the next round), then the stock locks, once.
    Lines that do not fit keep waiting; that is an answer, not an error.
    """
    orders = {
        order.pk: order
        for order in waiting_orders()
        .select_for_update(no_key=True, skip_locked=True)
        .filter(pk__in=order_ids)
        .order_by("pk")
    }
    lines = _lines_waiting(list(orders))
    picture = _picture(lines)
    plan = [
        placed
        for order_id in sorted(lines, key=lambda id_: _rank(orders[id_]))
        for placed in place_order(lines[order_id], picture, first=orders[order_id].preferred_location_id)
    ]
    granted = _allocate_stock(plan, orders)
    done = [placed for placed in plan if placed.line.id in granted]
    _write_shipments(done, orders)
    write_allocated(_by_line(done))
    touched = sorted({placed.line.order_id for placed in done})
    facts.refresh(touched)
    wakes.note(touched, "placed")
    ship_plans.follow_places({placed.line.order_id: placed.location_id for placed in done}, actor=SYSTEM)
    shortage.stock_has_come(touched)
    short_pick.settle(touched)
    return touched


def carry(order_id: int, places: Mapping[int, Mapping[int, int]]) -> None:
    """Put lines of one order whose places the ledger knows already (line → location → pieces) into planned shipments.
    The caller holds the order's lock and refreshes its facts."""
    order = Order.objects.get(pk=order_id)
    rows = list(OrderLine.objects.filter(pk__in=places).order_by("pk"))
    needs = set_parts.needs_of([(line.pk, line.sku_id, line.units) for line in rows if line.sku_id])
    done = [
        Placed(Line(line.pk, order_id, line.recipient_position, pieces, needs[line.pk]), location, pieces)
        for line in rows
        for location, pieces in places[line.pk].items()
    ]
    _write_shipments(done, {order_id: order})


def _rank(order: Order) -> tuple[float, float]:
    return rank_of(order.ship_by, order.ordered_at, order.priority)


def _lines_waiting(order_ids: Sequence[int]) -> dict[int, list[Line]]:
    """Lines due now that hold their promise and have no place yet, by order."""
    rows = OrderLine.objects.filter(
        Q(release_date__isnull=True) | Q(release_date__lte=clock.today()),
        order__in=order_ids,
        reserved=True,
        sku__isnull=False,
        allocated_quantity__lt=F("quantity"),
    ).order_by("order", "position")
    missing = F("quantity") - F("allocated_quantity")  # what left already counts as allocated
    found = list(rows.values_list("pk", "order", "recipient_position", missing, "sku", "units"))
    needs = set_parts.needs_of([(pk, sku, units) for pk, *_rest, sku, units in found])
    bond_of = kept_together.bound(pk for pk, *_rest in found)
    waits = kept_together.incomplete(set(bond_of.values()), bond_of.keys())
    taken = kept_together.places_taken(set(bond_of.values()))
    lines: dict[int, list[Line]] = defaultdict(list)
    for pk, order_id, recipient, quantity, _sku, _units in found:
        bond = bond_of.get(pk, 0)
        if bond not in waits:
            lines[order_id].append(Line(pk, order_id, recipient, quantity, needs[pk], bond, taken.get(bond)))
    return dict(lines)


def _picture(lines: dict[int, list[Line]]) -> Picture:
    skus = {sku for own in lines.values() for line in own for sku in line.needs}
    picture = Picture(
        list(
            Location.objects.filter(active=True, sells_online=True)
            .order_by("priority", "pk")
            .values_list("pk", flat=True)
        )
    )
    for sku, places in stock.free_by_location(skus).items():
        for place in places:
            picture.free.setdefault(place.location_id, {})[sku] = place.free
    return picture


def _allocate_stock(plan: Sequence[Placed], orders: dict[int, Order]) -> set[int]:
    """Ask the door; returns the lines it placed."""
    balance_of = stock.place_ids((sku, placed.location_id) for placed in plan for sku in placed.line.needs)
    parts: dict[int, list[tuple[int, int]]] = defaultdict(list)
    lines = {}
    for placed in plan:
        lines[placed.line.id] = placed.line
        parts[placed.line.id] += [
            (balance_of[sku, placed.location_id], units * placed.quantity) for sku, units in placed.line.needs.items()
        ]
    requests = [
        stock.Request(ref_of(id_), tuple(parts[id_]), _rank(orders[line.order_id])) for id_, line in lines.items()
    ]
    return set(line_ids_of(stock.allocate(requests)))


def _by_line(done: Sequence[Placed]) -> list[tuple[int, int]]:
    """(line, pieces that have or had a place now): a line is placed whole, so all of it."""
    whole = OrderLine.objects.filter(pk__in={placed.line.id for placed in done})
    return list(whole.values_list("pk", "quantity"))


def _write_shipments(done: Sequence[Placed], orders: dict[int, Order]) -> None:
    """One planned shipment per order, recipient and location; lines join one that is planned already."""
    wanted: dict[tuple[int, int, int], list[Placed]] = defaultdict(list)
    for placed in done:
        wanted[placed.line.order_id, placed.line.recipient_position, placed.location_id].append(placed)
    recipients = _recipients({order for order, _position, _location in wanted})
    planned, counts = _existing(list(orders))
    missing = [key for key in wanted if (recipients[key[:2]], key[2]) not in planned]
    now = clock.now()
    fresh = []
    for order_id, position, location_id in missing:
        counts[order_id] += 1
        fresh.append(
            Shipment(
                location_id=location_id,
                recipient_id=recipients[order_id, position],
                carrier=orders[order_id].carrier,
                reference=counts[order_id],
                created_at=now,
            )
        )
    for shipment in Shipment.objects.bulk_create(fresh):
        planned[shipment.recipient_id, shipment.location_id] = shipment.pk
    ShipmentLine.objects.bulk_create(
        ShipmentLine(
            shipment_id=planned[recipients[key[:2]], key[2]],
            order_line_id=placed.line.id,
            sku_id=sku,
            quantity=units * placed.quantity,
            line_quantity=placed.quantity,
        )
        for key, own in wanted.items()
        for placed in own
        for sku, units in placed.line.needs.items()
    )


def _recipients(order_ids: set[int]) -> dict[tuple[int, int], int]:
    """(order, position) → recipient; a line whose position the channel never described goes to the first."""
    known = {
        (order, position): pk
        for pk, order, position in Recipient.objects.filter(order__in=order_ids).values_list("pk", "order", "position")
    }
    first = {order: pk for (order, position), pk in sorted(known.items(), reverse=True)}
    return _Fallback(known, first)


class _Fallback(dict[tuple[int, int], int]):
    def __init__(self, known: dict[tuple[int, int], int], first: dict[int, int]) -> None:
        super().__init__(known)
        self.first = first

    def __missing__(self, key: tuple[int, int]) -> int:
        return self.first[key[0]]


def _existing(order_ids: Sequence[int]) -> tuple[dict[tuple[int, int], int], dict[int, int]]:
    """Planned shipments by (recipient, location), and the highest reference used per order."""
    planned: dict[tuple[int, int], int] = {}
    counts: dict[int, int] = defaultdict(int)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, s.recipient_id, s.location_id, s.state, s.reference, r.order_id FROM fulfillment_shipment s "
            "JOIN orders_recipient r ON r.id = s.recipient_id WHERE r.order_id = ANY(%(ids)s) "
            # and parcels of other orders that carry their goods: their numbers are used too
            "UNION ALL SELECT s.id, s.recipient_id, s.location_id, 'shared', s.reference, l.order_id "
            "FROM orders_orderline l JOIN fulfillment_shipmentline sl ON sl.order_line_id = l.id "
            "JOIN fulfillment_shipment s ON s.id = sl.shipment_id WHERE l.order_id = ANY(%(ids)s) ORDER BY 1 DESC",
            {"ids": list(order_ids)},
        )
        for pk, recipient, location, state, reference, order_id in cursor.fetchall():
            counts[order_id] = max(counts[order_id], reference)
            if state == Shipment.State.PLANNED:
                planned[recipient, location] = pk
    return planned | _shared(order_ids), counts


def _shared(order_ids: Sequence[int]) -> dict[tuple[int, int], int]:
    """The planned parcel that a merged order's goods travel in, by (recipient of its own former one, location): goods
    that are placed anew (a set taken apart, pieces cut off) stay together with the others'."""
    merged = MergedOrder.objects.filter(
        order__in=order_ids, active=True, merge__shipment__state=Shipment.State.PLANNED
    ).exclude(former={})
    rows = merged.values_list("former__recipient_id", "merge__shipment__location", "merge__shipment")
    return {(recipient, location): shipment for recipient, location, shipment in rows}
