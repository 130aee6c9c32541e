"""What the stop-request screens show: who waits for an answer, since when, and whether a stop can still win."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from fulfillment.models import Shipment, ShipmentEvent, ShipmentLine, StopPolicy, StopRequest
from fulfillment.services.stop import UNDER_WAY, stops_by_itself
from inventory.models import Location
from inventory.queries.places import at_own
from orders.queries import visible

TONES = {
    StopRequest.State.WAITING: "attention",
    StopRequest.State.STOPPED: "done",
    StopRequest.State.TOO_LATE: "danger",
    StopRequest.State.WITHDRAWN: "neutral",
}


@dataclass(frozen=True, slots=True)
class Race:
    """A parcel under way, and what a stop request would meet. `by_itself`: it stops at once."""

    shipment: Shipment
    by_itself: bool
    text: str


def race_of(order_id: int) -> list[Race]:
    """The parcels of an order that a stop could still reach, with how far each is."""
    shipments = list(
        Shipment.objects.filter(lines__order_line__order=order_id, state__in=UNDER_WAY)
        .select_related("location")
        .distinct()
        .order_by("pk")
    )
    free = stops_by_itself(shipments)
    listed = set(
        ShipmentEvent.objects.filter(shipment__in=shipments, kind="handover_printed").values_list("shipment", flat=True)
    )
    return [
        Race(one, one.pk in free, _race_text(one, one.pk in free, for_carrier=one.pk in listed)) for one in shipments
    ]


def _race_text(shipment: Shipment, by_itself: bool, *, for_carrier: bool) -> str:
    if shipment.state == Shipment.State.STOP_REQUESTED:
        return _("すでに停止を依頼しています。出荷元の返事を待っています。")
    if by_itself:
        return _("作業前です。依頼するとすぐに止まります。")
    if for_carrier:
        return _("集荷リストに載っています。配送会社に渡す直前か、渡したあとです。すぐに出荷元へ電話してください。")
    if shipment.printed_at:
        return _("納品書を印刷済みです。間に合わないことがあります。急いで出荷元に確かめてください。")
    return _("出荷元が作業を始めています。返事を待つ必要があります。")


def waiting_requests() -> Sequence[Mapping[str, Any]]:
    """One row per parcel that waits for its location's answer, the oldest first. Four queries."""
    lines = Prefetch("shipment__lines", ShipmentLine.objects.select_related("sku", "order_line"))
    requests = (
        _own(StopRequest.objects.filter(state=StopRequest.State.WAITING))
        .select_related("shipment__location", "shipment__batch", "order", "asked_by")
        .prefetch_related(lines)
        .order_by("asked_at", "pk")
    )
    rows: dict[int, dict[str, Any]] = {}
    for request in requests:
        row = rows.setdefault(
            request.shipment_id,
            {
                "shipment": request.shipment,
                "requests": [],
                "since": request.asked_at,
                "items": _items(request.shipment),
            },
        )
        row["requests"].append(request)
    return list(rows.values())


def _items(shipment: Shipment) -> list[tuple[str, str, int]]:
    return [(line.sku.code, line.sku.name, line.quantity) for line in shipment.lines.all()]


def answered_lately(limit: int = 20) -> Sequence[tuple[StopRequest, str]]:
    rows = _own(StopRequest.objects.exclude(state=StopRequest.State.WAITING)).select_related(
        "shipment", "order", "answered_by"
    )
    return [(row, TONES[StopRequest.State(row.state)]) for row in rows.order_by("-answered_at", "-pk")[:limit]]


def waiting_count() -> int:
    return _own(StopRequest.objects.filter(state=StopRequest.State.WAITING)).values("shipment").distinct().count()


def _own(rows: QuerySet[StopRequest]) -> QuerySet[StopRequest]:
    """Those about orders and parcels of the person."""
    return at_own(visible.of_shops(rows), "shipment__location")


def requests_of(order_id: int) -> Sequence[tuple[StopRequest, str]]:
    """The stop requests about an order, the newest first."""
    rows = StopRequest.objects.filter(order=order_id).select_related("shipment__location", "asked_by", "answered_by")
    return [(row, TONES[StopRequest.State(row.state)]) for row in rows.order_by("-pk")]


def policies() -> Sequence[tuple[Location, bool]]:
    """Each place that ships, and whether parcels stop by themselves there."""
    known = dict(StopPolicy.objects.values_list("location", "automatic"))
    places = Location.objects.filter(active=True, kind__in=["warehouse", "store"]).order_by("priority", "pk")
    return [(place, known.get(place.pk, place.kind == Location.Kind.WAREHOUSE)) for place in places]
