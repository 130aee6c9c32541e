"""出荷カレンダー: when places ship, how long parcels take, and when orders are released by themselves."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fulfillment.calendar_forms import PlanForm, ReleaseTimeForm, in_words, typed
from fulfillment.models import ReleaseTime
from fulfillment.services import release
from inventory.models import Location
from oms.kernel.web import render_page
from orders.models import ShippingPlan, ShippingPlanChange
from orders.services import ship_plans
from orders.views.order import user_of

RIGHT = "orders.change_shippingplan"
SHOWN = 20


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def calendar(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The company's plan, or one place's own."""
    place = None
    if pk is not None and (place := _places().filter(pk=pk).first()) is None:
        raise Http404
    row = ShippingPlan.objects.filter(location=pk).first()
    status = 200
    form = PlanForm(request.POST or None, initial=_initial(row))
    if form.is_bound and form.is_valid():
        try:
            changed = ship_plans.save(pk, form.values, by=user_of(request), seen=form.cleaned_data["version"])
        except ship_plans.Stale:
            form, status = _again(request, row), 409
        else:
            (messages.success if changed else messages.info)(
                request,
                _("保存しました。これから立てる出荷予定日に使います。") if changed else _("変更はありませんでした。"),
            )
            return redirect(_url(pk))
    return render_page(request, "fulfillment/calendar.html", _context(form, place, row), status=status)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def calendar_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """The place follows the company's plan again."""
    if ship_plans.remove(pk, by=user_of(request)):
        messages.success(request, _("この拠点は、共通の設定に戻りました。"))
    return redirect("fulfillment:calendar")


@require_POST
@permission_required(RIGHT, raise_exception=True)
def time_add(request: HttpRequest) -> HttpResponse:
    form = ReleaseTimeForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("時刻を入力してください。例: 14:00"))
    elif release.add_time(form.cleaned_data["at"], by=user_of(request)):
        messages.success(request, _("%(at)s に自動で出荷指示を出します。") % {"at": f"{form.cleaned_data['at']:%H:%M}"})
    else:
        messages.info(request, _("この時刻はもう登録されています。"))
    return redirect(reverse("fulfillment:calendar") + "#release")


@require_POST
@permission_required(RIGHT, raise_exception=True)
def time_stop(request: HttpRequest, pk: int) -> HttpResponse:
    if release.stop_time(pk, by=user_of(request)):
        messages.success(request, _("この時刻の出荷指示をやめました。"))
    return redirect(reverse("fulfillment:calendar") + "#release")


def _places() -> Any:
    return Location.objects.filter(active=True, kind__in=["warehouse", "store"]).order_by("priority", "pk")


def _context(form: PlanForm, place: Location | None, row: ShippingPlan | None) -> dict[str, Any]:
    own = set(ShippingPlan.objects.exclude(location=None).values_list("location", flat=True))
    changes = ShippingPlanChange.objects.filter(location=place).select_related("by")[:SHOWN]
    return {
        "form": form,
        "place": place,
        "stored": row is not None,
        "action": _url(place.pk if place else None),
        "places": [(one, one.pk in own) for one in _places()],
        "times": ReleaseTime.objects.filter(active=True) if place is None else (),
        "time_form": ReleaseTimeForm(),
        "changes": [(change, _told(change.before), _told(change.after)) for change in changes],
    }


def _told(document: dict[str, Any]) -> list[tuple[Any, str]]:
    if "release_times" in document:
        return [(_("自動の出荷指示"), _("、").join(document["release_times"]) or _("（なし）"))]
    return [(label, text or _("（なし）")) for label, text in in_words(document)] if document else []


def _initial(row: ShippingPlan | None) -> dict[str, Any]:
    return {**typed(ship_plans.document(row)), "version": row.version if row else 0}


def _again(request: HttpRequest, row: ShippingPlan | None) -> PlanForm:
    """What was typed stays; saving again overwrites knowingly."""
    data = request.POST.copy()
    data["version"] = str(row.version if row else 0)
    form = PlanForm(data)
    form.is_valid()
    form.add_error(None, _("ほかの人が先に変更しました。変更の記録を確かめて、もう一度保存してください。"))
    return form


def _url(pk: int | None) -> str:
    return reverse("fulfillment:calendar-place", args=[pk]) if pk is not None else reverse("fulfillment:calendar")
