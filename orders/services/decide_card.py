"""Deciding on review cards, and taking the last decision back exactly.

Each decision keeps what it found: the fields it wrote as they were, the review rows, who looked since when. It can be
undone as long as nobody changed the same fields since and the order has not gone to the warehouse.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from customers.services import notes
from oms.kernel import clock
from oms.kernel.address_choice import Candidate
from oms.kernel.clock import in_tokyo
from oms.kernel.phone import phone_digits
from oms.kernel.said import said
from orders.decide import remarks
from orders.decide.checks.delivery import SLOTS
from orders.decide.choices import CHANGES, FIRST_DAY_CODES
from orders.decide.reasons import CATALOGUE
from orders.models import Order, OrderText, Recipient, ReviewDecision, ReviewReason
from orders.models.order import Carrier, FulfillmentState
from orders.services import (
    channel_words,
    claim,
    edit,
    hold,
    journal,
    promises,
    reason_settings,
    review,
    ship_plans,
    spellings,
)
from orders.services import stage as stages
from orders.services.journal import Actor, Entry

State = ReviewReason.State
WISH_FIELDS = ("wish_date", "wish_slot", "planned_ship_date")
REASON_FIELDS = (
    "state", "level", "evidence", "field", "fingerprint", "raised_at", "closed_at", "closed_by_id", "note",
)  # fmt: skip
VERBS = {"accept", "hold", "decline_cancel", "promise_done", *CHANGES}
PROMISES = "promises"  # what a decision keeps of the promises that it ticked
# Verbs whose trace goes further than this house: a word to the channel cannot be taken back.
FINAL = {"decline_cancel"}


@dataclass(frozen=True, slots=True)
class Above:
    """A verb of an upper app, which changes more than the card's order. `others` names the orders it concerns beside
    that one; `run` does it, closes the reason and returns what `undo` needs to take it back, as plain JSON. Both run
    in the decision's transaction, under the locks of all these orders, and may raise `Refused`."""

    others: Callable[[str], Sequence[int]]  # of the value that was pressed
    run: "Callable[[Order, Wanted, Actor], dict[str, Any]]"
    undo: Callable[[Mapping[str, Any], Actor], None]


ABOVE: dict[str, Above] = {}


def register(verb: str, above: Above) -> None:
    """Offer a verb of an upper app, in `AppConfig.ready`."""
    ABOVE.setdefault(verb, above)


class Refused(Exception):
    """The decision, or its undo, is not possible; `cause` says why and what to do."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person pressed: a verb, and what it carries (an address, a day, the reason of a hold, which may end on
    the day `until`)."""

    verb: str
    value: str = ""
    note: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """`orders` were decided on; `left` were not, by a cause in words."""

    orders: list[int] = field(default_factory=list)
    left: dict[int, str] = field(default_factory=dict)


@transaction.atomic
def decide(reason_ids: Sequence[int], wanted: Wanted, *, actor: Actor) -> Decided:
    """Decide on these open reasons of one kind. Deciding again on a closed reason does nothing. Takes the orders'
    locks. Raises Refused for what concerns every order alike."""
    assert actor.by is not None, "a decision is somebody's"
    above = ABOVE.get(wanted.verb)
    if wanted.verb not in VERBS and above is None:
        raise Refused(said("この判断はできません。"))
    if above and len(reason_ids) > 1:
        raise Refused(said("この判断は1件ずつ行ってください。"))
    done = Decided()
    open_rows = ReviewReason.objects.filter(pk__in=reason_ids, state=State.OPEN).order_by("order_id")
    ids = list(open_rows.values_list("order_id", flat=True))
    if wanted.verb == "promise_done":
        ids = promises.with_neighbours(ids)
    beside = list(above.others(wanted.value)) if above else []
    orders = {o.pk: o for o in _locked([*ids, *beside])}
    rows = list(open_rows.filter(order__in=orders))  # somebody may have decided before we had the locks
    first = orders[rows[0].order_id] if rows else None
    for row in rows:
        _allowed(row.code, wanted)
    for row in rows:
        try:
            with transaction.atomic():
                if wanted.verb == "address" and first and not _same_address(orders[row.order_id], first):
                    raise Refused(said("住所が少し違う受注は、1件ずつ確かめてください。"))
                _decide_one(orders[row.order_id], row, wanted, actor)
        except Refused as refused:
            done.left[row.order_id] = refused.cause
        else:
            done.orders.append(row.order_id)
    return done


