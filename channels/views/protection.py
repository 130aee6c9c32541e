"""Sold-out by one click, and back; and the limits that the channel sets to a shop's mistakes."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from channels.forms import LimitsForm
from channels.queries import budgets
from channels.services import limits, protection
from channels.views.shops import answer_with_card, connection_of
from oms.kernel.web import person_of, render_page


@require_POST
@permission_required("channels.change_connection", raise_exception=True)
def protect(request: HttpRequest, pk: int) -> HttpResponse:
    elsewhere = request.POST.get("elsewhere") == "1"
    row = protection.protect(connection_of(pk).pk, elsewhere=elsewhere, by=person_of(request))
    messages.success(
        request,
        _("%(n)d件の出品を「常に売切」にしました。今すぐ送信し、送れない分はモールが応答し次第送ります。")
        % {"n": len(row.modes)},
    )
    return answer_with_card(request, pk)


@require_POST
@permission_required("channels.change_connection", raise_exception=True)
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    count = protection.lift(connection_of(pk).pk, by=person_of(request))
    messages.success(request, _("%(n)d件の出品を元の連携方法に戻しました。") % {"n": count})
    return answer_with_card(request, pk)


@require_http_methods(["GET", "POST"])
@permission_required("channels.change_connection", raise_exception=True)
def limits_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The channel's limits for late shipments and cancellations, as this shop has them."""
    connection = connection_of(pk)
    form = LimitsForm(request.POST or None, limits=budgets.limits_of([connection.shop]), shop=connection.shop)
    if not form.is_valid():
        return render_page(request, "channels/limits.html", {"form": form, "connection": connection})
    limits.set_limits(connection, form.values(), by=person_of(request))
    messages.success(request, _("保存しました。"))
    return redirect("channels:edit", pk)
