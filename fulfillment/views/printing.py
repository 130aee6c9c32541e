"""Delivery notes and pick lists: one PDF for the chosen shipments."""

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from fulfillment import documents
from fulfillment.forms import LIMIT, chosen_shipments
from fulfillment.services.printing import record_printed
from oms.kernel import clock
from orders.documents.render import render_delivery_notes, render_pick_lists
from orders.views.order import user_of


@require_POST
@permission_required("fulfillment.print_document", raise_exception=True)
def print_delivery_notes(request: HttpRequest) -> HttpResponse:
    """納品書. A shipment whose figures do not add up stops the print by name: no parcel leaves without its note."""
    ids = chosen_shipments(request.POST)
    if cause := _refusal(ids):
        return _back(request, cause)
    printable = documents.delivery_notes(ids)
    if printable.problems:
        names = _("、").join(f"{number}: {cause}" for number, cause in list(printable.problems.items())[:5])
        return _back(
            request, _("印刷できない出荷伝票があります。外してからやり直してください。%(names)s") % {"names": names}
        )
    if not printable.notes:
        return _back(request, _("印刷できる出荷伝票がありません。"))
    pdf = render_delivery_notes(printable.notes)
    record_printed(printable.shipments, documents.NOTE, by=user_of(request))
    return _pdf(pdf, "nouhinsho")


@require_POST
@permission_required("fulfillment.print_document", raise_exception=True)
def print_pick_list(request: HttpRequest) -> HttpResponse:
    """ピッキングリスト, one part per location."""
    ids = chosen_shipments(request.POST)
    if cause := _refusal(ids):
        return _back(request, cause)
    picks = documents.pick_lists(ids, by=str(request.user))
    if not picks:
        return _back(request, _("印刷できる出荷伝票がありません。"))
    pdf = render_pick_lists(picks)
    record_printed(ids, documents.PICK, by=user_of(request))
    return _pdf(pdf, "picking")


def _refusal(ids: Sequence[int]) -> str:
    if not ids:
        return _("出荷伝票を選んでください。")
    if len(ids) > LIMIT:
        return _("一度に印刷できるのは%(n)s件までです。拠点やバッチで絞り込んでください。") % {"n": f"{LIMIT:,}"}
    return ""


def _back(request: HttpRequest, cause: str) -> HttpResponse:
    messages.warning(request, cause)
    return redirect("fulfillment:list")


def _pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    stamp = clock.in_tokyo(clock.now()).strftime("%Y%m%d-%H%M")
    response["Content-Disposition"] = f'inline; filename="{name}-{stamp}.pdf"'
    response["Cache-Control"] = "no-store"
    return response
