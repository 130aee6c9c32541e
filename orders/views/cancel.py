"""キャンセル: one dialog for the whole order or pieces of it, and the answer to a buyer's wish to cancel."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from oms.kernel.links import url_if_served
from oms.kernel.web import render_page
from orders.forms_cancel import CancelForm, DeclineForm
from orders.models import Order, RefundRequest
from orders.models.order import Phase
from orders.queries import cancellations
from orders.services import cancel, cancel_units, decline_cancel, refund_requests
from orders.services.cancel import Cancelled
from orders.services.journal import Actor
from orders.services.refund_limits import NeedsApproval
from orders.views.order import actor_of, changed, say_asked


@require_http_methods(["GET", "POST"])
@permission_required("orders.cancel_order", raise_exception=True)
def order_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    order = _order(pk)
    lines = list(order.lines.select_related("sku"))
    form = CancelForm(request.POST if request.method == "POST" else None, order=order, lines=lines)
    if form.is_bound and form.is_valid():
        actor = actor_of(request)
        if form.is_whole:
            result = cancel.cancel_orders([pk], ask=form.ask, actor=actor)
        elif form.units:
            result = cancel_units.cancel_units(pk, form.units, ask=form.ask, actor=actor)
        else:
            result = cancel.cancel_pieces(pk, form.pieces, ask=form.ask, actor=actor)
        if needs := result.over.get(pk):
            say_asked(request, _prepare(pk, form, needs, actor))
        else:
            _report(request, result)
        return changed(request, pk)
    context = {
        "order": order,
        "form": form,
        "title": _("受注をキャンセル"),
        "action": _("キャンセルする"),
        "effects": cancellations.before(order),
        "closed": cancel.why_not_at_all(order) or ("" if form.lines else _why_nothing_is_left(order)),
        "instead": _instead(request, order),
        "race_url": url_if_served("fulfillment:race", pk),
    }
    return render_page(request, "orders/cancel.html", context, fragment="orders/_cancel.html")


def _instead(request: HttpRequest, order: Order) -> str:
    """Where what has left is handled; "" when nothing has, or this person may not."""
    left = order.phase == Phase.SHIPPED or order.fulfillment_state not in cancel.STOPPABLE
    may = request.user.has_perms(["orders.change_returncase", "orders.view_order"])
    return reverse("orders:return-open", args=[order.pk]) if left and may and not order.cancelled_at else ""


def _prepare(pk: int, form: CancelForm, needs: NeedsApproval, actor: Actor) -> RefundRequest:
    if form.is_whole:
        return refund_requests.cancel_whole(pk, ask=form.ask, needs=needs, actor=actor)
    if form.units:
        return refund_requests.cancel_units(pk, form.units, ask=form.ask, needs=needs, actor=actor)
    return refund_requests.cancel_pieces(pk, form.pieces, ask=form.ask, needs=needs, actor=actor)


def _why_nothing_is_left(order: Order) -> str:
    return cancel.why_not_whole(order) or _("キャンセルできる商品がありません。")


def _report(request: HttpRequest, result: Cancelled) -> None:
    for cause in result.refused.values():
        messages.error(request, cause)
    if result.waiting:
        messages.warning(request, _("出荷元に停止を依頼しました。返事があるまで、まだキャンセルされていません。"))
    elif result.by_hand:
        messages.warning(request, _("キャンセルしました。モールの画面での手続きを作業に残しました。"))
    elif result.orders:
        messages.success(request, _("キャンセルしました。"))


@require_http_methods(["GET", "POST"])
@permission_required("orders.cancel_order", raise_exception=True)
def order_decline_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """The buyer's wish to cancel is refused, and the order goes on."""
    order = _order(pk)
    form = DeclineForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        said = decline_cancel.decline(pk, message=form.cleaned_data["message"], actor=actor_of(request))
        for cause in said.refused.values():
            messages.error(request, cause)
        if said.by_hand:
            messages.warning(request, _("受注を続けます。モールの画面での回答を作業に残しました。"))
        elif said.orders:
            messages.success(request, _("お断りの回答をモールへ送ります。受注を続けます。"))
        return changed(request, pk)
    context: dict[str, Any] = {
        "order": order,
        "form": form,
        "title": _("キャンセル申請を断る"),
        "action": _("断って受注を続ける"),
    }
    return render_page(request, "orders/action.html", context, fragment="orders/_action.html")


def _order(pk: int) -> Order:
    return get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
