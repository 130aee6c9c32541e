"""操作の記録: who did what to which order, for administrators."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from oms.kernel.keyset import keyset_page
from oms.kernel.web import render_page
from orders.history_forms import HistoryForm
from orders.queries import history as queries
from orders.queries.detail import PERSONAL


@require_GET
@permission_required("orders.manage_privacy", raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    form = HistoryForm(request.GET)
    wanted = form.wanted
    found = keyset_page(request, queries.events(wanted), order=("-at", "-id"))
    context = {
        "form": form,
        "wanted": wanted,
        "page": found,
        "deeds": queries.deeds(found.rows, personal=request.user.has_perm(PERSONAL)),
    }
    return render_page(request, "orders/history.html", context)
