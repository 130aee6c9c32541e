"""返金の承認待ち: what gives back more than its person may alone is prepared, and runs when somebody approves it.

An order that shall be cancelled is on hold meanwhile, so that it does not leave. What is approved runs as the
approver's own deed: if it gives back more by then than the approver may, it is not done.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from oms.kernel import clock
from oms.kernel.money import yen
from orders.decide import refund_limits as decide
from orders.decide.manual import Item
from orders.models import Order, Refund, RefundRequest, ReturnCase
from orders.models.cancellation import CANCEL_REASONS
from orders.services import cancel, change_lines, hold, journal, refund_limits, refunds, returns
from orders.services import cancel_units as cancel_units_of
from orders.services.journal import Actor, Entry
from orders.services.refund_limits import NeedsApproval

Kind, State = RefundRequest.Kind, RefundRequest.State
STOPS_THE_ORDER = {Kind.CANCEL, Kind.PIECES, Kind.LINES}
HELD = "返金の承認待ち"


class Refused(Exception):
    """It cannot be decided so; `cause` says why and what to do, in Japanese."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


# ---- preparing


def cancel_whole(order_id: int, *, ask: cancel.Ask, needs: NeedsApproval, actor: Actor) -> RefundRequest:
    wanted = _Wanted(Kind.CANCEL, "cancel", {"ask": asdict(ask)}, _words(ask), ask.key)
    return _prepare(order_id, wanted, needs, actor)


def cancel_pieces(
    order_id: int, pieces: Mapping[int, int], *, ask: cancel.Ask, needs: NeedsApproval, actor: Actor
) -> RefundRequest:
    payload = {"ask": asdict(ask), "pieces": _pairs(pieces)}
    return _prepare(order_id, _Wanted(Kind.PIECES, "cancel", payload, _words(ask), ask.key), needs, actor)


def cancel_units(
    order_id: int, units: Mapping[int, int], *, ask: cancel.Ask, needs: NeedsApproval, actor: Actor
) -> RefundRequest:
    """Single components of sets, by the id of their `LineComponent`."""
    payload = {"ask": asdict(ask), "units": _pairs(units)}
    return _prepare(order_id, _Wanted(Kind.PIECES, "cancel", payload, _words(ask), ask.key), needs, actor)


def change(order_id: int, wanted: change_lines.Wanted, *, needs: NeedsApproval, actor: Actor) -> RefundRequest:
    payload = {
        "ask": asdict(wanted.ask),
        "quantities": _pairs(wanted.quantities),
        "items": [asdict(item) for item in wanted.items],
    }
    asked = _Wanted(Kind.LINES, "cancel", payload, _words(wanted.ask), wanted.ask.key)
    return _prepare(order_id, asked, needs, actor)


def settle_return(
    case: ReturnCase, settlement: returns.Settlement, *, needs: NeedsApproval, actor: Actor
) -> RefundRequest:
    payload = {
        "case": case.pk,
        "quantities": _pairs(settlement.quantities),
        "units": _pairs(settlement.units),
        "fees": list(settlement.fees),
        "deduction": settlement.deduction,
        "goodwill": settlement.goodwill,
        "difference": settlement.difference,
        "note": settlement.note,
    }
    asked = _Wanted(Kind.RETURN, f"return:{case.pk}", payload, f"{case.number} {case.get_reason_display()}")
    return _prepare(case.order_id, asked, needs, actor)


def refund(
    order_id: int, *, key: str, wish: refunds.Wish, reason: str, needs: NeedsApproval, actor: Actor
) -> RefundRequest:
    payload = {
        "key": key,
        "quantities": _pairs(wish.quantities or {}),
        "units": _pairs(wish.units),
        "fees": list(wish.fees),
        "deduction": wish.deduction,
        "goodwill": wish.goodwill,
        "surplus": wish.surplus,
        "reason": reason,
    }
    return _prepare(order_id, _Wanted(Kind.REFUND, "refund", payload, reason), needs, actor)


def pay(refund_id: int, *, needs: NeedsApproval, actor: Actor) -> RefundRequest:
    """A refund that nobody's limit covers yet (a late transfer, a cancellation by the mall) shall be paid."""
    row = Refund.objects.get(pk=refund_id)
    asked = _Wanted(Kind.COMPLETE, f"complete:{refund_id}", {"refund": refund_id}, row.reason)
    return _prepare(row.order_id, asked, needs, actor)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """`subject` waits at most once per order. `key` is one click's; without one, each decided request may be followed
    by another."""

    kind: str
    subject: str
    payload: Mapping[str, Any]
    reason: str
    key: str = ""


