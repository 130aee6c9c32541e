"""店舗端末: the tablets and PCs of stores on which people sign in by PIN, for who registers and ends them."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from oms.kernel.models import StoreDevice, User
from oms.kernel.services import pins, second_step, store_devices
from oms.kernel.web import person_of, render_page, wants_fragment
from oms.kernel.whence import address_of
from oms.pages.queries import store_devices as queries
from oms.pages.store_device_forms import StoreDeviceForm
from oms.pages.views.people import back_to

MINUTES = int(store_devices.CODE_GOOD_FOR.total_seconds() // 60)


@require_GET
@permission_required("kernel.manage_store_devices", raise_exception=True)
def device_list(request: HttpRequest) -> HttpResponse:
    return _list(request, StoreDeviceForm())


@never_cache
@require_POST
@permission_required("kernel.manage_store_devices", raise_exception=True)
def device_add(request: HttpRequest) -> HttpResponse:
    """A device that waits; its code is shown in the answer and never again."""
    form = StoreDeviceForm(request.POST)
    if not form.is_valid():
        return _list(request, form)
    data, by, address = form.cleaned_data, person_of(request), address_of(request)
    try:
        device, code = store_devices.add(
            data["key"], data["place"].pk, data["name"], place=data["place"].name, by=by, address=address
        )
    except store_devices.OtherDevice:
        form.add_error(None, _("この画面は古くなっています。開き直して、もう一度登録してください。"))
        return _list(request, form)
    return _code(request, device, code)


@never_cache
@require_POST
@permission_required("kernel.manage_store_devices", raise_exception=True)
def device_code(request: HttpRequest, pk: int) -> HttpResponse:
    """Another code for a device that nobody has registered yet."""
    device = get_object_or_404(queries.own(), pk=pk)
    return _code(request, device, store_devices.renew_code(device, by=person_of(request), address=address_of(request)))


@never_cache
@require_GET
@permission_required("kernel.manage_store_devices", raise_exception=True)
def device_state(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether the device has been registered by now: the line below its code asks, and becomes the answer."""
    context = {"device": get_object_or_404(queries.own(), pk=pk)}
    if not wants_fragment(request):
        return redirect("pages:store-devices")
    return render_page(request, "pages/_store_device_state.html", context, fragment="pages/_store_device_state.html")


@require_POST
@permission_required("kernel.manage_store_devices", raise_exception=True)
def device_end(request: HttpRequest, pk: int) -> HttpResponse:
    """For a device that is lost, sold or moved: it opens nothing any more, and whoever is in is out."""
    device = get_object_or_404(queries.own(), pk=pk)
    if store_devices.end(device, by=person_of(request), address=address_of(request)):
        messages.success(request, _("%(device)sの登録を取り消しました。") % {"device": device.told})
    else:
        messages.info(request, _("%(device)sは、すでに取り消されています。") % {"device": device.told})
    return redirect("pages:store-devices")


@require_POST
@permission_required("kernel.reset_pin", raise_exception=True)
def pin_reset(request: HttpRequest, pk: int) -> HttpResponse:
    """For somebody whose PIN is known to others, or locked while they cannot sign in themselves."""
    person = get_object_or_404(User, pk=pk)
    if pins.remove(person, by=person_of(request), address=address_of(request)):
        messages.success(
            request,
            _("%(person)sのPINをリセットしました。本人が設定し直すまで、PINでは入れません。") % {"person": person},
        )
    else:
        messages.info(request, _("%(person)sはPINを設定していません。") % {"person": person})
    return back_to(request, person)


def _list(request: HttpRequest, form: StoreDeviceForm) -> HttpResponse:
    found = queries.rows(queries.own())
    context = {
        "rows": [row for row in found if row.device.ended_at is None],
        "ended": [row for row in found if row.device.ended_at is not None],
        "form": form,
        "has_stores": queries.stores().exists(),
    }
    return render_page(request, "pages/store_devices.html", context)


def _code(request: HttpRequest, device: StoreDevice, code: str) -> HttpResponse:
    if not code:
        messages.info(request, _("%(device)sは、もう登録を待っていません。") % {"device": device.told})
        return redirect("pages:store-devices")
    plain = request.build_absolute_uri(reverse("pages:login-device"))
    address = f"{plain}?code={code}"
    context = {
        "device": device,
        "code": code,
        "plain": plain,
        "address": address,
        "picture": mark_safe(second_step.picture(address)),
        "minutes": MINUTES,
    }
    return render_page(request, "pages/store_device_code.html", context)
