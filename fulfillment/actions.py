"""What fulfilment offers the desk: 出荷指示, and printing what was instructed."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import Shipment
from fulfillment.queries import batches
from fulfillment.services.instruct import instruct_orders, instructable
from oms.kernel.said import said
from orders.actions import Action, Group, Offer, Outcome, Params, Plan
from orders.desk_actions import outcome, split
from orders.models.order import Stage
from orders.services.journal import Actor

PRINTABLE = (Shipment.State.INSTRUCTED, Shipment.State.SHIPPED)


def why_not_instructed(order: Mapping[str, Any]) -> str:
    return said("ステータスが「%(stage)s」のため出荷指示できません。", stage=Stage(order["stage"]).label)


def plan_instruct(order_ids: Sequence[int], _params: Params) -> Plan:
    may = set(instructable().filter(pk__in=order_ids).values_list("pk", flat=True))
    will, skipped = split(order_ids, ["stage"], lambda o: "" if o["id"] in may else why_not_instructed(o))
    return Plan(will, skipped, batches.effects(will), batches.problems(will))


def run_instruct(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    result = instruct_orders(order_ids, actor=actor)
    done = outcome(order_ids, result.orders, result.skipped)
    return Outcome(done.done, done.skipped, offers=papers(result.shipments))


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
