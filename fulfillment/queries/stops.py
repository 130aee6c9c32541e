"""What the stop-request screens show: who waits for an answer, since when, and whether a stop can still win."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from fulfillment.models import Shipment, ShipmentEvent, ShipmentLine, StopPolicy, StopRequest
from fulfillment.queries.shipments import EVENTS
from fulfillment.services.stop import BEGUN, UNDER_WAY, stops_by_itself
from inventory.models import Location
from inventory.queries.places import at_own
from oms.kernel import clock
from orders.decide.ship_plan import ShipPlan
from orders.queries import visible
from orders.services import ship_plans

TONES = {
    StopRequest.State.WAITING: "attention",
    StopRequest.State.STOPPED: "done",
    StopRequest.State.TOO_LATE: "danger",
    StopRequest.State.WITHDRAWN: "neutral",
}


What = StopRequest.What
# What helps once the parcel has left, by what should have been another.
AFTER_ALL = {
    What.RECIPIENT: lazy("配送会社に送り状番号を伝え、転送（届け先の変更）を頼んでください。"),
    What.DELIVERY: lazy("配送会社に送り状番号を伝え、配達日時の変更を頼んでください。"),
    What.GOODS: lazy("余分なものは返品で受け付け、足りないものは「複写」で新しい受注にしてください。"),
    What.PAYMENT: lazy(
        "支払方法はこのままです。代金引換をやめるときは、受け取りを断ってもらい、持戻りとして扱います。"
    ),
    What.OTHER: lazy("お客様に知らせ、必要なら返品で受け付けてください。"),
}


@dataclass(frozen=True, slots=True)
class Race:
    """A parcel under way, and what a stop request would meet. `by_itself`: it stops at once; `begun`: the last sign
    that somebody has begun with it; `pick_up`: whether the carrier has come for it."""

    shipment: Shipment
    by_itself: bool
    text: str
    begun: str = ""
    pick_up: str = ""


def race_of(order_id: int) -> list[Race]:
    """The parcels of an order that a stop could still reach, with how far each is. Five queries."""
    shipments = list(
        Shipment.objects.filter(lines__order_line__order=order_id, state__in=UNDER_WAY)
        .select_related("location")
        .distinct()
        .order_by("pk")
    )
    free = stops_by_itself(shipments)
    signs: dict[int, list[ShipmentEvent]] = {}
    for event in ShipmentEvent.objects.filter(shipment__in=shipments, kind__in=BEGUN).order_by("pk"):
        signs.setdefault(event.shipment_id, []).append(event)
    plans = ship_plans.read()
    found = []
    for one in shipments:
        own = signs.get(one.pk, [])
        for_carrier = any(event.kind == "handover_printed" for event in own)
        text = _race_text(one, one.pk in free, for_carrier=for_carrier)
        last = _("%(what)s（%(at)s）") % {"what": EVENTS[own[-1].kind], "at": _moment(own[-1].at)} if own else ""
        found.append(Race(one, one.pk in free, text, last, _pick_up(one, plans.of(one.location_id))))
    return found


def _pick_up(shipment: Shipment, plan: ShipPlan) -> str:
    """Whether the place's cut-off for the carrier has gone by since the instruction; empty where there is none."""
    cutoff = plan.cutoffs.get(shipment.carrier) or plan.cutoffs.get("")
    if cutoff is None or shipment.instructed_at is None:
        return ""
    day = plan.first_day(shipment.instructed_at, shipment.carrier)
    at, now = datetime.combine(day, cutoff, clock.TOKYO), clock.in_tokyo(clock.now())
    words = {"carrier": shipment.get_carrier_display(), "at": _moment(at)}
    if now >= at:
        return _("%(carrier)sの集荷の締め（%(at)s）を過ぎています。") % words
    minutes = int((at - now).total_seconds()) // 60
    hours = minutes // 60
    left = (
        ngettext("%(n)s時間", "%(n)s時間", hours) % {"n": hours}
        if hours
        else ngettext("%(n)s分", "%(n)s分", minutes) % {"n": minutes}
    )
    return _("%(carrier)sの集荷の締め（%(at)s）まで、あと %(left)sです。") % (words | {"left": left})


def _moment(at: datetime) -> str:
    return f"{clock.in_tokyo(at):%m/%d %H:%M}"


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


def requests_of(order_id: int) -> Sequence[tuple[StopRequest, str, Sequence[str]]]:
    """The stop requests about an order, the newest first, with what to do after their answers."""
    rows = StopRequest.objects.filter(order=order_id).select_related(
        "shipment__location", "asked_by", "answered_by", "order"
    )
    return [(row, TONES[StopRequest.State(row.state)], _next_steps(row)) for row in rows.order_by("-pk")]


def _next_steps(request: StopRequest) -> list[str]:
    if request.purpose == StopRequest.Purpose.CANCEL:
        return []  # the return case, or the cancellation, says what follows
    if request.state == StopRequest.State.TOO_LATE:
        return [str(AFTER_ALL[What(one)]) for one in request.what or [What.OTHER]]
    if request.state == StopRequest.State.STOPPED and request.order.held_at:
        return [
            _("内容を直して保留を解除すると、あらためて出荷指示を出せます。"),
            _("この出荷伝票の納品書と送り状は使えません。捨ててください。"),
        ]
    return []


def policies() -> Sequence[tuple[Location, bool]]:
    """Each place that ships, and whether parcels stop by themselves there."""
    known = dict(StopPolicy.objects.values_list("location", "automatic"))
    places = Location.objects.filter(active=True, kind__in=["warehouse", "store"]).order_by("priority", "pk")
    return [(place, known.get(place.pk, place.kind == Location.Kind.WAREHOUSE)) for place in places]
