"""Oversell cases: opened when a mall sold what was gone, decided by a person, closed by themselves when stock comes."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from channels.models import OversellCase, OversellEvent
from channels.queries import oversell as queries
from inventory.models import Entry
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said, sentences, together
from orders.decide.reasons import Found
from orders.models import Order, OrderLine, ReviewReason, Shop
from orders.services import cancel, journal, review, set_parts
from orders.services import stage as stages
from orders.services.facts import mark_reserved
from orders.services.journal import Actor
from orders.services.reservation import line_ids_of, ref_of
from orders.signals import lines_released

REASON = "oversold"
FOUND_LATE = timedelta(hours=6)
State, Decision = OversellCase.State, OversellCase.Decision


class CannotDecide(Exception):
    """The decision does not fit any more; the text says why, for the person."""


def open_for(shop: Shop, order_nos: Collection[str]) -> int:
    """Open cases for what these freshly imported orders sold beyond stock; returns how many."""
    lines = queries.unserved().filter(order__shop=shop, order__channel_order_no__in=order_nos)
    return _open_new(list(lines.values_list("pk", "order")))


def _open_new(rows: Sequence[tuple[int, int]]) -> int:
    known = set(OversellCase.objects.filter(line__in=[line for line, _order in rows]).values_list("line", flat=True))
    new = [(line, order) for line, order in rows if line not in known and not _was_promised(line)]
    if not new:
        return 0
    with transaction.atomic():
        _lock_orders({order for _line, order in new})
        return open_cases([line for line, _order in new])


def _was_promised(line_id: int) -> bool:
    """A promise that a count or a damage ended later was no oversale."""
    return Entry.objects.filter(ref=ref_of(line_id)).exists()


def open_cases(line_ids: Iterable[int]) -> int:
    """One case per line that is unserved now, with its reason on the order. The caller holds the orders' locks."""
    lines = queries.unserved().select_related("order__shop", "sku").filter(pk__in=list(line_ids)).order_by("pk")
    found: dict[int, list[str]] = {}
    for line in lines:
        case, rival = _write_case(line)
        found.setdefault(line.order_id, []).append(_evidence(case, line, rival))
    review.open_from_above([(order, Found(REASON, together(words, " "), "lines")) for order, words in found.items()])
    return sum(len(words) for words in found.values())


def _write_case(line: OrderLine) -> tuple[OversellCase, OrderLine | None]:
    assert line.sku_id is not None
    parts = queries.parts_of(line)
    holders = queries.holders(parts, besides=line.order_id)
    rival = holders[0] if holders else None
    orders = [line.order, *(holder.order for holder in holders[:1])]
    now = clock.now()
    case, _created = OversellCase.objects.update_or_create(
        line=line,
        defaults={
            "order": line.order,
            "sku_id": line.sku_id,
            "short": (line.quantity - line.shipped_quantity) * line.units,
            "rival": rival.order if rival else None,
            "state": State.OPEN,
            "decision": "",
            "timeline": queries.timeline(line.sku_id, parts, orders),
            "opened_at": now,
            "closed_at": None,
            "closed_by": None,
        },
    )
    _note(case, "opened")
    return case, rival


def _evidence(case: OversellCase, line: OrderLine, rival: OrderLine | None) -> str:
    assert line.sku is not None
    words = said("%(code)s が%(short)s点足りません。", code=line.sku.code, short=case.short)
    if rival is not None:
        words = sentences(
            words,
            said(
                "在庫は%(name)sの受注 %(no)s に引き当てられています。",
                name=rival.order.shop.name,
                no=rival.order.channel_order_no,
            ),
        )
    return words


def sweep() -> int:
    """Close cases that have settled themselves, and find those that a killed import left; returns how many changed."""
    recent = queries.unserved().filter(order__imported_at__gt=clock.now() - FOUND_LATE)
    without = recent.exclude(pk__in=OversellCase.objects.values("line")).order_by("pk")
    opened = _open_new(list(without.values_list("pk", "order")[:200]))
    return opened + sum(_settle(case) for case in OversellCase.objects.filter(state=State.OPEN).order_by("pk"))


@transaction.atomic
def _settle(case: OversellCase) -> bool:
    """Close the case where its cause is gone or its reason was accepted at the desk."""
    locked = OversellCase.objects.select_for_update(no_key=True, skip_locked=True)
    mine = locked.filter(pk=case.pk, state=State.OPEN).first()
    if mine is None:  # closed, or someone decides it right now
        return False
    case = mine
    _lock_orders({case.order_id})
    line, order = case.line, case.order
    if order.cancelled_at:
        return _close(case, State.ENDED)
    if line.reserved or line.quantity <= line.shipped_quantity:
        return _close(case, State.RESOLVED)
    accepted = ReviewReason.objects.filter(order=order, code=REASON, state=ReviewReason.State.ACCEPTED)
    if reason := accepted.first():
        return _close(case, State.DECIDED, decision=Decision.WAIT, by=reason.closed_by)
    return False


