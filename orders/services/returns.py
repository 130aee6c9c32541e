"""返品: goods of shipped orders that come back, from the wish to the last yen.

Every verb takes the order's lock, moves the case by the table of moves, writes both journals, and touches stock last.
Goods that arrive lie in inspection until they are graded; then they move to where their grade belongs.
"""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Sum, When

from inventory.models import Location
from inventory.models.balance import EntryKind
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.money import yen
from oms.kernel.said import said, together
from oms.kernel.said_field import choice
from orders.decide import returns as decide
from orders.decide.found import Found
from orders.decide.returns import Refused, Settlement
from orders.models import (
    LineComponent,
    Order,
    OrderLine,
    OrderTask,
    ReturnCase,
    ReturnEvent,
    ReturnGrade,
    ReturnLine,
)
from orders.models.mail import MailEvent
from orders.services import hold, journal, mail, return_money, review, set_parts, tasks, wrong_goods
from orders.services.journal import SYSTEM, Actor, Entry
from orders.services.rules import wakes
from orders.services.wrong_goods import Instead
from orders.signals import return_withdrawn

__all__ = ["Refused", "Settlement"]  # beside the verbs of this module
State, Kind, Grade = ReturnCase.State, ReturnCase.Kind, ReturnGrade.Grade
KIND_OF_PLACE = {
    Grade.SECOND: Location.Kind.SECOND,
    Grade.DEFECTIVE: Location.Kind.DAMAGED,
    Grade.TO_MAKER: Location.Kind.TO_MAKER,
}


@transaction.atomic
def open_case(
    order_id: int,
    pieces: Mapping[int, int],
    *,
    reason: str,
    key: str,
    kind: str = Kind.RETURN,
    note: str = "",
    units: Mapping[int, int] | None = None,
    actor: Actor = SYSTEM,
) -> ReturnCase:
    """Note that pieces (line id → how many) of a shipped order shall come back, and `units` of single components of
    sets (id of their `LineComponent` → how many); the same `key` is the same case.

    Raises Refused when more is asked than has left and is not in another case already.
    """
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    if known := ReturnCase.objects.filter(key=key).first():
        return known
    wanted = {line: count for line, count in pieces.items() if count > 0}
    single = {component: count for component, count in (units or {}).items() if count > 0}
    if cause := why_not_opened(order, wanted, single):
        raise Refused(cause)
    line_of = dict(LineComponent.objects.filter(pk__in=single).values_list("pk", "line"))
    case = ReturnCase.objects.create(
        order=order, key=key, kind=kind, reason=reason, note=note[:500], asked_at=clock.now(), asked_by=actor.by
    )
    ReturnLine.objects.bulk_create(
        [
            *(ReturnLine(case=case, line_id=line, quantity=count) for line, count in sorted(wanted.items())),
            *(
                ReturnLine(case=case, line_id=line_of[component], component_id=component, quantity=count)
                for component, count in sorted(single.items())
            ),
        ]
    )
    note_event(case, "requested", together([choice(case, "reason"), note], " "), actor)
    if kind == Kind.UNDELIVERED:
        wakes.note([order.pk], "parcel_returned")
        review.open_from_above([(order.pk, _came_back(case, note))], actor=actor)
    if kind != Kind.UNDELIVERED and reason not in decide.NOBODY_ASKED:
        mail.schedule_for([order.pk], MailEvent.RETURN_RECEIVED, suffix=f":{case.pk}", actor=actor)
    return case


def why_not_opened(order: Order, wanted: Mapping[int, int], single: Mapping[int, int] | None = None) -> str:
    """Why these pieces cannot be returned, with these units of single components; empty when they can. The caller
    holds the order's lock."""
    if not wanted and not single:
        return said("返品する数を入れてください。")
    if returnable_goods(order.pk).fits(wanted, single or {}):
        return ""
    if single:
        return said(
            "返品できる数を超えています。出荷済みで、ほかの返品に入っていない数だけを指定してください。"
            "セットは、セットと構成品を合わせた数です。"
        )
    return said("返品できる数を超えています。出荷済みで、ほかの返品に入っていない数だけを指定してください。")


