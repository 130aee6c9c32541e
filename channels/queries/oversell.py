"""What an oversell case is about: who holds the unit, what happened when, what could help."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from channels.decide.conflict import Contender, Elsewhere, propose
from channels.models import Listing, OversellCase, PushLog
from inventory.models import Balance, Location
from inventory.services import stock
from oms.kernel import clock
from orders.models import Order, OrderLine
from orders.models.order import FulfillmentState
from orders.services import set_parts
from orders.services.reservation import line_ids_of, rank_of
from orders.services.waiting import promisable

LOOK_BACK = timedelta(minutes=30)
EVENTS = 60
COMING = [Location.Kind.IN_TRANSIT, Location.Kind.INSPECTION]


def unserved() -> QuerySet[OrderLine]:
    """Lines that a mall sold as in stock and that hold no promise: not pre-orders, not made to order, not listings
    that show a fixed number whatever there is."""
    fixed = Listing.objects.filter(mode=Listing.Mode.FIXED)
    lines = promisable().filter(Q(release_date__isnull=True) | Q(release_date__lte=clock.today()))
    lines = lines.filter(sku__is_made_to_order=False)
    return lines.exclude(
        pk__in=lines.filter(channel_sku__in=fixed.values("channel_sku"), order__shop__in=fixed.values("shop")).values(
            "pk"
        )
    )


def contender(order: Order) -> Contender:
    under_way = order.fulfillment_state != FulfillmentState.NONE
    return Contender(order.pk, rank_of(order.ship_by, order.ordered_at), under_way)


def parts_of(line: OrderLine) -> dict[int, int]:
    """What one piece of a line needs (SKU → units): a set's components as they were sold."""
    return set_parts.needs_of([(line.pk, line.sku_id, line.units)])[line.pk] if line.sku_id else {}


def holders(parts: Collection[int], *, besides: int) -> list[OrderLine]:
    """Lines of other orders that hold units of these SKUs, the last in rank first."""
    pools = [pool for ids in stock.all_pool_ids(parts).values() for pool in ids]
    ids = line_ids_of(held.ref for held in stock.held_at(pools))
    lines = OrderLine.objects.select_related("order__shop").filter(pk__in=ids).exclude(order=besides)
    return sorted(lines, key=_most_willing, reverse=True)


def _most_willing(line: OrderLine) -> tuple[bool, tuple[float, float], int]:
    return _can_give(line.order), rank_of(line.order.ship_by, line.order.ordered_at), line.pk


def _can_give(order: Order) -> bool:
    return order.fulfillment_state == FulfillmentState.NONE


def timeline(sku_id: int, parts: Collection[int], orders: Collection[Order]) -> list[dict[str, Any]]:
    """Who sold when, when it came to us, what each shop was told when and when it confirmed; oldest first."""
    begin = min(order.ordered_at for order in orders) - LOOK_BACK
    skus = {sku_id, *parts, *(b for own in stock.bundles_of(parts).values() for b in own)}
    events = [*_sales(skus, begin), *_pushes(skus, begin)]
    return sorted(events, key=lambda event: event["at"])[-EVENTS:]


def _sales(sku_ids: Collection[int], begin: datetime) -> list[dict[str, Any]]:
    lines = OrderLine.objects.filter(sku__in=sku_ids, order__ordered_at__gte=begin).order_by("-pk")
    found = []
    for no, order, shop, code, units, ordered, imported in lines.values_list(
        "order__channel_order_no", "order", "order__shop__name", "sku__code", F("quantity") * F("units"),
        "order__ordered_at", "order__imported_at",
    )[:EVENTS]:  # fmt: skip
        fact = {"shop": shop, "order": order, "no": no, "sku": code, "units": units}
        found.append({"at": ordered.isoformat(), "kind": "sold", **fact})
        found.append({"at": imported.isoformat(), "kind": "imported", **fact})
    return found


def _pushes(sku_ids: Collection[int], begin: datetime) -> list[dict[str, Any]]:
    rows = PushLog.objects.filter(listing__sku__in=sku_ids, sent_at__gte=begin).order_by("-pk")
    found = []
    for shop, code, units, sent, confirmed, error in rows.values_list(
        "listing__shop__name", "listing__sku__code", "quantity", "sent_at", "confirmed_at", "error"
    )[:EVENTS]:
        fact = {"shop": shop, "sku": code, "units": units}
        found.append({"at": sent.isoformat(), "kind": "refused" if error else "published", **fact})
        if confirmed:
            found.append({"at": confirmed.isoformat(), "kind": "confirmed", **fact})
    return found


@dataclass(frozen=True, slots=True)
class Help:
    """What could help the case now."""

    proposal: str
    elsewhere: Sequence[Elsewhere]
    coming: int
    free: int


def help_for(case: OversellCase) -> Help:
    """The proposal as things stand. Of a bundle the components are what must be found."""
    line = case.line
    parts = {part: each // line.units for part, each in parts_of(line).items()}  # of one of what is short
    elsewhere = _elsewhere(parts)
    coming = _coming(parts)
    rival = contender(case.rival) if case.rival else None
    return Help(
        propose(contender(case.order), rival, case.short, elsewhere, coming),
        elsewhere,
        coming,
        stock.available([case.sku_id])[case.sku_id],
    )


def _elsewhere(parts: dict[int, int]) -> list[Elsewhere]:
    """Places outside the pool that have every part, in units of the whole."""
    rows = Balance.objects.filter(
        sku__in=parts, in_pool=False, location__active=True,
        location__kind__in=[Location.Kind.STORE, Location.Kind.WAREHOUSE], on_hand__gt=F("reserved"),
    ).values_list("location__name", "sku", F("on_hand") - F("reserved"))  # fmt: skip
    free: dict[str, dict[int, int]] = {}
    for place, sku, units in rows:
        free.setdefault(place, {})[sku] = units
    found = [
        Elsewhere(place, min(own.get(part, 0) // each for part, each in parts.items())) for place, own in free.items()
    ]
    return sorted((place for place in found if place.units), key=lambda place: -place.units)


def _coming(parts: dict[int, int]) -> int:
    rows = Balance.objects.filter(sku__in=parts, location__kind__in=COMING).values("sku").annotate(n=Sum("on_hand"))
    there = {row["sku"]: row["n"] for row in rows}
    return min((there.get(part, 0) // each for part, each in parts.items()), default=0)


def cases(state: str) -> "QuerySet[OversellCase]":
    rows = OversellCase.objects.select_related("order__shop", "rival__shop", "sku", "line").defer("sku__search_text")
    return rows.filter(state=state) if state in OversellCase.State.values else rows


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a case's timeline, for people."""

    at: datetime
    kind: str
    shop: str
    sku: str
    units: int
    order_id: int | None
    no: str


def told(case: OversellCase) -> list[Moment]:
    """The stored timeline."""
    return [
        Moment(
            datetime.fromisoformat(event["at"]),
            event["kind"],
            event["shop"],
            event["sku"],
            event["units"],
            event.get("order"),
            event.get("no", ""),
        )
        for event in case.timeline
    ]