def _close(case: OversellCase, state: str, *, decision: str = "", by: User | None = None, text: str = "") -> bool:
    """Under the order's lock. The reason closes with the order's last open case."""
    case.state, case.decision, case.closed_at, case.closed_by = state, decision, clock.now(), by
    case.save(update_fields=["state", "decision", "closed_at", "closed_by"])
    _note(case, decision or state, text, by)
    if not OversellCase.objects.filter(order=case.order_id, state=State.OPEN).exists():
        review.close_from_above([case.order_id], REASON, actor=Actor(by=by))
    return True


@transaction.atomic
def decide(case_id: int, decision: str, *, by: User | None, text: str = "") -> OversellCase:
    """Carry out a person's decision. A case that is closed already stays as it is. Raises CannotDecide."""
    case = OversellCase.objects.select_for_update(no_key=True).get(pk=case_id)
    if case.state != State.OPEN:
        return case
    if decision == Decision.SWAP:
        _swap(case, by)
    elif decision == Decision.CANCEL:
        _cancel(case, text, by)
    elif decision in {Decision.WAIT, Decision.TRANSFER}:
        _lock_orders({case.order_id})
        _journal(case, said("売り越し: %(decision)s", decision=Decision(decision).label), by)
        _close(case, State.DECIDED, decision=decision, by=by, text=text)
    else:
        raise CannotDecide(said("対応を選んでください。"))
    return case


def _cancel(case: OversellCase, text: str, by: User | None) -> None:
    result = cancel.cancel_orders([case.order_id], reason=text or said("在庫切れのため"), actor=Actor(by=by))
    if refusal := result.refused.get(case.order_id):
        raise CannotDecide(refusal)
    _close(case, State.DECIDED, decision=Decision.CANCEL, by=by, text=text)


def _swap(case: OversellCase, by: User | None) -> None:
    """The rival's promise goes to this order; the rival then is the one that was oversold. Stock is locked last."""
    rival = case.rival_id
    if rival is None:
        raise CannotDecide(said("在庫を持つ受注が見つかりません。"))
    orders = {order.pk: order for order in _lock_orders({case.order_id, rival})}
    if queries.contender(orders[rival]).under_way or orders[rival].cancelled_at or orders[case.order_id].cancelled_at:
        raise CannotDecide(said("相手の受注はすでに出荷指示済みか、キャンセルされています。"))
    taker = OrderLine.objects.get(pk=case.line_id)
    holders = queries.holders(queries.parts_of(taker), besides=case.order_id)
    giving = [line for line in holders if line.order_id == rival]
    if not giving or taker.reserved:
        raise CannotDecide(said("在庫の引当が変わりました。画面を開き直してください。"))
    ids = [line.pk for line in giving]
    OrderLine.objects.filter(pk__in=ids).update(reserved=False, allocated_quantity=F("shipped_quantity"))
    lines_released.send(sender=OrderLine, line_ids=ids)
    granted = line_ids_of(stock.regrant(_requests(taker, giving), by_id=by.pk if by else None))
    if taker.pk not in granted:
        raise CannotDecide(said("相手の受注の在庫だけでは足りません。"))
    mark_reserved(granted)
    _journal(case, said("売り越し: 受注 %(no)s の在庫を回しました", no=orders[rival].channel_order_no), by)
    _close(case, State.RESOLVED, decision=Decision.SWAP, by=by)
    open_cases([line for line in ids if line not in granted])
    stages.recompute(sorted(orders))


def _requests(taker: OrderLine, giving: Sequence[OrderLine]) -> list[stock.Request]:
    """The taker first; what it does not need goes back to the givers."""
    wants = []
    for place, line in enumerate([taker, *giving]):
        assert line.sku_id is not None
        units = (line.quantity - line.shipped_quantity) * line.units
        wants.append(stock.Want(ref_of(line.pk), line.sku_id, units, place))
    return set_parts.requests_for(wants)


def _journal(case: OversellCase, text: str, by: User | None) -> None:
    journal.write([journal.Entry(case.order_id, "oversell", text)], actor=Actor(by=by))


def _note(case: OversellCase, kind: str, text: str = "", by: User | None = None) -> None:
    OversellEvent.objects.create(case=case, at=clock.now(), kind=kind, text=text[:300], by=by)


def _lock_orders(ids: Collection[int]) -> list[Order]:
    return list(Order.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
