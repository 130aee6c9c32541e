"""What fulfilment offers the desk for where orders leave from, before the warehouse has them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import F
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import ShipmentLine
from fulfillment.services import relocate
from inventory.models import Location
from inventory.services import stock
from oms.kernel.said import said
from orders import desk_undo
from orders.actions import Action, ActionForm, Group, Memory, Outcome, Params, Plan
from orders.desk_actions import outcome, split
from orders.models import OrderLine
from orders.models.order import FulfillmentState, Stage
from orders.services import set_parts
from orders.services.journal import Actor

Facts = Mapping[str, Any]
COLUMNS = (
    "cancelled_at",
    "fulfilled_by_channel",
    "fulfillment_state",
    "preferred_location",
    "allocation_state",
    "stage",
)


def why_not_moved(order: Facts, together: set[int], paid_for: set[int]) -> str:
    """Why the goods of an order stay where they are planned; empty when they need not."""
    if order["cancelled_at"]:
        return said("キャンセル済みです。")
    if order["fulfilled_by_channel"]:
        return said("モールが出荷する受注です。")
    if order["fulfillment_state"] != FulfillmentState.NONE:
        return said("出荷指示のあとのため変更できません。先に出荷停止を依頼してください。")
    if order["id"] in together:
        return said("ほかの受注と同梱されています。先に同梱を解除してください。")
    if order["id"] in paid_for:
        return said("分割の送料をお客様に請求しています。先に分割を取り消してください。")
    return ""


# ---- another location


class LocationForm(ActionForm):
    location = forms.ModelChoiceField(
        Location.objects.filter(active=True, sells_online=True).order_by("priority", "pk"),
        label=lazy("出荷元"),
        required=False,
        empty_label=lazy("指定しない（拠点の優先順どおり）"),
    )

    @property
    def params(self) -> dict[str, Any]:
        """The location as an id, which fits into JSON."""
        found = super().params.get("location")
        return {"location": found.pk if isinstance(found, Location) else None}


def plan_location(order_ids: Sequence[int], params: Params) -> Plan:
    wanted = params.get("location")
    will, skipped = _split_by_location(order_ids, wanted)
    effects = [
        said("引当済みの商品はいったん引当を外し、数秒後に新しい出荷元へ引き当て直します。分けた荷物は1つに戻ります。")
    ]
    if wanted is not None and (short := _not_whole_there(will, wanted)):
        effects.append(
            said(
                "%(n)s件は「%(place)s」の在庫だけでは足りません。足りない分はほかの拠点から出荷します。",
                n=f"{short:,}",
                place=Location.objects.get(pk=wanted).name,
            )
        )
    return Plan(will, skipped, effects)


def _split_by_location(order_ids: Sequence[int], wanted: int | None) -> tuple[list[int], dict[int, str]]:
    together, paid_for = relocate.travels_with_another(order_ids), relocate.pays_for_parcels(order_ids)

    def why_not(order: Facts) -> str:
        same = said("すでにその出荷元を指定しています。") if order["preferred_location"] == wanted else ""
        return why_not_moved(order, together, paid_for) or same

    return split(order_ids, COLUMNS, why_not)


def _not_whole_there(order_ids: Sequence[int], location_id: int) -> int:
    """How many of these orders the location could not send whole, served in this order from what is free there and
    what they hold there already."""
    needs = _needs(order_ids)
    free = _free_at(location_id, {sku for own in needs.values() for sku in own}, order_ids)
    short = 0
    for order_id in order_ids:
        own = needs.get(order_id, {})
        if all(free[sku] >= units for sku, units in own.items()):
            for sku, units in own.items():
                free[sku] -= units
        else:
            short += 1
    return short


def _needs(order_ids: Sequence[int]) -> dict[int, dict[int, int]]:
    """Order → SKU → units still to send, sets taken apart."""
    lines = OrderLine.objects.filter(order__in=order_ids, sku__isnull=False, quantity__gt=F("shipped_quantity"))
    rows = list(lines.values_list("order", "pk", F("quantity") - F("shipped_quantity"), "sku", "units"))
    parts = set_parts.needs_of([(line, sku, units) for _order, line, _open, sku, units in rows])
    needs: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for order_id, line, pieces, _sku, _units in rows:
        for part, each in parts[line].items():
            needs[order_id][part] += pieces * each
    return needs


def _free_at(location_id: int, skus: set[int], order_ids: Sequence[int]) -> dict[int, int]:
    free: dict[int, int] = defaultdict(int)
    for sku, places in stock.free_by_location(skus).items():
        free[sku] += sum(place.free for place in places if place.location_id == location_id)
    held = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__location=location_id)
    for sku, units in held.filter(shipment__state="planned").values_list("sku", "quantity"):
        free[sku] += units
    return free


def run_location(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    _will, skipped = _split_by_location(order_ids, params.get("location"))
    return outcome(order_ids, relocate.prefer(order_ids, params.get("location"), actor=actor), skipped)


def wanted_before(order_ids: Sequence[int], _params: Params) -> desk_undo.Values:
    return desk_undo.columns_of(order_ids, "preferred_location_id")


def want_as_before(before: desk_undo.Before, _params: Params, actor: Actor) -> Outcome:
    done: list[int] = []
    for location_id, ids in desk_undo.alike(before, lambda values: values["preferred_location_id"]).items():
        done += relocate.prefer(ids, location_id, actor=actor)
    return desk_undo.outcome(before, done, said("出荷指示やキャンセルのあとのため、そのままにしました。"))


# ---- the same again


def plan_anew(order_ids: Sequence[int], _params: Params) -> Plan:
    will, skipped = _split_anew(order_ids)
    return Plan(
        will,
        skipped,
        [
            said("今の引当を外し、数秒後に在庫と拠点の優先順から引き当て直します。確保した数はそのまま残ります。"),
            said("分けた荷物は1つに戻ります。元に戻せません。"),
        ],
    )


def _split_anew(order_ids: Sequence[int]) -> tuple[list[int], dict[int, str]]:
    together, paid_for = relocate.travels_with_another(order_ids), relocate.pays_for_parcels(order_ids)

    def why_not(order: Facts) -> str:
        if why := why_not_moved(order, together, paid_for):
            return why
        idle = order["allocation_state"] == "none" and order["stage"] != Stage.AWAITING_STOCK
        return said("まだ引当の段階ではありません。入金と確認が済むと引き当てます。") if idle else ""

    return split(order_ids, COLUMNS, why_not)


def run_anew(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    will, skipped = _split_anew(order_ids)
    return outcome(order_ids, relocate.place_anew(will, actor=actor), skipped)


CHANGE = "orders.change_order"
ACTIONS = (
    Action("location", lazy("出荷元を変える"), lazy("%(n)s件の出荷元の指定を変えました。"), "stock", CHANGE,
           plan_location, run_location, form=LocationForm, rank=74, group=Group.DELIVERY, all_places=True,
           memory=Memory(wanted_before, want_as_before)),
    Action("reallocate", lazy("引当をやり直す"), lazy("%(n)s件の引当をやり直しています。数秒後に一覧に反映されます。"),
           "refresh", CHANGE, plan_anew, run_anew, rank=75, group=Group.DELIVERY, all_places=True),
)  # fmt: skip