def _same_address(one: Order, other: Order) -> bool:
    """One candidate puts both right only where the very same was written: the rest of it is written over too."""
    fields = ("postal_code", "prefecture", "city", "address")
    ours, theirs = wrong_recipient(one), wrong_recipient(other)
    return all(getattr(ours, name) == getattr(theirs, name) for name in fields)


def _allowed(code: str, wanted: Wanted) -> None:
    entry = CATALOGUE.get(code)
    if wanted.verb == "accept" and entry and not entry.clearable:
        raise Refused(
            said("「%(label)s」は原因を直すと自動で解消します: %(step)s。", label=entry.label, step=entry.next_step)
        )
    if wanted.verb == "accept" and not wanted.note and reason_settings.note_required(code):
        raise Refused(said("この理由を確認済みにするには、メモを入力してください。"))


def _decide_one(order: Order, row: ReviewReason, wanted: Wanted, actor: Actor) -> None:
    assert actor.by is not None
    above = ABOVE.get(wanted.verb)
    concerned = [order.pk, *(above.others(wanted.value) if above else [])]
    before_rows = [row for pk in concerned for row in reason_rows(pk)]
    shown = claim.shown_at(order.pk, actor.by)
    write = WRITERS.get(wanted.verb)
    if write and (cause := edit.why_closed(order)):
        raise Refused(cause)
    before, after = write(order, row, wanted, actor) if write else ({}, {})
    if above:
        after = {"above": above.run(order, wanted, actor), "orders": concerned}
    elif wanted.verb == "hold":
        hold.hold_orders([order.pk], reason=wanted.value, until=wanted.until, actor=actor)
    elif wanted.verb == "decline_cancel":
        _decline(order, wanted, actor)
    if above is None:
        if PROMISES in after:
            journal.write([Entry(order.pk, "reason_accepted", said("約束を済みにしました。"))], actor=actor)
        elif before or after:
            _journal(order, before, after, actor)
        _close(order, row, wanted, actor)
    ReviewDecision.objects.create(
        order=order, code=row.code, verb=wanted.verb, changed=wanted.verb in CHANGES, by=actor.by, shown_at=shown,
        decided_at=clock.now(), action=actor.action, before=before, after=after, reasons=before_rows,
    )  # fmt: skip
    claim.release(actor.by)


def _close(order: Order, row: ReviewReason, wanted: Wanted, actor: Actor) -> None:
    """Close the reason: by its check where the order itself was put right, else as read by a person."""
    if wanted.verb in {"address", "phone", "drop_wish", "slot", "spelling", "carrier", "promise_done"} or (
        wanted.verb == "wish" and row.code in FIRST_DAY_CODES
    ):
        review.reevaluate([order.pk], actor=actor)
        return
    if wanted.verb == "wish":
        review.sync([order.pk])
    if wanted.verb != "hold":
        review.accept([order.pk], codes=[row.code], actor=actor, note=wanted.note)


def _decline(order: Order, wanted: Wanted, actor: Actor) -> None:
    spoken = channel_words.answer_cancel(order.pk, accept=False, message=wanted.note, actor=actor)
    if cause := spoken.refused.get(order.pk):
        raise Refused(cause)
    if order.pk in spoken.by_hand:
        raise Refused(
            said("このモールではお断りを送れません。モールの画面で手続きし、ここでは確認済みにしてください。")
        )


# ---- what the verbs write: each returns the fields before and after

