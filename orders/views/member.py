"""A member's orders of all channels, as a panel for the member's page; a promise, ticked from an order."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from oms.kernel.keyset import keyset_page
from oms.kernel.web import render_page
from orders.models import ReviewReason
from orders.queries.member import orders_of
from orders.services import decide_card
from orders.services.decide_card import Refused, Wanted
from orders.views.order import actor_of, changed


@require_GET
@permission_required(["orders.view_order", "customers.view_member"], raise_exception=True)
def member_panel(request: HttpRequest, pk: int) -> HttpResponse:
    page = keyset_page(request, orders_of(pk), order=("-ordered_at", "-id"), size=30)
    context = {"page": page, "member_id": pk}
    return render_page(request, "orders/member.html", context, fragment="orders/_member_panel.html")


@require_POST
@permission_required(["orders.review_order", "customers.add_membernote"], raise_exception=True)
def promise_done(request: HttpRequest, pk: int) -> HttpResponse:
    """済み: what was promised for this order is done."""
    rows = ReviewReason.objects.filter(order=pk, code="open_promise", state=ReviewReason.State.OPEN)
    try:
        done = decide_card.decide(
            list(rows.values_list("pk", flat=True)), Wanted("promise_done"), actor=actor_of(request)
        )
    except Refused as refused:
        messages.warning(request, refused.cause)
    else:
        said = _("約束を済みにしました。") if done.orders else _("すでに済みになっています。")
        messages.success(request, said)
        for cause in done.left.values():
            messages.warning(request, cause)
    return changed(request, pk)
