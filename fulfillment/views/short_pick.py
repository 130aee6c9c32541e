"""欠品を報告する: what a picker did not find, on the page of the parcel."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from fulfillment.forms_short_pick import ShortPickForm
from fulfillment.models import Shipment
from fulfillment.services import allocate
from fulfillment.services import short_pick as picking
from orders.views.order import actor_of


@require_http_methods(["GET", "POST"])
@permission_required("fulfillment.ship_shipment", raise_exception=True)
def short_pick(request: HttpRequest, pk: int) -> HttpResponse:
    shipment = get_object_or_404(Shipment.objects.select_related("location"), pk=pk)
    rows = shipment.lines.select_related("sku", "order_line__sku", "order_line__set_line").order_by("pk")
    form = ShortPickForm(request.POST if request.method == "POST" else None, rows=list(rows))
    if form.is_bound and form.is_valid():
        try:
            short = picking.report(pk, form.report, actor=actor_of(request))
        except picking.CannotReport as refused:
            form.add_error(None, refused.cause)
        else:
            _say(request, short)
            return HttpResponseRedirect(reverse("fulfillment:shipment", args=[pk]))
    return render(request, "fulfillment/short_pick.html", {"shipment": shipment, "form": form})


def _say(request: HttpRequest, short: picking.Short) -> None:
    messages.success(request, _("欠品を記録し、在庫を直しました。"))
    if not short.lines:
        return
    nowhere = allocate.place_again(short.lines)
    if elsewhere := len(set(short.orders) - set(nowhere)):
        text = ngettext(
            "%(n)s件の受注は、ほかの在庫に引き当て直しました。",
            "%(n)s件の受注は、ほかの在庫に引き当て直しました。",
            elsewhere,
        )
        messages.success(request, text % {"n": elsewhere})
    if nowhere:
        text = ngettext(
            "%(n)s件の受注は在庫がないため、確認待ちにしました。",
            "%(n)s件の受注は在庫がないため、確認待ちにしました。",
            len(nowhere),
        )
        messages.warning(request, text % {"n": len(nowhere)})