Fields = dict[str, Any]
Writer = Callable[[Order, ReviewReason, Wanted, Actor], tuple[Fields, Fields]]


def _to_packing(order: Order, row: ReviewReason, _wanted: Wanted, _actor: Actor) -> tuple[Fields, Fields]:
    return _set(order, {"packing_note": _joined(order.packing_note, _note_of(order, row))})


def _to_internal(order: Order, row: ReviewReason, _wanted: Wanted, _actor: Actor) -> tuple[Fields, Fields]:
    return _set(order, {"internal_note": _joined(order.internal_note, _note_of(order, row))})


def _to_paper(order: Order, row: ReviewReason, _wanted: Wanted, _actor: Actor) -> tuple[Fields, Fields]:
    """The remark stands on the delivery note, once however often it is decided."""
    key = f"card:{row.pk}"
    OrderText.objects.update_or_create(
        order=order, reader=OrderText.Reader.DELIVERY_NOTE, key=key, defaults={"text": _note_of(order, row)[:300]}
    )
    return {}, {"text_key": key}


def _wish(order: Order, row: ReviewReason, wanted: Wanted, _actor: Actor) -> tuple[Fields, Fields]:
    try:
        day = date.fromisoformat(wanted.value)
    except ValueError as error:
        raise Refused(said("希望日が読み取れません。受注を開いて入力してください。")) from error
    slot = remarks.read(order.remarks, in_tokyo(order.ordered_at).date()).wish_slot or order.wish_slot
    return _set(order, {"wish_date": day, "wish_slot": slot, "planned_ship_date": _planned(order, day)})


def _drop_wish(order: Order, row: ReviewReason, _wanted: Wanted, _actor: Actor) -> tuple[Fields, Fields]:
    """A wish that cannot be met goes: the hours alone where only they are wrong."""
    if row.code == "time_slot_unavailable":
        return _set(order, {"wish_slot": ""})
    return _set(order, {"wish_date": None, "wish_slot": "", "planned_ship_date": None})


def _address(order: Order, row: ReviewReason, wanted: Wanted, _actor: Actor) -> tuple[Fields, Fields]:
    chosen = Candidate.from_value(wanted.value)
    if chosen is None:
        raise Refused(said("住所の候補が古くなりました。もう一度選んでください。"))
    values = {
        "postal_code": chosen.postal_code,
        "prefecture": chosen.prefecture,
        "city": chosen.city,
        "address": chosen.address,
    }
    return _set_recipient(order, wrong_recipient(order), values)


def _phone(order: Order, row: ReviewReason, _wanted: Wanted, _actor: Actor) -> tuple[Fields, Fields]:
    recipient = next((r for r in order.recipients.all() if r.phone and _as_told(r.phone) in row.evidence), None)
    return _set_recipient(order, recipient or order.recipients.all()[0], {"phone": order.buyer_phone})


def _as_told(phone: str) -> str:
    """As the evidence names it."""
    return phone_digits(phone) or phone


def _tick(order: Order, _row: ReviewReason, _wanted: Wanted, actor: Actor) -> tuple[Fields, Fields]:
    """The promises that the member's order was told of are kept; the reason goes from the member's other orders too.
    Of several orders of one member the first does it for all."""
    told = notes.open_promises([order.member_id or 0]).get(order.member_id or 0, ())
    ticked = notes.tick([note.pk for note in told if note.at <= order.ordered_at], by=actor.by)
    return ({PROMISES: ticked}, {PROMISES: ticked}) if ticked else ({}, {})


def _slot(order: Order, _row: ReviewReason, wanted: Wanted, _actor: Actor) -> tuple[Fields, Fields]:
    if wanted.value not in SLOTS.get(order.carrier, ()):
        raise Refused(said("この配送会社にない時間帯です。受注を開いて選んでください。"))
    return _set(order, {"wish_slot": wanted.value})


