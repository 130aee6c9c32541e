"""閲覧履歴: who saw the personal data of which order or member, for administrators."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from oms.kernel.keyset import keyset_page
from oms.kernel.web import render_page
from orders.models import PersonalView
from orders.personal_view_forms import MonthsForm, ViewsForm
from orders.queries import personal_views as queries
from orders.queries.detail import PERSONAL
from orders.services import personal_views
from orders.views.order import actor_of
from orders.views.privacy import RIGHT


@require_GET
@permission_required(RIGHT, raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    return _shown(request, MonthsForm(initial={"months": personal_views.kept_months()}))


@require_POST
@permission_required(RIGHT, raise_exception=True)
def months(request: HttpRequest) -> HttpResponse:
    """How long views are kept."""
    form = MonthsForm(request.POST)
    if not form.is_valid():
        return _shown(request, form)
    if personal_views.set_months(form.cleaned_data["months"], actor=actor_of(request)):
        messages.success(request, _("閲覧履歴の保存期間を変えました。"))
    return redirect("orders:personal-views")


def _shown(request: HttpRequest, months_form: MonthsForm) -> HttpResponse:
    form = ViewsForm(request.GET)
    wanted = form.wanted
    rows = queries.views(wanted) if wanted else PersonalView.objects.none()
    context = {
        "form": form,
        "wanted": wanted,
        "page": keyset_page(request, rows, order=("-at", "-id")),
        "months_form": months_form,
        "names": request.user.has_perm(PERSONAL),
    }
    return render_page(request, "orders/personal_views.html", context)
