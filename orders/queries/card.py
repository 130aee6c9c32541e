"""What one card shows beside the order's own blocks: the evidence of its reason, the choices, the pace of work."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import SequenceMatcher
from typing import Any

from django.db.models import Avg, Count, F
from django.utils.translation import gettext as _

from inventory.models import Balance
from oms.kernel import clock
from oms.kernel.address_choice import Candidate, candidates
from oms.kernel.clock import in_tokyo
from oms.kernel.models import User
from oms.kernel.templatetags.desk import span_words
from orders.decide import remarks
from orders.decide.checks.delivery import SLOTS
from orders.decide.choices import ADDRESS_CODES, AREA_CODES, FIRST_DAY_CODES, NOTE_CODES, Offers, choices
from orders.decide.ship_plan import Destination
from orders.decide.slots import nearest_slot, slot_label
from orders.models import Order, OrderLine, Recipient, ReviewDecision, ReviewReason
from orders.queries import listed, visible
from orders.queries.inbox import highlighted
from orders.queries.money_sheet import against_lines
from orders.services import review, ship_plans, spellings

HISTORY = 6
MISMATCH = "amount_mismatch"


@dataclass(frozen=True, slots=True)
class Pace:
    """What this person decided in the last hour: how many cards, seconds for each, cards a minute."""

    done: int
    seconds: float
    per_minute: float


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    changed: bool


def card_context(order: Order, reason: ReviewReason, *, personal: bool) -> dict[str, Any]:
    """The evidence and the choices; what a person may not see is left out."""
    ordered_on = in_tokyo(order.ordered_at).date()
    is_note = reason.code in NOTE_CODES
    remark = remarks.read(order.remarks, ordered_on) if is_note else remarks.Remark()
    found, wrong = _candidates(order, reason) if personal else ((), None)
    offered = choices(
        reason.code,
        Offers(
            remark=remark,
            read_date=_named_day(remark, ordered_on) if is_note else None,
            candidates=found,
            buyer_phone=order.buyer_phone if personal else "",
            first_arrival=_first_arrival(order) if reason.code in FIRST_DAY_CODES else None,
            slot=_nearest_slot(order),
            carriers=review.carriers_that_serve(order) if reason.code in AREA_CODES else (),
            spelling=" ".join(spellings.proposals(order).values()) if reason.code == "bad_characters" else "",
        ),
    )
    written = _written(wrong) if wrong else ""
    return {
        "choices": [(choice, compared(written, choice.detail)) for choice in offered] if personal else [],
        "remark": marked(order.remarks, ordered_on) if order.remarks and personal else [],
        "written": written,
        "twins": _twins(order) if reason.code == "duplicate_suspect" else [],
        "sheet": against_lines(order, OrderLine.objects.filter(order=order.pk)) if reason.code == MISMATCH else None,
        "short": _short_lines(order) if reason.code in {"oversold", "item_unmapped"} else [],
        "listed": listed.beside(order) if reason.code in listed.CODES and personal else None,
        "history": _history(order),
    }


# Written in full width or not, a day reads the same; each character stays one.
HALF_WIDTH = {ord(wide): chr(ord(wide) - 0xFEE0) for wide in "０１２３４５６７８９／：（）"}
PERSON = r"(?<![お一-龥々ァ-ヶー])(?!お客|皆|みな)[一-龥々ァ-ヶー]{1,8}(?=様|さま|宛)"
TELLING = re.compile(f"{remarks.DATE.pattern}|{remarks.HOURS.pattern}|{PERSON}")


@dataclass(frozen=True, slots=True)
class Marked:
    """A piece of a remark: `read` where a person must, `telling` where it is a day, hours or a name."""

    text: str
    read: bool
    telling: bool = False


def marked(text: str, ordered_on: date) -> list[Marked]:
    """The remark in pieces: what was understood by itself is not marked, days, hours and names stand out."""
    found: list[Marked] = []
    for piece, read in highlighted(text, ordered_on):
        done = 0
        for match in TELLING.finditer(piece.translate(HALF_WIDTH)) if read else ():
            found += [Marked(piece[done : match.start()], read)] if match.start() > done else []
            found.append(Marked(piece[match.start() : match.end()], read, telling=True))
            done = match.end()
        found += [Marked(piece[done:], read)] if done < len(piece) else []
    return found


def _first_arrival(order: Order) -> date:
    to = Recipient.objects.filter(order=order.pk, position=0).first()
    place = Destination(to.prefecture, to.postal_code, order.carrier) if to else Destination()
    plan = ship_plans.read().of(order.preferred_location_id)
    return plan.first_arrival(place, now=clock.now(), not_before=order.release_date)


def _nearest_slot(order: Order) -> tuple[str, str]:
    code = nearest_slot(order.wish_slot, SLOTS.get(order.carrier, ()))
    return (code, slot_label(code)) if code else ("", "")


def _named_day(remark: remarks.Remark, ordered_on: date) -> date | None:
    """The day that what is left of the remark names."""
    match = remarks.DATE.search(remark.rest)
    return remarks.day_named(match, ordered_on) if match else None


def _candidates(order: Order, reason: ReviewReason) -> tuple[Sequence[Candidate], Recipient | None]:
    if reason.code not in ADDRESS_CODES:
        return (), None
    recipients = list(Recipient.objects.filter(order=order.pk))
    wrong = next(
        (r for r in recipients if review.has_wrong_address(r, order.carrier)), recipients[0] if recipients else None
    )
    if wrong is None:
        return (), None
    return candidates(wrong.postal_code, wrong.prefecture, wrong.city, wrong.address), wrong


def _written(recipient: Recipient) -> str:
    code = re.sub(r"\D", "", recipient.postal_code)
    shown = f"{code[:3]}-{code[3:]}" if len(code) == 7 else recipient.postal_code
    return f"〒{shown} {recipient.prefecture}{recipient.city}{recipient.address}"


def compared(before: str, after: str) -> list[Piece]:
    """`after` in pieces, each with whether it differs from `before`."""
    if not before:
        return [Piece(after, changed=False)] if after else []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        Piece(after[start:end], changed=kind != "equal")
        for kind, _a, _b, start, end in matcher.get_opcodes()
        if end > start
    ]


def _twins(order: Order) -> Sequence[Order]:
    """The orders of this person around the time of this one, in the order in which they came."""
    near = timedelta(days=2)
    rows = visible.orders().filter(
        member=order.member_id, ordered_at__range=(order.ordered_at - near, order.ordered_at + near)
    )
    found = (
        list(rows.select_related("shop").defer("search").order_by("ordered_at", "pk")[:8]) if order.member_id else []
    )
    for one in found:
        one.apart = _apart(one, order)  # type: ignore[attr-defined]
    return found


def _apart(one: Order, order: Order) -> str:
    """How long before or after the card's order it came; empty for that order itself."""
    if one.pk == order.pk:
        return ""
    seconds = int((one.ordered_at - order.ordered_at).total_seconds())
    if abs(seconds) < 60:
        return _("同じ分")
    words = {"span": span_words(abs(seconds))}
    return _("この受注の%(span)s後") % words if seconds > 0 else _("この受注の%(span)s前") % words


