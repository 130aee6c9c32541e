"""How many listings at once are told their stock: those chosen, or a whole filter result."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from channels.models import Listing
from channels.publishing_forms import BulkListingForm
from channels.queries import listings as queries
from channels.services import listings
from oms.kernel.web import answer, person_of, render_page


@require_POST
@permission_required("channels.change_listing", raise_exception=True)
def choose(request: HttpRequest) -> HttpResponse:
    """The form for the chosen listings. (A POST, because the choice may be long.)"""
    return _ask(request, BulkListingForm(), chosen(request))


@require_POST
@permission_required("channels.change_listing", raise_exception=True)
def apply(request: HttpRequest) -> HttpResponse:
    ids, form = chosen(request), BulkListingForm(request.POST)
    if not ids or not form.is_valid():
        return _ask(request, form, ids)
    changed = listings.change_many(ids, form.changes(), by=person_of(request))
    messages.success(
        request,
        _("%(n)d件の連携方法を変えました（%(same)d件はすでにその設定でした）。")
        % {"n": changed, "same": len(ids) - changed},
    )
    return answer(request, to=f"{reverse('channels:listings')}?{request.POST.get('query', '')}")


def _ask(request: HttpRequest, form: BulkListingForm, ids: list[int]) -> HttpResponse:
    if not ids:
        messages.warning(request, _("出品を選んでください。"))
        return answer(request, to=f"{reverse('channels:listings')}?{request.POST.get('query', '')}")
    context = {
        "form": form,
        "count": len(ids),
        "ids": [] if request.POST.get("all_matching") else ids,
        "all_matching": request.POST.get("all_matching", ""),
        "query": request.POST.get("query", ""),
    }
    return render_page(request, "channels/listings_bulk.html", context)


def chosen(request: HttpRequest) -> list[int]:
    """The listings ticked, or with `all_matching` everything that the list's filter (`query`) finds."""
    if request.POST.get("all_matching"):
        query = QueryDict(request.POST.get("query", ""))
        shop = query.get("shop", "")
        rows = queries.narrowed(
            Listing.objects.all(),
            shop_id=int(shop) if shop.isdecimal() and len(shop) < 18 else None,
            state=query.get("state", ""),
            typed=query.get("q", ""),
        )
        return list(rows.values_list("pk", flat=True))
    typed = (value for value in request.POST.getlist("ids") if value.isdecimal() and len(value) < 18)
    return list(Listing.objects.filter(pk__in=[int(value) for value in typed]).values_list("pk", flat=True))
