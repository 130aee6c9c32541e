"""個人情報の保存期間: how long each shop keeps it, which orders are exempt, what was erased."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from oms.kernel import clock
from oms.kernel.csv_text import csv_line
from oms.kernel.keyset import keyset_page
from oms.kernel.web import render_page
from orders.models import LegalHold, Shop
from orders.privacy_forms import DaysForm, HoldForm, ReportForm
from orders.queries import privacy as queries
from orders.services import privacy
from orders.views.order import actor_of

RIGHT = "orders.manage_privacy"


@require_GET
@permission_required(RIGHT, raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    return _shown(request)


def _shown(request: HttpRequest, **more: Any) -> HttpResponse:
    context = {
        "shops": queries.shop_days(),
        "holds": queries.holds(),
        "form": HoldForm(),
        "page": keyset_page(request, queries.events()),
        **more,
    }
    return render_page(request, "orders/privacy.html", context)


@require_GET
@permission_required(RIGHT, raise_exception=True)
def report(request: HttpRequest) -> HttpResponse:
    """消去の報告: what was erased when, of which shop; as a page, or with `?format=csv` as a file. Names nobody."""
    form = ReportForm(request.GET)
    since, until = form.span
    found = queries.report(since, until)
    if request.GET.get("format") == "csv":
        return _report_csv(found, since, until)
    context = {"form": form, "since": since, "until": until, "report": found}
    return render_page(request, "orders/privacy_report.html", context)


def _report_csv(found: queries.ErasureReport, since: date, until: date) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="erased-{since:%Y%m%d}-{until:%Y%m%d}.csv"'
    response.write("\ufeff" + csv_line([_("月"), _("店舗"), _("消去した件数"), _("回数"), _("最後の消去")]))
    for row in found.rows:
        shop = row.shop.name if row.shop else _("会員")
        cells = [
            f"{row.month:%Y-%m}",
            shop,
            str(row.count),
            str(row.runs),
            f"{clock.in_tokyo(row.last):%Y-%m-%d %H:%M}",
        ]
        response.write(csv_line(cells))
    return response


@require_POST
@permission_required(RIGHT, raise_exception=True)
def days(request: HttpRequest, shop_id: int) -> HttpResponse:
    shop = get_object_or_404(Shop, pk=shop_id)
    form = DaysForm(request.POST)
    if not form.is_valid():
        return _shown(request, wrong_shop=shop.pk, wrong=_("日数は数字で入力してください。"))
    wanted = form.cleaned_data["days"]
    return _done(
        request,
        lambda: privacy.set_days(shop.pk, wanted, actor=actor_of(request)),
        _("%(shop)s の保存期間を変えました。") % {"shop": shop.name},
        wrong_shop=shop.pk,
    )


@require_POST
@permission_required(RIGHT, raise_exception=True)
def hold(request: HttpRequest) -> HttpResponse:
    form = HoldForm(request.POST)
    if not form.is_valid():
        return _shown(request, form=form)
    number, reason = form.cleaned_data["number"], form.cleaned_data["reason"]
    try:
        privacy.hold(number, reason, actor=actor_of(request))
    except privacy.Refused as refused:
        form.add_error("number", refused.cause)
        return _shown(request, form=form)
    messages.success(request, _("受注 %(no)s の個人情報は、解除するまで消去しません。") % {"no": number})
    return redirect("orders:privacy")


@require_POST
@permission_required(RIGHT, raise_exception=True)
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    held = LegalHold.objects.select_related("order").filter(pk=pk).first()
    if held is not None and privacy.lift(pk, actor=actor_of(request)):
        messages.success(
            request,
            _("受注 %(no)s の消去の保留を解除しました。期間を過ぎていれば、次の回に消去されます。")
            % {"no": held.order.channel_order_no},
        )
    return redirect("orders:privacy")


def _done(request: HttpRequest, verb: Callable[[], bool], text: str, **wrong: Any) -> HttpResponse:
    """Run a verb and go back; a refusal is shown where it was typed."""
    try:
        if verb():
            messages.success(request, text)
    except privacy.Refused as refused:
        return _shown(request, wrong=refused.cause, **wrong)
    return redirect("orders:privacy")
