"""Where a sign-in leads."""

from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def safe_next(request: HttpRequest, default: str) -> str:
    """Where `next` says, when that is a page of this site to look at; else `default`. Who leaves when their time is
    over already is not led to leaving again."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted == reverse("pages:logout"):
        return resolve_url(default)
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return resolve_url(default)
