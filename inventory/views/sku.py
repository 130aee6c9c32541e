"""A SKU's facts, changed by hand."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from inventory.forms_sku import SkuFactsForm, typed
from inventory.models import Sku
from inventory.queries import screens
from inventory.services import sku_facts
from oms.kernel.web import answer, render_page


@require_http_methods(["GET", "POST"])
@permission_required("inventory.change_sku", raise_exception=True)
def facts(request: HttpRequest, pk: int) -> HttpResponse:
    """Costs are shown and changed only by who may see them."""
    sku = _sku(pk)
    asked = {"costs": request.user.has_perm("inventory.view_cost"), "bundle": sku.is_bundle}
    status = 200
    if request.method == "POST":
        form = SkuFactsForm(request.POST, **asked)
        if form.is_valid():
            values = {name: value for name, value in form.cleaned_data.items() if name != "seen"}
            try:
                changed = sku_facts.change(pk, values, shown=form.cleaned_data["seen"], by_id=request.user.pk)
            except sku_facts.Moved:
                form, status = _again(_sku(pk), request, asked), 409
            else:
                messages.success(
                    request, _("商品情報を保存しました。") if changed else _("変わったところはありません。")
                )
                return answer(
                    request,
                    to=reverse("inventory:sku", args=[pk]),
                    fragments=("inventory/_facts.html",),
                    context=screens.sku_page(_sku(pk)),
                )
    else:
        form = SkuFactsForm(initial={**typed(sku), "seen": sku_facts.seen(sku)}, **asked)
    context = {"sku": sku, "form": form, "title": _("商品情報を編集"), "action": _("保存する")}
    return render_page(request, "inventory/form.html", context, fragment="inventory/_form.html", status=status)


def _sku(pk: int) -> Sku:
    return get_object_or_404(Sku.objects.select_related("product"), pk=pk)


def _again(sku: Sku, request: HttpRequest, asked: dict[str, bool]) -> SkuFactsForm:
    """What was typed stays; beside each field that somebody changed meanwhile stands what it holds now."""
    data = request.POST.copy()
    data["seen"] = sku_facts.seen(sku)
    form = SkuFactsForm(data, **asked)
    form.is_valid()
    now_typed = typed(sku)
    for name, value in sku_facts.facts_of(sku).items():
        if name in form.fields and form.cleaned_data.get(name) != value:
            now = _("未登録") if value in (None, "", [], {}) else now_typed[name]
            form.add_error(name, _("今の値は「%(value)s」です。") % {"value": now})
    form.add_error(None, _("ほかの人が先に変更しました。今の値を確かめて、もう一度保存してください。"))
    return form
