"""作り置きセット on a SKU's page: its parts, building it, taking it apart."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from inventory.forms_kit import BuildForm, KitPartsForm
from inventory.models import Sku
from inventory.queries import kits as queries
from inventory.queries import screens
from inventory.services import kits
from oms.kernel.web import answer, render_page

FRAGMENTS = ("inventory/_balances.html", "inventory/_latest.html", "inventory/_facts.html", "inventory/_kit.html")


@require_GET
@permission_required("inventory.view_sku", raise_exception=True)
def panel(request: HttpRequest, pk: int) -> HttpResponse:
    """What the kit is made of, and how many could be built where."""
    sku = get_object_or_404(Sku.objects.stocked(), pk=pk)
    return render_page(request, "inventory/kit.html", _context(sku), fragment="inventory/_kit.html")


@require_http_methods(["GET", "POST"])
@permission_required("inventory.change_balance", raise_exception=True)
def parts(request: HttpRequest, pk: int) -> HttpResponse:
    sku = get_object_or_404(Sku.objects.stocked(), pk=pk)
    lines = kits.written(kits.recipe_of(pk))
    form = KitPartsForm(request.POST) if request.method == "POST" else KitPartsForm(initial={"parts": lines})
    if form.is_bound and form.is_valid():
        try:
            changed = kits.set_parts(pk, form.cleaned_data["parts"], by_id=request.user.pk)
        except kits.Refused as refused:
            form.add_error("parts", refused.cause)
        else:
            said = _("構成を保存しました。") if changed else _("変わったところはありません。")
            messages.success(request, said)
            return _answer(request, sku)
    return _form(request, sku, form, title=_("作り置きセットの構成"), action=_("保存する"))


@require_http_methods(["GET", "POST"])
@permission_required("inventory.change_balance", raise_exception=True)
def build(request: HttpRequest, pk: int) -> HttpResponse:
    sku = get_object_or_404(Sku.objects.stocked(), pk=pk)
    form = BuildForm(request.POST) if request.method == "POST" else BuildForm()
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            kits.build(
                pk, data["location"].pk, form.kits, key=str(data["key"]), by_id=request.user.pk, note=data["note"]
            )
        except kits.Refused as refused:
            form.add_error("units", refused.cause)
        else:
            messages.success(request, _("在庫を更新しました。"))
            return _answer(request, sku)
    return _form(request, sku, form, title=_("セットを組む・ばらす"), action=_("記録する"))


def _context(sku: Sku) -> dict[str, object]:
    made_of = queries.parts_of(sku)
    return {"sku": sku, "kit_parts": made_of, "kit_places": queries.places_of(sku, made_of)}


def _answer(request: HttpRequest, sku: Sku) -> HttpResponse:
    context = {**screens.sku_page(sku), **_context(sku)}
    return answer(request, to=reverse("inventory:sku", args=[sku.pk]), fragments=FRAGMENTS, context=context)


def _form(request: HttpRequest, sku: Sku, form: forms.Form, *, title: str, action: str) -> HttpResponse:
    context = {"sku": sku, "form": form, "title": title, "action": action}
    return render_page(request, "inventory/form.html", context, fragment="inventory/_form.html")
