"""受注番号を指定して取込: many numbers at once, each with its answer."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from channels.forms_import import ReimportForm
from channels.models import Reimport
from channels.queries import gaps, refetched
from channels.services import reimport
from channels.views.shops import connection_of
from oms.kernel.web import answer, person_of, render_page

RECENT = 20
PERSONAL = "orders.view_personal_data"


@require_http_methods(["GET", "POST"])
@permission_required("orders.change_order", raise_exception=True)
def start(request: HttpRequest) -> HttpResponse:
    form = ReimportForm(request.POST or None, initial={"shop": request.GET.get("shop")})
    if form.is_valid():
        connection = connection_of(form.cleaned_data["shop"].pk)
        row = reimport.ask(connection, form.cleaned_data["numbers"], by=person_of(request))
        return answer(request, to=reverse("channels:reimported", args=[row.pk]))
    recent = Reimport.objects.select_related("shop", "by").order_by("-pk")[:RECENT]
    return render_page(request, "channels/reimport.html", {"form": form, "recent": recent})


@require_GET
@permission_required("orders.change_order", raise_exception=True)
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Each number with what became of it; asks again by itself while the worker is at it."""
    row = get_object_or_404(Reimport.objects.select_related("shop"), pk=pk)
    context = _context(row, personal=person_of(request).has_perm(PERSONAL))
    return render_page(request, "channels/reimported.html", context, fragment="channels/_reimported.html")


def _context(row: Reimport, *, personal: bool) -> dict[str, Any]:
    here = gaps.orders_by_number(row.shop, row.numbers)
    answered = [here[no] for no in row.results if no in here]
    found = refetched.differences(row, answered, personal=personal)
    rows = [
        {"no": no, "outcome": outcome, "words": words, "order": here.get(no), "difference": found.get(here.get(no, 0))}
        for no in row.numbers
        for outcome, words in [row.results.get(no, ("waiting", ""))]
    ]
    return {"row": row, "rows": rows, "done": len(row.results), "total": len(row.numbers)}
