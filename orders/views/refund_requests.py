"""返金の承認待ち and 返金の上限: what waits for somebody who may give back more, and who may how much."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.keyset import keyset_page
from oms.kernel.web import answer, person_of, render_page
from orders.models import RefundRequest
from orders.queries import payments
from orders.queries import refund_requests as queries
from orders.refund_limit_forms import LABELS, LimitsForm
from orders.services import refund_limits, refund_requests
from orders.services.refund_requests import Refused
from orders.views.order import actor_of
from orders.views.payments import RIGHT


@require_GET
@permission_required(RIGHT, raise_exception=True)
def request_list(request: HttpRequest) -> HttpResponse:
    state = request.GET.get("state", RefundRequest.State.WAITING)
    if state not in RefundRequest.State.values:
        raise Http404
    page = keyset_page(request, queries.listed(state), order=("-id",))
    context = {
        "page": page,
        "rows": queries.rows_of(page.rows, person_of(request)),
        "state": state,
        "states": RefundRequest.State.choices,
    }
    return render_page(request, "orders/payments/approvals.html", context | payments.tab_counts())


@require_POST
@permission_required([RIGHT, queries.APPROVE], raise_exception=True)
def request_approve(request: HttpRequest, pk: int) -> HttpResponse:
    note = request.POST.get("note", "")
    return _decide(
        request, pk, lambda: refund_requests.approve(pk, note=note, actor=actor_of(request)), _("承認しました。")
    )


@require_POST
@permission_required([RIGHT, queries.APPROVE], raise_exception=True)
def request_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    note = request.POST.get("note", "")
    good = _("申請を却下しました。")
    return _decide(request, pk, lambda: refund_requests.refuse(pk, note=note, actor=actor_of(request)), good)


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def request_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """The service asks that it is one's own."""
    good = _("申請を取り下げました。")
    return _decide(request, pk, lambda: refund_requests.withdraw(pk, actor=actor_of(request)), good)


def _decide(request: HttpRequest, pk: int, verb: Callable[[], bool], good: str) -> HttpResponse:
    asked = get_object_or_404(RefundRequest, pk=pk)
    try:
        if verb():
            messages.success(request, good)
        else:
            messages.info(request, _("この申請はすでに終わっています。"))
    except Refused as refused:
        messages.error(request, refused.cause)
    if not request.user.has_perm(RIGHT):
        return answer(request, to=reverse("orders:detail", args=[asked.order_id]))
    return answer(request, to=reverse("orders:refund-requests"))


@require_http_methods(["GET", "POST"])
@permission_required("orders.change_refundlimit", raise_exception=True)
def limits(request: HttpRequest) -> HttpResponse:
    """How much each role may give back alone; every change stands below with before and after."""
    form = LimitsForm(request.POST if request.method == "POST" else None, limits=refund_limits.role_limits())
    if form.is_bound and form.is_valid():
        moved = refund_limits.set_limits(form.wanted, by=person_of(request))
        messages.success(request, _("返金の上限を保存しました。") if moved else _("変更はありませんでした。"))
        return redirect("orders:refund-limits")
    events = [(event, LABELS.get(event.role, event.role)) for event in queries.limit_events()]
    context = {"form": form, "events": events} | payments.tab_counts()
    return render_page(request, "orders/payments/limits.html", context)
