"""同梱: the groups that wait, one order with its candidates, and the decisions."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fulfillment.models import Merge, MergedOrder
from fulfillment.queries import merge_screen
from fulfillment.services import merge as merging
from fulfillment.services import merge_keys, merge_sweep
from oms.kernel.typed import row_ids
from oms.kernel.web import answer, render_page
from orders.models import Order
from orders.views.order import actor_of, user_of

CHANGE = ["orders.view_order", "orders.change_order"]


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def merge_list(request: HttpRequest) -> HttpResponse:
    return render_page(request, "fulfillment/merge_list.html", merge_screen.overview(user_of(request)))


@require_http_methods(["GET", "POST"])
@permission_required("orders.view_order", raise_exception=True)
def merge_order(request: HttpRequest, pk: int) -> HttpResponse:
    """The screen; a POST with `ids` puts those orders into this one's parcel."""
    order = _order(pk)
    if request.method == "POST":
        return _merge(request, pk)
    merge_keys.renew([pk])
    return render_page(request, "fulfillment/merge.html", merge_screen.merge_page(order, user_of(request)))


@permission_required(CHANGE, raise_exception=True)
def _merge(request: HttpRequest, pk: int) -> HttpResponse:
    ids = row_ids(request.POST.getlist("ids"))

    def run() -> str:
        merging.merge_orders([pk, *ids], actor=actor_of(request))
        n = len(ids) + 1
        return ngettext("受注%(n)s件を同梱しました。", "受注%(n)s件を同梱しました。", n) % {"n": n}

    return _done(request, pk, run)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def merge_apart(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """同梱しない: remembered for the two, and nobody is asked again."""
    _order(pk), _order(other)

    def run() -> str:
        merging.keep_apart(pk, other, actor=actor_of(request))
        merge_sweep.sweep()
        return _("この2件は同梱しません。別々に出荷します。")

    return _done(request, pk, run)


@require_POST
@permission_required([*CHANGE, "orders.send_mail"], raise_exception=True)
def merge_ask(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    _order(pk), _order(other)

    def run() -> str:
        merging.ask_customer(pk, other, actor=actor_of(request))
        return _("購入者への確認メールを下書きしました。受注のメール欄から送ってください。")

    return _done(request, pk, run)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def merge_undo(request: HttpRequest, pk: int) -> HttpResponse:
    merge = get_object_or_404(Merge, pk=pk)
    first = MergedOrder.objects.filter(merge=merge).order_by("pk").values_list("order", flat=True).first()
    back = request.POST.get("order", "")

    def run() -> str:
        keep = request.POST.get("keep_money") == "on"
        done = merging.undo(merge.pk, actor=actor_of(request), whatever_was_given=keep)
        if done and keep:
            return _("同梱を解除し、元の出荷伝票に戻しました。返したあとの金額はそのままです。")
        return _("同梱を解除し、元の出荷伝票と金額に戻しました。") if done else _("この同梱はすでに解除されています。")

    return _done(request, int(back) if back.isdecimal() else first or 0, run)


def _done(request: HttpRequest, pk: int, run: Callable[[], str]) -> HttpResponse:
    """Do it, say what came of it, and go back to the order's merge screen."""
    try:
        messages.success(request, run())
    except merging.CannotMerge as refused:
        messages.warning(request, refused.cause)
    return answer(request, to=reverse("fulfillment:merge", args=[pk]))


def _order(pk: int) -> Order:
    return get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
