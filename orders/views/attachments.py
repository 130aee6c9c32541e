"""Files, conversations and the channel's note of an order: the panel, and what people add to it."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.web import render_page
from orders.attachment_forms import AttachForm, ChannelMemoForm, TalkForm
from orders.models import Order, OrderAttachment
from orders.queries.detail import PERSONAL
from orders.services import attachments, channel_words
from orders.services.attachments import MOST_BYTES, Refused
from orders.views.order import actor_of, changed

# Files and conversations are about a person; without the right to see that nothing of them is shown.
LOOK = ["orders.view_order", PERSONAL]
CHANGE = ["orders.change_order", PERSONAL]


@require_GET
@permission_required(LOOK, raise_exception=True)
def panel(request: HttpRequest, pk: int) -> HttpResponse:
    """The panel on the order page, or a page of its own."""
    order = _order(pk)
    context = {
        "order": order,
        "files": list(order.attachments.filter(removed_at=None).select_related("by")),
        "talks": list(order.talks.select_related("by")[:50]),
        "may_attach": request.user.has_perms(CHANGE),
    }
    return render_page(
        request, "orders/attachments/panel.html", context, fragment="orders/attachments/_panel.html"
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@permission_required(CHANGE, raise_exception=True)
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    order = _order(pk)
    form = AttachForm(request.POST, request.FILES) if request.method == "POST" else AttachForm()
    if form.is_bound and form.is_valid():
        try:
            if form.cleaned_data["file"].size > MOST_BYTES:
                raise Refused(_("10MBまでのファイルを選んでください。大きな画像は縮小してください。"))
            attachments.attach(order.pk, form.upload, actor=actor_of(request))
        except Refused as refused:
            form.add_error("file", refused.cause)
        else:
            messages.success(request, _("ファイルを添付しました。"))
            return changed(request, pk)
    return _dialog(request, order, form, title=_("ファイルを添付"), action=_("添付する"), multipart=True)


@require_GET
@permission_required(LOOK, raise_exception=True)
def download(request: HttpRequest, pk: int, attachment: int) -> HttpResponse:
    """The file. A browser shows pictures and PDF; it saves the rest."""
    row = get_object_or_404(OrderAttachment, pk=attachment, order=pk, removed_at=None)
    try:
        data = attachments.open_file(row)
    except Refused as refused:
        messages.error(request, refused.cause)
        return HttpResponseRedirect(reverse("orders:detail", args=[pk]))
    response = HttpResponse(data, content_type=row.content_type)
    disposition = content_disposition_header(as_attachment=not row.is_shown_inline, filename=row.name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_POST
@permission_required(CHANGE, raise_exception=True)
def remove(request: HttpRequest, pk: int, attachment: int) -> HttpResponse:
    row = get_object_or_404(OrderAttachment, pk=attachment, order=pk)
    attachments.remove(row.pk, actor=actor_of(request))
    messages.success(request, _("添付を削除しました。"))
    return changed(request, pk)


@require_http_methods(["GET", "POST"])
@permission_required(CHANGE, raise_exception=True)
def talk(request: HttpRequest, pk: int) -> HttpResponse:
    order = _order(pk)
    form = TalkForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        attachments.write_talk(pk, data["way"], data["text"], key=data["key"], actor=actor_of(request))
        messages.success(request, _("応対メモを残しました。"))
        return changed(request, pk)
    return _dialog(request, order, form, title=_("応対メモを書く"), action=_("残す"))


@require_http_methods(["GET", "POST"])
@permission_required(CHANGE, raise_exception=True)
def channel_memo(request: HttpRequest, pk: int) -> HttpResponse:
    """The shop's note at the channel, where the channel takes one; else the mall's page for a person."""
    order = _order(pk)
    if not order.shop.can("memo"):
        raise Http404
    form = ChannelMemoForm(request.POST) if request.method == "POST" else ChannelMemoForm({"memo": order.shop_memo})
    if request.method == "POST" and form.is_valid():
        said = channel_words.write_memo(pk, form.cleaned_data["memo"], actor=actor_of(request))
        for cause in said.refused.values():
            messages.error(request, cause)
        if said.orders:
            messages.success(request, _("モールの店舗メモの更新を送ります。結果は「モールへの反映」に出ます。"))
        elif not said.refused:
            messages.info(request, _("変更はありませんでした。"))
        return changed(request, pk)
    return _dialog(request, order, form, title=_("モールの店舗メモ"), action=_("モールへ送る"))


def _order(pk: int) -> Order:
    return get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)


def _dialog(
    request: HttpRequest,
    order: Order,
    form: AttachForm | TalkForm | ChannelMemoForm,
    *,
    title: str,
    action: str,
    multipart: bool = False,
) -> HttpResponse:
    context = {"order": order, "form": form, "title": title, "action": action, "multipart": multipart}
    return render_page(
        request, "orders/attachments/form.html", context, fragment="orders/attachments/_form.html"
    )  # fmt: skip
