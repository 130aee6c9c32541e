"""アカウント: one's own password and the browsers one is signed in with."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.models import Device, Pin
from oms.kernel.roles import STORE_ROLES, roles_of
from oms.kernel.services import devices, logins, pins
from oms.kernel.services.people import change_password
from oms.kernel.web import person_of, render_page
from oms.kernel.whence import address_of
from oms.pages.queries import sign_in as queries
from oms.pages.sign_in_forms import OwnPasswordForm


@require_GET
def account(request: HttpRequest) -> HttpResponse:
    user = person_of(request)
    browsers = queries.browsers(user, request)
    roles, pin = roles_of(user), Pin.objects.filter(user=user).first()
    context = {
        "roles": roles,
        "browsers": browsers,
        "others": any(not row.here for row in browsers),
        "pin": pin,
        "pin_locked": pins.is_locked(pin),
        "works_in_stores": bool(user.place_ids) or any(role.code in STORE_ROLES for role in roles),
    }
    return render_page(request, "pages/account.html", context)


@sensitive_post_parameters("current", "new", "again")
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    user = person_of(request)
    form = OwnPasswordForm(request.POST or None, user=user, address=address_of(request))
    if not form.is_valid():
        return render_page(request, "pages/account_password.html", {"form": form})
    logins.note_success(user.username, address_of(request))
    change_password(user, form.cleaned_data["new"], session=request.session.session_key, address=address_of(request))
    devices.keep_session(request, user)
    messages.success(request, _("パスワードを変更しました。ほかの端末はログアウトしました。"))
    return redirect("pages:account")


@require_POST
def device_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign one of one's other browsers out, and take its trust back. The own one leaves by ログアウト."""
    user = person_of(request)
    device = get_object_or_404(Device, pk=pk, user=user)
    if device.session_key == request.session.session_key:
        messages.info(request, _("この端末は、メニューの「ログアウト」でログアウトできます。"))
        return redirect("pages:account")
    ended = devices.end(Device.objects.filter(pk=device.pk), by=user, address=address_of(request))
    if ended:
        messages.success(request, _("端末をログアウトしました。"))
    else:
        messages.info(request, _("この端末は、すでにログアウトしています。"))
    return redirect("pages:account")


@require_POST
def devices_end_others(request: HttpRequest) -> HttpResponse:
    user = person_of(request)
    ended = devices.end_all([user.pk], by=user, keep=request.session.session_key, address=address_of(request))
    say_how_many(request, ended)
    return redirect("pages:account")


def say_how_many(request: HttpRequest, ended: int) -> None:
    if not ended:
        messages.info(request, _("ログアウトする端末はありませんでした。"))
        return
    text = ngettext("%(count)s台の端末をログアウトしました。", "%(count)s台の端末をログアウトしました。", ended)
    messages.success(request, text % {"count": ended})
