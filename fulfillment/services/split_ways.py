"""分割 of many orders by one way, and exactly back. Stock is locked once, last; a promise never ends by it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from fulfillment.decide.split_ways import PLANNED, Look, Way
from fulfillment.models import Shipment, ShipmentLine
from fulfillment.queries import splits
from fulfillment.queries.splits import Wish
from fulfillment.services import shortage, split
from inventory.models import Location
from inventory.services import stock
from oms.kernel.said import said
from orders.models import Order, OrderLine
from orders.models.order import FulfillmentState
from orders.services import put_together, review
from orders.services.journal import Actor
from orders.services.reservation import ref_of

Layout = dict[str, Any]  # as JSON has it: what `back` needs of one order


@transaction.atomic
def part(order_ids: Sequence[int], wish: Wish, *, actor: Actor) -> tuple[dict[int, int], dict[int, str]]:
    """Split these orders this way. Returns order → parcels more, and why the others stay whole. Takes the orders' locks
    by pk."""
    lock(order_ids)
    found = splits.looks(order_ids, wish)
    wanted = {id_: look for id_, look in found.items() if isinstance(look, Look)}
    whys = {id_: look for id_, look in found.items() if isinstance(look, str)}
    done, left = _part(wanted, wish, actor)
    return {id_: wanted[id_].further for id_ in wanted if id_ in done}, whys | left


def lock(order_ids: Sequence[int]) -> None:
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk")
    list(rows.values_list("pk", flat=True))


def _part(wanted: Mapping[int, Look], wish: Wish, actor: Actor) -> tuple[set[int], dict[int, str]]:
    match wish.way:
        case Way.STOCK:
            done, left = shortage.send_what_is_there(list(wanted), actor=actor)
            return set(done), left
        case Way.RELEASE:
            return _preorders_later(list(wanted), actor)
        case Way.ARRIVAL:
            return _late_ones_later(wanted, actor), {}
        case Way.TEMPERATURE:
            return set(split.split_by_temperature(list(wanted), actor=actor)), {}
        case _:
            assert wish.location is not None
            return _from_location(wanted, wish.location, actor)


def _preorders_later(order_ids: Sequence[int], actor: Actor) -> tuple[set[int], dict[int, str]]:
    done, left = set(), {}
    for order_id in sorted(order_ids):
        try:
            split.send_preorders_later(order_id, actor=actor)
        except split.CannotSplit as refused:
            left[order_id] = refused.cause
        else:
            done.add(order_id)
    return done, left


def _late_ones_later(wanted: Mapping[int, Look], actor: Actor) -> set[int]:
    lines = {
        id_: sorted(line for group in look.groups for off in group.off for line in off) for id_, look in wanted.items()
    }
    split.let_follow(lines, said("入荷予定日ごと"), actor)
    review.reevaluate(list(lines), actor=actor)
    return set(lines)


def _from_location(wanted: Mapping[int, Look], location: int, actor: Actor) -> tuple[set[int], dict[int, str]]:
    """All that was meant of an order, or nothing of it: between the look and the door another order may have come."""
    parcels = {group.shipment: id_ for id_, look in wanted.items() for group in look.groups}
    locked = Shipment.objects.select_for_update(no_key=True).filter(pk__in=parcels, state=Shipment.State.PLANNED)
    shipments = {shipment.pk: shipment for shipment in locked.order_by("pk")}
    off = {g.shipment: g.off[0] for look in wanted.values() for g in look.groups if g.shipment in shipments}
    rows = {pk: split.rows_of(shipments[pk]) for pk in off}
    parts = [
        stock.Part(ref_of(line), row.sku_id, shipments[pk].location_id, row.quantity)
        for pk, lines in off.items()
        for line in lines
        for row in rows[pk][line]
    ]
    order_of = {ref_of(line): parcels[pk] for pk, lines in off.items() for line in lines}
    by_id = actor.by.pk if actor.by else None
    moved = stock.replace_parts(parts, dict.fromkeys(order_of, location), together=order_of, by_id=by_id)
    orders = Order.objects.in_bulk(sorted(set(parcels.values())))
    done = set()
    for pk, lines in off.items():
        if all(ref_of(line) in moved for line in lines):
            split.move(orders[parcels[pk]], shipments[pk], rows[pk], lines, place=location)
            done.add(parcels[pk])
    place = Location.objects.values_list("name", flat=True).get(pk=location)
    split.finish(sorted(done), "split", said("出荷元「%(place)s」", place=place), actor)
    return done, dict.fromkeys(set(wanted) - done, said("その拠点の在庫が足りなくなったため、分けませんでした。"))


# ---- and back


def layout(order_ids: Sequence[int], wish: Wish) -> dict[int, Layout]:
    """What of these orders such a split changes. The caller holds the orders' locks."""
    return _parcels(order_ids) if wish.way in PLANNED else _apart(order_ids)


