"""The first page of the day: what waits, and are the shops alive."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from oms.kernel.web import render_page
from oms.pages import navigation


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A shell of panels; each is served by the app that knows, under its own URL."""
    return render_page(request, "pages/home.html", {"panels": navigation.panels(request)})
