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

from oms.kernel.links import url_if_served
from oms.kernel.typed import row_id
from oms.kernel.web import answer, render_page
from orders.forms import HoldForm
from orders.models import ReviewReason
from orders.queries import card as cards
from orders.queries import detail, visible
from orders.queries import inbox as queue
from orders.services import decide_card, personal_views
from orders.services.decide_card import CHANGES, Refused, Wanted
from orders.services.personal_views import Where
from orders.views.order import actor_of, user_of

FRAGMENTS = ("orders/_inbox_kinds.html", "orders/_inbox_card.html", "orders/_inbox_aside.html")


@require_GET
@permission_required("orders.review_order", raise_exception=True)
def inbox(request: HttpRequest) -> HttpResponse:
    """`?code=` chooses the reason, `?after=` an order to go on from, `?at=` the order itself. Looking at a card hands
    it out: for ten minutes no colleague gets it."""
    places = {name: found for name in ("after", "at") if (found := row_id(request.GET.get(name, ""))) is not None}
    context = _context(request, request.GET.get("code", ""), **places)
    return render_page(request, "orders/inbox.html", context, fragment="orders/_inbox.html")


@require_POST
@permission_required("orders.review_order", raise_exception=True)
def inbox_accept(request: HttpRequest) -> HttpResponse:
    """Accept the card's reason and show the next card; with `same`, for every order with the same evidence."""
    return _decide(request, Wanted("accept", note=request.POST.get("note", "").strip()))


@require_POST
@permission_required(["orders.review_order", "orders.change_order", detail.PERSONAL], raise_exception=True)
def inbox_choose(request: HttpRequest) -> HttpResponse:
    """One of the card's own choices: it changes the order and closes the reason."""
    verb = request.POST.get("verb", "")
    allowed = {*CHANGES, "decline_cancel", "promise_done"}
    return _decide(request, Wanted(verb if verb in allowed else "", request.POST.get("value", "")))


@require_POST
@permission_required(["orders.review_order", "orders.hold_order"], raise_exception=True)
def inbox_hold(request: HttpRequest) -> HttpResponse:
    form = HoldForm(request.POST)
    if form.is_valid():
        return _decide(request, Wanted("hold", form.cleaned_data["reason"]))
    messages.warning(request, _("保留の理由を入力してください。"))
    return _next(request, _reason(request), stay=True)


@require_POST
@permission_required("orders.review_order", raise_exception=True)
def inbox_undo(request: HttpRequest) -> HttpResponse:
    """Take one's last decision back; its card comes again."""
    try:
        undone = decide_card.undo_last(actor=actor_of(request))
    except Refused as refused:
        messages.warning(request, refused.cause)
        code = request.POST.get("code", "")
        to = f"{reverse('orders:inbox')}?{urlencode({'code': code})}"
        return answer(request, to=to, fragments=FRAGMENTS, context=_context(request, code))
    last = undone[0]
    messages.success(request, _("直前の判断を取り消しました。"))
    to = f"{reverse('orders:inbox')}?{urlencode([('code', last.code), ('at', last.order_id)])}"
    return answer(request, to=to, fragments=FRAGMENTS, context=_context(request, last.code, at=last.order_id))


def _decide(request: HttpRequest, wanted: Wanted) -> HttpResponse:
    reason = _reason(request)
    ids = queue.same_evidence(reason.pk) if "same" in request.POST else [reason.pk]
    try:
        done = decide_card.decide(ids, wanted, actor=actor_of(request))
    except Refused as refused:
        messages.warning(request, refused.cause)
        return _next(request, reason, stay=True)
    if len(done.orders) > 1:
        text = ngettext("%(n)s件を確認済みにしました。", "%(n)s件を確認済みにしました。", len(done.orders))
        messages.success(request, text % {"n": len(done.orders)})
    for cause in dict.fromkeys(done.left.values()):
        messages.warning(request, cause)
    return _next(request, reason, stay=reason.order_id in done.left)


def _reason(request: HttpRequest) -> ReviewReason:
    pk = request.POST.get("reason_row", "")
    return get_object_or_404(visible.of_shops(ReviewReason.objects.all()), pk=row_id(pk))


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
    card = queue.card(chosen.code, by=user, after=after, at=at) if chosen else None
    pace = cards.pace(user)
    context: dict[str, Any] = {
        "kinds": kinds, "chosen": chosen, "card": card, "hold_form": HoldForm(), "pace": pace, "code": code,
    }  # fmt: skip
    if card is None:
        return context
    order = detail.order_for(card.order_id, personal=user.has_perm(detail.PERSONAL))
    assert order is not None  # the reason's order; orders are never deleted
    page = detail.order_page(order, user)
    row = next(row for row in page["open_reasons"] if row.code == card.reason.code)
    others = [other for other in page["open_reasons"] if other.code != row.code]
    if page["personal"]:
        personal_views.saw_orders([order.pk], Where.INBOX, by=user)
    evidence = cards.card_context(order, card.reason, personal=page["personal"])
    more = {
        "reason": row,
        "others": others,
        "run": (pace.done + 1, pace.done + card.total),
        "may_change": user.has_perm("orders.change_order") and page["personal"],
        "map_url": row.url if card.reason.code == "item_unmapped" else "",
        "item_url": _item_url(card.reason),
    }
    return {**page, **context, **evidence, **more}


def _item_url(reason: ReviewReason) -> str:
    """Where the proposals for a code that stands for no SKU are served."""
    return url_if_served("channels:card-panel", reason.order_id) if reason.code == "item_unmapped" else ""
