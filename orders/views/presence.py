"""The beat of an open order page or edit form: says who is here, and answers who else is."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from oms.kernel.web import render_page
from orders.services import presence
from orders.views.order import user_of


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def beat(request: HttpRequest, pk: int) -> HttpResponse:
    mode = presence.EDIT if request.POST.get("mode") == presence.EDIT else presence.VIEW
    others = presence.beat(pk, user_of(request), mode)
    return render_page(request, "orders/_presence.html", {"others": others})
