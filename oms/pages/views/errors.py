"""Pages for what went wrong. They say what a person can do next, and work without the database."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: mostly a page that stood open over night or over a new login."""
    return HttpResponse(render_to_string("403_csrf.html", {}, request), status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(render_to_string("400.html", {}, request), status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """With the sentence that the refusal brought, if it did."""
    return HttpResponse(render_to_string("403.html", {"cause": str(exception)}, request), status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(render_to_string("404.html", {"path": request.path}, request), status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: whatever broke (session, database) must not break this page too."""
    return HttpResponse(render_to_string("500.html"), status=500)
