"""What somebody wants to be told of at the buyer's next order: left on an order, ticked off on any of the buyer's."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from orders.models import NextOrderNote, Order
from orders.queries.detail import PERSONAL
from orders.services import next_notes
from orders.views.order import actor_of, changed

RIGHTS = ["orders.change_order", PERSONAL]


@require_POST
@permission_required(RIGHTS, raise_exception=True)
def add(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        made = next_notes.add(pk, request.POST.get("text", ""), actor=actor_of(request))
    except next_notes.NoMember:
        messages.error(request, _("会員がまだ分からないため、次の注文に知らせられません。"))
    else:
        (messages.success if made else messages.info)(
            request, _("次の注文で知らせます。") if made else _("知らせる内容を入力してください。")
        )
    return changed(request, pk)


@require_POST
@permission_required(RIGHTS, raise_exception=True)
def done(request: HttpRequest, pk: int, note: int) -> HttpResponse:
    """`pk` is the order on whose page it was ticked off."""
    order = get_object_or_404(Order.objects.only("member"), pk=pk)
    get_object_or_404(NextOrderNote, pk=note, member=order.member_id)
    if next_notes.done(note, actor=actor_of(request)):
        messages.success(request, _("申し送りを済みにしました。"))
    return changed(request, pk)
