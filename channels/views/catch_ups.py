"""遅れて取り込んだ受注: the banner after an outage, and the orders behind it."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from channels.models import CatchUp
from channels.queries import catch_ups as queries
from channels.services import catch_up
from oms.kernel.keyset import keyset_page
from oms.kernel.web import answer, person_of, render_page


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def banner(request: HttpRequest) -> HttpResponse:
    """What this person has not read yet; empty when there is nothing. Placed on the desk and the shops' page."""
    return render_page(
        request,
        "channels/catch_ups.html",
        {"rows": queries.unread(person_of(request))},
        fragment="channels/_catch_ups.html",
    )


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def orders(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(CatchUp.objects.select_related("shop"), pk=pk)
    brought = catch_up.orders_of(row).only(
        "pk", "channel_order_no", "ordered_at", "imported_at", "stage", "ship_by", "recipient_name", "total", "shop"
    )
    context = {"row": row, "page": keyset_page(request, brought, order=("ordered_at", "id"))}
    return render_page(request, "channels/catch_up.html", context, fragment="channels/_catch_up.html")


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """This person has read it; others still see it."""
    person = person_of(request)
    catch_up.mark_read(get_object_or_404(CatchUp, pk=pk).pk, by=person)
    from_shops = request.POST.get("next") == reverse("channels:list")
    return answer(
        request,
        to=reverse("channels:list") if from_shops else reverse("orders:list"),
        fragments=["channels/_catch_ups.html"],
        context={"rows": queries.unread(person)},
    )
