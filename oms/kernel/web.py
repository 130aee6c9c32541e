"""The one shape of a view's answer: a browser gets a page or a redirect, htmx gets fragments.

Nothing else in the project looks at `request.htmx`. `render_page` shows, `answer` reports what a POST did,
`live` serves the ten-second poll. Every answer varies by `HX-Request`, so that no cache mixes page and fragment.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from django_htmx.middleware import HtmxDetails

from oms.kernel.models import User

Context = Mapping[str, Any]

MESSAGES_TEMPLATE = "components/messages.html"


def render_page(
    request: HttpRequest,
    template: str,
    context: Context | None = None,
    *,
    fragment: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page for a browser, its `fragment` (with waiting messages, out of band) for htmx.

    An htmx request that restores history or is boosted wants a whole page; so does a view that has no fragment.
    """
    values = dict(context or {})
    if fragment is None or not wants_fragment(request):
        return _varied(HttpResponse(render_to_string(template, values, request), status=status))
    body = render_to_string(fragment, values, request) + _messages(request)
    return _varied(HttpResponse(body, status=status))


def answer(
    request: HttpRequest,
    *,
    to: str,
    fragments: Sequence[str] = (),
    context: Context | None = None,
    trigger: str | None = None,
) -> HttpResponse:
    """After a successful POST: a redirect to `to` for a browser; for htmx every fragment and the messages, out of band.

    `trigger` names a client event ("order-changed") for parts of the page the server does not know of.
    With neither fragments nor trigger htmx is sent to `to` as well.
    """
    if not wants_fragment(request):
        return _varied(HttpResponseRedirect(to))
    if not fragments and trigger is None:
        return _varied(HttpResponseClientRedirect(to))
    response = HttpResponse(_out_of_band(request, fragments, context or {}))
    if trigger is not None:
        trigger_client_event(response, trigger)
    return _varied(response)


def live(
    request: HttpRequest, *, token: str, fragments: Sequence[str], context: Callable[[], Context], to: str = "/"
) -> HttpResponse:
    """The poll "has anything changed?": 204 while `?token=` equals `token`, else the fragments out of band.

    `context` is called only after a change, so an idle screen costs one cheap token query. One of the fragments
    is the poller itself (`components/live.html`), which then carries the new `token`.
    A browser without htmx goes to `to`.
    """
    if not wants_fragment(request):
        return _varied(HttpResponseRedirect(to))
    if request.GET.get("token") == token:
        return _varied(HttpResponse(status=204))
    return _varied(HttpResponse(_out_of_band(request, fragments, {**context(), "token": token})))


def person_of(request: HttpRequest) -> User:
    """Who asks. The login middleware lets nobody else through."""
    assert isinstance(request.user, User)
    return request.user


def wants_fragment(request: HttpRequest) -> bool:
    """True for an htmx request that will place a fragment, not a whole page."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)  # absent when an outer middleware answered by itself
    return htmx is not None and bool(htmx) and not (htmx.boosted or htmx.history_restore_request)


def _out_of_band(request: HttpRequest, fragments: Sequence[str], context: Context) -> str:
    values = {**context, "oob": True}
    return "\n".join([*(render_to_string(name, values, request) for name in fragments), _messages(request)])


def _messages(request: HttpRequest) -> str:
    waiting = list(get_messages(request))
    return render_to_string(MESSAGES_TEMPLATE, {"messages": waiting, "oob": True}, request) if waiting else ""


def _varied(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ["HX-Request"])
    return response