@transaction.atomic
def _prepare(order_id: int, wanted: _Wanted, needs: NeedsApproval, actor: Actor) -> RefundRequest:
    """The same click again gives the known request; so does another one while one of this subject waits.

    Locks the order; what would otherwise ship is put on hold.
    """
    assert actor.by is not None
    list(Order.objects.select_for_update(no_key=True).filter(pk=order_id).order_by("pk").values_list("pk"))
    before = RefundRequest.objects.filter(order=order_id, subject=wanted.subject)
    name = f"{order_id}:{wanted.subject}:{wanted.key or before.count()}"[:120]
    known = before.filter(Q(state=State.WAITING) | Q(key=name)).order_by("pk").first()
    if known is not None:
        return known
    made = RefundRequest.objects.create(
        order_id=order_id,
        key=name,
        subject=wanted.subject,
        kind=wanted.kind,
        payload=wanted.payload,
        amount=needs.amount,
        reason=wanted.reason[:200],
        asked_at=clock.now(),
        asked_by=actor.by,
    )
    text = f"{made.get_kind_display()} {yen(made.amount)} {wanted.reason}".strip()
    journal.write([Entry(order_id, "approval_asked", text)], actor=actor)
    Order.objects.filter(pk=order_id).update(version=F("version") + 1)
    if wanted.kind in STOPS_THE_ORDER and hold.hold_orders([order_id], reason=HELD, actor=actor):
        made.held = True
        made.save(update_fields=["held"])
    return made


def _words(ask: cancel.Ask) -> str:
    words = str(CANCEL_REASONS.get(ask.reason, ask.reason))
    return f"{words}（{ask.note}）" if ask.note else words


def _pairs(pieces: Mapping[int, int]) -> list[list[int]]:
    return [[line, count] for line, count in sorted(pieces.items())]


# ---- deciding


@transaction.atomic
def approve(request_id: int, *, note: str = "", actor: Actor) -> bool:
    """Run what was prepared; False when it has been decided already. Raises Refused, and then nothing has happened.

    Nobody approves what they asked for, or more than their own limit.
    """
    row = _claim(request_id)
    if row is None:
        return False
    assert actor.by is not None
    if row.asked_by_id == actor.by.pk:
        raise Refused(_("自分の申請は自分で承認できません。ほかの承認者に頼んでください。"))
    limit = refund_limits.limit_of(actor.by)
    if limit is not None and not decide.covers(limit, row.amount):
        raise Refused(
            _("返金額 %(amount)s は、あなたの上限 %(limit)s を超えています。上限の高い人に頼んでください。")
            % {"amount": yen(row.amount), "limit": yen(limit)}
        )
    _end(row, State.APPROVED, note, "approval_given", actor)
    _free(row, actor)
    try:
        RUN[Kind(row.kind)](row, actor)
    except NeedsApproval as needs:
        text = _("返金額が %(amount)s に変わり、あなたの上限 %(limit)s を超えました。上限の高い人に頼んでください。")
        raise Refused(text % {"amount": yen(needs.amount), "limit": yen(needs.limit)}) from needs
    return True


@transaction.atomic
def refuse(request_id: int, *, note: str, actor: Actor) -> bool:
    """It is not given back; `note` says why. The order goes on. False when it has been decided already."""
    if not note.strip():
        raise Refused(_("却下する理由を入力してください。"))
    row = _claim(request_id)
    if row is None:
        return False
    if actor.by is not None and row.asked_by_id == actor.by.pk:
        raise Refused(_("自分の申請は却下できません。不要になったら取り下げてください。"))
    _end(row, State.REFUSED, note, "approval_refused", actor)
    _free(row, actor)
    return True


@transaction.atomic
def withdraw(request_id: int, *, actor: Actor) -> bool:
    """Whoever asked does not ask any more. The order goes on."""
    row = _claim(request_id)
    if row is None:
        return False
    if actor.by is None or row.asked_by_id != actor.by.pk:
        raise Refused(_("取り下げられるのは申請した人だけです。"))
    _end(row, State.WITHDRAWN, "", "approval_withdrawn", actor)
    _free(row, actor)
    return True


