"""Fragments that pages of lower floors and the home page place by URL name."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from channels.queries import cards
from channels.queries import listings as queries
from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.web import render_page
from orders.queries import visible


@require_GET
@permission_required("channels.view_connection", raise_exception=True)
def home_panel(request: HttpRequest) -> HttpResponse:
    return render_page(request, "channels/_home_panel.html", {"cards": cards.cards()})


@require_GET
@permission_required("inventory.view_sku", raise_exception=True)
def sku_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """What each shop should show of a SKU, was told and says it shows."""
    sku = get_object_or_404(Sku.objects.only("pk", "code"), pk=pk)
    now = clock.now()
    rows = visible.of_shops(queries.listings(), "shop").filter(sku=pk).order_by("shop__code", "code")
    context = {"sku": sku, "rows": [{"listing": row, "tone": queries.tone_of(row, now)} for row in rows]}
    return render_page(request, "channels/sku_panel.html", context, fragment="channels/_sku_panel.html")
