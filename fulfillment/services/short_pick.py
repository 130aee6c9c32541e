"""ピッキング欠品: fewer lie at the place than a parcel needs. The books are set right, the lines concerned leave the
parcel whole, and are placed elsewhere at once; where that is impossible, their order waits with a reason."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F, Q, QuerySet

from fulfillment.models import Shipment, ShipmentLine
from fulfillment.services import facts, journal
from fulfillment.services.kept_together import bond_of
from inventory.services import by_hand, stock
from oms.kernel import clock
from oms.kernel.said import said, together
from orders.models import Order, OrderLine, ReviewReason
from orders.services import journal as order_journal
from orders.services import review
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.reservation import rank_of, ref_of
from orders.services.review import Found

REASON = "pick_short"


class CannotReport(Exception):
    """Nothing was written; `cause` says why, for people."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Report:
    """`missing`: SKU → units that the parcel needs and the place does not have. `shelf_empty`: none is left there
    beyond what was found; else the others on the shelf serve, and only broken or lost ones are written off. `key`
    makes a second click the same report."""

    missing: Mapping[int, int]
    shelf_empty: bool
    note: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Short:
    """Lines that left the parcel, and their orders; both empty where the parcel goes on as it is."""

    lines: list[int] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)


@transaction.atomic
def report(shipment_id: int, wanted: Report, *, actor: Actor) -> Short:
    """Book what a picker did not find. The second click changes nothing. Raises CannotReport.

    What was found serves the lines of higher rank; a line that cannot be filled leaves the parcel with all its pieces
    there, a set with all its components. Locks the orders by pk, the shipment, then stock, last. The caller has the
    orders placed anew afterwards (`allocate.place_again`).
    """
    done = Short()

    def write() -> stock.Outcome:
        nonlocal done
        outcome, done = _write(shipment_id, wanted, actor)
        return outcome

    by_hand.once(wanted.key, write)
    return done


def _write(shipment_id: int, wanted: Report, actor: Actor) -> tuple[stock.Outcome, Short]:
    carried = ShipmentLine.objects.filter(shipment=shipment_id).values_list("order_line__order", flat=True)
    orders = Order.objects.select_for_update(no_key=True).filter(pk__in=set(carried)).order_by("pk")
    by_id = {order.pk: order for order in orders}
    shipment = Shipment.objects.select_for_update(no_key=True).get(pk=shipment_id)
    if shipment.state != Shipment.State.INSTRUCTED:
        raise CannotReport(said("出荷指示中の出荷伝票ではありません。画面を開き直してください。"))
    carried_rows = ShipmentLine.objects.filter(shipment=shipment).select_related("order_line__set_line__sku", "sku")
    rows = list(carried_rows.order_by("pk"))
    _check(rows, wanted.missing)
    stays = not wanted.shelf_empty and _shelf_has(shipment.location_id, wanted.missing)
    leaving = [] if stays else unfilled(rows, wanted.missing, by_id)
    short = Short(sorted({row.order_line_id for row in leaving}), sorted({row.order_line.order_id for row in leaving}))
    _leave(shipment, leaving, actor)
    words = together(f"{row.sku.code} × {n}" for row, n in _first_rows(rows, wanted.missing))
    journal.write([(shipment.pk, "short_pick", together([words, wanted.note], " "))], by=actor.by)
    concerned = short.orders or sorted(by_id)
    order_journal.write([Entry(order_id, "short_pick", words) for order_id in concerned], actor=actor)
    parts = [stock.Part(ref_of(r.order_line_id), r.sku_id, shipment.location_id, r.quantity) for r in leaving]
    booked = stock.ShortPick(
        shipment.location_id, wanted.missing, parts, wanted.shelf_empty, ref=f"shipment:{shipment.pk}"
    )
    outcome = stock.short_pick(booked, by_id=actor.by.pk if actor.by else None, note=wanted.note)
    facts.refresh(short.orders, actor=actor)
    return outcome, short


def _check(rows: Sequence[ShipmentLine], missing: Mapping[int, int]) -> None:
    needed: dict[int, int] = defaultdict(int)
    for row in rows:
        needed[row.sku_id] += row.quantity
    if not missing or any(units <= 0 for units in missing.values()):
        raise CannotReport(said("足りない数を入れてください。"))
    if any(units > needed.get(sku, 0) for sku, units in missing.items()):
        raise CannotReport(said("足りない数が、この出荷伝票の数量を超えています。画面を開き直してください。"))