def _claim(request_id: int) -> RefundRequest | None:
    """Lock the order, then read the request while it waits."""
    order_id = RefundRequest.objects.values_list("order", flat=True).get(pk=request_id)
    list(Order.objects.select_for_update(no_key=True).filter(pk=order_id).order_by("pk").values_list("pk"))
    rows = RefundRequest.objects.select_related("asked_by", "order")
    return rows.filter(pk=request_id, state=State.WAITING).first()


def _end(row: RefundRequest, state: str, note: str, event: str, actor: Actor) -> None:
    RefundRequest.objects.filter(pk=row.pk, state=State.WAITING).update(
        state=state, note=note.strip()[:300], decided_at=clock.now(), decided_by=actor.by
    )
    Order.objects.filter(pk=row.order_id).update(version=F("version") + 1)
    text = f"{row.get_kind_display()} {yen(row.amount)} {note.strip()}".strip()
    journal.write([Entry(row.order_id, event, text)], actor=actor)


def _free(row: RefundRequest, actor: Actor) -> None:
    """End the hold that the request put on the order; one that somebody else set stays."""
    if row.held and Order.objects.filter(pk=row.order_id, hold_reason=HELD, held_at__isnull=False).exists():
        hold.lift_holds([row.order_id], actor=actor)


# ---- running what was prepared


def _cancel(row: RefundRequest, actor: Actor) -> None:
    _say_refused(row, cancel.cancel_orders([row.order_id], ask=_ask(row), actor=actor))


def _cancel_pieces(row: RefundRequest, actor: Actor) -> None:
    if units := row.payload.get("units"):
        result = cancel_units_of.cancel_units(row.order_id, dict(units), ask=_ask(row), actor=actor)
    else:
        result = cancel.cancel_pieces(row.order_id, dict(row.payload["pieces"]), ask=_ask(row), actor=actor)
    _say_refused(row, result)


def _say_refused(row: RefundRequest, result: cancel.Cancelled) -> None:
    if needs := result.over.get(row.order_id):
        raise needs
    if cause := result.refused.get(row.order_id):
        raise Refused(cause)


def _change(row: RefundRequest, actor: Actor) -> None:
    """The order moved with the request itself; what else moved shows in whether the change is still possible."""
    version = Order.objects.values_list("version", flat=True).get(pk=row.order_id)
    items = [Item(**item) for item in row.payload["items"]]
    wanted = change_lines.Wanted(version, dict(row.payload["quantities"]), items, _ask(row))
    try:
        change_lines.change(row.order_id, wanted, actor=actor)
    except change_lines.TooLate as late:
        raise Refused(late.cause) from late


def _settle(row: RefundRequest, actor: Actor) -> None:
    p = row.payload
    units = dict(p.get("units", ()))
    settlement = returns.Settlement(
        dict(p["quantities"]), p["fees"], p["deduction"], p["goodwill"], p["note"], units, p.get("difference", 0)
    )
    try:
        returns.settle(p["case"], settlement, actor=actor)
    except returns.Refused as refused:
        raise Refused(refused.cause) from refused


def _refund(row: RefundRequest, actor: Actor) -> None:
    p = row.payload
    units = dict(p.get("units", ()))
    wish = refunds.Wish(dict(p["quantities"]), p["fees"], p["deduction"], p["goodwill"], p["surplus"], units)
    try:
        made = refunds.open_alone(row.order_id, key=p["key"], wish=wish, reason=p["reason"], actor=actor)
    except refunds.NothingToRefund as nothing:
        raise Refused(str(nothing)) from nothing
    if made is None:
        raise Refused(_("お客様のお金を預かっていないため、返金できません。"))


def _complete(row: RefundRequest, actor: Actor) -> None:
    """What is approved is that it is paid, not that it has been: the refund stays due."""
    if not refunds.clear(row.payload["refund"], actor=actor):
        raise Refused(_("この返金はすでに終わっています。"))


def _ask(row: RefundRequest) -> cancel.Ask:
    """With the request's own key, so that running twice cancels once."""
    return cancel.Ask(**{**row.payload["ask"], "key": f"request:{row.pk}"})


RUN: dict[RefundRequest.Kind, Callable[[RefundRequest, Actor], None]] = {
    Kind.CANCEL: _cancel,
    Kind.PIECES: _cancel_pieces,
    Kind.LINES: _change,
    Kind.RETURN: _settle,
    Kind.REFUND: _refund,
    Kind.COMPLETE: _complete,
}
