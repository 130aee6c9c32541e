"""PIN: one's own, for the devices of the store one works at."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from oms.kernel.models import Pin
from oms.kernel.services import logins, pins
from oms.kernel.web import person_of, render_page
from oms.kernel.whence import address_of
from oms.pages.store_device_forms import PinForm


@never_cache
@sensitive_post_parameters("current", "new", "again")
@require_http_methods(["GET", "POST"])
def pin(request: HttpRequest) -> HttpResponse:
    """Set or change it; asks for the password. Whoever is in with the old one is out."""
    user, address = person_of(request), address_of(request)
    form = PinForm(request.POST or None, user=user, address=address)
    if not form.is_valid():
        held = Pin.objects.filter(user=user).first()
        context = {"form": form, "pin": held, "locked": pins.is_locked(held)}
        return render_page(request, "pages/account_pin.html", context)
    logins.note_success(user.username, address)
    pins.set_pin(user, form.cleaned_data["new"], address=address)
    messages.success(request, _("PINを設定しました。担当する店舗の端末で使えます。"))
    return redirect("pages:account")


@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    user = person_of(request)
    if pins.remove(user, by=user, address=address_of(request)):
        messages.success(request, _("PINを削除しました。"))
    else:
        messages.info(request, _("PINは設定されていません。"))
    return redirect("pages:account")
