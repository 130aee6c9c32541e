"""発売日の変更: a day is chosen, its consequences are shown, then it is moved; the last move can be undone."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from inventory.models import Sku
from oms.kernel.web import render_page
from orders.forms_release import ReleaseDayForm, ReleaseMoveForm, sentence
from orders.models import ReleaseMove
from orders.queries import release_days as queries
from orders.services import release_days
from orders.services.release_days import CannotMove
from orders.views.order import actor_of

MAY = ["orders.change_order", "orders.send_mail"]


@require_http_methods(["GET", "POST"])
@permission_required(MAY, raise_exception=True)
def release_day(request: HttpRequest, pk: int) -> HttpResponse:
    """GET with a day shows what would happen; POST does it."""
    sku = get_object_or_404(Sku, pk=pk)
    if request.method == "POST":
        return _move(request, sku)
    form = ReleaseDayForm(request.GET if "day" in request.GET else None, sku=sku)
    return _page(request, sku, form)


def _move(request: HttpRequest, sku: Sku) -> HttpResponse:
    form = ReleaseMoveForm(request.POST, sku=sku)
    if not form.is_valid():
        return _page(request, sku, form)
    data = form.cleaned_data
    try:
        made = release_days.move(
            sku.pk, data["day"], key=data["key"], draft=data["draft"], actor=actor_of(request)
        )  # fmt: skip
    except CannotMove as refused:
        messages.error(request, refused.cause)
    else:
        messages.success(request, sentence(made.order_count, made.mail_count))
    return redirect("orders:release-day", sku.pk)


def _page(request: HttpRequest, sku: Sku, form: ReleaseDayForm) -> HttpResponse:
    moves = queries.moves_of(sku)
    checked = form.is_bound and form.is_valid()
    day, draft = (form.cleaned_data["day"], form.cleaned_data["draft"]) if checked else (None, False)
    preview = queries.preview(sku, day) if day else None
    context = {
        "sku": sku,
        "form": form,
        "waiting": queries.waiting_count(sku),
        "preview": preview,
        "drafts": preview.mails if preview and draft else preview.drafts if preview else 0,
        "move_form": ReleaseMoveForm(sku=sku, initial={"day": day, "draft": draft}) if day else None,
        "moves": moves,
        "undoable": queries.undoable(sku, moves),
    }
    return render_page(request, "orders/release_day.html", context)


@require_POST
@permission_required(MAY, raise_exception=True)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    move = get_object_or_404(ReleaseMove, pk=pk)
    try:
        release_days.undo(pk, actor=actor_of(request))
        messages.success(request, _("発売日の変更を取り消しました。送る前のお知らせメールも取り下げました。"))
    except CannotMove as refused:
        messages.error(request, refused.cause)
    return redirect("orders:release-day", move.sku_id)


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def panel(request: HttpRequest, pk: int) -> HttpResponse:
    """On the SKU's page: how many wait for it, and the way to move its day."""
    sku = get_object_or_404(Sku, pk=pk)
    context = {"sku": sku, "waiting": queries.waiting_count(sku), "may": request.user.has_perms(MAY)}
    return render_page(request, "orders/release_panel.html", context, fragment="orders/_release_panel.html")