def returnable(order_id: int) -> dict[int, int]:
    """Line id → whole pieces that have left and are in no live case."""
    return dict(returnable_goods(order_id).pieces)


def returnable_goods(order_id: int) -> decide.Returnable:
    """What has left and is in no live case. Three queries."""
    rows = ReturnLine.objects.filter(case__order=order_id, case__state__in=decide.LIVE).order_by()
    # What did not arrive with the rest may come by another case, unless it pays for what was sent in exchange.
    over = Q(case__state__in=decide.ARRIVED, case__exchange_order=None)
    kept = Case(When(over, then="received"), default="quantity")
    taken = dict(rows.filter(component=None).values_list("line").annotate(pieces=Sum(kept)))
    single = dict(rows.exclude(component=None).values_list("component").annotate(units=Sum(kept)))
    lines = OrderLine.objects.filter(order=order_id, shipped_quantity__gt=0)
    left = {pk: shipped - taken.get(pk, 0) for pk, shipped in lines.values_list("pk", "shipped_quantity")}
    parts = LineComponent.objects.filter(line__order=order_id, line__in=left).order_by("line", "position")
    return decide.returnable(
        left, [(pk, line, units, single.get(pk, 0)) for pk, line, units in parts.values_list("pk", "line", "units")]
    )


@transaction.atomic
def approve(case_id: int, *, answer: str = "", actor: Actor) -> ReturnCase:
    """The goods may come back."""
    case = claim(case_id)
    _move(case, State.APPROVED, approved_at=clock.now(), answer=answer[:500])
    note_event(case, "approved", answer, actor)
    _tell(case, answer, ANSWERS[State.APPROVED], actor)
    return case


# What the customer reads: in the language of mails.
ANSWERS = {State.APPROVED: "承ります", State.REJECTED: "お断りいたします"}


def _tell(case: ReturnCase, answer: str, verdict: str, actor: Actor) -> None:
    """An answer in words goes to the customer by mail, once."""
    if answer.strip():
        words = {"return.number": case.number, "return.answer": verdict, "mail.message": answer}
        mail.schedule_for([case.order_id], MailEvent.RETURN_ANSWERED, suffix=f":{case.pk}", extra=words, actor=actor)


@transaction.atomic
def reject(case_id: int, *, answer: str, actor: Actor) -> ReturnCase:
    """The goods are not taken back; `answer` says why."""
    case = claim(case_id)
    if not answer.strip():
        raise Refused(said("お断りする理由を入れてください。"))
    _move(case, State.REJECTED, closed_at=clock.now(), answer=answer[:500])
    note_event(case, "rejected", answer, actor)
    _tell(case, answer, ANSWERS[State.REJECTED], actor)
    return case


@transaction.atomic
def withdraw(case_id: int, *, note: str = "", actor: Actor) -> ReturnCase:
    """The customer keeps the goods, or they never came."""
    case = claim(case_id)
    _move(case, State.WITHDRAWN, closed_at=clock.now())
    note_event(case, "withdrawn", note, actor)
    return_withdrawn.send(sender=ReturnCase, case_id=case.pk, by=actor.by)
    return case


@transaction.atomic
def on_its_way(case_id: int, *, carrier: str, tracking_no: str, actor: Actor = SYSTEM) -> ReturnCase:
    """The customer, or a carrier, has sent the goods back."""
    case = claim(case_id)
    _move(case, State.IN_TRANSIT, carrier=carrier, tracking_no=tracking_no.strip()[:40])
    note_event(case, "in_transit", tracking_no.strip(), actor)
    return case


