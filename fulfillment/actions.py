"""What fulfilment offers the desk: 出荷指示, and printing what was instructed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import Shipment, ShipmentLine
from fulfillment.queries import batches
from fulfillment.services import stop
from fulfillment.services.instruct import instruct_orders, instructable
from fulfillment.services.stop import UNDER_WAY
from oms.kernel.said import said
from orders.actions import Action, Group, Memory, Offer, Outcome, Params, Plan
from orders.desk_actions import outcome, split
from orders.models.order import Stage
from orders.services.journal import Actor

PRINTABLE = (Shipment.State.INSTRUCTED, Shipment.State.SHIPPED)


def why_not_instructed(order: Mapping[str, Any]) -> str:
    if order["stop_asked_at"]:
        return said("出荷停止を依頼中です。出荷元の返事を待ってください。")
    return said("ステータスが「%(stage)s」のため出荷指示できません。", stage=Stage(order["stage"]).label)


def plan_instruct(order_ids: Sequence[int], _params: Params) -> Plan:
    may = set(instructable().filter(pk__in=order_ids).values_list("pk", flat=True))
    will, skipped = split(
        order_ids, ["stage", "stop_asked_at"], lambda o: "" if o["id"] in may else why_not_instructed(o)
    )
    return Plan(will, skipped, batches.effects(will), batches.problems(will))


def run_instruct(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    result = instruct_orders(order_ids, actor=actor)
    done = outcome(order_ids, result.orders, result.skipped)
    return Outcome(done.done, done.skipped, offers=papers(result.shipments))


def instructed(order_ids: Sequence[int], _params: Params) -> dict[int, dict[str, Any]]:
    """The parcels that the warehouse has of each order."""
    rows = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state__in=UNDER_WAY)
    found: dict[int, set[int]] = defaultdict(set)
    for order_id, parcel in rows.values_list("order_line__order", "shipment"):
        found[order_id].add(parcel)
    return {order_id: {"parcels": sorted(found[order_id])} for order_id in order_ids}


def take_back(before: Mapping[int, dict[str, Any]], _params: Params, actor: Actor) -> Outcome:
    """Parcels that nobody has begun with stop at once, the others are asked to; one that carries another's goods too
    stays unless that order is taken back as well."""
    rows = ShipmentLine.objects.filter(shipment__lines__order_line__order__in=before, shipment__state__in=UNDER_WAY)
    shared = rows.exclude(order_line__order__in=before).values_list("shipment__lines__order_line__order", flat=True)
    kept = set(shared) & set(before)
    asked = stop.take_back([id_ for id_ in before if id_ not in kept], note=said("出荷指示の取り消し"), actor=actor)
    why = dict.fromkeys(kept, said("ほかの受注と同梱されているため、そのままにしました。"))
    why |= dict.fromkeys(
        asked.waiting, said("作業が始まっているため、出荷元に停止を依頼しました。返事を待っています。")
    )
    return outcome(list(before), asked.stopped, why)


def papers(shipment_ids: Sequence[int]) -> list[Offer]:
    """The papers of these shipments, as buttons."""
    if not shipment_ids:
        return []
    return [
        Offer(said("納品書を印刷"), reverse("fulfillment:delivery-notes"), shipment_ids),
        Offer(said("ピッキングリストを印刷"), reverse("fulfillment:pick-list"), shipment_ids),
        Offer(said("作業指示書を印刷"), reverse("fulfillment:work-slips"), shipment_ids),
    ]


def _shipments_of(order_ids: Sequence[int]) -> list[tuple[int, int]]:
    """(order, shipment) of what has been instructed, by the shipments' lines: a shipment may serve several orders."""
    rows = Shipment.objects.filter(lines__order_line__order__in=order_ids, state__in=PRINTABLE)
    return list(rows.order_by("pk").values_list("lines__order_line__order", "pk").distinct())


def plan_print(order_ids: Sequence[int], _params: Params) -> Plan:
    found = _shipments_of(order_ids)
    having = {order for order, _shipment in found}
    will, skipped = split(order_ids, [], lambda o: "" if o["id"] in having else said("出荷指示前です。"))
    papers_count = len({shipment for _order, shipment in found})
    return Plan(will, skipped, [said("出荷伝票 %(n)s件分を印刷できます。", n=f"{papers_count:,}")])


def run_print(order_ids: Sequence[int], _params: Params, _actor: Actor) -> Outcome:
    """Nothing changes; the result offers the papers, and printing them is noted on each shipment."""
    found = _shipments_of(order_ids)
    done = list(dict.fromkeys(order for order, _shipment in found))
    result = outcome(order_ids, done, dict.fromkeys(order_ids, said("出荷指示前です。")))
    return Outcome(result.done, result.skipped, offers=papers(sorted({shipment for _order, shipment in found})))


ACTIONS = (
    Action(
        "instruct",
        lazy("出荷指示"),
        lazy("%(n)s件の出荷指示を出しました。"),
        "ship",
        "orders.release_order",
        plan_instruct,
        run_instruct,
        key="r",
        rank=20,
        group=Group.BAR,
        all_places=True,
        memory=Memory(instructed, take_back),
    ),
    Action(
        "print",
        lazy("帳票を印刷"),
        lazy("%(n)s件の帳票を用意しました。"),
        "print",
        "fulfillment.print_document",
        plan_print,
        run_print,
        key="p",
        rank=30,
        group=Group.BAR,
    ),
)
