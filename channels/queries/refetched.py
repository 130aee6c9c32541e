"""モール再取得: what the channel's word changed of the orders that were asked for, and what stayed as it is here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from channels.models import Reimport
from oms.kernel import clock
from orders.models import Order, OrderEvent
from orders.queries.originals import Original, differing
from orders.queries.timeline import Change, field_label, happening
from orders.services.taking_over import APPLIED, NOTED


@dataclass(frozen=True, slots=True)
class Difference:
    """`taken` stands in the order now, `told` came after the shipping instruction and does not; `texts` are sentences
    about what has no field (pieces, the channel's state). `kept` are corrections of ours that the channel tells
    otherwise."""

    texts: list[str] = field(default_factory=list)
    taken: list[Change] = field(default_factory=list)
    told: list[Change] = field(default_factory=list)
    kept: list[Original] = field(default_factory=list)

    @property
    def to_compare(self) -> bool:
        return bool(self.taken or self.told)


def differences(row: Reimport, order_ids: Sequence[int], *, personal: bool) -> Mapping[int, Difference]:
    """By order, from when it was asked until it was answered, whoever brought it: another import may have been
    quicker. Five queries."""
    found = {order_id: Difference() for order_id in order_ids}
    events = OrderEvent.objects.filter(
        order__in=order_ids, kind__in=[APPLIED, NOTED], at__range=(row.at, row.ended_at or clock.now())
    )
    for event in events.prefetch_related("values").order_by("pk"):
        _add(found[event.order_id], event, personal)
    orders = list(Order.objects.filter(pk__in=order_ids).defer("search", "channel_parts"))
    for order_id, kept in differing(orders, personal=personal).items():
        found[order_id].kept.extend(kept)
    return found


@dataclass(frozen=True, slots=True)
class Named:
    """Names of the fields that the channel told otherwise: those that follow it now, and those told too late."""

    taken: list[str]
    told: list[str]


def named_since(order_id: int, since: datetime) -> Named:
    """What one order's newest words from the channel are about. One query."""
    rows = OrderEvent.objects.filter(order=order_id, kind__in=[APPLIED, NOTED], at__gte=since).order_by("pk")
    found: dict[str, list[str]] = {APPLIED: [], NOTED: []}
    for kind, fields in rows.values_list("kind", "fields"):
        found[kind] += [label for name in fields if (label := field_label(name)) not in found[kind]]
    return Named(found[APPLIED], found[NOTED])


def _add(difference: Difference, event: OrderEvent, personal: bool) -> None:
    said = happening(event, personal)
    (difference.taken if event.kind == APPLIED else difference.told).extend(said.changes)
    if said.text:
        difference.texts.append(said.text)