def brought_back(
    order_id: int, pieces: Mapping[int, int], *, carrier: str, tracking_no: str, actor: Actor
) -> int | None:
    """A carrier brings back a parcel (line id → its pieces) that could not be stopped any more: the case that was
    opened then is its return. Returns that case; None when there is none. The caller holds the order's lock."""
    waiting = [State.REQUESTED, State.APPROVED, State.IN_TRANSIT]
    for case in ReturnCase.objects.filter(order=order_id, reason="too_late", state__in=waiting).order_by("pk"):
        if any(count > pieces.get(line, 0) for line, count in case.lines.values_list("line", "quantity")):
            continue
        ReturnCase.objects.filter(pk=case.pk).update(kind=Kind.UNDELIVERED)
        if case.state == State.REQUESTED:
            approve(case.pk, actor=actor)
        if case.state != State.IN_TRANSIT:
            on_its_way(case.pk, carrier=carrier, tracking_no=tracking_no, actor=actor)
        return case.pk
    return None


@transaction.atomic
def receive(case_id: int, pieces: Mapping[int, int], *, actor: Actor) -> ReturnCase:
    """The goods arrived: so many pieces by return line id. They lie in inspection from now on; stock is locked last.

    An exchange that waited for them may ship once all of them are here; else a person lets it go.
    """
    case = claim(case_id)
    lines = {line.pk: line for line in _lines(case)}
    counts = {pk: pieces.get(pk, 0) for pk in lines}
    if any(not 0 <= count <= lines[pk].quantity for pk, count in counts.items()) or not sum(counts.values()):
        raise Refused(said("到着した数を、返品の数以内で入れてください。"))
    _move(case, State.RECEIVED, received_at=clock.now())
    for pk, count in counts.items():
        ReturnLine.objects.filter(pk=pk).update(received=count)
    names = together(f"{lines[pk].name} × {count}" for pk, count in counts.items() if count)
    note_event(case, "received", names, actor)
    everything = all(count == lines[pk].quantity for pk, count in counts.items())
    if case.exchange_order_id and not case.ship_first and everything:
        hold.lift_holds([case.exchange_order_id], actor=actor)
    inspection = stock.aside_place()
    units = _units([(lines[pk], count) for pk, count in counts.items() if count])
    stock.record(
        [stock.Fact(sku, inspection.pk, count, case.stock_ref) for sku, count in sorted(units.items())],
        kind=EntryKind.RETURN,
        by_id=actor.by.pk if actor.by else None,
        note=str(case),
    )
    return case


def received_units(case: ReturnCase) -> dict[int, int]:
    """SKU → units that came back; a set counts as its components."""
    return _units([(line, line.received) for line in _lines(case) if line.received])


def sold_units(order: Order) -> dict[int, int]:
    """SKU → units of everything that stands of an order; a set counts as its components."""
    lines = list(order.lines.filter(sku__isnull=False, quantity__gt=0).values_list("pk", "sku", "units", "quantity"))
    needs = set_parts.needs_of([(line, sku, units) for line, sku, units, _quantity in lines])
    sold: dict[int, int] = {}
    for line, _sku, _units, quantity in lines:
        for sku, each in needs[line].items():
            sold[sku] = sold.get(sku, 0) + each * quantity
    return sold


def _lines(case: ReturnCase) -> QuerySet[ReturnLine]:
    return case.lines.select_related("line", "component")


def _units(pieces: Sequence[tuple[ReturnLine, int]]) -> dict[int, int]:
    whole = {own.line_id: (own.line_id, own.line.sku_id, own.line.units) for own, _count in pieces if own.line.sku_id}
    needs = set_parts.needs_of(list(whole.values()))
    units: dict[int, int] = {}
    for own, count in pieces:
        parts = {own.component.sku_id: 1} if own.component else needs.get(own.line_id, {})
        for sku, each in parts.items():
            units[sku] = units.get(sku, 0) + each * count
    return units


