"""Settings of shipping with versions (`oms.kernel.setting_kinds`)."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from fulfillment.forms_stop_policy import StopPolicyForm
from fulfillment.queries import stops
from fulfillment.services import costs, stop
from fulfillment.views.costs import CostForm
from oms.kernel.setting_kinds import Kind, Refused, Who, register


def _cost_form(_ref: str, data: Any, _who: Who | None) -> CostForm:
    now = costs.costs()
    return CostForm(data, initial={**now.said(), "version": now.version})


def _save_costs(_ref: str, form: CostForm, who: Who) -> None:
    try:
        costs.save(form.wanted, by_id=who.by.pk)
    except costs.Moved as error:
        raise Refused([_("ほかの人が先に変更しました。今の値を確かめて、もう一度保存してください。")]) from error


def register_kinds() -> None:
    register(
        Kind(
            code="costs",
            label=lazy("出荷コスト"),
            rights=("fulfillment.change_costsetting",),
            name=lambda ref: _("出荷コスト"),
            url=lambda ref: reverse("fulfillment:costs"),
            form=_cost_form,
            save=_save_costs,
        ),
        Kind(
            code="stop_policy",
            label=lazy("出荷停止の決まり"),
            rights=("fulfillment.change_stoppolicy",),
            name=lambda ref: _("出荷停止の決まり"),
            url=lambda ref: reverse("fulfillment:stops"),
            form=lambda ref, data, who: StopPolicyForm(data, policies=stops.policies()),
            save=lambda ref, form, who: stop.set_policies(form.wanted, by=who.by),
        ),
    )