def _short_lines(order: Order) -> list[dict[str, Any]]:
    """Lines without a place for all of their pieces, with where the goods are."""
    lines = OrderLine.objects.filter(order=order.pk, quantity__gt=F("allocated_quantity")).select_related("sku")
    stock: dict[int, list[str]] = {}
    rows = Balance.objects.filter(
        sku__in=[line.sku_id for line in lines], location__isnull=False, on_hand__gt=F("reserved")
    )
    for row in rows.select_related("location").order_by("location__priority"):
        stock.setdefault(row.sku_id, []).append(f"{row.location} {row.on_hand - row.reserved}")
    return [
        {
            "line": line,
            "missing": line.quantity - line.allocated_quantity,
            "places": "、".join(stock.get(line.sku_id or 0, [])),
        }
        for line in lines
    ]


def _history(order: Order) -> Sequence[Order]:
    """The member's newest other orders."""
    if not order.member_id:
        return []
    rows = visible.orders().filter(member=order.member_id).exclude(pk=order.pk).select_related("shop")
    return list(rows.defer("search").order_by("-ordered_at", "-pk")[:HISTORY])


def pace(user: User) -> Pace:
    """How quickly this person decides. One query."""
    since: datetime = clock.now() - timedelta(hours=1)
    row = ReviewDecision.objects.filter(by=user, decided_at__gte=since, undone_at__isnull=True).aggregate(
        done=Count("action", distinct=True), each=Avg(F("decided_at") - F("shown_at"))
    )
    seconds = row["each"].total_seconds() if row["each"] else 0.0
    return Pace(row["done"], round(seconds, 1), round(60 / seconds, 1) if seconds else 0.0)