def _carrier(order: Order, _row: ReviewReason, wanted: Wanted, _actor: Actor) -> tuple[Fields, Fields]:
    if wanted.value not in Carrier.values:
        raise Refused(said("この配送会社は選べません。受注を開いて選んでください。"))
    values: Fields = {"carrier": wanted.value}
    if order.wish_date:
        moved = copy(order)
        moved.carrier = wanted.value  # its days of transit count
        values["planned_ship_date"] = _planned(moved, order.wish_date)
    return _set(order, values)


def _spelling(order: Order, _row: ReviewReason, _wanted: Wanted, _actor: Actor) -> tuple[Fields, Fields]:
    """What can be printed of every recipient, field by field."""
    found = spellings.proposals(order)
    if not found:
        raise Refused(said("置き換える文字が決まっていません。受注を開いて直してください。"))
    before: Fields = {}
    after: Fields = {}
    for recipient in order.recipients.all():
        values = {name: text for (position, name), text in found.items() if position == recipient.position}
        if values:
            one_before, one_after = _set_recipient(order, recipient, values)
            before, after = before | one_before, after | one_after
    return before, after


WRITERS: dict[str, Writer] = {
    "packing_note": _to_packing,
    "internal_note": _to_internal,
    "paper_note": _to_paper,
    "wish": _wish,
    "drop_wish": _drop_wish,
    "slot": _slot,
    "carrier": _carrier,
    "address": _address,
    "phone": _phone,
    "promise_done": _tick,
    "spelling": _spelling,
}


def wrong_recipient(order: Order) -> Recipient:
    """The first recipient whose address nobody finds; the first of all when each is right."""
    recipients = list(order.recipients.all())
    wrong = (r for r in recipients if review.has_wrong_address(r, order.carrier))
    found = next(wrong, recipients[0] if recipients else None)
    if found is None:
        raise Refused(said("この受注には届け先がありません。モールから取り込み直してください。"))
    return found


def _note_of(order: Order, row: ReviewReason) -> str:
    """What a person had to read of the remark."""
    if row.code == "buyer_note":
        return row.evidence
    return remarks.read(order.remarks, in_tokyo(order.ordered_at).date()).rest or order.remarks


def _joined(held: str, more: str) -> str:
    return held if more in held else "\n".join(part for part in (held, more) if part)


def _planned(order: Order, day: date) -> date | None:
    return ship_plans.planned_for(order, wish=day)


def _set(order: Order, values: Fields) -> tuple[Fields, Fields]:
    before = {name: _plain(getattr(order, name)) for name in values}
    Order.objects.filter(pk=order.pk).update(**values, version=F("version") + 1)
    return before, {name: _plain(value) for name, value in values.items()}


def _set_recipient(order: Order, recipient: Recipient, values: Fields) -> tuple[Fields, Fields]:
    """Write one recipient; the order's own columns of its first one follow, and the day it has to leave."""
    before = {f"recipient:{recipient.position}:{name}": getattr(recipient, name) for name in values}
    after = {f"recipient:{recipient.position}:{name}": value for name, value in values.items()}
    Recipient.objects.filter(pk=recipient.pk).update(**values)
    own: Fields = {}
    if recipient.position == 0 and (prefecture := values.get("prefecture")):
        code = values.get("postal_code", recipient.postal_code)
        planned = ship_plans.planned_for(order, wish=order.wish_date, prefecture=prefecture, postal_code=code)
        own |= {"recipient_prefecture": prefecture, "planned_ship_date": planned}
    if recipient.position == 0 and (name := values.get("name")):
        own |= {"recipient_name": name}
    if own:
        more_before, more_after = _set(order, own)
        return before | more_before, after | more_after
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1)
    return before, after


