"""セット商品 on a SKU's page: what it is made of and how it is sold."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from inventory.forms_set import SetForm
from inventory.models import Sku
from inventory.queries import screens
from inventory.services import sets
from inventory.services.catalogue import CatalogueError
from oms.kernel.web import answer, render_page

FRAGMENTS = ("inventory/_components.html", "inventory/_facts.html")


@require_http_methods(["GET", "POST"])
@permission_required("inventory.change_balance", raise_exception=True)
def rules(request: HttpRequest, pk: int) -> HttpResponse:
    sku = get_object_or_404(Sku.objects.filter(is_bundle=True), pk=pk)
    form = SetForm(request.POST) if request.method == "POST" else SetForm(initial=sets.written(sku))
    if form.is_bound and form.is_valid():
        try:
            changed = sets.define(pk, form.rules, by_id=request.user.pk)
        except CatalogueError as refused:
            form.add_error("parts", str(refused))
        else:
            said = _("セットの構成を保存しました。") if changed else _("変わったところはありません。")
            messages.success(request, said)
            context = screens.sku_page(get_object_or_404(Sku, pk=pk))
            return answer(request, to=reverse("inventory:sku", args=[pk]), fragments=FRAGMENTS, context=context)
    context = {"sku": sku, "form": form, "title": _("セットの構成"), "action": _("保存する")}
    return render_page(request, "inventory/form.html", context, fragment="inventory/_form.html")
