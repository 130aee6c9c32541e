"""Settings of shipping with versions (`oms.kernel.setting_kinds`)."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from fulfillment.calendar_forms import PlanForm, ReleaseTimesForm, starting
from fulfillment.forms_stop_policy import StopPolicyForm
from fulfillment.queries import stops
from fulfillment.services import costs, release, stop, waybill_settings
from fulfillment.views.costs import CostForm
from fulfillment.views.waybill_settings import form_of, url_of
from fulfillment.waybill_forms import SenderForm
from inventory.models import Location
from oms.kernel.said import said
from oms.kernel.setting_kinds import Kind, Refused, Who, register
from orders.models import ShippingPlan
from orders.models.order import Carrier
from orders.services import ship_plans


def _cost_form(_ref: str, data: Any, _who: Who | None) -> CostForm:
    now = costs.costs()
    return CostForm(data, initial={**now.said(), "version": now.version})


def _save_costs(_ref: str, form: CostForm, who: Who) -> None:
    try:
        costs.save(form.wanted, by_id=who.by.pk)
    except costs.Moved as error:
        raise Refused([_("ほかの人が先に変更しました。今の値を確かめて、もう一度保存してください。")]) from error


def _place(ref: str) -> int | None:
    return None if ref == "-" else int(ref)


def _plan(ref: str) -> ShippingPlan | None:
    return ShippingPlan.objects.filter(location=_place(ref)).first()


def _plan_name(ref: str) -> str:
    if ref == "-":
        return said("共通の設定")
    return Location.objects.filter(pk=ref).values_list("name", flat=True).first() or ""


def _plan_form(ref: str, data: Any, _who: Who | None) -> PlanForm:
    with translation.override(settings.LANGUAGE_CODE):  # carriers are told by name: the same for every reader
        return PlanForm(data, initial=starting(_plan(ref)))


def _save_plan(ref: str, form: PlanForm, who: Who) -> None:
    try:
        ship_plans.save(_place(ref), form.values, by=who.by, seen=form.cleaned_data["version"])
    except ship_plans.Stale as error:
        raise Refused([_("ほかの人が先に変更しました。今の値を確かめて、もう一度保存してください。")]) from error


def _contract_of(ref: str) -> tuple[int | None, str]:
    place, _slash, carrier = ref.partition("/")
    return _place(place), carrier


def _contract_name(ref: str) -> str:
    pk, carrier = _contract_of(ref)
    place = said("共通") if pk is None else _plan_name(str(pk))
    return said("%(place)s・%(carrier)s", place=place, carrier=Carrier(carrier).label)


def _contract_form(ref: str, data: Any, _who: Who | None) -> SenderForm:
    pk, carrier = _contract_of(ref)
    return form_of(carrier, data, waybill_settings.stored(pk, carrier), own=True)


def _save_contract(ref: str, form: SenderForm, who: Who) -> None:
    pk, carrier = _contract_of(ref)
    try:
        waybill_settings.save(pk, carrier, form.values, by=who.by, seen=form.cleaned_data["version"])
    except waybill_settings.Stale as error:
        raise Refused([_("ほかの人が先に変更しました。今の値を確かめて、もう一度保存してください。")]) from error


def register_kinds() -> None:
    register(
        Kind(
            code=waybill_settings.KIND,
            label=lazy("送り状の設定"),
            rights=("fulfillment.change_waybillsetting",),
            name=_contract_name,
            url=lambda ref: url_of(*_contract_of(ref)),
            form=_contract_form,
            save=_save_contract,
            exists=lambda ref: waybill_settings.stored(*_contract_of(ref)) is not None,
            reset=lambda ref, who: waybill_settings.remove(*_contract_of(ref), by=who.by),
        ),
        Kind(
            code="costs",
            label=lazy("出荷コスト"),
            rights=("fulfillment.change_costsetting",),
            name=lambda ref: said("出荷コスト"),
            url=lambda ref: reverse("fulfillment:costs"),
            form=_cost_form,
            save=_save_costs,
        ),
        Kind(
            code="stop_policy",
            label=lazy("出荷停止の決まり"),
            rights=("fulfillment.change_stoppolicy",),
            name=lambda ref: said("出荷停止の決まり"),
            url=lambda ref: reverse("fulfillment:stops"),
            form=lambda ref, data, who: StopPolicyForm(data, policies=stops.policies()),
            save=lambda ref, form, who: stop.set_policies(form.wanted, by=who.by),
        ),
        Kind(
            code=ship_plans.KIND,
            label=lazy("出荷カレンダー"),
            rights=("orders.change_shippingplan",),
            name=_plan_name,
            url=lambda ref: (
                reverse("fulfillment:calendar") if ref == "-" else reverse("fulfillment:calendar-place", args=[ref])
            ),
            form=_plan_form,
            save=_save_plan,
            exists=lambda ref: _plan(ref) is not None,
            reset=lambda ref, who: ship_plans.remove(_place(ref), by=who.by),
        ),
        Kind(
            code=release.KIND,
            label=lazy("出荷カレンダー"),
            rights=("orders.change_shippingplan",),
            name=lambda ref: said("自動の出荷指示"),
            url=lambda ref: reverse("fulfillment:calendar") + "#release",
            form=lambda ref, data, who: ReleaseTimesForm(data, initial={"times": release.times()}),
            save=lambda ref, form, who: release.set_times(form.wanted, by=who.by),
        ),
    )
