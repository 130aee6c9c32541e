"""出荷停止依頼: asking locations to stop parcels, and what follows from their answers.

A parcel that nobody has begun with stops by itself where its location's policy says so. Every other one waits in state
`stop_requested` until the location says that it stopped it, or that it was too late.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Min

from fulfillment.models import Merge, Shipment, ShipmentEvent, ShipmentLine, StopPolicy, StopRequest
from fulfillment.services import facts, journal, stop_followup
from fulfillment.services import ship as shipping
from inventory.models import Location
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.services import setting_versions
from oms.kernel.services.outbox import NewEffect, put
from orders.models import Order, OrderLine
from orders.services import cancel, hold, refetch, returns
from orders.services import facts as order_facts
from orders.services import journal as order_journal
from orders.services.journal import Actor, Entry
from orders.services.reservation import ref_of

Purpose, State = StopRequest.Purpose, StopRequest.State
# What shows that somebody has begun with a parcel: papers for picking and packing, a label or the file for one (which
# is how a warehouse that is not ours hears of it), a number that a carrier gave it.
BEGUN = ("pick_printed", "note_printed", "work_printed", "waybill_exported", "numbered", "handover_printed")
UNDER_WAY = (Shipment.State.INSTRUCTED, Shipment.State.STOP_REQUESTED)


@dataclass(frozen=True, slots=True)
class Asked:
    """Orders whose parcels stopped at once, and those whose location has still to answer."""

    stopped: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer led to: orders cancelled, orders that may be changed now, return cases of what left."""

    cancelled: list[int] = field(default_factory=list)
    to_change: list[int] = field(default_factory=list)
    cases: list[int] = field(default_factory=list)
    refused: str = ""


def companions(order_ids: Sequence[int]) -> set[int]:
    """Orders whose goods share a parcel under way with these: what stops that parcel writes them too."""
    own = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state__in=UNDER_WAY)
    rows = ShipmentLine.objects.filter(shipment__in=own.values("shipment"))
    return set(rows.values_list("order_line__order", flat=True)) - set(order_ids)


def ask_for_cancel(
    order_ids: Sequence[int], *, line_ids: Sequence[int] | None = None, by: User | None, note: str
) -> set[int]:
    """Stop what these orders (or only these of their lines) have under way; returns the orders that must wait.

    The caller holds the locks of the orders and of their companions, and cancels the others itself.
    """
    return set(_ask(order_ids, line_ids, _asked(Purpose.CANCEL, note, by)).waiting)


@transaction.atomic
def ask_for_change(order_ids: Sequence[int], *, note: str, what: Sequence[str] = (), actor: Actor) -> Asked:
    """Stop these orders' parcels so that they can be changed (`what`: values of `StopRequest.What`). What stops is held
    until somebody lifts the hold."""
    asked = take_back(order_ids, note=note, what=what, actor=actor)
    _hold_for_change(asked.stopped, what, actor)
    return asked


@transaction.atomic
def take_back(order_ids: Sequence[int], *, note: str, what: Sequence[str] = (), actor: Actor) -> Asked:
    """Take back that these orders were instructed. Nobody holds what stops at once: the allocator places its goods
    anew, and it is ready as before."""
    ids = {*order_ids, *companions(order_ids)}
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    asked = _ask(order_ids, None, _asked(Purpose.CHANGE, note, actor.by, what))
    known = asked.stopped + asked.waiting
    order_journal.write([Entry(order_id, "stop_asked", note) for order_id in known], actor=actor)
    return asked


@transaction.atomic
def pull_back(order_id: int) -> bool:
    """Take this order's parcels back where all of them stop by themselves; False, and nothing done, where one does
    not. No hold follows: the order goes out again as soon as nothing else stops it."""
    ids = {order_id, *companions([order_id])}
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    own = ShipmentLine.objects.filter(order_line__order=order_id, shipment__state__in=UNDER_WAY)
    parcels = Shipment.objects.filter(pk__in=own.values("shipment")).select_related("location").order_by("pk")
    shipments = list(parcels.select_for_update(no_key=True, of=("self",)))
    if not shipments or stops_by_itself(shipments) != {s.pk for s in shipments}:
        return False
    if any(s.state != Shipment.State.INSTRUCTED for s in shipments):
        return False
    note = said("モールの変更を反映するため")
    asked = _asked(Purpose.CHANGE, note, None)
    _write_requests([(s.pk, order_id) for s in shipments], {s.pk for s in shipments}, asked)
    journal.write([(s.pk, "stop_asked", note) for s in shipments], by=None)
    _take_back(shipments, None)
    order_journal.write([Entry(order_id, "stopped", note)])
    return True


