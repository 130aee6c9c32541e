"""How the screens work: the key map, and a page with every component."""

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from oms.kernel import clock
from oms.kernel.web import render_page
from oms.pages.keymap import keymap
from oms.pages.sampler import ICONS, SAMPLE_ROWS, TONES, SampleForm


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Every key of every screen; the dialog behind `?` shows those of the page one is on."""
    return render_page(request, "pages/keys.html", {"keymap": keymap(request)})


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """All components in all states, for the people who build and check screens."""
    if not request.user.is_staff:
        raise PermissionDenied
    messages.success(request, "見本のお知らせです")
    now = clock.now()
    context = {
        "form": SampleForm(prefix="good"),
        "bad_form": SampleForm({"email": "tanaka@", "quantity": "-1"}),
        "rows": SAMPLE_ROWS,
        "tones": TONES,
        "icons": ICONS,
        "moments": [
            now - timedelta(minutes=4),
            now + timedelta(hours=3),
            now + timedelta(days=2),
            now - timedelta(days=3),
        ],
    }
    return render_page(request, "pages/styleguide.html", context)
