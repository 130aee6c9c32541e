"""確認待ちの受信箱: one decision after another, without opening a list."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from oms.kernel import clock, scope
from oms.kernel.links import url_if_served
from oms.kernel.models import User
from oms.kernel.typed import row_id
from oms.kernel.web import answer, render_page
from orders import actions
from orders.decide.choices import NOTE_CODES
from orders.forms import SNOOZED, HoldForm
from orders.models import ReviewReason
from orders.models.reason import Level
from orders.queries import card as cards
from orders.queries import card_actions, detail, visible
from orders.queries import inbox as queue
from orders.services import bulk, decide_card, personal_views
from orders.services.decide_card import ABOVE, CHANGES, Refused, Wanted
from orders.services.personal_views import Where
from orders.views.order import actor_of, user_of

FRAGMENTS = ("orders/_inbox_kinds.html", "orders/_inbox_card.html", "orders/_inbox_aside.html")


@require_GET
@permission_required("orders.review_order", raise_exception=True)
def inbox(request: HttpRequest) -> HttpResponse:
    """`?code=` chooses the reason, `?after=` an order to go on from, `?at=` the order itself; `?level=warn` the reasons
    that stop nothing. Looking at a card hands it out: for ten minutes no colleague gets it."""
    places = {name: found for name in ("after", "at") if (found := row_id(request.GET.get(name, ""))) is not None}
    level = Level.WARN if request.GET.get("level") == Level.WARN else Level.BLOCK
    context = _context(request, request.GET.get("code", ""), level=level, **places)
    return render_page(request, "orders/inbox.html", context, fragment="orders/_inbox.html")


@require_POST
@permission_required("orders.review_order", raise_exception=True)
def inbox_accept(request: HttpRequest) -> HttpResponse:
    """Accept the card's reason and show the next card; with `same`, for every order with the same evidence."""
    return _decide(request, Wanted("accept", note=request.POST.get("note", "").strip()))


@require_POST
@permission_required(["orders.review_order", "orders.change_order", detail.PERSONAL], raise_exception=True)
def inbox_choose(request: HttpRequest) -> HttpResponse:
    """One of the card's own choices: it changes the order and closes the reason; with `same`, for every order with the
    same evidence. `choice` is a button's "verb|value"."""
    verb, value = request.POST.get("verb", ""), request.POST.get("value", "")
    if "choice" in request.POST:
        verb, _bar, value = request.POST["choice"].partition("|")
    limits = scope.current()  # what an upper app's verbs reach may belong to others
    allowed = {*CHANGES, "decline_cancel", "promise_done", *(() if limits.shops or limits.places else ABOVE)}
    note = request.POST.get("message", "").strip()[:500] if verb == "decline_cancel" else ""
    return _decide(request, Wanted(verb if verb in allowed else "", value, note=note))


@require_POST
@permission_required(["orders.review_order", "orders.hold_order"], raise_exception=True)
def inbox_hold(request: HttpRequest) -> HttpResponse:
    """With a reason, or until a day, or both."""
    typed = request.POST.copy()
    if typed.get("until") and not typed.get("reason", "").strip():
        typed["reason"] = str(SNOOZED)
    form = HoldForm(typed)
    if form.is_valid():
        return _decide(request, Wanted("hold", form.cleaned_data["reason"], until=form.cleaned_data["until"]))
    causes = form.errors.get("until") or [_("保留の理由を入力してください。")]
    messages.warning(request, str(causes[0]))
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
        level = Level.WARN if request.POST.get("level") == Level.WARN else Level.BLOCK
        return _answer(request, code, level)
    last = undone[0]
    messages.success(request, _("直前の判断を取り消しました。"))
    return _answer(request, last.code, queue.level_of(last.order_id, last.code), at=last.order_id)


