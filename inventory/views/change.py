"""Goods arrive, and books are set right, by hand."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from inventory.forms import CorrectForm, ReceiveForm
from inventory.models import Sku
from inventory.queries import screens
from inventory.services import by_hand, stock
from oms.kernel.web import answer, render_page

FRAGMENTS = ("inventory/_balances.html", "inventory/_latest.html", "inventory/_facts.html")


@require_http_methods(["GET", "POST"])
@permission_required("inventory.change_balance", raise_exception=True)
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    return _form_view(request, pk, CorrectForm, _correct, title=_("在庫修正"), action=_("修正する"))


@require_http_methods(["GET", "POST"])
@permission_required("inventory.change_balance", raise_exception=True)
def receive(request: HttpRequest, pk: int) -> HttpResponse:
    return _form_view(request, pk, ReceiveForm, _receive, title=_("入荷"), action=_("入荷を記録する"))


def _form_view(
    request: HttpRequest,
    pk: int,
    form_class: type[forms.Form],
    write: Callable[[HttpRequest, Sku, dict[str, Any]], stock.Outcome],
    *,
    title: str,
    action: str,
) -> HttpResponse:
    sku = get_object_or_404(Sku.objects.stocked(), pk=pk)
    form = form_class(request.POST) if request.method == "POST" else form_class(initial=request.GET.dict())
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        _tell(request, by_hand.once(data["key"], lambda: write(request, sku, data)))
        return answer(
            request, to=reverse("inventory:sku", args=[pk]), fragments=FRAGMENTS, context=screens.sku_page(sku)
        )
    context = {"sku": sku, "form": form, "title": title, "action": action}
    return render_page(request, "inventory/form.html", context, fragment="inventory/_form.html")


def _correct(request: HttpRequest, sku: Sku, data: dict[str, Any]) -> stock.Outcome:
    place, units, ref = data["location"].pk, data["units"], "manual"
    if data["how"] == "set":
        counted = stock.Counted(sku.pk, place, units, ref)
        return stock.count([counted], by_id=request.user.pk, note=data["reason"])
    return stock.correct([stock.Fact(sku.pk, place, units, ref)], by_id=request.user.pk, note=data["reason"])


def _receive(request: HttpRequest, sku: Sku, data: dict[str, Any]) -> stock.Outcome:
    ref = f"arrival:{data['document']}" if data["document"] else "arrival"
    fact = stock.Fact(sku.pk, data["location"].pk, data["units"], ref)
    return stock.receive([fact], by_id=request.user.pk, note=data["note"])


def _tell(request: HttpRequest, outcome: stock.Outcome | None) -> None:
    messages.success(request, _("在庫を更新しました。"))
    if outcome is None:  # the second click: all has been said
        return
    if lost := len(outcome.released):
        text = ngettext(
            "%(n)s件の引当を解除し、引当待ちに戻しました。", "%(n)s件の引当を解除し、引当待ちに戻しました。", lost
        )
        messages.warning(request, text % {"n": lost})
    if moved := len(outcome.unplaced):
        text = ngettext("%(n)s件の出荷元を選び直します。", "%(n)s件の出荷元を選び直します。", moved)
        messages.warning(request, text % {"n": moved})
