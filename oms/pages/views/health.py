"""The strip above every page: are the shops alive, is anything stuck on its way out?"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from channels.queries.health import shop_health
from oms.kernel import scope
from oms.kernel.web import render_page, wants_fragment
from oms.pages.queries import outbox


@require_GET
def strip(request: HttpRequest) -> HttpResponse:
    """Asked every ten seconds by every open window: one query for the shops, one for the outbox."""
    if not wants_fragment(request):
        return redirect("channels:list" if request.user.has_perm("channels.view_connection") else "pages:home")
    context = {
        "shops": shop_health() if request.user.has_perm("channels.view_connection") else [],
        "counts": outbox.counts() if _sees_outbox(request) else None,
        "cap": outbox.CAP,
        "shops_url": reverse("channels:list"),
        "outbox_url": reverse("pages:outbox"),
    }
    return render_page(request, "pages/_health_strip.html", context, fragment="pages/_health_strip.html")


def _sees_outbox(request: HttpRequest) -> bool:
    return request.user.has_perm("kernel.view_effect") and scope.may_open("pages:outbox")
