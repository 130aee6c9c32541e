"""Masters of the goods with versions (`oms.kernel.setting_kinds`)."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from inventory.forms_kit import KitPartsForm
from inventory.forms_set import SetForm
from inventory.forms_sku import SkuFactsForm, typed
from inventory.models import Sku
from inventory.services import kits, sets, sku_facts
from inventory.services.catalogue import CatalogueError
from oms.kernel.setting_kinds import Kind, Refused, Who, register


def _sku(ref: str) -> Sku:
    return Sku.objects.select_related("product").get(pk=ref)


def _name(ref: str) -> str:
    return Sku.objects.values_list("code", flat=True).get(pk=ref)


def _url(ref: str) -> str:
    return reverse("inventory:sku", args=[ref])


def _facts_form(ref: str, data: Any, who: Who | None) -> SkuFactsForm:
    """Who may not see costs neither sees nor changes them."""
    sku = _sku(ref)
    costs = who is None or who.by.has_perm("inventory.view_cost")
    initial = {**typed(sku), "seen": sku_facts.seen(sku)}
    return SkuFactsForm(data, initial=initial, costs=costs, bundle=sku.is_bundle)


def _save_facts(ref: str, form: SkuFactsForm, who: Who) -> None:
    values = {name: value for name, value in form.cleaned_data.items() if name != "seen"}
    try:
        sku_facts.change(int(ref), values, shown=form.cleaned_data["seen"], by_id=who.by.pk)
    except sku_facts.Moved as error:
        raise Refused([_("ほかの人が先に変更しました。今の値を確かめて、もう一度保存してください。")]) from error


def _save_set(ref: str, form: SetForm, who: Who) -> None:
    try:
        sets.define(int(ref), form.rules, by_id=who.by.pk)
    except CatalogueError as error:
        raise Refused([str(error)]) from error


def _kit_form(ref: str, data: Any, _who: Who | None) -> KitPartsForm:
    return KitPartsForm(data, initial={"parts": kits.written(kits.recipe_of(int(ref)))})


def _save_kit(ref: str, form: KitPartsForm, who: Who) -> None:
    try:
        kits.set_parts(int(ref), form.cleaned_data["parts"], by_id=who.by.pk)
    except kits.Refused as error:
        raise Refused([error.cause]) from error


def register_kinds() -> None:
    register(
        Kind(
            code="sku",
            label=lazy("商品情報"),
            rights=("inventory.change_sku",),
            name=_name,
            url=_url,
            form=_facts_form,
            save=_save_facts,
        ),
        Kind(
            code="set",
            label=lazy("セットの構成"),
            rights=("inventory.change_balance",),
            name=_name,
            url=_url,
            form=lambda ref, data, who: SetForm(data, initial=sets.written(_sku(ref))),
            save=_save_set,
        ),
        Kind(
            code="kit",
            label=lazy("作り置きセットの構成"),
            rights=("inventory.change_balance",),
            name=_name,
            url=_url,
            form=_kit_form,
            save=_save_kit,
        ),
    )
