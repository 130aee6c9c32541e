"""The first page of the day: what waits, and are the shops alive."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from oms.kernel.web import person_of, render_page
from oms.pages import navigation
from oms.pages.queries import morning


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What happened overnight and what today asks for, then a shell of panels; each panel is served by the app that
    knows, under its own URL."""
    glance = morning.glance(person_of(request)) if request.user.has_perm("orders.view_order") else None
    tasks = None
    if glance is None and request.user.has_perm("orders.view_ordertask"):
        tasks = morning.own_tasks(person_of(request))
    context = {"panels": navigation.panels(request), "glance": glance, "tasks": tasks}
    return render_page(request, "pages/home.html", context)
