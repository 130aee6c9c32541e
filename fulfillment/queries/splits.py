"""What a way of splitting would make of orders, before anything is done. A fixed number of queries for any number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, Q

from fulfillment.decide.split_ways import PLANNED, Group, Look, Way, extra_cost, fits_at
from fulfillment.decide.splitting import by_temperature
from fulfillment.models import MergedOrder, Shipment, ShipmentLine
from fulfillment.queries.freight import Rates
from fulfillment.services import kept_together, shortage, split
from inventory.models import Sku
from inventory.models.product import Coming
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.said import said
from orders.models import LineComponent, Order, OrderLine
from orders.models.order import FulfillmentState
from orders.queries.line_facts import coming_of
from orders.services import set_parts

Looks = dict[int, Look | str]  # order → what would come of it, or why nothing would


@dataclass(frozen=True, slots=True)
class Wish:
    """How to split. `until`: what comes in by this day is waited for; `location`: whose goods go from there."""

    way: str
    until: date | None = None
    location: int | None = None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "Wish":
        day = params.get("until")
        return cls(str(params["way"]), date.fromisoformat(day) if day else None, params.get("location"))

    @property
    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"way": self.way, "until": self.until.isoformat() if self.until else None, "location": self.location}


def looks(order_ids: Sequence[int], wish: Wish) -> Looks:
    """In the order of the selection."""
    stopped = closed(order_ids)
    open_ = [id_ for id_ in order_ids if id_ not in stopped]
    found: Looks = _parcels(open_, wish) if wish.way in PLANNED else _follows(open_, wish)
    return {id_: stopped.get(id_) or found.get(id_) or said("見つかりません。") for id_ in order_ids}


def closed(order_ids: Sequence[int]) -> dict[int, str]:
    merged = set(MergedOrder.objects.filter(order__in=order_ids, active=True).values_list("order", flat=True))
    rows = Order.objects.filter(pk__in=order_ids).values_list(
        "pk", "cancelled_at", "fulfilled_by_channel", "fulfillment_state"
    )
    found = {}
    for pk, cancelled, channel, state in rows:
        if cancelled or channel:
            found[pk] = said("キャンセル済み、またはモールが出荷する受注です。")
        elif state != FulfillmentState.NONE:
            found[pk] = said("出荷指示を出したあとのため、分割できません。")
        elif pk in merged:
            found[pk] = said("同梱されています。先に同梱を解除してください。")
    return found


# ---- what follows later


def _follows(order_ids: Sequence[int], wish: Wish) -> Looks:
    rows = OrderLine.objects.filter(order__in=order_ids, quantity__gt=F("shipped_quantity"), apart=False)
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in rows.select_related("sku").order_by("order", "position", "pk"):
        lines[line.order_id].append(line)
    later, whys = _later(lines, wish)
    return {id_: whys.get(id_) or _parted(lines[id_], later) for id_ in order_ids}


def _later(lines: Mapping[int, Sequence[OrderLine]], wish: Wish) -> tuple[set[int], dict[int, str]]:
    """The lines that would follow, and why nothing of an order would."""
    every = [line for own in lines.values() for line in own]
    if wish.way == Way.STOCK:
        waiting = {line.pk for line in every if line.allocated_quantity < line.quantity}
        return waiting - kept_together.with_mates_placed(sorted(waiting)), shortage.why_not_partly(list(lines))
    if wish.way == Way.RELEASE:
        later = {line.pk for line in every if _unreleased(line)}
        why, alone = said("発売前の商品がありません。"), said("発売前の商品のほかに、先に出荷する商品がありません。")
    else:
        later = late_lines(every, wish.until)
        why, alone = said("待っている商品は、その日までに入る予定です。"), said("先に出荷できる商品がありません。")
    parted = _sets_with_parts_out(later) if wish.way == Way.RELEASE else set()
    whys = {}
    for id_, own in lines.items():
        follow = {line.pk for line in own} & later
        if not follow:
            asked = wish.way == Way.RELEASE or any(line.allocated_quantity < line.quantity for line in own)
            whys[id_] = why if asked else said("引当を待っている明細がありません。")
        elif len(follow) == len(own) and not follow & parted:
            whys[id_] = alone
    return later, whys


def late_lines(lines: Sequence[OrderLine], until: date | None) -> set[int]:
    """Of these lines, which come with their SKUs, those without goods whose day is later, or not known. Components that
    leave with others that have their place stay with them."""
    day = until or clock.today()
    waiting = [line for line in lines if line.sku_id and line.allocated_quantity < line.quantity]
    coming = coming_of([line for line in waiting if not line.reserved or _unreleased(line)])
    late = {
        line.pk
        for line in waiting
        if (not line.reserved or _unreleased(line)) and _comes_after(coming.get(line.pk), day)
    }
    return late - kept_together.with_mates_placed(sorted(late))


def _comes_after(coming: Coming | None, day: date) -> bool:
    """A day that has passed without goods is as good as none."""
    return coming is None or coming.is_late or coming.on > day


def _unreleased(line: OrderLine) -> bool:
    return line.release_date is not None and line.release_date > clock.today()


def _sets_with_parts_out(line_ids: Iterable[int]) -> set[int]:
    """Of these lines, the sets that may part and of which a component is out."""
    out = Q(release_date__isnull=True) | Q(release_date__lte=clock.today())
    rows = LineComponent.objects.filter(out, line__in=list(line_ids), line__sku__ships_apart=True)
    return set(rows.values_list("line", flat=True))


def _parted(lines: Sequence[OrderLine], later: set[int]) -> Look:
    stay = {line.pk: line.quantity - line.shipped_quantity for line in lines if line.pk not in later}
    off = {line.pk: line.quantity - line.allocated_quantity for line in lines if line.pk in later}
    return Look([Group(0, stay, [off])])


# ---- planned parcels


def _parcels(order_ids: Sequence[int], wish: Wish) -> Looks:
    rows_of = _planned(order_ids)
    free = _free_at(wish.location, rows_of) if wish.way == Way.LOCATION else {}
    found: Looks = {}
    for id_ in order_ids:
        groups = [
            group
            for (parcel, place), rows in rows_of.get(id_, {}).items()
            if (group := _group(parcel, place, rows, wish, free)).off
        ]
        found[id_] = Look(groups) if groups else _why_whole(rows_of.get(id_, {}), wish)
    return found


def _planned(order_ids: Sequence[int]) -> dict[int, dict[tuple[int, int], split.Rows]]:
    """Order → (its planned parcel, place) → order line → rows."""
    rows = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state=Shipment.State.PLANNED)
    found: dict[int, dict[tuple[int, int], dict[int, list[ShipmentLine]]]] = defaultdict(dict)
    with_goods = rows.select_related("shipment", "sku", "order_line__sku", "order_line__set_line__sku")
    for row in with_goods.order_by("shipment__reference", "shipment", "pk"):
        parcel = found[row.order_line.order_id].setdefault((row.shipment_id, row.shipment.location_id), {})
        parcel.setdefault(row.order_line_id, []).append(row)
    return {id_: dict(parcels) for id_, parcels in found.items()}


def _group(parcel: int, place: int, rows: split.Rows, wish: Wish, free: dict[int, int]) -> Group:
    held = {line: own[0].line_quantity for line, own in rows.items()}
    if wish.way == Way.TEMPERATURE:
        off = by_temperature(split.held_of(rows))
    elif place == wish.location:
        off = []
    else:
        needs = {line: {row.sku_id: row.quantity for row in own} for line, own in rows.items()}
        moved = fits_at(split.bonds_of(rows), needs, free)
        off = [{line: held[line] for line in held if line in moved}] if moved else []
    gone = {line for part in off for line in part}
    return Group(parcel, {line: n for line, n in held.items() if line not in gone}, off)


def _free_at(location_id: int | None, rows_of: Mapping[int, Mapping[tuple[int, int], split.Rows]]) -> dict[int, int]:
    skus = {
        row.sku_id for parcels in rows_of.values() for rows in parcels.values() for own in rows.values() for row in own
    }
    places = stock.free_by_location(skus) if skus else {}
    return {sku: sum(p.free for p in own if p.location_id == location_id) for sku, own in places.items()}


def _why_whole(parcels: Mapping[tuple[int, int], split.Rows], wish: Wish) -> str:
    if not parcels:
        return said("出荷指示前の出荷伝票がありません。在庫を引き当てたあとに分けられます。")
    if wish.way == Way.TEMPERATURE:
        return said("温度帯は1つだけです。")
    if all(place == wish.location for _parcel, place in parcels):
        return said("すでにその拠点から出荷します。")
    return said("その拠点にある商品だけを分けられません（在庫がないか、すべてあります）。")


# ---- what it costs us


def extra_freight(found: Mapping[int, Look]) -> tuple[int, int]:
    """(yen without tax that the further parcels of these orders cost more, orders whose rate is not known)."""
    lines = {
        line for look in found.values() for group in look.groups for part in (group.stay, *group.off) for line in part
    }
    sizes, rates = sizes_of(lines), Rates()
    carriers = dict(Order.objects.filter(pk__in=found).values_list("pk", "carrier"))
    costs = [
        extra_cost(look, lambda line: sizes.get(line, 0), lambda size, to=carriers[id_]: rates.price(to, size))  # type: ignore[misc]
        for id_, look in found.items()
    ]
    return sum(cost or 0 for cost in costs), sum(cost is None for cost in costs)


def sizes_of(line_ids: Iterable[int]) -> dict[int, int]:
    """Order line → size factors of one piece of it."""
    lines = OrderLine.objects.filter(pk__in=list(line_ids), sku__isnull=False)
    needs = set_parts.needs_of(list(lines.values_list("pk", "sku", "units")))
    factors = dict(
        Sku.objects.filter(pk__in={sku for own in needs.values() for sku in own}).values_list("pk", "size_factor")
    )
    return {line: sum(factors[sku] * units for sku, units in own.items()) for line, own in needs.items()}
