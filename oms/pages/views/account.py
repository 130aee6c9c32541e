"""Coming, going, and the language in between."""

import time
from collections.abc import Mapping
from typing import Any

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
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from oms.kernel.models import User
from oms.kernel.services import devices, logins, second_step
from oms.kernel.sign_in import before_second_step, fresh, from_anywhere, refused, with_sign_in
from oms.kernel.web import render_page
from oms.kernel.whence import address_of, admits

YEAR_S = 365 * 24 * 3600
PENDING, PENDING_S = "second_step", 600  # in the session: who has given the password, and how long that is good


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """The form; a good password leads to `next`, in the person's own language. After too many wrong ones: 429."""
    target = safe_next(request, settings.LOGIN_REDIRECT_URL)
    if request.user.is_authenticated:
        return redirect(target)
    username, address = request.POST.get("username", ""), address_of(request)
    if request.method == "POST" and logins.is_blocked(username, address):
        context = {"form": AuthenticationForm(request), "next": target, "blocked_minutes": logins.WINDOW_S // 60}
        return render_page(request, "registration/login.html", context, status=429)
    form = AuthenticationForm(request, request.POST or None)
    if not form.is_valid():
        if form.has_error(NON_FIELD_ERRORS):
            logins.note_failure(username, address)
        return render_page(request, "registration/login.html", {"form": form, "next": target})
    user = fresh(form.get_user())
    logins.note_success(username, address)
    if not admits(user.address_lists, address):
        return refused(request, user)
    if user.second_step_on and not devices.is_trusted(request, user):
        request.session.cycle_key()
        request.session[PENDING] = {
            "user": user.pk,
            "password": user.get_session_auth_hash(),
            "at": time.time(),
            "next": target,
        }
        return redirect("pages:login-code")
    return _let_in(request, user, target)


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
    context = {"may_trust": devices.may_trust(), "trust_days": devices.TRUST_DAYS, "person": user}
    if request.method != "POST":
        return render_page(request, "registration/login_code.html", context)
    answer = second_step.check(user, request.POST.get("code", ""), address=address)
    if not answer.good:
        context |= {"answer": answer, "trust": "trust" in request.POST, "sentence": sentence(answer)}
        status = 429 if answer is second_step.Answer.BLOCKED else 200
        return render_page(request, "registration/login_code.html", context, status=status)
    response = _let_in(request, user, waiting["next"])
    if "trust" in request.POST:
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
    response = redirect(target)
    devices.remember(response, request)
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        remember_language(response, user.language)
    return response


@from_anywhere
@before_second_step
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    end_session(request)
    return redirect(settings.LOGIN_URL)


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


def safe_next(request: HttpRequest, default: str) -> str:
    """Where `next` says, when that is a page of this site; else `default`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return resolve_url(default)
