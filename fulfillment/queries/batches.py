"""What a release would send where, and the releases there were: per place and carrier, with what has become of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from fulfillment.labels import Address, label_problems
from fulfillment.models import Batch, Shipment, ShipmentEvent
from fulfillment.queries.shipments import EVENTS
from fulfillment.queries.visible import parcels
from oms.kernel import clock
from oms.kernel.said import said
from orders.models.order import Carrier
from orders.services import ship_plans

State = Shipment.State
PRINTED = ("note_printed", "pick_printed", "work_printed", "handover_printed", "return_printed")


@dataclass(frozen=True, slots=True)
class Load:
    """What one carrier takes from one place."""

    place_id: int
    place: str
    carrier: str
    parcels: int
    boxes: int

    @property
    def carrier_label(self) -> str:
        return str(Carrier(self.carrier).label) if self.carrier in Carrier.values else self.carrier


def loads(rows: "QuerySet[Shipment]") -> list[Load]:
    """One query."""
    sums = (
        rows.order_by()
        .values("location", "location__name", "location__priority", "carrier")
        .annotate(parcels=Count("pk"), boxes=Sum("package_count"))
        .order_by("location__priority", "location", "carrier")
    )
    return [Load(row["location"], row["location__name"], row["carrier"], row["parcels"], row["boxes"]) for row in sums]


def planned_of(order_ids: Sequence[int]) -> "QuerySet[Shipment]":
    """The planned parcels that carry goods of these orders, each once."""
    carrying = Shipment.objects.filter(lines__order_line__order__in=order_ids, state=State.PLANNED)
    return Shipment.objects.filter(pk__in=carrying.values("pk"))


def effects(order_ids: Sequence[int]) -> list[str]:
    """What releasing these orders would send where, and until when it leaves today. Two queries."""
    found, plans, now = loads(planned_of(order_ids)), ship_plans.read(), clock.in_tokyo(clock.now())
    total = sum(load.parcels for load in found)
    told = [said("出荷伝票 %(n)s件を倉庫へ渡します。", n=f"{total:,}")]
    for load in found:
        plan = plans.of(load.place_id)
        cutoff = plan.cutoffs.get(load.carrier) or plan.cutoffs.get("")
        told.append(_load_words(load, cutoff, now))
    return told


def _load_words(load: Load, cutoff: time | None, now: datetime) -> str:
    words = {
        "place": load.place, "carrier": load.carrier_label, "n": f"{load.parcels:,}", "boxes": f"{load.boxes:,}"
    }  # fmt: skip
    if cutoff is None:
        return said("%(place)s・%(carrier)s: 出荷伝票 %(n)s件、%(boxes)s個口", **words)
    words["at"] = f"{cutoff:%H:%M}"
    if now.time() >= cutoff:
        return said("%(place)s・%(carrier)s: 出荷伝票 %(n)s件、%(boxes)s個口（締め %(at)s を過ぎています）", **words)
    left = (cutoff.hour - now.hour) * 60 + cutoff.minute - now.minute
    return said(
        "%(place)s・%(carrier)s: 出荷伝票 %(n)s件、%(boxes)s個口（締め %(at)s まであと %(left)s分）", **words, left=left
    )


def problems(order_ids: Sequence[int]) -> dict[int, str]:
    """Order → what would be wrong with its label. One query."""
    found = {}
    for shipment in planned_of(order_ids).select_related("recipient"):
        to = shipment.recipient
        wrong = label_problems(
            shipment.carrier,
            Address(
                name=to.name, company=to.company, postal_code=to.postal_code, place=to.prefecture + to.city,
                street=to.address, phone=to.phone,
            ),
        )  # fmt: skip
        if wrong:
            found[to.order_id] = wrong[0]
    return found


# ---- the releases there were


def listed() -> "QuerySet[Batch, Batch]":
    """Batches with parcels that the person may see, with their counts."""
    own = Q(shipments__in=parcels(whole_stock=True).values("pk"))
    return (
        Batch.objects.filter(own)
        .select_related("by")
        .annotate(
            parcels=Count("shipments", filter=own, distinct=True),
            shipped=Count("shipments", filter=own & Q(shipments__state=State.SHIPPED), distinct=True),
            printed=Count("shipments", filter=own & Q(shipments__printed_at__isnull=False), distinct=True),
        )
    )


@dataclass(frozen=True, slots=True)
class Printed:
    """One kind of paper of a batch: for how many parcels, by whom, first and last."""

    label: str
    parcels: int
    first: datetime
    last: datetime
    who: str


def printed(shipment_ids: Iterable[int]) -> list[Printed]:
    """The papers that were made of these parcels. One query."""
    rows = (
        ShipmentEvent.objects.filter(shipment__in=list(shipment_ids), kind__in=PRINTED)
        .order_by()
        .values("kind", "by__display_name")
        .annotate(n=Count("shipment", distinct=True), first=Min("at"), last=Max("at"))
        .order_by(F("last").desc())
    )
    return [
        Printed(
            str(EVENTS[row["kind"]]), row["n"], row["first"], row["last"], row["by__display_name"] or _("自動")
        )
        for row in rows
    ]  # fmt: skip
