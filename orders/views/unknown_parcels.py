"""Parcels that came without notice: written down, then given to the order they belong to."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from oms.kernel import privacy
from oms.kernel.typed import row_id
from oms.kernel.web import answer, render_page
from orders.forms_returns import OpenForm, ParcelForm
from orders.models import Order, UnknownParcel
from orders.queries.detail import PERSONAL
from orders.services import unknown_parcels
from orders.services.returns import Refused
from orders.views.order import actor_of, user_of


@require_http_methods(["GET", "POST"])
@permission_required("orders.inspect_returncase", raise_exception=True)
def parcel_note(request: HttpRequest) -> HttpResponse:
    form = ParcelForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            parcel = unknown_parcels.note(**form.cleaned_data, actor=actor_of(request))
        except Refused as refused:
            form.add_error(None, refused.cause)
        else:
            return answer(request, to=reverse("orders:unknown-parcel", args=[parcel.pk]))
    return render_page(request, "orders/returns/parcel_note.html", {"form": form})


@require_http_methods(["GET", "POST"])
@permission_required(["orders.inspect_returncase", "orders.view_returncase"], raise_exception=True)
def parcel_match(request: HttpRequest, pk: int) -> HttpResponse:
    """The orders it may belong to; choosing one (`order`) shows its pieces, and confirming opens the case."""
    parcel = get_object_or_404(UnknownParcel.objects.select_related("case"), pk=pk)
    if parcel.case_id:
        return answer(request, to=reverse("orders:return", args=[parcel.case_id]))
    chosen = str(request.POST.get("order") or request.GET.get("order") or "")
    order = Order.objects.select_related("shop").filter(pk=row_id(chosen) or 0).first()
    form = None
    if order is not None:
        data = request.POST if request.method == "POST" else None
        form = OpenForm(data, order=order)
        if form.is_bound and form.is_valid():
            try:
                case = unknown_parcels.match(
                    pk,
                    order.pk,
                    form.pieces,
                    units=form.units,
                    reason=form.cleaned_data["reason"],
                    actor=actor_of(request),
                )
            except Refused as refused:
                form.add_error(None, refused.cause)
            else:
                messages.success(
                    request, _("返品 %(no)s として受け入れました。検品してください。") % {"no": case.number}
                )
                return answer(request, to=reverse("orders:return", args=[case.pk]))
    personal = user_of(request).has_perm(PERSONAL)
    found = [
        (one, one.buyer_name if personal else privacy.mask_name(one.buyer_name))
        for one in unknown_parcels.candidates(parcel)
    ]
    context = {"parcel": parcel, "found": found, "order": order, "form": form}
    context["cases"] = unknown_parcels.awaited(order.pk) if order else []
    return render_page(request, "orders/returns/parcel_match.html", context)


@require_POST
@permission_required(["orders.inspect_returncase", "orders.view_returncase"], raise_exception=True)
def parcel_attach(request: HttpRequest, pk: int) -> HttpResponse:
    """It is the parcel that a known case waits for."""
    get_object_or_404(UnknownParcel, pk=pk)
    chosen = request.POST.get("case", "")
    try:
        case = unknown_parcels.attach(pk, row_id(chosen) or 0, actor=actor_of(request))
    except Refused as refused:
        messages.error(request, refused.cause)
        return answer(request, to=reverse("orders:unknown-parcel", args=[pk]))
    messages.success(request, _("返品 %(no)s の荷物です。到着した数を登録してください。") % {"no": case.number})
    return answer(request, to=reverse("orders:return", args=[case.pk]))
