"""送り状データ出力: choose, look, write, take the files. Each step has a URL: a reload does no harm."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from fulfillment.forms import chosen_shipments
from fulfillment.models import Shipment, ShipmentLine, WaybillExport, WaybillFile
from fulfillment.queries import waybills as queries
from fulfillment.queries.shipments import sees_recipient
from fulfillment.queries.visible import parcel_ids
from fulfillment.services import waybills
from fulfillment.waybill_forms import WriteForm
from fulfillment.waybills.layouts import LAYOUTS
from oms.kernel import privacy, scope
from oms.kernel.keyset import keyset_page
from oms.kernel.web import person_of, render_page
from orders.views.desk import chosen_ids

MAY = "fulfillment.export_waybill"
MOST_HELD = 200  # so many are listed with their causes; the numbers above count all


@require_POST
@permission_required(MAY, raise_exception=True)
def choose(request: HttpRequest) -> HttpResponse:
    """Freeze the shipments chosen on a list, and lead to the preview."""
    return _frozen(request, chosen_shipments(request.POST, most=waybills.MOST), back=reverse("fulfillment:list"))


@require_POST
@permission_required(MAY, raise_exception=True)
@permission_required("orders.view_order", raise_exception=True)
def choose_orders(request: HttpRequest) -> HttpResponse:
    """The same for orders chosen on the desk: their parcels under way."""
    orders = chosen_ids(request, most=waybills.MOST)
    lines = ShipmentLine.objects.filter(order_line__order__in=orders, shipment__state=Shipment.State.INSTRUCTED)
    pairs = set(lines.values_list("shipment", "order_line__order"))
    parcels = parcel_ids(sorted({shipment for shipment, _order in pairs}))
    back = f"{reverse('orders:list')}?{request.POST.get('query', '')}"
    if orders and not parcels:
        messages.warning(request, _("選んだ受注に、出荷指示済みの荷物がありません。先に出荷指示を出してください。"))
        return redirect(back)
    if idle := len(set(orders) - {order for _shipment, order in pairs}):
        text = _("%(n)s件の受注には、出荷指示済みの荷物がありません。")
        messages.info(request, text % {"n": f"{idle:,}"})
    return _frozen(request, parcels, back=back)


def _frozen(request: HttpRequest, ids: Sequence[int], *, back: str) -> HttpResponse:
    if not ids:
        messages.warning(request, _("出荷伝票を選んでください。"))
        return redirect(back)
    if len(ids) > waybills.MOST:
        text = _("一度に書き出せるのは%(n)s件までです。条件で絞り込んでください。")
        messages.warning(request, text % {"n": f"{waybills.MOST:,}"})
        return redirect(back)
    return redirect("fulfillment:waybill", key=waybills.draft(ids, by=person_of(request)).pk)


@require_GET
@permission_required(MAY, raise_exception=True)
def show(request: HttpRequest, key: UUID) -> HttpResponse:
    """What would be written, held back and written again; after that, the files."""
    export = _own(request, key)
    context: dict[str, Any] = {"export": export, "events": export.events.select_related("by").order_by("pk")}
    if export.state == WaybillExport.State.DRAFT:
        context |= _preview(request, export)
    else:
        files = export.files.select_related("location").defer("data").order_by("position")
        held = {one.pk for one in export.files.filter(data__isnull=False).only("pk")}
        context["files"] = [(one, LAYOUTS[one.layout].label, one.pk in held) for one in files]
        context["kept_days"] = waybills.KEPT.days
    return render_page(request, "fulfillment/waybill.html", context)


def _preview(request: HttpRequest, export: WaybillExport) -> dict[str, Any]:
    found, personal = queries.prepared(export.shipment_ids), sees_recipient(person_of(request))
    loads = Counter((one.shipment.location.name, str(one.layout.label)) for one in found.ready)
    held = [
        {
            "shipment": one.shipment,
            "name": one.shipment.recipient.name if personal else privacy.mask_name(one.shipment.recipient.name),
            "causes": one.causes,
        }
        for one in found.held[:MOST_HELD]
    ]
    fresh = sum(not one.again for one in found.ready)
    return {
        "form": WriteForm(),
        "fresh": fresh,
        "again": len(found.ready) - fresh,
        "held": held,
        "held_count": len(found.held),
        "held_more": max(0, len(found.held) - MOST_HELD),
        "gone": len(found.gone),
        "loads": [(place, layout, n) for (place, layout), n in loads.items()],
        "settings": _lacking(found.held),
        "notes": [(one.shipment, note) for one in found.ready for note in one.made.notes][:MOST_HELD],
    }


def _lacking(held: Sequence[queries.HeldBack]) -> list[tuple[Shipment, str, int]]:
    """What settings lack: a parcel of each place and carrier, the first thing that is missing, how many wait for it."""
    found: dict[tuple[int, str], list[tuple[Shipment, str]]] = {}
    for one in held:
        if text := next((cause.text for cause in one.causes if cause.setting), ""):
            found.setdefault((one.shipment.location_id, one.shipment.carrier), []).append((one.shipment, text))
    return [(*own[0], len(own)) for own in found.values()]


@require_POST
@permission_required(MAY, raise_exception=True)
def write(request: HttpRequest, key: UUID) -> HttpResponse:
    """Write the files. The second click finds them written and is led to them."""
    export, form = _own(request, key), WriteForm(request.POST)
    if not form.is_valid():
        return _to(export)
    asked = {"sort": form.cleaned_data["sort"] or "due", "again": form.cleaned_data["again"]}
    done = waybills.write(export, by=person_of(request), **asked)
    if done.begun:
        messages.success(request, _("%(n)s件を書き出しました。") % {"n": f"{done.parcels:,}"})
    elif WaybillExport.objects.filter(pk=export.pk, state=WaybillExport.State.DRAFT).exists():
        messages.warning(request, _("書き出せる荷物がありません。下の理由を確かめてください。"))
    return _to(export)


@require_GET
@permission_required(MAY, raise_exception=True)
def file(request: HttpRequest, key: UUID, number: int) -> HttpResponse:
    """A file, for who had it written."""
    found = get_object_or_404(WaybillFile, export=_own(request, key), position=number)
    try:
        content = waybills.take(found, by=person_of(request))
    except waybills.Gone as gone:
        messages.error(request, str(gone))
        return redirect("fulfillment:waybill", key=key)
    kind = "application/zip" if found.name.endswith(".zip") else "text/csv; charset=Shift_JIS"
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=found.name) or "attachment"
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@permission_required(MAY, raise_exception=True)
def again(request: HttpRequest, key: UUID) -> HttpResponse:
    """The same parcels once more: those that were held back and are mended now, or all of them knowingly."""
    export = _own(request, key)
    return redirect("fulfillment:waybill", key=waybills.draft(export.shipment_ids, by=person_of(request)).pk)


@require_GET
@permission_required(MAY, raise_exception=True)
def log(request: HttpRequest) -> HttpResponse:
    """Every export: who, when, how many, and how often its files were taken. With limits, one's own."""
    page = keyset_page(request, queries.exports(mine=_limited(), by=person_of(request)), order=("-created_at", "-key"))
    context = {"page": page, "user_id": person_of(request).pk}
    return render_page(request, "fulfillment/waybills.html", context, fragment="fulfillment/_waybills.html")


def _limited() -> bool:
    limits = scope.current()
    return bool(limits.shops or limits.places)


def _own(request: HttpRequest, key: UUID) -> WaybillExport:
    export = WaybillExport.objects.filter(pk=key, by=person_of(request)).select_related("by").first()
    if export is None:
        raise Http404
    return export


def _to(export: WaybillExport) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("fulfillment:waybill", args=[export.pk]))
