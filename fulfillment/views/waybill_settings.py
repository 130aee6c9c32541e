"""送り状の設定: the contracts of places with carriers."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fulfillment.models import WaybillSetting
from fulfillment.queries.waybills import carrier_names
from fulfillment.services import waybill_settings
from fulfillment.waybill_forms import FORMS, SenderForm
from fulfillment.waybills.parcel import Contract
from inventory.models import Location
from oms.kernel.web import person_of, render_page

RIGHT = "fulfillment.change_waybillsetting"


@require_GET
@permission_required(RIGHT, raise_exception=True)
def overview(request: HttpRequest) -> HttpResponse:
    """Which place has which contract."""
    stored = {(place, carrier) for place, carrier in WaybillSetting.objects.values_list("location", "carrier")}
    names = carrier_names()

    def cell(pk: int | None, code: str) -> dict[str, Any]:
        own, common = (pk, code) in stored, (None, code) in stored
        return {"name": names[code], "url": url_of(pk, code), "own": own, "common": common}

    places = [(place, place.pk if place else None) for place in (None, *_places())]
    rows = [(place, [cell(pk, code) for code in names]) for place, pk in places]
    return render_page(request, "fulfillment/waybill_settings.html", {"rows": rows, "names": names.values()})


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def contract(request: HttpRequest, carrier: str, pk: int | None = None) -> HttpResponse:
    """The company's contract with a carrier, or one place's own."""
    place = _place(pk)
    if carrier not in FORMS:
        raise Http404
    row, common, status = waybill_settings.stored(pk, carrier), waybill_settings.stored(None, carrier), 200
    form = form_of(carrier, request.POST or None, row or common, own=row is not None)
    if form.is_bound and form.is_valid():
        try:
            changed = waybill_settings.save(
                pk, carrier, form.values, by=person_of(request), seen=form.cleaned_data["version"]
            )
        except waybill_settings.Stale:
            form, status = _again(request, carrier, row), 409
        else:
            (messages.success if changed else messages.info)(
                request, _("保存しました。") if changed else _("変更はありませんでした。")
            )
            return redirect(url_of(pk, carrier))
    context = {
        "form": form,
        "place": place,
        "carrier": carrier_names()[carrier],
        "stored": row is not None,
        "common": common is not None,
        "action": url_of(pk, carrier),
        "reset": reverse("fulfillment:waybill-contract-remove", args=[carrier, pk]) if pk else "",
        "versions_ref": waybill_settings.ref_of(pk, carrier),
    }
    return render_page(request, "fulfillment/waybill_contract.html", context, status=status)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def contract_remove(request: HttpRequest, carrier: str, pk: int) -> HttpResponse:
    """The place follows the company's contract again."""
    _place(pk)
    if waybill_settings.remove(pk, carrier, by=person_of(request)):
        messages.success(request, _("この拠点は、共通の設定に戻りました。"))
    return redirect("fulfillment:waybill-settings")


def form_of(carrier: str, data: Any, row: WaybillSetting | None, *, own: bool) -> SenderForm:
    """Filled in with `row`; a place without its own begins with the company's."""
    held = Contract.of(row.values) if row else None
    return FORMS[carrier](data, contract=held, version=row.version if row and own else 0)


def url_of(pk: int | None, carrier: str) -> str:
    if pk is None:
        return reverse("fulfillment:waybill-contract", args=[carrier])
    return reverse("fulfillment:waybill-contract-place", args=[carrier, pk])


def _again(request: HttpRequest, carrier: str, row: WaybillSetting | None) -> SenderForm:
    """What was typed stays; saving again overwrites knowingly."""
    data = request.POST.copy()
    data["version"] = str(row.version if row else 0)
    form = form_of(carrier, data, row, own=True)
    form.is_valid()
    form.add_error(None, _("ほかの人が先に変更しました。変更の履歴を確かめて、もう一度保存してください。"))
    return form


def _place(pk: int | None) -> Location | None:
    if pk is None:
        return None
    place = _places().filter(pk=pk).first()
    if place is None:
        raise Http404
    return place


def _places() -> Any:
    return Location.objects.filter(active=True, kind__in=["warehouse", "store"]).order_by("priority", "pk")