@require_POST
@permission_required("orders.review_order", raise_exception=True)
def inbox_act(request: HttpRequest) -> HttpResponse:
    """One of the desk's actions that settle the card's reason: to its preview, for this order; with `same`, for every
    order with the same evidence."""
    reason, action = _reason(request), actions.get(request.POST.get("action", ""))
    if action is None or action.code not in card_actions.SETTLES.get(reason.code, ()):
        raise Http404
    if not actions.may_take(user_of(request), action):
        raise PermissionDenied
    rows = queue.same_evidence(reason.pk) if "same" in request.POST else [reason.pk]
    ids = list(ReviewReason.objects.filter(pk__in=rows).order_by("order").values_list("order", flat=True))
    run = bulk.draft(action.code, ids[: bulk.LARGEST], by=user_of(request))
    begins = card_actions.BEGINS.get(reason.code, {}).get(action.code, {})
    return HttpResponseRedirect(reverse("orders:bulk", args=[run.key], query=begins))


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
    return _answer(request, reason.code, Level.WARN if reason.level == Level.WARN else Level.BLOCK, **place)


def _answer(request: HttpRequest, code: str, level: str, **place: int) -> HttpResponse:
    """The card there, and the kinds beside it."""
    which = [("level", level)] if level == Level.WARN else []
    to = f"{reverse('orders:inbox')}?{urlencode([('code', code), *which, *place.items()])}"
    return answer(request, to=to, fragments=FRAGMENTS, context=_context(request, code, level=level, **place))


def _context(
    request: HttpRequest, code: str, *, level: str, after: int | None = None, at: int | None = None
) -> dict[str, Any]:  # fmt: skip
    """The kinds, the chosen kind's card, and the order behind it. A kind that is done leads to the next one."""
    user = user_of(request)
    kinds = queue.kinds(level)
    chosen = next((kind for kind in kinds if kind.code == code), kinds[0] if kinds else None)
    card = queue.card(chosen.code, by=user, after=after, at=at, level=level) if chosen else None
    pace = cards.pace(user)
    context: dict[str, Any] = {
        "kinds": kinds, "chosen": chosen, "card": card, "hold_form": HoldForm(), "pace": pace, "code": code,
        "looks": level == Level.WARN, "level_query": "&level=warn" if level == Level.WARN else "",
    }  # fmt: skip
    if card is None:
        return context
    order = detail.order_for(card.order_id, personal=user.has_perm(detail.PERSONAL))
    assert order is not None  # the reason's order; orders are never deleted
    page = detail.order_page(order, user)
    row = next(row for row in page["open_reasons"] if row.code == card.reason.code)
    others = [other for other in page["open_reasons"] if other.code != row.code]
    codes = {kind.code for kind in kinds}
    if page["personal"]:
        personal_views.saw_orders([order.pk], Where.INBOX, by=user)
    evidence = cards.card_context(order, card.reason, personal=page["personal"])
    more = {
        "reason": row,
        "others": others,
        "card_codes": codes,
        "next_code": next((other.code for other in others if other.code in codes), ""),
        "card_actions": card_actions.offered(card.reason.code, user, first=len(evidence["choices"]) + 1),
        "tomorrow": clock.today() + timedelta(days=1),
        "run": (pace.done + 1, pace.done + card.total),
        "may_change": user.has_perm("orders.change_order") and page["personal"],
        "panel_url": _panel_url(card.reason, user),
        "is_note": card.reason.code in NOTE_CODES,
    }
    return {**page, **context, **evidence, **more}


# What upper apps show on a card, by reason: proposals for a code without SKU, the orders that could travel together,
# goods that lack.
PANELS = {
    "item_unmapped": "channels:card-panel",
    "merge_candidate": "fulfillment:merge-card",
    "oversold": "fulfillment:stock-card",
    "out_of_stock": "fulfillment:stock-card",
    "partial_stock": "fulfillment:stock-card",
}


def _panel_url(reason: ReviewReason, user: User) -> str:
    """Where the upper app's part of this card is served."""
    code = reason.code
    closed = code not in PANELS or (code == "item_unmapped" and not user.has_perm("channels.view_listing"))
    url = "" if closed else url_if_served(PANELS[code], reason.order_id)
    return f"{url}?reason={reason.pk}" if url else ""
