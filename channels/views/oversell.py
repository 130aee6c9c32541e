"""売り越し: orders that a mall took beyond stock, how it came, and what is decided."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from channels.models import OversellCase
from channels.publishing_forms import DecisionForm
from channels.queries import oversell as queries
from channels.services import oversell
from oms.kernel.keyset import keyset_page
from oms.kernel.web import answer, person_of, render_page

State = OversellCase.State


@require_GET
@permission_required("channels.view_oversellcase", raise_exception=True)
def case_list(request: HttpRequest) -> HttpResponse:
    state = request.GET.get("state", State.OPEN)
    page = keyset_page(request, queries.cases(state), order=("-opened_at", "-id"))
    context = {"page": page, "state": state, "states": State.choices}
    return render_page(request, "channels/oversell.html", context, fragment="channels/_oversell.html")


@require_GET
@permission_required("channels.view_oversellcase", raise_exception=True)
def case_detail(request: HttpRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(queries.cases(""), pk=pk)
    decisions = [choice for choice in OversellCase.Decision.choices if choice[0] != "swap" or case.rival_id]
    context = {
        "case": case,
        "help": queries.help_for(case) if case.state == State.OPEN else None,
        "timeline": queries.told(case),
        "events": case.events.select_related("by").order_by("pk"),
        "decisions": decisions,
    }
    return render_page(request, "channels/oversell_case.html", context)


@require_GET
@permission_required("channels.view_oversellcase", raise_exception=True)
def case_of_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Where an order's reason leads: its open case, else its latest."""
    case = OversellCase.objects.filter(order=pk).order_by("-state", "-pk").first()
    to = reverse("channels:oversell-case", args=[case.pk]) if case else reverse("channels:oversell")
    return answer(request, to=to)


@require_POST
@permission_required("channels.decide_oversellcase", raise_exception=True)
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(OversellCase, pk=pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("対応を選んでください。"))
        return answer(request, to=reverse("channels:oversell-case", args=[pk]))
    if form.cleaned_data["decision"] == OversellCase.Decision.CANCEL and not request.user.has_perm(
        "orders.cancel_order"
    ):
        messages.error(request, _("受注をキャンセルする権限がありません。"))
        return answer(request, to=reverse("channels:oversell-case", args=[pk]))
    was_open = case.state == State.OPEN
    try:
        oversell.decide(pk, form.cleaned_data["decision"], by=person_of(request), text=form.cleaned_data["text"])
    except oversell.CannotDecide as refused:
        messages.error(request, str(refused))
    else:
        if was_open:
            messages.success(request, _("対応を記録しました。"))
        else:
            messages.info(request, _("この売り越しは、すでに対応済みです。"))
    return answer(request, to=reverse("channels:oversell-case", args=[pk]))
