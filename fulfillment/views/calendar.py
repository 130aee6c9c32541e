"""出荷カレンダー: when places ship, how long parcels take, and when orders are released by themselves."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fulfillment.calendar_forms import PlanForm, ReleaseTimeForm, starting
from fulfillment.models import ReleaseTime
from fulfillment.services import release
from inventory.models import Location
from oms.kernel.web import render_page
from orders.models import ShippingPlan
from orders.services import ship_plans
from orders.views.order import user_of

RIGHT = "orders.change_shippingplan"


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def calendar(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The company's plan, or one place's own."""
    place = None
    if pk is not None and (place := _places().filter(pk=pk).first()) is None:
        raise Http404
    row = ShippingPlan.objects.filter(location=pk).first()
    status = 200
    form = PlanForm(request.POST or None, initial=starting(row))
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
    return {
        "form": form,
        "place": place,
        "stored": row is not None,
        "action": _url(place.pk if place else None),
        "places": [(one, one.pk in own) for one in _places()],
        "times": ReleaseTime.objects.filter(active=True) if place is None else (),
        "time_form": ReleaseTimeForm(),
        "versions_ref": ship_plans.ref_of(place.pk if place else None),
    }


def _again(request: HttpRequest, row: ShippingPlan | None) -> PlanForm:
    """What was typed stays; saving again overwrites knowingly."""
    data = request.POST.copy()
    data["version"] = str(row.version if row else 0)
    form = PlanForm(data)
    form.is_valid()
    form.add_error(None, _("ほかの人が先に変更しました。変更の履歴を確かめて、もう一度保存してください。"))
    return form


def _url(pk: int | None) -> str:
    return reverse("fulfillment:calendar-place", args=[pk]) if pk is not None else reverse("fulfillment:calendar")
