"""個口 of one shipment, from its order's page or its own."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from fulfillment.models import Shipment
from fulfillment.queries.visible import order_in
from fulfillment.services.packages import MOST, set_packages
from oms.kernel.web import answer
from orders.views.order import changed, user_of


@require_POST
@permission_required("fulfillment.ship_shipment", raise_exception=True)
def packages(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Shipment, pk=pk)
    typed, order = request.POST.get("packages", "").strip(), order_in(pk, request.POST.get("order", ""))
    count = int(typed) if typed.isdecimal() and len(typed) < 4 else 0
    if not 1 <= count <= MOST:
        messages.error(request, _("個口は1から%(most)dまでの数で入れてください。") % {"most": MOST})
    elif set_packages(pk, count, by=user_of(request)):
        messages.success(request, _("個口を%(count)dにしました。") % {"count": count})
    else:
        messages.error(request, _("出荷したか止めた出荷伝票のため、個口は変えられません。"))
    if order is not None and user_of(request).has_perm("orders.view_order"):
        return changed(request, order)
    return answer(request, to=reverse("fulfillment:shipment", args=[pk]))
