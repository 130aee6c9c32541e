"""Coming, going, and the language in between."""

from django.conf import settings
from django.contrib.auth import login as start_session
from django.contrib.auth import logout as end_session
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from oms.kernel.models import User
from oms.kernel.services import logins
from oms.kernel.web import render_page

YEAR_S = 365 * 24 * 3600


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
    user = form.get_user()
    logins.note_success(username, address)
    start_session(request, user)
    response = redirect(target)
    if isinstance(user, User) and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        remember_language(response, user.language)
    return response


def address_of(request: HttpRequest) -> str:
    """Where a request comes from: behind a proxy what that proxy added last, since clients may send anything before."""
    told = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return told.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")


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
