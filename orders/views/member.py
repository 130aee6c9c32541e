"""A member's orders of all channels, as a panel for the member's page."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from oms.kernel.keyset import keyset_page
from oms.kernel.web import render_page
from orders.queries import billing
from orders.queries.member import orders_of
from orders.views.billing import SEE as SEE_BILLING


@require_GET
@permission_required(["orders.view_order", "customers.view_member"], raise_exception=True)
def member_panel(request: HttpRequest, pk: int) -> HttpResponse:
    page = keyset_page(request, orders_of(pk), order=("-ordered_at", "-id"), size=30)
    accounts = billing.accounts().filter(member=pk) if request.user.has_perms(SEE_BILLING) else None
    context = {"page": page, "member_id": pk, "accounts": accounts}
    return render_page(request, "orders/member.html", context, fragment="orders/_member_panel.html")
