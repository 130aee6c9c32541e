"""検索: the field above every page."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET

from oms.kernel.web import person_of, render_page
from oms.pages.queries import search as queries

LONGEST = 200


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Groups of hits; a number or code that names exactly one thing leads straight to it. What is scanned on the desk
    (`to=order`) leads to orders, parcels too."""
    typed, person = request.GET.get("q", "").strip()[:LONGEST], person_of(request)
    groups = queries.search(typed, person)
    to_order = request.GET.get("to") == "order" and person.has_perm("orders.view_order")
    if target := queries.only_exact(groups, to_order=to_order):
        return HttpResponseRedirect(target)
    return render_page(request, "pages/search.html", {"groups": groups, "global_query": typed})