def _asked(purpose: str, note: str, by: User | None, what: Sequence[str] = ()) -> StopRequest:
    """What is asked of every parcel; not saved itself."""
    return StopRequest(purpose=purpose, what=list(what), note=note[:200], asked_at=clock.now(), asked_by=by)


def _ask(order_ids: Sequence[int], line_ids: Sequence[int] | None, asked: StopRequest) -> Asked:
    concerned = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state__in=UNDER_WAY)
    if line_ids is not None:
        concerned = concerned.filter(order_line__in=line_ids)
    orders_of: dict[int, set[int]] = {}
    for shipment_id, order_id in concerned.values_list("shipment", "order_line__order"):
        orders_of.setdefault(shipment_id, set()).add(order_id)
    shipments = list(
        Shipment.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk__in=orders_of, state__in=UNDER_WAY)
        .select_related("location")
        .order_by("pk")
    )
    by_itself = stops_by_itself([s for s in shipments if s.state == Shipment.State.INSTRUCTED])
    waiting = [shipment for shipment in shipments if shipment.pk not in by_itself]
    pairs = [(shipment.pk, order_id) for shipment in shipments for order_id in sorted(orders_of[shipment.pk])]
    _write_requests(pairs, by_itself, asked)
    Shipment.objects.filter(pk__in=[s.pk for s in waiting]).update(state=Shipment.State.STOP_REQUESTED)
    by = asked.asked_by
    journal.write([(shipment.pk, "stop_asked", asked.note) for shipment in shipments], by=by)
    waits = {order for shipment in waiting for order in orders_of[shipment.pk]}
    if by_itself:
        _take_back([s for s in shipments if s.pk in by_itself], by)
    _write_clock(sorted(waits))
    unanswered = StopRequest.objects.filter(shipment__in=[s.pk for s in waiting], state=State.WAITING)
    stop_followup.remind(list(unanswered.select_related("shipment__location").order_by("pk")), actor=Actor(by=by))
    all_orders = {order for orders in orders_of.values() for order in orders}
    return Asked(sorted(all_orders - waits), sorted(waits))


def stops_by_itself(shipments: Sequence[Shipment]) -> set[int]:
    """Parcels that nobody has begun with, at locations where that is enough."""
    begun = set(
        ShipmentEvent.objects.filter(shipment__in=[s.pk for s in shipments], kind__in=BEGUN).values_list(
            "shipment", flat=True
        )
    )
    policies = dict(StopPolicy.objects.values_list("location", "automatic"))
    return {
        s.pk
        for s in shipments
        if s.printed_at is None
        and s.pk not in begun
        and policies.get(s.location_id, s.location.kind == Location.Kind.WAREHOUSE)
    }


def _write_requests(pairs: Sequence[tuple[int, int]], by_itself: set[int], asked: StopRequest) -> None:
    """A request for each (shipment, order), like `asked`; one that was asked before and waits stays as it is."""
    StopRequest.objects.bulk_create(
        [
            StopRequest(
                shipment_id=shipment_id,
                order_id=order_id,
                purpose=asked.purpose,
                what=asked.what,
                note=asked.note,
                asked_at=asked.asked_at,
                asked_by=asked.asked_by,
                state=State.STOPPED if shipment_id in by_itself else State.WAITING,
                answered_at=asked.asked_at if shipment_id in by_itself else None,
                answer=said("作業前のため自動で止めました。") if shipment_id in by_itself else "",
            )
            for shipment_id, order_id in pairs
        ],
        ignore_conflicts=True,
    )


def _take_back(shipments: Sequence[Shipment], by: User | None) -> list[int]:
    """These parcels do not leave: their places are free again, every order in them goes back before the instruction.
    Stock is locked here. Returns the orders concerned."""
    ids = [shipment.pk for shipment in shipments]
    Shipment.objects.filter(pk__in=ids).update(state=Shipment.State.STOPPED)
    journal.write([(pk, "stopped", "") for pk in ids], by=by)
    lines = list(ShipmentLine.objects.filter(shipment__in=ids).select_related("shipment", "order_line"))
    pieces: dict[tuple[int, int], int] = {}
    for line in lines:  # a bundle's line has a row per component; its pieces count once
        pieces[line.shipment_id, line.order_line_id] = line.line_quantity
    less: dict[int, int] = {}
    for (_shipment, line_id), count in pieces.items():
        less[line_id] = less.get(line_id, 0) + count
    for order_line in OrderLine.objects.filter(pk__in=less).order_by("pk"):
        kept = max(order_line.shipped_quantity, order_line.allocated_quantity - less[order_line.pk])
        OrderLine.objects.filter(pk=order_line.pk).update(allocated_quantity=kept)
    stock.unplace(
        [
            stock.Part(ref_of(line.order_line_id), line.sku_id, line.shipment.location_id, line.quantity)
            for line in lines
        ],
        by_id=by.pk if by else None,
    )
    touched = sorted({line.order_line.order_id for line in lines})
    facts.refresh(touched, actor=Actor(by=by))
    _end_merges(ids)
    refetch.ask_for_held(touched)
    return touched


