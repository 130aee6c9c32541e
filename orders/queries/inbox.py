"""The review inbox: open reasons by kind, and the orders behind one kind, card after card. What stops orders is one
queue; what only asks for a look (注意) is another."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from oms.kernel.models import User
from orders.decide.reasons import CATALOGUE
from orders.decide.remarks import read
from orders.models import ReviewReason
from orders.models.order import Stage
from orders.models.reason import Level
from orders.queries import visible
from orders.services import claim


@dataclass(frozen=True, slots=True)
class Kind:
    """One reason with how many orders wait for it, for how many different causes (one code stands in many orders),
    and the earliest ship-by among them."""

    code: str
    label: str
    orders: int
    causes: int
    due: datetime | None
    clearable: bool


@dataclass(frozen=True, slots=True)
class Card:
    """The order to decide on now: `place` of `total` in its kind; `same` other orders have the very same evidence."""

    order_id: int
    reason: ReviewReason
    place: int
    total: int
    same: int
    shown_at: datetime


# An order under way, or gone, has a reason only where somebody must act: a wish to cancel, a change at the channel.
STAGES: Sequence[str] = (Stage.REVIEW, Stage.IN_FULFILLMENT, Stage.PARTIALLY_SHIPPED, Stage.SHIPPED)


# What only asks for a look does so until the goods are with the warehouse, but for what went wrong afterwards.
LOOK_STAGES: Sequence[str] = (
    Stage.REVIEW, Stage.AWAITING_PAYMENT, Stage.AWAITING_STOCK, Stage.AWAITING_RELEASE, Stage.SCHEDULED, Stage.READY,
)  # fmt: skip
AFTERWARDS = frozenset(code for code, entry in CATALOGUE.items() if entry.group == "after")


def stages_of(code: str, level: str) -> Sequence[str]:
    """Where orders stand whose reason of this kind a person decides on."""
    if level == Level.BLOCK:
        return STAGES
    return (*LOOK_STAGES, *STAGES[1:]) if code in AFTERWARDS else LOOK_STAGES


def waiting(level: str = Level.BLOCK) -> QuerySet[ReviewReason]:
    """Open reasons of a level that a person can decide on now; held orders wait for their hold."""
    if level == Level.BLOCK:
        here = Q(order__stage__in=STAGES) | Q(code="parcel_returned")  # a parcel may come back after all is done
    else:
        after = Q(code__in=AFTERWARDS, order__stage__in=STAGES)
        here = Q(order__stage__in=LOOK_STAGES) | after
    return visible.of_shops(ReviewReason.objects.filter(here, state=ReviewReason.State.OPEN, level=level))


def level_of(order_id: int, code: str) -> str:
    """In which of the two queues this reason of an order stands."""
    level = ReviewReason.objects.filter(order=order_id, code=code).values_list("level", flat=True).first()
    return Level.WARN if level == Level.WARN else Level.BLOCK


def kinds(level: str = Level.BLOCK) -> list[Kind]:
    """Every reason of this level that waits, the most urgent first. One query."""
    rows = (
        waiting(level)
        .values("code")
        .annotate(orders=Count("order"), causes=Count("fingerprint", distinct=True), due=Min("order__ship_by"))
    )
    found = [_kind(row) for row in rows]
    return sorted(found, key=lambda kind: (kind.due is None, kind.due, -kind.orders, kind.code))


def _kind(row: Mapping[str, Any]) -> Kind:
    entry = CATALOGUE.get(row["code"])
    label = str(entry.label) if entry else row["code"]
    return Kind(row["code"], label, row["orders"], row["causes"], row["due"], entry.clearable if entry else True)


def card(
    code: str, *, by: User, after: int | None = None, at: int | None = None, level: str = Level.BLOCK
) -> Card | None:
    """Hand out the next order of a kind to this person: order `at`, else the one that follows `after` (skipped, or
    decided), else the first. Orders that colleagues have before their eyes are passed over."""
    handed = claim.hand_out(claim.Queue(code, stages_of(code, level), Level(level)), by=by, after=after, at=at)
    if handed is None:
        return None
    reason = ReviewReason.objects.select_related("order__shop").get(pk=handed.reason_id)
    queue = waiting(level).filter(code=code)
    total = queue.count()
    place = total - queue.filter(_behind((reason.order.ship_by, reason.order_id))).count()
    same = queue.filter(fingerprint=reason.fingerprint).exclude(pk=reason.pk).count()
    return Card(reason.order_id, reason, place, total, same, handed.shown_at)


def _behind(edge: tuple[datetime | None, int]) -> Q:
    """Orders that come after this (ship-by, id); orders without ship-by stand at the end."""
    ship_by, pk = edge
    if ship_by is None:
        return Q(order__ship_by__isnull=True, order_id__gt=pk)
    return (
        Q(order__ship_by__gt=ship_by)
        | Q(order__ship_by__isnull=True)
        | Q(order__ship_by=ship_by, order_id__gt=pk)
    )  # fmt: skip


def highlighted(remarks: str, ordered_on: date) -> list[tuple[str, bool]]:
    """The remark in pieces, each with whether a person must read it; what was understood by itself is not marked."""
    pieces = (piece for line in remarks.splitlines(keepends=True) for piece in re.split(r"(?<=[。！!])", line))
    return [(piece, bool(read(piece, ordered_on).rest)) for piece in pieces if piece]


def same_evidence(reason_id: int) -> Sequence[int]:
    """The open reasons that wait for the same decision about the very same evidence, this one included."""
    reason = ReviewReason.objects.get(pk=reason_id)
    level = Level.WARN if reason.level == Level.WARN else Level.BLOCK
    rows = waiting(level).filter(code=reason.code, fingerprint=reason.fingerprint)
    return list(rows.order_by("order").values_list("pk", flat=True))
