"""What fulfilment shows on the cards of the review inbox: orders to one recipient side by side, and goods that lack."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from fulfillment.queries import merge_screen, stock_card
from fulfillment.queries.cut_off import next_release
from fulfillment.services import merge_keys
from oms.kernel import clock
from oms.kernel.typed import row_id
from oms.kernel.web import render_page
from orders.models import Order
from orders.queries.detail import PERSONAL
from orders.views.order import user_of


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def merge_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card's order beside those it could travel with, and what would come of it. `?reason=` is the card's row."""
    merge_keys.renew([pk])
    page = merge_screen.merge_page(_order(pk), user_of(request))
    may = page["may"] and request.user.has_perms(["orders.review_order", PERSONAL])
    context = {**page, "may": may, "reason_row": row_id(request.GET.get("reason", ""))}
    return render_page(request, "fulfillment/merge_on_card.html", context, fragment="fulfillment/_merge_on_card.html")


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def stock_card_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """What is missing, what is known to come, where else it is, and what the customer was promised."""
    order = _order(pk)
    context = {"order": order, "lines": stock_card.missing(order), "promise": stock_card.promise(order)}
    return render_page(request, "fulfillment/stock_on_card.html", context, fragment="fulfillment/_stock_on_card.html")


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def cut_off(request: HttpRequest) -> HttpResponse:
    """The countdown to the next release, for the desk's views of what leaves today."""
    context = {"cut_off": next_release(clock.now())}
    return render_page(request, "fulfillment/cut_off.html", context, fragment="fulfillment/_cut_off.html")


def _order(pk: int) -> Order:
    return get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
