"""分割: one order's parcels side by side, and the ways to part and join them."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from fulfillment.decide.split_ways import Payer
from fulfillment.forms_split import SplitForm
from fulfillment.models import Shipment, SplitCharge
from fulfillment.queries import split_screen
from fulfillment.queries.splits import Wish
from fulfillment.services import split as splitting
from fulfillment.services import split_charge
from oms.kernel.typed import row_id
from oms.kernel.web import answer, render_page
from orders.models import Order
from orders.views.order import actor_of, user_of

CHANGE = ["orders.view_order", "orders.change_order"]
PIECES, HELD = "pieces_", "held_"
MOST = 100_000


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def split_order(request: HttpRequest, pk: int) -> HttpResponse:
    order = get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
    return render_page(request, "fulfillment/split.html", split_screen.split_page(order, user_of(request)))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def split_off(request: HttpRequest, pk: int, shipment: int) -> HttpResponse:
    """Fields `pieces_<line>` say how many pieces go into a parcel of their own, `held_<line>` of how many."""
    if not Shipment.objects.filter(pk=shipment, lines__order_line__order=pk).exists():
        raise Http404

    def run() -> str:
        buyer = request.POST.get("payer") == Payer.BUYER
        fresh = split_charge.split_off(
            shipment,
            _typed(request, PIECES),
            seen=_typed(request, HELD),
            at_buyers_cost=buyer,
            actor=actor_of(request),
        )
        return _("出荷伝票 %(no)s に分けました。") % {"no": fresh.number}

    return _done(request, pk, run)


def _typed(request: HttpRequest, prefix: str) -> dict[int, int]:
    pieces = {}
    for name, typed in request.POST.items():
        line, text = row_id(name.removeprefix(prefix)), str(typed).strip()
        if name.startswith(prefix) and line is not None and text:
            count = row_id(text)
            if count is None or count > MOST:
                raise splitting.CannotSplit(_("分ける数量は0以上の整数で入力してください。"))
            pieces[line] = count
    return pieces


@require_POST
@permission_required(CHANGE, raise_exception=True)
def split_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Split by the way that was chosen, at whose cost was chosen; or ask the buyer first."""

    def run() -> str:
        form = SplitForm(request.POST, order_ids=[pk])
        if not form.is_valid():
            raise splitting.CannotSplit(str(next(iter(form.errors.values()))[0]))
        payer = form.params["payer"]
        done, whys = split_charge.carry_out([pk], Wish.of(form.params), payer, actor=actor_of(request))
        if not done:
            raise splitting.CannotSplit(whys[pk])
        if payer == Payer.ASK:
            return _("お客様にたずねるメールを下書きしました。受注のメール欄で確認して送ってください。")
        return _("分割しました。")

    return _done(request, pk, run)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def split_answer(request: HttpRequest, pk: int, charge: int) -> HttpResponse:
    """What the buyer said about parcels at their cost; `answer` is agree, decline or withdraw."""
    get_object_or_404(SplitCharge, pk=charge, order=pk)

    def run() -> str:
        match request.POST.get("answer"):
            case "agree":
                split_charge.agree(charge, actor=actor_of(request))
                return _("承諾を記録し、分割しました。送料を合計に加えました。")
            case "decline":
                split_charge.decline(charge, actor=actor_of(request))
                return _("お断りを記録しました。まとめて出荷します。")
            case "withdraw" if split_charge.withdraw([pk], actor=actor_of(request)):
                return _("質問を取り下げました。")
        raise splitting.CannotSplit(_("返事を選んでください。"))

    return _done(request, pk, run)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def split_undo(request: HttpRequest, pk: int) -> HttpResponse:
    def run() -> str:
        done = split_charge.join(pk, actor=actor_of(request))
        return _("分割を取り消し、1つにまとめました。") if done else _("まとめられる出荷伝票がありません。")

    return _done(request, pk, run)


def _done(request: HttpRequest, pk: int, run: Callable[[], str]) -> HttpResponse:
    get_object_or_404(Order.objects.only("pk"), pk=pk)
    try:
        messages.success(request, run())
    except splitting.CannotSplit as refused:
        messages.warning(request, refused.cause)
    return answer(request, to=reverse("fulfillment:split", args=[pk]))