def _end_merges(shipment_ids: Sequence[int]) -> None:
    """What travelled together is placed anew, each order by itself; whether they meet again is for the sweep to say."""
    merges = Merge.objects.filter(shipment__in=shipment_ids, undone_at=None).values_list("pk", flat=True)
    put([NewEffect("merge_broken", f"merge_stopped:{pk}", f"merge:{pk}", {"merge": pk}) for pk in merges])


def _write_clock(order_ids: Sequence[int]) -> None:
    """Since when each order waits for a location; None once nobody has to answer."""
    since = dict(
        StopRequest.objects.filter(order__in=order_ids, state=State.WAITING)
        .values_list("order")
        .annotate(since=Min("asked_at"))
    )
    order_facts.write_stop_asked({order_id: since.get(order_id) for order_id in order_ids})


# ---- the answer


@transaction.atomic
def stopped(shipment_id: int, *, actor: Actor, note: str = "") -> Answered:
    """The location could stop the parcel: what waited for that goes on. Answering twice changes nothing."""
    shipment, requests = _claim(shipment_id)
    if shipment is None:
        return Answered(refused=said("この出荷伝票には、返事待ちの停止依頼がありません。"))
    _close(requests, State.STOPPED, note, actor)
    orders = sorted({request.order_id for request in requests})
    _take_back([shipment], actor.by)
    _write_clock(orders)
    order_journal.write([Entry(order_id, "stopped", shipment.number) for order_id in orders], actor=actor)
    return _go_on(requests, actor)


@transaction.atomic
def too_late(shipment_id: int, *, carrier: str, tracking_no: str, actor: Actor, note: str = "") -> Answered:
    """The parcel had left: it ships, what was to be cancelled becomes a return case, and whoever asked gets a task to
    tell the buyer. What the order has beside it is still cancelled, or held to be changed."""
    shipment, requests = _claim(shipment_id)
    if shipment is None:
        return Answered(refused=said("この出荷伝票には、返事待ちの停止依頼がありません。"))
    if not tracking_no.strip():
        return Answered(refused=said("送り状番号を入力してください。お客様への案内に使います。"))
    _close(requests, State.TOO_LATE, note, actor)
    orders = sorted({request.order_id for request in requests})
    _write_clock(orders)
    Shipment.objects.filter(pk=shipment.pk).update(state=Shipment.State.INSTRUCTED)
    journal.write([(shipment.pk, "too_late", tracking_no)], by=actor.by)
    order_journal.write([Entry(order_id, "stop_too_late", tracking_no) for order_id in orders], actor=actor)
    left = shipping.record_left([shipping.Departure(shipment.pk, carrier, tracking_no)], actor=actor)
    if left.refused:
        transaction.set_rollback(True)
        return Answered(refused=left.refused[shipment.pk])
    cases = _open_cases(orders, shipment, tracking_no, actor)
    stop_followup.tell_too_late(requests, cases, tracking_no=tracking_no, actor=actor)
    return _go_on(requests, actor, cases=list(cases.values()))


def _open_cases(order_ids: Sequence[int], shipment: Shipment, tracking_no: str, actor: Actor) -> dict[int, int]:
    """Order → the return case of what this parcel carried and should have been cancelled."""
    carried = dict(shipment.lines.values_list("order_line", "line_quantity"))
    cases = {}
    for one, pieces in cancel.lost(order_ids, carried):
        case = returns.open_case(
            one.order_id,
            pieces,
            reason="too_late",
            key=f"too_late:{one.pk}:{shipment.pk}",
            note=said("キャンセルが間に合わず出荷されました（%(no)s）。", no=tracking_no),
            actor=actor,
        )
        cases[one.order_id] = case.pk
    return cases


