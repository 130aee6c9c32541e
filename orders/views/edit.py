"""Editing one order's address, delivery wish and note. A conflict answers 409 with both values and loses nothing."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from oms.kernel.web import render_page
from orders.decide.reasons import CATALOGUE
from orders.forms import PREFECTURES, BuyerForm, ContactForm, DeliveryForm, NoteForm, RecipientForm, SeenForm, TextsForm
from orders.models import Order, Recipient
from orders.models.order import Stage
from orders.queries.detail import PERSONAL
from orders.services import edit
from orders.services.edit import Conflict, Edited, TooLate
from orders.services.internal import is_internal
from orders.views.order import actor_of, changed


@require_http_methods(["GET", "POST"])
@permission_required(["orders.change_order", PERSONAL], raise_exception=True)
def edit_recipient(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    recipient = get_object_or_404(Recipient.objects.select_related("order"), order=pk, position=position)

    def write(form: SeenForm) -> Edited:
        values = {name: form.cleaned_data[name] for name in RecipientForm.fields_of}
        return edit.edit_recipient(pk, position, values, seen=form.seen, actor=actor_of(request))

    held = {name: getattr(recipient, name) for name in RecipientForm.fields_of}
    copied = _buyer_of(recipient.order) if "buyer" in request.GET else {}
    return _edit(request, recipient.order, RecipientForm, held, write, title=_("届け先を編集"), filled=copied)


@require_http_methods(["GET", "POST"])
@permission_required(["orders.change_order", PERSONAL], raise_exception=True)
def edit_buyer(request: HttpRequest, pk: int) -> HttpResponse:
    """The buyer; once papers are printed only phone and mail. What was posted decides, so that nothing typed is lost
    unsaid."""
    order = _order(pk)
    printed = edit.why_closed(order) if "buyer_name" not in request.POST else ""
    form_class = ContactForm if printed else BuyerForm

    def write(form: SeenForm) -> Edited:
        values = {name: form.cleaned_data[name] for name in form_class.fields_of}
        return edit.edit_buyer(pk, values, seen=form.seen, actor=actor_of(request))

    held = {name: getattr(order, name) for name in form_class.fields_of}
    return _edit(
        request, order, form_class, held, write, title=_("注文者を編集"), closed=edit.why_buyer_closed(order),
        hint=_("電話番号とメールだけを変えられます。%(why)s") % {"why": printed} if printed else "",
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@permission_required(["orders.change_order", PERSONAL], raise_exception=True)
def edit_delivery(request: HttpRequest, pk: int) -> HttpResponse:
    order = _order(pk)

    def write(form: SeenForm) -> Edited:
        values = {name: form.cleaned_data[name] for name in DeliveryForm.fields_of}
        return edit.edit_delivery(pk, values, seen=form.seen, actor=actor_of(request))

    held = {name: getattr(order, name) for name in DeliveryForm.fields_of}
    return _edit(request, order, DeliveryForm, held, write, title=_("配達の希望と出荷メモを編集"))


@require_http_methods(["GET", "POST"])
@permission_required(["orders.change_order", PERSONAL], raise_exception=True)
def edit_texts(request: HttpRequest, pk: int) -> HttpResponse:
    order = _order(pk)

    def write(form: SeenForm) -> Edited:
        values = {name: form.cleaned_data[name] for name in TextsForm.fields_of}
        return edit.edit_texts(pk, values, seen=form.seen, actor=actor_of(request))

    return _edit(request, order, TextsForm, edit.held_texts(pk), write, title=_("帳票に載せる文を編集"))


@require_http_methods(["GET", "POST"])
@permission_required(["orders.change_order", PERSONAL], raise_exception=True)
def edit_note(request: HttpRequest, pk: int) -> HttpResponse:
    order = _order(pk)

    def write(form: SeenForm) -> Edited:
        return edit.edit_note(pk, form.cleaned_data["internal_note"], seen=form.seen, actor=actor_of(request))

    held = {"internal_note": order.internal_note}
    return _edit(request, order, NoteForm, held, write, title=_("社内メモを編集"), closed="")


def _buyer_of(order: Order) -> dict[str, str]:
    return {name: getattr(order, f"buyer_{name}") for name in RecipientForm.fields_of}


def _order(pk: int) -> Order:
    return get_object_or_404(Order.objects.defer("search"), pk=pk)


def _edit(
    request: HttpRequest,
    order: Order,
    form_class: type[SeenForm],
    held: Mapping[str, Any],
    write: Callable[[SeenForm], Edited],
    *,
    title: str,
    closed: str | None = None,
    hint: str = "",
    filled: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Show the form, save it, or show it again with what another hand wrote meanwhile. `closed`: why nothing may be
    changed, where it is not what closes the order. `filled`: what stands in the form when it opens instead of what is
    held."""
    form = form_class(request.POST) if request.method == "POST" else form_class.opened(held, order.version)
    form.initial.update(filled or {})
    status, closed = 200, edit.why_rest_closed(order) if closed is None else closed
    if form.is_bound and form.is_valid():
        try:
            tell(request, write(form))
            return changed(request, order.pk)
        except Conflict as conflict:
            form.show_conflict(conflict.current, conflict.version, conflict.clashing)
            status = 409
        except TooLate as late:
            closed = late.cause
    context: Mapping[str, Any] = {
        "order": order,
        "form": form,
        "title": title,
        "closed": closed,
        "hint": hint,
        "prefectures": PREFECTURES,
        "remarks": order.remarks if form_class is DeliveryForm else "",
        "copy_url": f"{request.path}?buyer" if form_class is RecipientForm and not form.is_bound else "",
        "stays_here": not (is_internal(order) or form_class is NoteForm),
    }
    return render_page(request, "orders/edit.html", context, fragment="orders/_edit.html", status=status)


def tell(request: HttpRequest, edited: Edited) -> None:
    """What the save brought about, in one sentence."""
    if not edited.fields:
        messages.info(request, _("変更はありませんでした。"))
        return
    parts = [_("保存しました。")]
    if edited.mails:
        parts.append(_("まだ送っていないメール%(n)s通は、新しいアドレスへ送ります。") % {"n": edited.mails})
    if edited.closed:
        parts.append(_("解消した理由: %(names)s。") % {"names": _labels(edited.closed)})
    if edited.opened:
        parts.append(_("新しい理由: %(names)s。") % {"names": _labels(edited.opened)})
    if edited.stage_before != edited.stage_after:
        parts.append(
            _("ステータス: %(before)s → %(after)s。")
            % {"before": Stage(edited.stage_before).label, "after": Stage(edited.stage_after).label}
        )
    (messages.warning if edited.opened else messages.success)(request, "".join(parts))


def _labels(codes: list[str]) -> str:
    return _("、").join(str(CATALOGUE[code].label) if code in CATALOGUE else code for code in codes)
