"""数字: how the work went over some days, and the lists behind the numbers that no other screen has."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from oms.kernel.keyset import keyset_page
from oms.kernel.web import render_page
from oms.pages.queries import numbers as facts
from oms.pages.queries.board import board, span
from orders.decide.reasons import CATALOGUE
from orders.models import ReviewDecision
from orders.models.reason import ReviewReason
from orders.queries import visible


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def numbers(request: HttpRequest) -> HttpResponse:
    shops = list(visible.shops().order_by("code"))
    period = facts.chosen_period(request.GET, shops)
    told = request.user.has_perm("inventory.view_cost")
    context = {
        "period": period,
        "choices": facts.period_choices(),
        "shops": shops,
        **board(shops, period, costs_told=told),
    }
    return render_page(request, "pages/numbers.html", context)


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def actions(request: HttpRequest) -> HttpResponse:
    """Every click that counts as a touch; `?code=` only on orders that had this reason."""
    code = request.GET.get("code", "")
    code = code if code in CATALOGUE else ""
    rows = facts.actions(_period(request), code=code).select_related("by", "order__shop").defer("order__search")
    title = _("人の操作: %(reason)s") % {"reason": CATALOGUE[code].label} if code else _("人の操作")
    return _list(request, rows, "pages/number_actions.html", title)


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def reasons(request: HttpRequest) -> HttpResponse:
    """Reasons raised in the days, of one kind or all, by what became of them."""
    code, outcome = request.GET.get("code", ""), request.GET.get("outcome", "")
    rows = facts.reasons(_period(request), code=code, outcome=outcome).select_related("closed_by", "order__shop")
    label = str(CATALOGUE[code].label) if code in CATALOGUE else _("確認理由")
    return _list(request, rows.defer("order__search"), "pages/number_reasons.html", label)


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def decisions(request: HttpRequest) -> HttpResponse:
    """Every decision on a card, with the time it took."""
    rows = facts.decisions(_period(request)).select_related("by", "order__shop").defer("order__search")
    return _list(request, rows, "pages/number_decisions.html", _("カードでの判断"))


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def pushes(request: HttpRequest) -> HttpResponse:
    """Every quantity that was put on the wire, with its delays; `?told=1` only what the channel has confirmed."""
    told = "told" in request.GET
    rows = facts.pushes(_period(request), told=told).select_related("listing__shop")
    title = _("モールが確認した在庫") if told else _("在庫の送信")
    return _list(request, rows, "pages/number_pushes.html", title)


@require_GET
@permission_required(["orders.view_order", "inventory.view_cost"], raise_exception=True)
def profits(request: HttpRequest) -> HttpResponse:
    """Every order whose 粗利 is known, with the sum of all of them."""
    period = _period(request)
    rows = facts.profits(period)
    whole = rows.aggregate(net=Sum("net_sales", default=0), yen=Sum("profit", default=0))
    shown = rows.select_related("order__shop").defer("order__search")
    page = keyset_page(request, shown, order=("-shipped_on", "-pk"))
    context = {"title": _("粗利"), "page": page, "total": rows.count(), "period": period, "whole": whole}
    return render_page(request, "pages/number_profits.html", context)


def _period(request: HttpRequest) -> facts.Period:
    return facts.chosen_period(request.GET, list(visible.shops()))


def _list(request: HttpRequest, rows: "QuerySet[Any]", template: str, title: str) -> HttpResponse:
    page = keyset_page(request, rows, order=("-id",))
    for row in page.rows:
        if isinstance(row, ReviewDecision):
            row.took = span((row.decided_at - row.shown_at).total_seconds())  # type: ignore[attr-defined]
        if isinstance(row, ReviewReason | ReviewDecision):
            row.label = CATALOGUE[row.code].label if row.code in CATALOGUE else row.code  # type: ignore[union-attr]
    context = {"title": title, "page": page, "total": rows.count(), "period": _period(request)}
    return render_page(request, template, context)
