"""Coming, going, and the language in between."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as start_session
from django.contrib.auth import logout as end_session
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from oms.kernel.models import User
from oms.kernel.services import devices, logins, pin_sessions, second_step
from oms.kernel.sign_in import before_second_step, fresh, from_anywhere, refused, with_sign_in
from oms.kernel.web import render_page
from oms.kernel.whence import address_of, admits
from oms.pages.queries import store_devices
from oms.pages.views.landing import safe_next
from oms.pages.views.pin_login import staff_page

YEAR_S = 365 * 24 * 3600
PENDING, PENDING_S = "second_step", 600  # in the session: who has given the password, and how long that is good


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """The form; a good password leads to `next`, in the person's own language. After too many wrong ones: 429.

    A device of a store shows the store's people instead, unless a password is asked for (`?by=password`).
    """
    target = safe_next(request, settings.LOGIN_REDIRECT_URL)
    if request.user.is_authenticated:
        return redirect(target)
    store_device = store_devices.known(request)
    if store_device is not None and request.method != "POST" and request.GET.get("by") != "password":
        return staff_page(request, store_device, target)
    return _by_password(request, {"next": target, "store_device": store_device})


def _by_password(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    username, address = request.POST.get("username", ""), address_of(request)
    if request.method == "POST" and logins.is_blocked(username, address):
        context |= {"form": AuthenticationForm(request), "blocked_minutes": logins.WINDOW_S // 60}
        return render_page(request, "registration/login.html", context, status=429)
    form = AuthenticationForm(request, request.POST or None)
    if not form.is_valid():
        if form.has_error(NON_FIELD_ERRORS):
            logins.note_failure(username, address)
        return render_page(request, "registration/login.html", context | {"form": form})
    user = fresh(form.get_user())
    logins.note_success(username, address)
    if not admits(user.address_lists, address):
        return refused(request, user)
    trusted = context["store_device"] is None and devices.is_trusted(request, user)  # a store's device is everybody's
    if user.second_step_on and not trusted:
        request.session.cycle_key()
        request.session[PENDING] = {
            "user": user.pk,
            "password": user.get_session_auth_hash(),
            "at": time.time(),
            "next": context["next"],
        }
        return redirect("pages:login-code")
    return _let_in(request, user, context["next"])


@login_not_required
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def login_code(request: HttpRequest) -> HttpResponse:
    """The second page: a code of the authenticator app, or a recovery code. After too many wrong ones: 429."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    waiting: dict[str, Any] = request.session.get(PENDING) or {}
    user = _pending(waiting)
    if user is None:
        if waiting:
            del request.session[PENDING]
            messages.warning(request, _("時間が過ぎました。もう一度ユーザー名とパスワードから入力してください。"))
        return redirect(settings.LOGIN_URL)
    address = address_of(request)
    if not admits(user.address_lists, address):
        return refused(request, user)
    may_trust = store_devices.known(request) is None and devices.may_trust()
    context = {"may_trust": may_trust, "trust_days": devices.TRUST_DAYS, "person": user}
    if request.method != "POST":
        return render_page(request, "registration/login_code.html", context)
    answer = second_step.check(user, request.POST.get("code", ""), address=address)
    if not answer.good:
        context |= {"answer": answer, "trust": "trust" in request.POST, "sentence": sentence(answer)}
        status = 429 if answer is second_step.Answer.BLOCKED else 200
        return render_page(request, "registration/login_code.html", context, status=status)
    response = _let_in(request, user, waiting["next"])
    if may_trust and "trust" in request.POST:
        devices.trust(request, user)
    if answer is second_step.Answer.RECOVERY:
        left = second_step.codes_left(user)
        messages.warning(
            request,
            _("リカバリーコードを1つ使いました。残りは%(left)s個です。二段階認証の画面で作り直せます。")
            % {"left": left},
        )
    return response


def sentence(answer: second_step.Answer) -> str:
    """What is wrong with a code, and what to do."""
    minutes = int(second_step.WINDOW.total_seconds() // 60)
    return {
        second_step.Answer.WRONG: _(
            "認証コードが違います。アプリに今表示されている6桁の数字か、未使用のリカバリーコードを入力してください。"
        ),
        second_step.Answer.USED: _(
            "このコードはもう使われています。アプリに次のコードが表示されるまで30秒ほど待って、それを入力してください。"
        ),
        second_step.Answer.BLOCKED: _(
            "認証コードの誤りが続いたため、しばらく受け付けません。%(minutes)s分ほど待ってから、もう一度お試しください。"
            "端末をなくしたときは、管理者に連絡してください。"
        )
        % {"minutes": minutes},
    }[answer]


def _pending(waiting: Mapping[str, Any]) -> User | None:
    """Who has given the password, within ten minutes and since it was last changed; else None."""
    if not waiting or time.time() - waiting["at"] > PENDING_S:
        return None
    user = with_sign_in(User.objects.filter(pk=waiting["user"], is_active=True)).first()
    if user is None or not user.second_step_on:
        return None
    return user if constant_time_compare(user.get_session_auth_hash(), waiting["password"]) else None


def _let_in(request: HttpRequest, user: User, target: str) -> HttpResponse:
    request.session.pop(PENDING, None)
    start_session(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    if store_device := store_devices.known(request):
        pin_sessions.share(request, store_device)
    response = redirect(target)
    devices.remember(response, request)
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        remember_language(response, user.language)
    return response


@from_anywhere
@before_second_step
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """Leave. On a store's device the next one chooses their name; `by=password`: the same person signs in fully, and
    goes on at `next`."""
    end_session(request)
    login_page = resolve_url(settings.LOGIN_URL)
    if request.POST.get("by") != "password":
        return redirect(login_page)
    onward = {"by": "password", "next": safe_next(request, settings.LOGIN_REDIRECT_URL)}
    return redirect(f"{login_page}?{urlencode(onward)}")


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the chosen language in this browser and, when logged in, for the person."""
    response = redirect(safe_next(request, settings.LOGIN_REDIRECT_URL))
    code = request.POST.get("language", "")
    if code not in dict(settings.LANGUAGES):
        return response
    remember_language(response, code)
    if isinstance(request.user, User):
        request.user.language = code
        request.user.save(update_fields=["language"])
    return response


def remember_language(response: HttpResponse, code: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=YEAR_S,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