def _journal(order: Order, before: Mapping[str, Any], after: Mapping[str, Any], actor: Actor) -> None:
    changes = {
        name.rpartition(":")[2]: (str(before.get(name) or ""), str(value or ""))
        for name, value in after.items()
        if before.get(name) != value and name != "text_key"
    }
    journal.write([Entry(order.pk, "edited", changes=changes)], actor=actor)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def reason_rows(order_id: int) -> list[Fields]:
    """The review rows of an order as JSON."""
    rows = ReviewReason.objects.filter(order=order_id).order_by("pk").values("pk", *REASON_FIELDS)
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _locked(order_ids: Sequence[int]) -> list[Order]:
    rows = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop")
    return list(rows.filter(pk__in=order_ids).order_by("pk").prefetch_related("recipients"))


# ---- taking back


@transaction.atomic
def undo_last(*, actor: Actor) -> list[ReviewDecision]:
    """Take back this person's last decision, with every order that the same press decided. Pressing again takes back
    the one before. Raises Refused when an order has moved on; then nothing is taken back."""
    own = ReviewDecision.objects.filter(by=actor.by, undone_at__isnull=True)
    last = own.order_by("-pk").first()
    if last is None:
        raise Refused(said("取り消せる判断はありません。"))
    same_press = own.filter(action=last.action).order_by("-pk")
    ids = sorted({id_ for one in same_press for id_ in [one.order_id, *one.after.get("orders", [])]})
    if last.verb == "promise_done":
        ids = promises.with_neighbours(ids)
    orders = {order.pk: order for order in _locked(ids)}
    decisions = list(same_press.all())
    if not decisions:  # the same press came twice at once
        raise Refused(said("取り消せる判断はありません。"))
    for decision in decisions:
        _undo(orders[decision.order_id], decision, actor)
    ReviewDecision.objects.filter(pk__in=[d.pk for d in decisions]).update(undone_at=clock.now())
    undone = sorted({id_ for one in decisions for id_ in [one.order_id, *one.after.get("orders", [])]})
    journal.write([Entry(pk, "decision_undone", _label(last.code)) for pk in undone], actor=actor)
    stages.recompute(sorted(orders), actor=actor)
    return decisions


def _undo(order: Order, decision: ReviewDecision, actor: Actor) -> None:
    if decision.verb in FINAL:
        raise Refused(said("モールへ伝えた判断は取り消せません。"))
    if order.cancelled_at or order.fulfillment_state != FulfillmentState.NONE:
        raise Refused(said("%(no)s はもう先へ進んだため、取り消せません。", no=order.channel_order_no))
    if above := ABOVE.get(decision.verb):
        above.undo(decision.after["above"], actor)
    else:
        _take_back_fields(order, decision)
    if decision.verb == "hold":
        hold.lift_holds([order.pk], actor=actor)
    kept = {row["pk"]: row for row in decision.reasons}
    ReviewReason.objects.filter(order=order, raised_at__gte=decision.decided_at).exclude(pk__in=kept).delete()
    for pk, row in kept.items():
        values = {name: row[name] for name in REASON_FIELDS}
        ReviewReason.objects.filter(pk=pk).update(**values)
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1)


def _take_back_fields(order: Order, decision: ReviewDecision) -> None:
    for name, after in decision.after.items():
        if name == PROMISES:
            notes.untick(after, by=decision.by)
        elif name == "text_key":
            OrderText.objects.filter(order=order, key=after).delete()
        elif name.startswith("recipient:"):
            _kind, position, column = name.split(":")
            rows = Recipient.objects.filter(order=order, position=int(position))
            _restore(order, rows, column, after, decision.before[name])
        else:
            _restore(order, Order.objects.filter(pk=order.pk), name, after, decision.before[name])


def _restore(order: Order, rows: Any, column: str, after: Any, before: Any) -> None:
    """Put a field back, unless it holds by now something else than the decision wrote."""
    held = rows.values_list(column, flat=True).first()
    if _plain(held) != after:
        raise Refused(
            said(
                "%(no)s はこのあと編集されたため、取り消せません。受注を開いて直してください。",
                no=order.channel_order_no,
            )
        )
    rows.update(**{column: before})


def _label(code: str) -> str:
    return str(CATALOGUE[code].label) if code in CATALOGUE else code
