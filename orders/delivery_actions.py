"""What the desk offers for how and when orders leave, before the warehouse has them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.said import said
from oms.kernel.typed import DayField
from orders import desk_undo
from orders.actions import Action, ActionForm, Group, Outcome, Params, Plan
from orders.desk_actions import outcome, split
from orders.models.order import Carrier, FulfillmentState
from orders.services import delivery
from orders.services.journal import Actor

JUDGED_BY = ("cancelled_at", "fulfillment_state", "fulfilled_by_channel", "wish_date", *delivery.FIELDS)


class CarrierForm(ActionForm):
    carrier = forms.ChoiceField(label=lazy("配送会社"), choices=Carrier.choices)
    delivery_method = forms.CharField(
        label=lazy("配送方法"), max_length=60, required=False, help_text=lazy("空欄なら、今の配送方法のままにします。")
    )


class PlannedDayForm(ActionForm):
    planned_ship_date = DayField(
        label=lazy("出荷予定日"), required=False, help_text=lazy("空欄にすると、予定日を待たずに出荷できます。"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip

    @property
    def params(self) -> dict[str, Any]:
        """The day as ISO text, which fits into JSON."""
        day = super().params.get("planned_ship_date")
        return {"planned_ship_date": day.isoformat() if day else None}


def wanted(params: Params) -> dict[str, Any]:
    """The columns to write; an empty method means: as it is."""
    return {
        name: delivery.from_plain(name, value)
        for name, value in params.items()
        if not (name == "delivery_method" and not value)
    }


def why_not(order: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    if order["cancelled_at"]:
        return said("キャンセル済みです。")
    if order["fulfilled_by_channel"]:
        return said("モールが出荷する受注です。")
    if order["fulfillment_state"] != FulfillmentState.NONE:
        return said("出荷指示のあとのため変更できません。")
    return said("すでにその値です。") if all(order[name] == value for name, value in values.items()) else ""


def plan_change(order_ids: Sequence[int], params: Params) -> Plan:
    values = wanted(params)
    return Plan(*split(order_ids, JUDGED_BY, lambda order: why_not(order, values)), _effects(values))


def _effects(values: Mapping[str, Any]) -> list[str]:
    if "planned_ship_date" not in values:
        return [said("すでに倉庫へ渡した出荷伝票は変わりません。")]
    return [said("出荷予定日まで「出荷日待ち」になります。配達希望日に間に合うかは確かめてください。")]


def run_change(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    values = wanted(params)
    _will, skipped = split(order_ids, JUDGED_BY, lambda order: why_not(order, values))
    return outcome(order_ids, delivery.change(order_ids, values, actor=actor), skipped)


CHANGE = "orders.change_order"
ACTIONS = (
    Action("carrier", lazy("配送会社を変える"), lazy("%(n)s件の配送会社を変えました。"), "ship", CHANGE, plan_change,
           run_change, form=CarrierForm, rank=72, group=Group.DELIVERY,
           memory=desk_undo.sending("carrier", "delivery_method")),
    Action("planned_day", lazy("出荷予定日を変える"), lazy("%(n)s件の出荷予定日を変えました。"), "clock", CHANGE,
           plan_change, run_change, form=PlannedDayForm, rank=73, group=Group.DELIVERY,
           memory=desk_undo.sending("planned_ship_date")),
)  # fmt: skip
