"""商品を変える: the quantities of an order's lines and goods that are added, looked at before they are saved."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from oms.kernel.web import render_page
from orders.forms_lines import ApartForm, QuantityForm, items_of, new_rows
from orders.models import Order, SetApart
from orders.queries import change_preview
from orders.services import change_lines, put_together, refund_requests, take_apart
from orders.services.change_lines import Changed, Moved, TooLate, Wanted
from orders.services.refund_limits import NeedsApproval
from orders.views.order import actor_of, changed, say_asked


@require_http_methods(["GET", "POST"])
@permission_required(["orders.change_order", "orders.cancel_order"], raise_exception=True)
def order_lines(request: HttpRequest, pk: int) -> HttpResponse:
    """`step=save` saves; every other POST shows what the change would do, and keeps what was typed."""
    order = get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
    data = request.POST if request.method == "POST" else None
    form = QuantityForm(data, order=order, lines=list(order.lines.select_related("sku")))
    rows = new_rows(data)
    valid = form.is_bound and all([form.is_valid(), *(row.is_valid() for row in rows)])
    context: dict[str, Any] = {
        "order": order,
        "form": form,
        "rows": rows,
        "closed": change_lines.why_closed(order),
        "no_more": change_lines.why_no_more(order),
    }
    if valid and not context["closed"]:
        wanted = form.wanted(items_of(rows))
        try:
            if request.POST.get("step") == "save":
                return _saved(request, pk, wanted)
            context["preview"] = change_preview.preview(order, wanted)
        except TooLate as late:
            context["refused"] = late.cause
        except NeedsApproval as needs:
            asked = refund_requests.change(pk, wanted, needs=needs, actor=actor_of(request))
            say_asked(request, asked)
            return HttpResponseRedirect(reverse("orders:detail", args=[pk]))
        except Moved:
            return _moved(request, pk, context)
    if valid and form.cleaned_data["version"] != order.version:
        return _moved(request, pk, context)
    return render_page(request, "orders/lines.html", context, fragment="orders/_lines_form.html")


@require_http_methods(["GET", "POST"])
@permission_required(["orders.change_order", "orders.cancel_order"], raise_exception=True)
def line_apart(request: HttpRequest, pk: int, line: int) -> HttpResponse:
    """A set's line becomes lines of its components, so that they can go in different parcels."""
    order = get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
    sold = get_object_or_404(order.lines, pk=line)
    form = ApartForm(request.POST if request.method == "POST" else None, line=sold)
    if form.is_bound and form.is_valid():
        try:
            take_apart.take_apart(pk, {line: form.cleaned_data["pieces"]}, actor=actor_of(request))
        except take_apart.CannotTakeApart as refused:
            form.add_error(None, refused.cause)
        else:
            messages.success(request, _("セットを構成品の明細に分けました。荷物は構成品ごとに分けられます。"))
            return changed(request, pk)
    context = {
        "order": order,
        "form": form,
        "title": _("セットを構成品の明細に分ける"),
        "action": _("分ける"),
    }
    return render_page(request, "orders/action.html", context, fragment="orders/_action.html")


@require_POST
@permission_required(["orders.change_order", "orders.cancel_order"], raise_exception=True)
def line_whole(request: HttpRequest, pk: int, taking: int) -> HttpResponse:
    """The components' lines become the set they were."""
    get_object_or_404(SetApart, pk=taking, line__order=pk)
    try:
        put_together.put_together(taking, actor=actor_of(request))
    except put_together.CannotPutTogether as refused:
        messages.warning(request, refused.cause)
    else:
        messages.success(request, _("構成品の明細をセットに戻しました。"))
    return changed(request, pk)


def _saved(request: HttpRequest, pk: int, wanted: Wanted) -> HttpResponse:
    _say(request, change_lines.change(pk, wanted, actor=actor_of(request)))
    return HttpResponseRedirect(reverse("orders:detail", args=[pk]))


def _moved(request: HttpRequest, pk: int, context: dict[str, Any]) -> HttpResponse:
    """Another hand was faster: what was typed is shown over the order as it is now."""
    order = Order.objects.select_related("shop").defer("search").get(pk=pk)
    typed = request.POST.copy()
    typed["version"] = str(order.version)
    form = QuantityForm(typed, order=order, lines=list(order.lines.select_related("sku")))
    form.full_clean()
    refused = _(
        "開いているあいだに受注が変わったため、まだ保存していません。現在の数量を確かめて、もう一度保存してください。"
    )
    context = {**context, "order": order, "form": form, "refused": refused, "preview": None}
    return render_page(request, "orders/lines.html", context, fragment="orders/_lines_form.html", status=409)


def _say(request: HttpRequest, changed: Changed) -> None:
    if changed.plan.is_empty:
        messages.info(request, _("変更はありませんでした。"))
    elif changed.by_hand:
        messages.warning(request, _("商品を変えました。モールの画面での変更を作業に残しました。"))
    else:
        messages.success(request, _("商品を変えました。"))
