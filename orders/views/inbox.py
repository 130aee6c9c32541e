"""確認待ちの受信箱: one decision after another, without opening a list."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from oms.kernel.clock import in_tokyo
from oms.kernel.web import answer, render_page
from orders.forms import HoldForm
from orders.models import ReviewReason
from orders.queries import detail
from orders.queries import inbox as queue
from orders.services import hold as holding
from orders.services import review
from orders.views.order import actor_of, refusal_of, user_of

FRAGMENTS = ("orders/_inbox_kinds.html", "orders/_inbox_card.html", "orders/_inbox_aside.html")


@require_GET
@permission_required("orders.review_order", raise_exception=True)
def inbox(request: HttpRequest) -> HttpResponse:
    """`?code=` chooses the reason, `?after=` an order to go on from, `?at=` the order itself."""
    places = {name: int(value) for name in ("after", "at") if (value := request.GET.get(name, "")).isdecimal()}
    context = _context(request, request.GET.get("code", ""), **places)
    return render_page(request, "orders/inbox.html", context, fragment="orders/_inbox.html")


@require_POST
@permission_required("orders.review_order", raise_exception=True)
def inbox_accept(request: HttpRequest) -> HttpResponse:
    """Accept the card's reason and show the next card; with `same`, for every order with the same evidence."""
    reason = _reason(request)
    orders = queue.same_evidence(reason.pk) if "same" in request.POST else [reason.order_id]
    accepted = review.accept(orders, codes=[reason.code], actor=actor_of(request))
    if len(accepted.orders) > 1:
        text = ngettext("%(n)s件を確認済みにしました。", "%(n)s件を確認済みにしました。", len(accepted.orders))
        messages.success(request, text % {"n": len(accepted.orders)})
    for code in accepted.refused:
        messages.warning(request, refusal_of(code))
    return _next(request, reason)


@require_POST
@permission_required(["orders.review_order", "orders.hold_order"], raise_exception=True)
def inbox_hold(request: HttpRequest) -> HttpResponse:
    reason = _reason(request)
    form = HoldForm(request.POST)
    if form.is_valid():
        holding.hold_orders([reason.order_id], reason=form.cleaned_data["reason"], actor=actor_of(request))
        messages.success(request, _("保留にしました。"))
    else:
        messages.warning(request, _("保留の理由を入力してください。"))
        return _next(request, reason, stay=True)
    return _next(request, reason)


def _reason(request: HttpRequest) -> ReviewReason:
    pk = request.POST.get("reason_row", "")
    return get_object_or_404(ReviewReason, pk=int(pk) if pk.isdecimal() else 0)


def _next(request: HttpRequest, reason: ReviewReason, *, stay: bool = False) -> HttpResponse:
    """The card that follows. `stay` shows the same one again."""
    place: dict[str, int] = {"at" if stay else "after": reason.order_id}
    to = f"{reverse('orders:inbox')}?{urlencode([('code', reason.code), *place.items()])}"
    return answer(request, to=to, fragments=FRAGMENTS, context=_context(request, reason.code, **place))


def _context(
    request: HttpRequest, code: str, *, after: int | None = None, at: int | None = None
) -> dict[str, Any]:  # fmt: skip
    """The kinds, the chosen kind's card, and the order behind it. A kind that is done leads to the next one."""
    user = user_of(request)
    kinds = queue.kinds()
    chosen = next((kind for kind in kinds if kind.code == code), kinds[0] if kinds else None)
    card = queue.card(chosen.code, after=after, at=at) if chosen else None
    context: dict[str, Any] = {"kinds": kinds, "chosen": chosen, "card": card, "hold_form": HoldForm()}
    if card is None:
        return context
    order = detail.order_for(card.order_id, personal=user.has_perm(detail.PERSONAL))
    assert order is not None  # the reason's order; orders are never deleted
    page = detail.order_page(order, user)
    row = next(row for row in page["open_reasons"] if row.code == card.reason.code)
    others = [other for other in page["open_reasons"] if other.code != row.code]
    remark = queue.highlighted(order.remarks, in_tokyo(order.ordered_at).date()) if order.remarks else []
    return {**page, **context, "reason": row, "others": others, "remark": remark}