def _shelf_has(location_id: int, missing: Mapping[int, int]) -> bool:
    """Unpromised units at the place stand in for all that is missing."""
    free = stock.free_by_location(missing)
    there = {sku: sum(p.free for p in places if p.location_id == location_id) for sku, places in free.items()}
    return all(there.get(sku, 0) >= units for sku, units in missing.items())


def unfilled(
    rows: Sequence[ShipmentLine], missing: Mapping[int, int], orders: Mapping[int, Order]
) -> list[ShipmentLine]:
    """The rows of the lines that what was found cannot fill, lines of higher rank served first; what leaves together
    stays together."""
    found: dict[int, int] = defaultdict(int)
    own: dict[int, list[ShipmentLine]] = defaultdict(list)
    for row in rows:
        found[row.sku_id] += row.quantity
        own[bond_of(row.order_line)].append(row)
    for sku, units in missing.items():
        found[sku] -= units
    leaving: list[ShipmentLine] = []
    by_rank = sorted(own.values(), key=lambda rows: (_rank(orders[rows[0].order_line.order_id]), rows[0].order_line_id))
    for bond in by_rank:
        needed: dict[int, int] = defaultdict(int)
        for row in bond:
            needed[row.sku_id] += row.quantity
        if all(found[sku] >= units for sku, units in needed.items()):
            for sku, units in needed.items():
                found[sku] -= units
        else:
            leaving += bond
    return leaving


def _rank(order: Order) -> tuple[float, float]:
    return rank_of(order.ship_by, order.ordered_at, order.priority)


def _leave(shipment: Shipment, leaving: Sequence[ShipmentLine], actor: Actor) -> None:
    """These rows leave the parcel; one without any ends."""
    pieces = {row.order_line_id: row.line_quantity for row in leaving}  # a set has several rows
    for line_id, count in pieces.items():
        OrderLine.objects.filter(pk=line_id).update(allocated_quantity=F("allocated_quantity") - count)
    ShipmentLine.objects.filter(pk__in=[row.pk for row in leaving]).delete()
    if leaving and not shipment.lines.exists():
        Shipment.objects.filter(pk=shipment.pk).update(state=Shipment.State.CANCELLED)
        journal.write([(shipment.pk, "emptied", "")], by=actor.by)


def _first_rows(rows: Sequence[ShipmentLine], missing: Mapping[int, int]) -> list[tuple[ShipmentLine, int]]:
    by_sku = {row.sku_id: row for row in reversed(rows)}
    return [(by_sku[sku], units) for sku, units in sorted(missing.items())]


# ---- the reason, where no other place has the goods


@transaction.atomic
def ask_about(line_ids: Sequence[int]) -> list[int]:
    """Open the reason on the orders of these lines that are still without a place; returns those orders."""
    ids = sorted(set(OrderLine.objects.filter(pk__in=line_ids).values_list("order", flat=True)))
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    lacking = _lacking().filter(pk__in=line_ids).order_by("order", "pk").values_list("order", "name")
    names: dict[int, list[str]] = defaultdict(list)
    for order_id, name in lacking:
        names[order_id].append(name)
    review.open_from_above(
        [
            (
                order_id,
                Found(REASON, said("出荷元で見つからず、ほかの拠点にもありません: %(names)s", names=own), "lines"),
            )
            for order_id, own in names.items()
        ]
    )
    return sorted(names)


def settle(order_ids: Sequence[int]) -> None:
    """Orders whose goods all have a place, or are wanted no more, are asked about no more. The caller holds their
    locks. One query where none is asked about."""
    asked = ReviewReason.objects.filter(order__in=order_ids, code=REASON, state=ReviewReason.State.OPEN)
    ids = sorted(set(asked.values_list("order", flat=True)))
    if ids:
        lacking = set(_lacking().filter(order__in=ids).values_list("order", flat=True))
        review.close_from_above([id_ for id_ in ids if id_ not in lacking], REASON, actor=SYSTEM)


def _lacking() -> QuerySet[OrderLine]:
    """Lines due now with pieces that have no place."""
    due = Q(release_date__isnull=True) | Q(release_date__lte=clock.today())
    return OrderLine.objects.filter(due, allocated_quantity__lt=F("quantity"))
