"""出品: what each listing shows, was told and says; what was put on the wire."""

from copy import copy
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from channels.forms import ListingForm
from channels.queries import listings as queries
from channels.services import listings
from channels.views.quarantine import chosen_shop
from channels.views.shops import answer_with_card, connection_of
from oms.kernel import clock
from oms.kernel.keyset import keyset_page
from oms.kernel.later import later
from oms.kernel.web import answer, person_of, render_page
from orders.models import Shop


@require_GET
@permission_required("channels.view_listing", raise_exception=True)
def listing_list(request: HttpRequest) -> HttpResponse:
    shop, state, typed = chosen_shop(request), request.GET.get("state", ""), request.GET.get("q", "")
    rows = queries.narrowed(queries.listings(), shop_id=shop.pk if shop else None, state=state, typed=typed)
    page = keyset_page(request, rows, order=("shop_id", "code"))
    now = clock.now()
    context = {
        "page": page,
        "rows": [{"listing": listing, "tone": queries.tone_of(listing, now)} for listing in page],
        "shop": shop,
        "state": state,
        "q": typed,
        "shops": Shop.objects.order_by("code"),
        "list_query": request.GET.urlencode(),
        "states": [(code, label) for code, (label, _condition) in queries.STATES.items()],
    }
    return render_page(request, "channels/listings.html", context, fragment="channels/_listings.html")


@require_http_methods(["GET", "POST"])
@permission_required("channels.change_listing", raise_exception=True)
def listing_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """How one listing is told its stock: mode, buffer, cap."""
    listing = get_object_or_404(queries.listings(), pk=pk)
    form = ListingForm(request.POST or None, instance=copy(listing))  # the form writes on what it is given
    if form.is_valid():
        data = form.cleaned_data
        listings.change(
            pk,
            by=person_of(request),
            mode=data["mode"],
            fixed_quantity=data["fixed_quantity"],
            buffer=data["buffer"],
            share=data["share"],
            cap=data["cap"],
        )
        messages.success(request, _("%(code)s の連携方法を保存しました。") % {"code": listing.code})
        return answer(
            request, to=reverse("channels:listings"), fragments=["channels/_listing_row.html"], context=_row(pk)
        )
    context = {"listing": listing, "form": form}
    return render_page(request, "channels/listing.html", context, fragment="channels/_listing_dialog.html")


def _row(pk: int) -> dict[str, Any]:
    listing = queries.listings().get(pk=pk)
    return {"row": {"listing": listing, "tone": queries.tone_of(listing, clock.now())}}


@require_GET
@permission_required("channels.view_listing", raise_exception=True)
def push_list(request: HttpRequest) -> HttpResponse:
    """The publisher's journal."""
    shop = chosen_shop(request)
    page = keyset_page(request, queries.pushes(shop.pk if shop else None), order=("-id",))
    context = {"page": page, "shop": shop, "shops": Shop.objects.order_by("code")}
    return render_page(request, "channels/pushes.html", context, fragment="channels/_pushes.html")


@require_POST
@permission_required("channels.change_listing", raise_exception=True)
def import_listings(request: HttpRequest, pk: int) -> HttpResponse:
    """A worker does it; the result stands in the shop's journal."""
    connection = connection_of(pk)
    later("channels.tasks.import_listings", connection.pk, person_of(request).pk)
    messages.info(
        request, _("%(shop)sの出品の取込を始めました。結果は店舗の記録に残ります。") % {"shop": connection.shop}
    )
    return answer_with_card(request, pk)
