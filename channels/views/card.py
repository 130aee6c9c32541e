"""What stands on a review card about codes that stand for no SKU yet: title, options, price, the likeliest products."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from channels.queries import mapping
from oms.kernel.web import render_page
from orders.models import Order

SHOWN = 3


@require_GET
@permission_required("channels.view_listing", raise_exception=True)
def card_panel(request: HttpRequest, order: int) -> HttpResponse:
    """A decision counts for every order that waits for the same code, and for those to come."""
    found = get_object_or_404(Order.objects.defer("search"), pk=order)
    lines = found.lines.filter(sku__isnull=True, quantity__gt=0)
    rows = [(line, mapping.suggestions(line.channel_sku, line.name)[:SHOWN]) for line in lines]
    context = {"order": found, "rows": rows, "may_map": request.user.has_perm("channels.change_listing")}
    return render_page(request, "channels/card.html", context, fragment="channels/_card_items.html")
