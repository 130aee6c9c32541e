"""Signing in on a device of a store: registering it, the store's people, a PIN, watching over an open screen."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout as end_session
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from oms.kernel.models import StoreDevice
from oms.kernel.services import devices, logins, pin_sessions, pins, store_devices
from oms.kernel.sign_in import refused, with_sign_in
from oms.kernel.web import render_page
from oms.kernel.whence import address_of, admits
from oms.pages.queries import store_devices as queries
from oms.pages.views.landing import safe_next

Outcome = pins.Outcome


@login_not_required
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Opened on the tablet, by the picture or by hand. Looking at it uses nothing up; the button does.

    Who is signed in on it by password is out afterwards: the device is everybody's now.
    """
    before, address = queries.known(request), address_of(request)
    code = request.POST.get("code") or request.GET.get("code", "")
    context: dict[str, Any] = {"code": code, "before": before}
    if request.method != "POST":
        return render_page(request, "registration/login_device.html", context)
    guesses = f"store-device-code:{address}"
    if logins.is_blocked(guesses, address):
        minutes = logins.WINDOW_S // 60
        cause = _("登録コードの誤りが続いたため、しばらく受け付けません。%(minutes)s分ほど待ってください。")
        context |= {"cause": cause % {"minutes": minutes}}
        return render_page(request, "registration/login_device.html", context, status=429)
    made = store_devices.register(code, before=before, agent=devices.agent_of(request), address=address)
    if made is None:
        logins.note_failure(guesses, address)
        cause = _("この登録コードは使えません。店舗端末の画面で新しいコードを作り、15分以内に入力してください。")
        return render_page(request, "registration/login_device.html", context | {"cause": cause})
    if request.user.is_authenticated:
        end_session(request)
    device = queries.named().get(pk=made[0])
    messages.success(request, _("この端末を「%(device)s」として登録しました。") % {"device": device.told})
    response = redirect(settings.LOGIN_URL)
    store_devices.remember(response, made[1])
    return response


def staff_page(request: HttpRequest, device: StoreDevice, target: str) -> HttpResponse:
    """The sign-in page of a store's device: its people as buttons."""
    staff = store_devices.staff_of(device.place_id)
    context = {
        "device": device,
        "people": list(staff.filter(pin__isnull=False)),
        "without": list(staff.filter(pin__isnull=True)),
        "next": target,
    }
    return render_page(request, "registration/login_store.html", context)


@login_not_required
@never_cache
@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
def pin(request: HttpRequest, pk: int) -> HttpResponse:
    """One person's PIN. A right one signs them in, also where somebody else was in. After too many wrong ones: 429."""
    device = queries.known(request)
    if device is None:
        return redirect(settings.LOGIN_URL)
    people = with_sign_in(store_devices.staff_of(device.place_id)).filter(pin__isnull=False)
    person = get_object_or_404(people, pk=pk)
    address, target = address_of(request), safe_next(request, settings.LOGIN_REDIRECT_URL)
    if not admits(person.address_lists, address):
        return refused(request, person)
    context = {"device": device, "person": person, "next": target, "most": pins.MOST}
    if request.method != "POST":
        return render_page(request, "registration/login_pin.html", context)
    answer = pin_sessions.sign_in(request, device, pk, request.POST.get("pin", ""), address=address)
    if answer.outcome in {Outcome.NOBODY, Outcome.GONE}:
        return redirect(settings.LOGIN_URL)
    if answer.outcome is not Outcome.GOOD:
        status = 200 if answer.outcome is Outcome.WRONG else 429
        context |= {"cause": sentence(answer), "closed": status == 429}
        return render_page(request, "registration/login_pin.html", context, status=status)
    if answer.failures >= pins.WORTH_TELLING:
        messages.warning(
            request,
            _("前回のログインのあと、あなたのPINの誤りが%(count)s回ありました。覚えがなければ、PINを変更してください。")
            % {"count": answer.failures},
        )
    response = redirect(target)
    devices.remember(response, request)
    store_devices.remember(response, request.COOKIES[store_devices.COOKIE])
    return response


def sentence(answer: pins.Answer) -> str:
    """What is wrong with a PIN, and what to do."""
    minutes = int(pins.WINDOW.total_seconds() // 60)
    return {
        Outcome.WRONG: _("PINが違います。あと%(left)s回間違えると、この端末では%(minutes)s分間受け付けません。"),
        Outcome.WAIT: _(
            "PINの誤りが続いたため、この端末ではしばらく受け付けません。%(minutes)s分ほど待つか、"
            "「パスワードでログイン」から入ってください。"
        ),
        Outcome.DEVICE_WAITS: _(
            "この端末でPINの誤りが続いたため、だれのPINもしばらく受け付けません。%(minutes)s分ほど待つか、"
            "「パスワードでログイン」から入ってください。"
        ),
        Outcome.LOCKED: _(
            "PINの誤りが%(most)s回続いたため、このPINは使えなくなりました。「パスワードでログイン」から入り、"
            "「アカウントと端末」でPINを設定し直してください。パスワードも分からないときは、管理者に連絡してください。"
        ),
    }[answer.outcome] % {"left": answer.left, "minutes": minutes, "most": pins.IN_A_ROW}


@never_cache
@require_GET
def watch(request: HttpRequest) -> HttpResponse:
    """What an open screen on a store's device asks now and then: 204 while its person is in, else the login."""
    if not pin_sessions.is_shared(request):
        raise Http404
    return HttpResponse(status=204)
