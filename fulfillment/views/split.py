"""分割: one order's parcels side by side, and the ways to part and join them."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from fulfillment.models import Shipment
from fulfillment.queries import merge_screen
from fulfillment.services import split as splitting
from oms.kernel.typed import row_id
from oms.kernel.web import answer, render_page
from orders.models import Order
from orders.views.order import actor_of, user_of

CHANGE = ["orders.view_order", "orders.change_order"]
PIECES = "pieces_"
MOST = 100_000


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def split_order(request: HttpRequest, pk: int) -> HttpResponse:
    order = get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
    return render_page(request, "fulfillment/split.html", merge_screen.split_page(order, user_of(request)))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def split_off(request: HttpRequest, pk: int, shipment: int) -> HttpResponse:
    """Fields `pieces_<line>` say how many pieces go into a parcel of their own."""
    if not Shipment.objects.filter(pk=shipment, lines__order_line__order=pk).exists():
        raise Http404

    def run() -> str:
        fresh = splitting.split_off(shipment, _typed(request), actor=actor_of(request))
        return _("出荷伝票 %(no)s に分けました。") % {"no": fresh.number}

    return _done(request, pk, run)


def _typed(request: HttpRequest) -> dict[int, int]:
    pieces = {}
    for name, typed in request.POST.items():
        line, text = row_id(name.removeprefix(PIECES)), str(typed).strip()
        if name.startswith(PIECES) and line is not None and text:
            count = row_id(text)
            if count is None or count > MOST:
                raise splitting.CannotSplit(_("分ける数量は0以上の整数で入力してください。"))
            pieces[line] = count
    return pieces


@require_POST
@permission_required(CHANGE, raise_exception=True)
def split_temperature(request: HttpRequest, pk: int) -> HttpResponse:
    def run() -> str:
        if not splitting.split_by_temperature([pk], actor=actor_of(request)):
            raise splitting.CannotSplit(_("温度帯で分けられる出荷伝票がありません。"))
        return _("温度帯ごとに分けました。")

    return _done(request, pk, run)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def split_later(request: HttpRequest, pk: int) -> HttpResponse:
    def run() -> str:
        splitting.send_rest_later(pk, actor=actor_of(request))
        return _("引当済みの分を先に出荷します。残りは引き当てしだい別の出荷伝票になります。")

    return _done(request, pk, run)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def split_preorders(request: HttpRequest, pk: int) -> HttpResponse:
    def run() -> str:
        splitting.send_preorders_later(pk, actor=actor_of(request))
        return _("発売前の商品は後から出荷します。ほかの商品は発売日を待ちません。")

    return _done(request, pk, run)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def split_undo(request: HttpRequest, pk: int) -> HttpResponse:
    def run() -> str:
        done = splitting.join(pk, actor=actor_of(request))
        return _("分割を取り消し、1つにまとめました。") if done else _("まとめられる出荷伝票がありません。")

    return _done(request, pk, run)


def _done(request: HttpRequest, pk: int, run: Callable[[], str]) -> HttpResponse:
    get_object_or_404(Order.objects.only("pk"), pk=pk)
    try:
        messages.success(request, run())
    except splitting.CannotSplit as refused:
        messages.warning(request, refused.cause)
    return answer(request, to=reverse("fulfillment:split", args=[pk]))
