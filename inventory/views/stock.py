"""在庫一覧, the page of a SKU, and its ledger."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from inventory.filters import EntryFilter, SkuFilter
from inventory.models import Sku
from inventory.queries import screens
from inventory.queries.holdings import promises_on
from oms.kernel.keyset import chosen_order, keyset_page
from oms.kernel.links import url_if_served
from oms.kernel.web import render_page

SORTS = {"code": ("code",), "-code": ("-code",), "name": ("name", "id"), "-name": ("-name", "-id")}
PROMISES = 200
# Fragments of a SKU's page, most of them served by floors above: URL name → what it is.
PANELS = {
    "orders:release-panel": gettext_lazy("予約"),
    "channels:sku-panel": gettext_lazy("モールの在庫"),
    "inventory:kit": gettext_lazy("作り置きセット"),
}


@require_GET
@permission_required("inventory.view_sku", raise_exception=True)
def sku_list(request: HttpRequest) -> HttpResponse:
    filters = SkuFilter(request.GET, queryset=screens.listed_skus())
    page = keyset_page(request, filters.qs, order=chosen_order(request, SORTS, "code"))
    context = {"filters": filters, "page": page, "rows": screens.stock_rows(page.rows), "sort": "code"}
    return render_page(request, "inventory/list.html", context, fragment="inventory/_table.html")


@require_GET
@permission_required("inventory.view_sku", raise_exception=True)
def sku_detail(request: HttpRequest, pk: int) -> HttpResponse:
    sku = get_object_or_404(Sku.objects.select_related("product"), pk=pk)
    needless = {"orders:release-panel": sku.release_date is None, "inventory:kit": sku.is_bundle}
    names = [(name, label) for name, label in PANELS.items() if not needless.get(name)]
    panels = [(url, label) for name, label in names if (url := url_if_served(name, pk))]
    context = {**screens.sku_page(sku), "panels": panels}
    return render_page(request, "inventory/sku.html", context)


@require_GET
@permission_required("inventory.view_sku", raise_exception=True)
def ledger(request: HttpRequest) -> HttpResponse:
    """Entries by SKU, balance, kind or document: the rows behind a number."""
    filters = EntryFilter(request.GET, queryset=screens.entries())
    page = keyset_page(request, filters.qs, order=("-id",))
    sku = Sku.objects.filter(pk=filters.form.cleaned_data.get("sku")).first() if filters.is_valid() else None
    context = {"filters": filters, "page": page, "entries": page.rows, "sku": sku}
    return render_page(request, "inventory/ledger.html", context, fragment="inventory/_ledger.html")


@require_GET
@permission_required("inventory.view_sku", raise_exception=True)
def promises(request: HttpRequest, pk: int) -> HttpResponse:
    """Who holds the SKU's promises. Fetched after the page: on a much sold SKU it takes a moment."""
    sku = get_object_or_404(Sku, pk=pk)
    context = {"sku": sku, "promises": promises_on(pk, PROMISES), "limit": PROMISES}
    return render_page(request, "inventory/promises.html", context, fragment="inventory/_promises.html")


@require_GET
@permission_required("inventory.view_sku", raise_exception=True)
def home_panel(request: HttpRequest) -> HttpResponse:
    return render_page(request, "inventory/_home_panel.html", {"counts": screens.stock_counts()})
