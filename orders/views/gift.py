"""Editing what one recipient wishes as a gift. As with the address, a conflict answers 409 and loses nothing."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from oms.kernel.web import render_page
from orders.forms_gift import COMMON, CORDS, GiftForm
from orders.models import Recipient
from orders.queries.detail import PERSONAL
from orders.services import edit, gifts
from orders.services.edit import Conflict, TooLate
from orders.services.internal import is_internal
from orders.views.edit import tell
from orders.views.order import actor_of, changed


@require_http_methods(["GET", "POST"])
@permission_required(["orders.change_order", PERSONAL], raise_exception=True)
def edit_gift(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    recipient = get_object_or_404(Recipient.objects.select_related("order"), order=pk, position=position)
    order, status = recipient.order, 200
    wish = gifts.held(order, position)
    form = GiftForm(request.POST) if request.method == "POST" else GiftForm.opened(wish.values, order.version)
    closed = edit.why_rest_closed(order)
    if form.is_bound and form.is_valid():
        values = {name: form.cleaned_data[name] for name in GiftForm.fields_of}
        try:
            tell(request, edit.edit_gift(pk, position, values, seen=form.seen, actor=actor_of(request)))
            return changed(request, pk)
        except Conflict as conflict:
            form.show_conflict(conflict.current, conflict.version, conflict.clashing)
            status = 409
        except TooLate as late:
            closed = late.cause
    context = {
        "order": order,
        "form": form,
        "title": _("ギフトの指定を編集"),
        "closed": closed,
        "told_noshi": wish.noshi_text,
        "purposes": COMMON,
        "cords": CORDS,
        "stays_here": not is_internal(order),
    }
    return render_page(request, "orders/edit.html", context, fragment="orders/_edit.html", status=status)