def _apart(order_ids: Sequence[int]) -> dict[int, Layout]:
    found: dict[int, Layout] = {id_: {"apart": [], "taken": []} for id_ in order_ids}
    rows = OrderLine.objects.filter(order__in=order_ids, apart=True).order_by("pk").values_list("order", "pk")
    for order_id, line_id in rows:
        found[order_id]["apart"].append(line_id)
    for order_id, taking in put_together.standing(order_ids).order_by("pk").values_list("line__order", "pk"):
        found[order_id]["taken"].append(taking)
    return found


def _parcels(order_ids: Sequence[int]) -> dict[int, Layout]:
    """Planned parcels with their place and the pieces of each line."""
    found: dict[int, dict[int, tuple[int, dict[int, int]]]] = defaultdict(dict)
    rows = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state=Shipment.State.PLANNED)
    columns = ("order_line__order", "shipment", "shipment__location", "order_line", "line_quantity")
    for order_id, parcel, place, line, pieces in rows.order_by("shipment", "order_line").values_list(*columns):
        found[order_id].setdefault(parcel, (place, {}))[1][line] = pieces
    return {
        id_: {
            "parcels": [
                [parcel, place, [list(one) for one in lines.items()]]
                for parcel, (place, lines) in sorted(found[id_].items())
            ]
        }
        for id_ in order_ids
    }


@transaction.atomic
def back(before: Mapping[int, Layout], wish: Wish, *, actor: Actor) -> tuple[list[int], dict[int, str]]:
    """Undo `part`: each order is laid out as it was `before`. Returns those, and why the others stay. The caller holds
    the orders' locks and knows that nothing moved since."""
    if wish.way in PLANNED:
        return _parcels_back(before, actor)
    taken = [taking for values in before.values() for taking in values["taken"]]
    kept_apart = {id_: values["apart"] for id_, values in before.items()}
    done = shortage.send_together(kept_apart, taken_before=taken, actor=actor)
    review.reevaluate(done, actor=actor)
    return done, dict.fromkeys(set(before) - set(done), said("出荷指示やキャンセルのあとのため、そのままにしました。"))


def _parcels_back(before: Mapping[int, Layout], actor: Actor) -> tuple[list[int], dict[int, str]]:
    open_ = Order.objects.filter(pk__in=before, cancelled_at=None, fulfillment_state=FulfillmentState.NONE)
    ids = sorted(open_.values_list("pk", flat=True))
    left = dict.fromkeys(set(before) - set(ids), said("出荷指示やキャンセルのあとのため、そのままにしました。"))
    flows = {id_: _flows(before[id_]["parcels"], now["parcels"]) for id_, now in _parcels(ids).items()}
    places = {parcel: place for id_ in ids for parcel, place, _lines in before[id_]["parcels"]}
    fresh = Shipment.objects.select_for_update(no_key=True).filter(
        pk__in=[s for own in flows.values() for s, _, _ in own]
    )
    shipments = {shipment.pk: shipment for shipment in fresh.order_by("pk")}
    stuck = _held_elsewhere(flows, shipments, places, actor)
    for id_ in ids:
        if id_ not in stuck:
            for source, line, into in flows[id_]:
                split.pour_line(source, line, into)
            Shipment.objects.filter(pk__in={source for source, _line, _into in flows[id_]}, lines=None).delete()
    done = [id_ for id_ in ids if id_ not in stuck]
    Order.objects.filter(pk__in=done).update(version=F("version") + 1)
    split.finish(done, "split_undone", "", actor)
    why = said("元の出荷元の在庫がほかの受注に回ったため、戻せません。「出荷元を変える」で決め直してください。")
    return done, left | dict.fromkeys(stuck, why)


def _flows(before: Sequence[Any], now: Sequence[Any]) -> list[tuple[int, int, int]]:
    """(parcel that is new, line in it, parcel that had its pieces)."""
    known = {parcel for parcel, _place, _lines in before}
    held = {parcel: dict(map(tuple, lines)) for parcel, _place, lines in now}
    lacking = {
        line: parcel
        for parcel, _place, lines in before
        for line, pieces in lines
        if held.get(parcel, {}).get(line, 0) < pieces
    }
    return [
        (parcel, line, lacking[line])
        for parcel, _place, lines in now
        if parcel not in known
        for line, _pieces in lines
        if line in lacking
    ]


def _held_elsewhere(
    flows: Mapping[int, Sequence[tuple[int, int, int]]],
    shipments: Mapping[int, Shipment],
    places: Mapping[int, int],
    actor: Actor,
) -> set[int]:
    """Let goods be held again where they came from. Returns the orders of which something is not free there any more,
    and of which nothing moved."""
    order_of, to, parts = dict[str, int](), dict[str, int](), []
    for id_, own in flows.items():
        for source, line, into in own:
            if shipments[source].location_id != places[into]:
                order_of[ref_of(line)], to[ref_of(line)] = id_, places[into]
                rows = ShipmentLine.objects.filter(shipment=source, order_line=line)
                parts += [
                    stock.Part(ref_of(line), row.sku_id, shipments[source].location_id, row.quantity) for row in rows
                ]
    if not parts:
        return set()
    by_id = actor.by.pk if actor.by else None
    return {order_of[ref] for ref in to.keys() - stock.replace_parts(parts, to, together=order_of, by_id=by_id)}
