"""モール側の変更: what the channel changed beside what stood here, decided field by field."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from oms.kernel.web import render_page
from orders.models import Order
from orders.queries import channel_changes as queries
from orders.queries.detail import PERSONAL, order_for
from orders.services import choose_side
from orders.services.change_lines import Moved
from orders.services.edit import TooLate
from orders.views.order import actor_of

TEMPLATE = "orders/channel_changes.html"


class SidesForm(forms.Form):
    version = forms.IntegerField()


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def compare(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, pk)


@require_POST
@permission_required(["orders.change_order", "orders.review_order", PERSONAL], raise_exception=True)
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """`ours` names the fields that are put back; all others stay as the channel told them."""
    order = get_object_or_404(Order, pk=pk)
    waiting = any(not row.applied for row in queries.changed_fields(order, personal=False))
    form = SidesForm(request.POST)
    ours = request.POST.getlist("ours")
    if not form.is_valid():
        return _page(request, pk, refused=_("画面を開き直してから、もう一度選んでください。"), status=409)
    try:
        done = choose_side.decide(pk, ours=ours, version=form.cleaned_data["version"], actor=actor_of(request))
    except Moved:
        refused = _("開いているあいだに受注が変わったため、まだ保存していません。今の内容を見て、選び直してください。")
        return _page(request, pk, refused=refused, status=409)
    except TooLate as late:
        return _page(request, pk, refused=late.cause, status=409)
    if waiting:
        messages.warning(request, _("モールの変更を反映しないまま、確認済みにしました。"))
    elif done:
        messages.success(request, _("選んだ%(n)s項目をこちらの内容に戻し、確認済みにしました。") % {"n": len(done)})
    else:
        messages.success(request, _("モールの内容で確認済みにしました。"))
    return HttpResponseRedirect(reverse("orders:detail", args=[pk]))


def _page(request: HttpRequest, pk: int, *, refused: str = "", status: int = 200) -> HttpResponse:
    personal = request.user.has_perm(PERSONAL)
    order = order_for(pk, personal=True)
    if order is None:
        raise Http404
    context = queries.page(order, personal=personal) | {"refused": refused, "personal": personal}
    return render_page(request, TEMPLATE, context, status=status)