@transaction.atomic
def inspect(
    case_id: int,
    grades: Mapping[tuple[int, str], int],
    *,
    location_id: int,
    instead: Sequence[Instead] = (),
    actor: Actor,
) -> ReturnCase:
    """Every unit that arrived gets a grade: (SKU, grade) → units; `instead` are those that turned out to be other
    goods. Good ones go on sale again at `location_id`, the others to the place of their kind. Stock is locked last."""
    case = claim(case_id)
    wrong_goods.check(instead)
    _check_all_graded(received_units(case), grades, instead)
    _move(case, State.INSPECTED, inspected_at=clock.now(), location_id=location_id)
    found = {key: count for key, count in grades.items() if count}
    moves = [(sku, -count) for (sku, _grade), count in found.items()]
    moves += [(one.ordered_id, -one.quantity) for one in instead]
    for one in instead:
        if one.sku_id:
            found[one.sku_id, one.grade] = found.get((one.sku_id, one.grade), 0) + one.quantity
    inspection, texts = stock.aside_place().pk, []
    facts = [stock.Fact(sku, inspection, units, case.stock_ref) for sku, units in sorted(moves)]
    for (sku, grade), count in sorted(found.items()):
        place = location_id if grade == Grade.GOOD else stock.place_of_kind(KIND_OF_PLACE[Grade(grade)]).pk
        ReturnGrade.objects.create(case=case, sku_id=sku, grade=grade, quantity=count, location_id=place)
        texts.append(together([Grade(grade).label, str(count)], " "))
        facts.append(stock.Fact(sku, place, count, case.stock_ref))
    texts += wrong_goods.follow(case, instead, actor=actor)
    note_event(case, "inspected", together(texts), actor)
    kind = EntryKind.RETURN if instead else EntryKind.TRANSFER
    stock.record(facts, kind=kind, by_id=actor.by.pk if actor.by else None, note=str(case))
    return case


def _check_all_graded(
    units: Mapping[int, int], grades: Mapping[tuple[int, str], int], instead: Sequence[Instead]
) -> None:
    if any(count < 0 for count in grades.values()):
        raise Refused(said("数量は0以上で入れてください。"))
    graded: dict[int, int] = {}
    for sku, count in [
        *((sku, n) for (sku, _grade), n in grades.items()),
        *((i.ordered_id, i.quantity) for i in instead),
    ]:
        graded[sku] = graded.get(sku, 0) + count
    if {sku: count for sku, count in graded.items() if count} != units:
        raise Refused(said("到着した数と判定した数が合いません。すべての数を判定してください。"))


@transaction.atomic
def settle(case_id: int, settlement: Settlement, *, actor: Actor) -> ReturnCase:
    """Give back what is due and finish with the money. Nothing to give back is an answer too, with a note.

    Raises Refused when more is asked than is left, NeedsApproval when the actor may not give back so much alone.
    """
    case = claim(case_id)
    _move(case, State.SETTLED, settled_at=clock.now(), settle_note=settlement.note[:300])
    whole = dict(case.lines.filter(component=None).values_list("line", "received"))
    single = dict(case.lines.exclude(component=None).values_list("component", "received"))
    asked = [(settlement.quantities, whole), (settlement.units, single)]
    if any(count > limits.get(pk, 0) for wanted, limits in asked for pk, count in wanted.items()):
        raise Refused(said("返金する数は、到着した数までです。"))
    settled = return_money.settle(case, settlement, actor=actor)
    if settlement.is_empty and not settlement.note.strip():
        raise Refused(said("返金しないときは、理由をメモに入れてください。"))
    note_event(case, "settled", _settled_text(settled, settlement), actor)
    if told := return_money.write_credit_note(case, settlement, settled, actor=actor):
        _note_case(case, "credit_note", told, actor)
    return case


