"""Small middlewares of the screens: language, login over htmx, content security policy."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import resolve_url
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from oms.kernel.web import wants_fragment

Next = Callable[[HttpRequest], HttpResponse]


class ChosenLanguageMiddleware:
    """The language a person chose (a cookie), else the company's.

    Unlike Django's own, it does not follow the browser: a shared counter machine in another language
    must not change what the store reads.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class StorableTextMiddleware:
    """Refuses (400) text that no database column can hold: NUL characters, which nobody types.

    Also those hidden in `query`, the list's own query string that the forms of lists carry along.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        carried = [query for sent in (request.GET, request.POST) for query in sent.getlist("query")]
        if "\0" in request.path or _holds_nul(request.GET) or _holds_nul(request.POST) or "%00" in "".join(carried):
            raise SuspiciousOperation("NUL character")
        return self.get_response(request)


def _holds_nul(sent: QueryDict) -> bool:
    return any("\0" in text for name, values in sent.lists() for text in (name, *values))


class LoginByHtmxMiddleware:
    """An expired login answers htmx with a redirect of the whole window, back to the page the person was on."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        login = resolve_url(settings.LOGIN_URL)
        if response.status_code != 302 or urlsplit(response["Location"]).path != login or not wants_fragment(request):
            return response
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        back = f"{page.path}?{page.query}" if page.query else page.path or "/"
        redirect = HttpResponseClientRedirect(f"{login}?{urlencode({'next': back})}")
        patch_vary_headers(redirect, ["HX-Request"])
        return redirect


class ContentSecurityPolicyMiddleware:
    """Sends `settings.SECURE_CSP` (the shape of Django 6's setting of that name) with every HTML answer.

    Only HTML: a policy on a PDF stops the browser's own viewer.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response
        self.policy = policy_text(settings.SECURE_CSP)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


def policy_text(directives: Mapping[str, Sequence[str]]) -> str:
    """The header's value: `{"default-src": ["'self'"]}` → `default-src 'self'`."""
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())
