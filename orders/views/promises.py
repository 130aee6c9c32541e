"""What was promised to the buyer for the next order: written on an order's page, ticked on any order of the buyer."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from customers.models import MemberNote
from customers.services import notes
from oms.kernel.text import clean_text
from orders.models import Order, ReviewReason
from orders.services import decide_card, promises
from orders.services.decide_card import Refused, Wanted
from orders.views.order import actor_of, changed

WRITES = ["orders.view_order", "customers.add_membernote"]  # as on the member's page


@require_POST
@permission_required(WRITES, raise_exception=True)
def promise_new(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Order.objects.only("pk"), pk=pk)
    words = clean_text(request.POST.get("text", ""))
    if not 0 < len(words) <= notes.LONGEST:
        messages.error(request, _("知らせる内容を300字までで入力してください。"))
        return changed(request, pk)
    try:
        made = promises.give(pk, words, actor=actor_of(request))
    except promises.NoMember:
        messages.error(request, _("会員がまだ分からないため、次の注文に知らせられません。"))
    else:
        (messages.success if made else messages.info)(
            request, _("次の注文で知らせます。") if made else _("同じ約束がすでにあります。")
        )
    return changed(request, pk)


@require_POST
@permission_required(WRITES, raise_exception=True)
def promise_tick(request: HttpRequest, pk: int, note: int) -> HttpResponse:
    """済み: one promise to the order's member; `pk` is the order on whose page it was ticked."""
    order = get_object_or_404(Order.objects.only("member"), pk=pk)
    get_object_or_404(MemberNote, pk=note, member=order.member_id, promise=True)
    if promises.tick(pk, note, actor=actor_of(request)):
        messages.success(request, _("約束を済みにしました。"))
    else:
        messages.info(request, _("すでに済みになっています。"))
    return changed(request, pk)


@require_POST
@permission_required(["orders.review_order", "customers.add_membernote"], raise_exception=True)
def promise_done(request: HttpRequest, pk: int) -> HttpResponse:
    """済み: all that the order's reason told of is done."""
    rows = ReviewReason.objects.filter(order=pk, code="open_promise", state=ReviewReason.State.OPEN)
    try:
        done = decide_card.decide(
            list(rows.values_list("pk", flat=True)), Wanted("promise_done"), actor=actor_of(request)
        )
    except Refused as refused:
        messages.warning(request, refused.cause)
    else:
        said = _("約束を済みにしました。") if done.orders else _("すでに済みになっています。")
        messages.success(request, said)
        for cause in done.left.values():
            messages.warning(request, cause)
    return changed(request, pk)