def _settled_text(settled: return_money.Settled, settlement: Settlement) -> str:
    paid = yen(settled.refund.amount if settled.refund else 0)
    if settled.credited:
        paid = together([paid, said("請求を %(amount)s 減額", amount=yen(settled.credited))], " ")
    if settled.off_bill:
        paid = said("次の合計請求書から %(amount)s を差し引き", amount=yen(settled.off_bill))
    return together([paid, settlement.note], " ") if settlement.note.strip() else paid


@transaction.atomic
def close(case_id: int, *, actor: Actor) -> ReturnCase:
    """Nothing is left to do."""
    case = claim(case_id)
    _move(case, State.CLOSED, closed_at=clock.now())
    note_event(case, "closed", "", actor)
    return case


def note_parcel(case: ReturnCase, text: str, *, actor: Actor) -> None:
    """A parcel that came without notice is this case's. The caller holds the case's lock."""
    note_event(case, "parcel_found", text, actor)


def claim(case_id: int) -> ReturnCase:
    """Lock the case's order, then read the case."""
    order_id = ReturnCase.objects.values_list("order", flat=True).get(pk=case_id)
    list(Order.objects.select_for_update(no_key=True).filter(pk=order_id).values_list("pk"))
    return ReturnCase.objects.get(pk=case_id)


def _move(case: ReturnCase, to: str, **columns: object) -> None:
    """Raises Refused when the case is elsewhere by now."""
    allowed = decide.allowed_from(to)
    if not ReturnCase.objects.filter(pk=case.pk, state__in=allowed).update(state=to, **columns):
        raise Refused(
            said(
                "この返品は「%(state)s」のため、「%(to)s」にできません。画面を開き直してください。",
                state=choice(case, "state"),
                to=State(to).label,
            )
        )
    case.state = to
    if to in NO_PICKUP:
        forget_pickup(case)
    if case.kind == Kind.UNDELIVERED and to in DECIDED and not _undecided(case):
        review.close_from_above([case.order_id], "parcel_returned")
    for name, value in columns.items():
        setattr(case, name, value)
    Order.objects.filter(pk=case.order_id).update(version=F("version") + 1)


# The goods are on their way, here, or stay where they are.
NO_PICKUP = frozenset({State.IN_TRANSIT, State.RECEIVED, State.WITHDRAWN})


def pickup_tasks(case: ReturnCase) -> QuerySet[OrderTask]:
    """Tasks to order a carrier's pick-up of this case's goods, with those that are done."""
    return OrderTask.objects.filter(order=case.order_id, key__startswith=f"pickup:{case.pk}:")


def forget_pickup(case: ReturnCase, *, actor: Actor = SYSTEM) -> None:
    """Nobody has to order it any more. The caller holds the order's lock."""
    tasks.withdraw(list(pickup_tasks(case).filter(done_at=None).values_list("key", flat=True)), actor=actor)


# What becomes of a parcel that came back is decided.
DECIDED = frozenset({State.SETTLED, State.CLOSED, State.REJECTED, State.WITHDRAWN})


def _undecided(case: ReturnCase) -> bool:
    """Another parcel of the order came back too, and nobody has decided about it."""
    others = ReturnCase.objects.filter(order=case.order_id, kind=Kind.UNDELIVERED).exclude(pk=case.pk)
    return others.exclude(state__in=DECIDED).exists()


def _came_back(case: ReturnCase, note: str) -> Found:
    text = note or choice(case, "reason")
    return Found("parcel_returned", said("%(text)s（返品 %(number)s）", text=text, number=case.number), "return")


def note_event(case: ReturnCase, kind: str, text: str, actor: Actor) -> None:
    """For the journals of case and order. The caller holds the order's lock."""
    _note_case(case, kind, text, actor)
    journal.write([Entry(case.order_id, f"return_{kind}", together([case.number, text], " "))], actor=actor)


def _note_case(case: ReturnCase, kind: str, text: str, actor: Actor) -> None:
    ReturnEvent.objects.create(case=case, at=clock.now(), kind=kind, text=text[:500], by=actor.by)
