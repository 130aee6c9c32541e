"""出荷確定 from the desk: parcels leave with the numbers they have; what has none leads to the form."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import Shipment, ShipmentLine
from fulfillment.services import reopen as reopening
from fulfillment.services.ship import Departure, confirm_shipments
from fulfillment.tracking import looks_wrong
from oms.kernel.said import said
from orders.actions import Action, Group, Memory, Offer, Outcome, Params, Plan
from orders.desk_actions import outcome
from orders.services.journal import Actor
from orders.services.returns import Refused


def leaving(order_ids: Sequence[int]) -> tuple[dict[int, list[Departure]], dict[int, str]]:
    """Order → its parcels that may leave with the number they have, and why the other orders have none."""
    rows = Shipment.objects.filter(lines__order_line__order__in=order_ids, state=Shipment.State.INSTRUCTED)
    found: dict[int, list[Departure]] = defaultdict(list)
    why = dict.fromkeys(order_ids, said("出荷作業中の荷物がありません。"))
    parcels = rows.order_by("pk").values_list("lines__order_line__order", "pk", "carrier", "tracking_no").distinct()
    for order_id, pk, carrier, number in parcels:
        if not number:
            why[order_id] = said("送り状番号がありません。")
        elif looks_wrong(carrier, number):
            why[order_id] = said(
                "送り状番号 %(no)s の検査数字が合いません。出荷確定の画面で確かめてください。", no=number
            )
        else:
            found[order_id].append(Departure(pk, carrier, number))
    return found, {order_id: cause for order_id, cause in why.items() if order_id not in found}


def plan_ship(order_ids: Sequence[int], _params: Params) -> Plan:
    found, why = leaving(order_ids)
    parcels = {parcel.shipment_id for own in found.values() for parcel in own}
    effects = [
        said("荷物 %(n)s件を出荷済みにし、在庫から引きます。", n=f"{len(parcels):,}"),
        said("モールへ出荷を知らせ、店舗の設定に従って出荷のメールを送ります。"),
    ]
    return Plan([order_id for order_id in order_ids if order_id in found], why, effects if found else [])


def run_ship(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    found, why = leaving(order_ids)
    parcels = {parcel.shipment_id: parcel for own in found.values() for parcel in own}
    shipped = confirm_shipments(list(parcels.values()), actor=actor)
    for order_id, own in found.items():
        if causes := [shipped.refused[one.shipment_id] for one in own if one.shipment_id in shipped.refused]:
            why[order_id] = causes[0]
    gone = set(shipped.shipments)
    done = [order_id for order_id, own in found.items() if any(one.shipment_id in gone for one in own)]
    result, left = outcome(order_ids, done, why), _still_here(order_ids)
    offers = [Offer(said("送り状番号を入れて出荷確定"), reverse("fulfillment:ship"), left)] if left else []
    return Outcome(result.done, result.skipped, offers=offers)


def _still_here(order_ids: Sequence[int]) -> list[int]:
    rows = Shipment.objects.filter(lines__order_line__order__in=order_ids, state=Shipment.State.INSTRUCTED)
    return sorted(set(rows.values_list("pk", flat=True)))


def shipped_parcels(order_ids: Sequence[int], _params: Params) -> dict[int, dict[str, Any]]:
    rows = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state=Shipment.State.SHIPPED)
    found: dict[int, set[int]] = defaultdict(set)
    for order_id, parcel in rows.values_list("order_line__order", "shipment"):
        found[order_id].add(parcel)
    return {order_id: {"shipped": sorted(found[order_id])} for order_id in order_ids}


def call_back(before: Mapping[int, dict[str, Any]], _params: Params, actor: Actor) -> Outcome:
    """Confirmations of today that no mall has been told of are taken back, parcel by parcel."""
    now, left, done = shipped_parcels(list(before), {}), dict[int, str](), []
    for order_id, held in before.items():
        try:
            for parcel in sorted(set(now[order_id]["shipped"]) - set(held["shipped"])):
                if Shipment.objects.filter(pk=parcel, state=Shipment.State.SHIPPED).exists():  # with another's already?
                    reopening.reopen(parcel, actor=actor)
        except Refused as refused:
            left[order_id] = refused.args[0]
        else:
            done.append(order_id)
    return outcome(list(before), done, left)


ACTIONS = (
    Action(
        "ship",
        lazy("出荷確定"),
        lazy("%(n)s件の出荷を確定しました。"),
        "ship",
        "fulfillment.ship_shipment",
        plan_ship,
        run_ship,
        rank=62,
        group=Group.DELIVERY,
        all_places=True,
        memory=Memory(shipped_parcels, call_back),
    ),
)
