"""The papers of shipments: one PDF for the chosen ones, in the chosen order."""

from collections.abc import Container, Sequence
from typing import TypeVar

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from fulfillment import documents, picking
from fulfillment.forms import LIMIT, chosen_shipments
from fulfillment.pick_pictures import with_pictures
from fulfillment.services.printing import record_printed
from fulfillment.work_slips import WORK, work_slips
from oms.kernel import clock
from orders.documents.render import (
    render_delivery_notes,
    render_handover_lists,
    render_pick_lists,
    render_return_slips,
    render_work_slips,
)
from orders.queries.papers import logos_of
from orders.services.documents import keep_delivery_notes
from orders.views.order import user_of

Choice = TypeVar("Choice")


@require_POST
@permission_required("fulfillment.print_document", raise_exception=True)
def print_delivery_notes(request: HttpRequest) -> HttpResponse:
    """納品書. A shipment whose figures do not add up stops the print by name: no parcel leaves without its note.

    Notes that serve as invoices are kept as they were printed.
    """
    ids, cause = _chosen(request)
    if cause:
        return _back(request, cause)
    printable = documents.delivery_notes(ids, sort=_sort(request.POST), prices=request.POST.get("prices", ""))
    if printable.problems:
        names = _("、").join(f"{number}: {cause}" for number, cause in list(printable.problems.items())[:5])
        return _back(
            request, _("印刷できない出荷伝票があります。外してからやり直してください。%(names)s") % {"names": names}
        )
    if not printable.notes:
        return _back(request, _("印刷できる出荷伝票がありません。"))
    logos = logos_of(note.shop.logo for note in printable.notes)
    pdf = render_delivery_notes(printable.notes, logos)
    keep_delivery_notes(printable.invoices, by=user_of(request))
    record_printed(printable.shipments, documents.NOTE, by=user_of(request))
    return _pdf(pdf, "nouhinsho")


@require_POST
@permission_required("fulfillment.print_document", raise_exception=True)
def print_pick_list(request: HttpRequest) -> HttpResponse:
    """ピッキングリスト, one part per location, and per round where orders are picked with a cart."""
    ids, cause = _chosen(request)
    if cause:
        return _back(request, cause)
    mode = _one_of(request.POST.get("mode", ""), picking.MODES, "both")
    size = _one_of(_number(request.POST.get("cart", "")), picking.CART_SIZES, 8)
    sort = _sort(request.POST)
    picks = documents.pick_lists(ids, by=str(request.user), sort=sort, mode=mode, cart_size=size)
    if not picks:
        return _back(request, _("印刷できる出荷伝票がありません。"))
    shown, pictures = with_pictures(picks) if request.POST.get("pictures") else (picks, {})
    pdf = render_pick_lists(shown, pictures)
    record_printed(ids, documents.PICK, by=user_of(request))
    return _pdf(pdf, "picking")


@require_POST
@permission_required("fulfillment.print_document", raise_exception=True)
def print_handover(request: HttpRequest) -> HttpResponse:
    """集荷リスト, a page or more per location and carrier."""
    ids, cause = _chosen(request)
    if cause:
        return _back(request, cause)
    lists = documents.handover_lists(ids, by=str(request.user))
    if not lists:
        return _back(request, _("印刷できる出荷伝票がありません。"))
    pdf = render_handover_lists(lists)
    record_printed(ids, documents.HANDOVER, by=user_of(request))
    return _pdf(pdf, "shuuka")


@require_POST
@permission_required("fulfillment.print_document", raise_exception=True)
def print_return_slips(request: HttpRequest) -> HttpResponse:
    """返品票, in the order of the delivery notes."""
    ids, cause = _chosen(request)
    if cause:
        return _back(request, cause)
    slips = documents.return_slips(ids, sort=_sort(request.POST))
    if not slips:
        return _back(request, _("印刷できる出荷伝票がありません。"))
    pdf = render_return_slips(slips, clock.now(), logos_of(slip.shop.logo for slip in slips))
    record_printed(ids, documents.RETURN, by=user_of(request))
    return _pdf(pdf, "henpin")


@require_POST
@permission_required("fulfillment.print_document", raise_exception=True)
def print_work_slips(request: HttpRequest) -> HttpResponse:
    """作業指示書 of those among the chosen parcels that need more than packing."""
    ids, cause = _chosen(request)
    if cause:
        return _back(request, cause)
    slips = work_slips(ids, by=str(request.user), sort=_sort(request.POST))
    if not slips:
        return _back(
            request, _("選んだ出荷伝票にラッピング・のし・メッセージカードの指定はありません。作業指示書は不要です。")
        )
    pdf = render_work_slips([slip for _pk, slip in slips])
    record_printed([pk for pk, _slip in slips], WORK, by=user_of(request))
    return _pdf(pdf, "sagyou")


def _sort(data: QueryDict) -> str:
    return _one_of(data.get("sort", ""), picking.SORTS, "due")


def _one_of(typed: Choice, allowed: Container[Choice], usual: Choice) -> Choice:
    return typed if typed in allowed else usual


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 5 else 0


def _chosen(request: HttpRequest) -> tuple[list[int], str]:
    """The chosen parcels that may leave, or why nothing is printed. Those that shall not are named on the next page."""
    ids = chosen_shipments(request.POST)
    if cause := _refusal(ids):
        return [], cause
    ids, stopped = documents.without_stopped(ids)
    if not stopped:
        return ids, ""
    names = _("、").join(stopped[:5])
    cause = _("止めた出荷、止めるよう依頼した出荷の帳票は印刷しません（%(names)s）。") % {"names": names}
    if ids:
        messages.warning(request, cause)
        return ids, ""
    return [], cause


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