def _go_on(requests: Sequence[StopRequest], actor: Actor, *, cases: Sequence[int] = ()) -> Answered:
    """What waited for the last answer about an order is done now. Where the answers differ, what could be stopped is
    cancelled, or held to be changed, and only the rest has left."""
    free = _without_open_stops(sorted({request.order_id for request in requests}))
    cancelled = cancel.finish(sorted(free), actor=actor)
    what = {r.order_id: r.what for r in requests if r.purpose == Purpose.CHANGE}
    change = (what.keys() & free) - set(cancelled)
    here = Order.objects.filter(pk__in=change, cancelled_at=None, shipped_at=None).order_by("pk")
    to_change = list(here.values_list("pk", flat=True))
    for order_id in to_change:
        _hold_for_change([order_id], what[order_id], actor)
    return Answered(cancelled=cancelled, to_change=to_change, cases=list(cases))


@transaction.atomic
def withdraw(order_id: int, *, actor: Actor) -> int:
    """Nobody wants the order stopped any more; returns how many parcels go on."""
    list(Order.objects.select_for_update(no_key=True).filter(pk=order_id).values_list("pk"))
    rest = StopRequest.objects.filter(order=order_id, state=State.WAITING)
    shipments = sorted(set(rest.values_list("shipment", flat=True)))
    for shipment_id in shipments:
        _withdraw(shipment_id, [order_id], actor)
    cancel.withdraw([order_id], actor=actor)
    return len(shipments)


def _withdraw(shipment_id: int, order_ids: Sequence[int], actor: Actor) -> None:
    """The caller holds the orders' locks."""
    list(Shipment.objects.select_for_update(no_key=True).filter(pk=shipment_id).values_list("pk"))
    own = StopRequest.objects.filter(shipment=shipment_id, order__in=order_ids, state=State.WAITING)
    _close(list(own), State.WITHDRAWN, "", actor)
    if not StopRequest.objects.filter(shipment=shipment_id, state=State.WAITING).exists():
        Shipment.objects.filter(pk=shipment_id, state=Shipment.State.STOP_REQUESTED).update(
            state=Shipment.State.INSTRUCTED
        )
    journal.write([(shipment_id, "stop_withdrawn", "")], by=actor.by)
    _write_clock(list(order_ids))
    facts.refresh(list(order_ids), actor=actor)


def _claim(shipment_id: int) -> tuple[Shipment | None, list[StopRequest]]:
    """Lock the parcel's orders by pk, then the parcel; (None, []) when nobody waits for its answer."""
    orders = ShipmentLine.objects.filter(shipment=shipment_id).values_list("order_line__order", flat=True)
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=list(orders)).order_by("pk").values_list("pk"))
    shipment = (
        Shipment.objects.select_for_update(no_key=True)
        .filter(pk=shipment_id, state=Shipment.State.STOP_REQUESTED)
        .first()
    )
    if shipment is None:
        return None, []
    return shipment, list(StopRequest.objects.filter(shipment=shipment, state=State.WAITING).order_by("pk"))


def _close(requests: Sequence[StopRequest], state: str, note: str, actor: Actor) -> None:
    StopRequest.objects.filter(pk__in=[request.pk for request in requests]).update(
        state=state, answered_at=clock.now(), answered_by=actor.by, answer=note[:200]
    )
    stop_followup.answered(requests, actor=actor)


def _without_open_stops(order_ids: Sequence[int]) -> set[int]:
    waiting = StopRequest.objects.filter(order__in=order_ids, state=State.WAITING).values_list("order", flat=True)
    return set(order_ids) - set(waiting)


def _hold_for_change(order_ids: Sequence[int], what: Sequence[str], actor: Actor) -> None:
    """Held, so that no scheduled instruction sends it again before it is changed."""
    if not order_ids:
        return
    reason = said("変更のため出荷を止めました")
    if what:
        labels = [said(StopRequest.What(one).label) for one in what]
        reason = said("変更のため出荷を止めました（%(what)s）", what=labels)
    hold.hold_orders(order_ids, reason=reason, actor=actor)


@transaction.atomic
def set_policies(automatic: Mapping[int, bool], *, by: User | None) -> None:
    """Location → whether parcels that nobody has begun with stop by themselves there."""
    with setting_versions.kept("stop_policy", "-", by=by):
        for location_id, wanted in sorted(automatic.items()):
            set_policy(location_id, automatic=wanted)


def set_policy(location_id: int, *, automatic: bool) -> None:
    """Of one location, without a version: see `set_policies`."""
    StopPolicy.objects.update_or_create(location_id=location_id, defaults={"automatic": automatic})
