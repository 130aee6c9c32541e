"""出荷: the list by state, one shipment, an order's shipments, and the instruction of an order."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from fulfillment import picking
from fulfillment.forms import tab_of
from fulfillment.models import Shipment, SplitCharge
from fulfillment.queries import shipments, stops
from fulfillment.services.instruct import instruct_orders
from oms.kernel.keyset import keyset_page
from oms.kernel.links import url_if_served
from oms.kernel.web import render_page
from orders.models.order import Carrier
from orders.views.order import actor_of, changed, user_of

PRINTING = {"sorts": picking.SORTS.items(), "modes": picking.MODES.items(), "carts": picking.CART_SIZES}
ORDERS = {
    Shipment.State.INSTRUCTED: ("recipient__order__ship_by", "id"),
    Shipment.State.SHIPPED: ("-id",),
}


@require_GET
@permission_required("fulfillment.view_shipment", raise_exception=True)
def shipment_list(request: HttpRequest) -> HttpResponse:
    tab, user = tab_of(request.GET), user_of(request)
    filters = shipments.ShipmentFilter(request.GET, queryset=shipments.listed_shipments(tab))
    page = keyset_page(request, shipments.with_contents(filters.qs), order=ORDERS[Shipment.State(tab)])
    desk = url_if_served("orders:list") if user.has_perm("orders.view_order") else ""
    context = {
        "tab": tab,
        "filters": filters,
        "page": page,
        "rows": shipments.shipment_rows(page.rows, personal=shipments.sees_recipient(user)),
        "counts": shipments.tab_counts(),
        "stops_waiting": stops.waiting_count(),
        "ready_url": f"{desk}?stage=ready" if desk else "",
        "sees_orders": user.has_perm("orders.view_order"),
        "printing": PRINTING,
    }
    return render_page(request, "fulfillment/list.html", context, fragment="fulfillment/_table.html")


@require_GET
@permission_required("fulfillment.view_shipment", raise_exception=True)
def shipment_detail(request: HttpRequest, pk: int) -> HttpResponse:
    shipment = get_object_or_404(shipments.with_contents(Shipment.objects.all()), pk=pk)
    page = shipments.shipment_page(shipment, user_of(request))
    context = {**page, "carriers": Carrier.choices, "printing": PRINTING}
    return render_page(request, "fulfillment/shipment.html", context)


@require_GET
@permission_required(["fulfillment.view_shipment", "orders.view_order"], raise_exception=True)
def order_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """The shipments of an order, inside its page."""
    context = {
        "order_id": pk,
        "shipments": (found := shipments.shipments_of(pk, user_of(request))),
        "stops": (asked := stops.requests_of(pk)),
        "stops_waiting": any(row.state == row.State.WAITING for row, _tone, _steps in asked),
        "may_ask_change": request.user.has_perm("fulfillment.ask_stop")
        and any(row.shipment.state == Shipment.State.INSTRUCTED for row, _may, _lines in found),
        "none_because": (why := "" if found else shipments.why_none(pk)),
        "may_regroup": not why
        and (not found or any(row.shipment.state == Shipment.State.PLANNED for row, _may, _lines in found)),
        "split_asked": SplitCharge.objects.filter(order=pk, state=SplitCharge.State.ASKED).first(),
        "carriers": Carrier.choices,
    }
    return render_page(request, "fulfillment/order.html", context, fragment="fulfillment/_order_panel.html")


@require_GET
@permission_required("fulfillment.view_shipment", raise_exception=True)
def home_panel(request: HttpRequest) -> HttpResponse:
    context = {"counts": shipments.home_counts(), "sees_orders": user_of(request).has_perm("orders.view_order")}
    return render_page(request, "fulfillment/_home_panel.html", context)


@require_POST
@permission_required(["orders.release_order", "orders.view_order"], raise_exception=True)
def order_instruct(request: HttpRequest, pk: int) -> HttpResponse:
    """出荷指示 from the order's page."""
    instructed = instruct_orders([pk], actor=actor_of(request))
    for cause in instructed.skipped.values():
        messages.warning(request, cause)
    if instructed.batch:
        messages.success(request, _("出荷を指示しました（バッチ %(batch)s）。") % {"batch": instructed.batch})
    elif not instructed.skipped:
        messages.warning(request, _("出荷指示を出せる出荷伝票がありません。"))
    return changed(request, pk)
