"""What the screen 分割 shows of one order: its parcels, what each way would make of it, and who would pay."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F

from fulfillment.decide.split_ways import Way
from fulfillment.models import Shipment, ShipmentLine, SplitCharge
from fulfillment.queries import splits
from fulfillment.queries.freight import of_parcels
from fulfillment.queries.splits import Wish
from fulfillment.services import split, split_charge
from inventory.models import Location
from oms.kernel import privacy
from oms.kernel.models import User
from oms.kernel.said import said
from orders.models import Order
from orders.queries.detail import PERSONAL


@dataclass(frozen=True, slots=True)
class Choice:
    """A way as a person chooses it: how many parcels more, our freight for them (None: not known), or why not."""

    code: str
    label: str
    parcels: int = 0
    freight: int | None = None
    why: str = ""


def split_page(order: Order, user: User) -> dict[str, Any]:
    """`order` comes with its shop."""
    parcels = _parcels(order)
    lines = order.lines.select_related("sku").order_by("position", "pk")
    waiting = [line for line in lines if line.allocated_quantity < line.quantity]
    names = dict(order.recipients.values_list("pk", "name"))
    personal = user.has_perm(PERSONAL)
    for parcel in parcels:
        name = names.get(parcel["shipment"].recipient_id, "")
        parcel["to"] = name if personal else privacy.mask_name(name)
    live = SplitCharge.objects.filter(order=order, state__in=split_charge.LIVE).select_related(
        "asked_by", "answered_by"
    )
    charge = live.first()
    sees_costs = user.has_perm("inventory.view_cost")
    why = split_charge.why_not_charged(order)
    return {
        "order": order,
        "parcels": parcels,
        "recipients": len(names),
        "waiting": [{"line": line, "missing": line.quantity - line.allocated_quantity} for line in waiting],
        "extra_freight": _extra_freight(parcels) if sees_costs else 0,
        "choices": (choices := _choices(order, sees_costs=sees_costs)),
        "has_choice": any(not choice.why for choice in choices),
        "places": Location.objects.filter(active=True, sells_online=True).order_by("priority", "pk"),
        "charge": charge,
        "unit": 0 if why or charge else split_charge.unit_of(order),
        "why_not_charged": said(split_charge.KNOWN) if charge else why,
        "can_join": bool(split.joinable([order.pk])),
        "may": user.has_perm("orders.change_order"),
    }


def _extra_freight(parcels: Sequence[Mapping[str, Any]]) -> int:
    """Yen without tax beyond the dearest parcel of each recipient."""
    prices = of_parcels([parcel["shipment"].pk for parcel in parcels]) if parcels[1:] else {}
    own: dict[int, list[int]] = defaultdict(list)
    for parcel in parcels:
        own[parcel["shipment"].recipient_id].append(prices.get(parcel["shipment"].pk, 0))
    return sum(sum(costs) - max(costs) for costs in own.values())


def _choices(order: Order, *, sees_costs: bool) -> list[Choice]:
    """A place and a day are chosen with the way, so those two are only looked at as far as that goes."""
    if why := splits.closed([order.pk]).get(order.pk, ""):
        return [Choice(way.value, str(way.label), why=why) for way in Way]
    return [_choice(order, way, sees_costs=sees_costs) for way in Way]


def _choice(order: Order, way: Way, *, sees_costs: bool) -> Choice:
    label = str(way.label)
    if way == Way.LOCATION:
        return Choice(way.value, label, why=_why_no_place(order))
    look = splits.looks([order.pk], Wish(way.value))[order.pk]
    if isinstance(look, str):
        return Choice(way.value, label, why="" if way == Way.ARRIVAL and _waits_for_several(order) else look)
    cost, unknown = splits.extra_freight({order.pk: look}) if sees_costs else (0, 1)
    return Choice(way.value, label, look.further, None if unknown else cost)


def _waits_for_several(order: Order) -> bool:
    """Of goods that all come later, some come earlier than others."""
    waiting = order.lines.filter(reserved=False, apart=False, quantity__gt=F("shipped_quantity"))
    return waiting.count() > 1


def _why_no_place(order: Order) -> str:
    planned = ShipmentLine.objects.filter(order_line__order=order, shipment__state=Shipment.State.PLANNED)
    counted = planned.order_by().values("shipment").annotate(n=Count("order_line", distinct=True))
    lines = list(counted.values_list("n", flat=True))
    if not lines:
        return said("出荷指示前の出荷伝票がありません。在庫を引き当てたあとに分けられます。")
    return said("荷物の商品が1つだけです。") if max(lines) == 1 else ""


def _parcels(order: Order) -> list[dict[str, Any]]:
    """Every parcel with the pieces of each line."""
    rows = (
        ShipmentLine.objects.filter(order_line__order=order)
        .select_related("shipment__location", "shipment__recipient", "order_line", "sku")
        .order_by("shipment__reference", "shipment", "order_line__position", "pk")
    )
    parcels: dict[int, dict[str, Any]] = {}
    for row in rows:
        parcel = parcels.setdefault(row.shipment_id, {"shipment": row.shipment, "lines": {}})
        line = parcel["lines"].setdefault(row.order_line_id, {"line": row.order_line, "pieces": 0, "temperatures": []})
        line["pieces"] = row.line_quantity
        if (label := row.sku.get_temperature_display()) not in line["temperatures"]:
            line["temperatures"].append(label)
    shared = ShipmentLine.objects.filter(shipment__in=parcels).exclude(order_line__order=order)
    merged = set(shared.values_list("shipment", flat=True))
    return [
        {
            "shipment": parcel["shipment"],
            "lines": list(parcel["lines"].values()),
            "planned": parcel["shipment"].state == Shipment.State.PLANNED,
            "merged": pk in merged,
            "parts": _parts(parcel["shipment"], parcel["lines"].values()) and pk not in merged,
        }
        for pk, parcel in parcels.items()
    ]


def _parts(shipment: Shipment, lines: Iterable[Mapping[str, Any]]) -> bool:
    """It is not instructed, and there is something to take out of it that leaves something in it."""
    return shipment.state == Shipment.State.PLANNED and sum(line["pieces"] for line in lines) > 1
