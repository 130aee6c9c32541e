"""連携する: a person agrees on the channel's own page and comes back with a code.

The state that travels with them is signed, belongs to one session, and is good once.
"""

import secrets
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from channels.connectors.contract import ChannelError, Consenting
from channels.connectors.registry import connector_class
from channels.models import Connection
from channels.services import credentials, renewal, shops
from channels.services.patience import PATIENCE_S, within
from channels.views.renewal import switch_and_verify
from channels.views.shops import connection_of
from oms.kernel.models import User
from oms.kernel.web import person_of, render_page

SALT = "channels.consent"
PLACE = "channels_consent"  # in the session
LIFE_S = 900


@require_GET
@permission_required("channels.change_credential", raise_exception=True)
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Says what will happen, with the way to the channel's page. A link, because forms may not lead elsewhere."""
    connection = connection_of(pk)
    if not connector_class(connection.shop.channel).consent:
        raise Http404
    missing = [key for key in ("client_id", "client_secret") if not credentials.read(connection).get(key)]
    nonce = secrets.token_urlsafe(24)
    request.session[PLACE] = nonce
    state = signing.dumps([connection.pk, nonce], salt=SALT)
    back = callback_url(request)
    context = {
        "connection": connection,
        "missing": missing,
        "back": back,
        "url": "" if missing else _consenting(connection).consent_url(back, state),
    }
    return render_page(request, "channels/consent.html", context)


@require_GET
@permission_required("channels.change_credential", raise_exception=True)
def callback(request: HttpRequest) -> HttpResponse:
    """The person is back. A new token goes through the steps of a renewal, so that the way back exists."""
    connection = _sent_out(request)
    if connection is None:
        messages.error(
            request, _("連携の有効時間が過ぎたか、別の画面から戻りました。もう一度「連携する」から始めてください。")
        )
        return redirect("channels:list")
    if request.GET.get("error") or not request.GET.get("code"):
        messages.warning(request, _("連携は許可されませんでした。今までの値をそのまま使います。"))
        return redirect("channels:edit", connection.shop_id)
    try:
        given = within(lambda: _exchange(connection, request), PATIENCE_S)
        messages.success(request, store(connection, given, by=person_of(request)))
    except renewal.NotNow as no:
        messages.warning(request, str(no))
    except ChannelError as error:
        messages.error(request, _("連携できませんでした。%(cause)s") % {"cause": error.cause})
    return redirect("channels:renewal", connection.shop_id)


def _exchange(connection: Connection, request: HttpRequest) -> Any:
    return _consenting(connection).take_consent(request.GET["code"], callback_url(request))


def store(connection: Connection, given: dict[str, str], *, by: User) -> str:
    """The first consent is simply stored; a later one replaces a token that still works: entered, tested, switched."""
    stored = credentials.read(connection)
    if not any(stored.get(key) for key in given):
        shops.journal(connection, "consented", keys=", ".join(sorted(given)), by=by)
        credentials.change(connection.pk, given, by=by)
        return shops.check(Connection.objects.select_related("shop").get(pk=connection.pk), by=by, limit_s=PATIENCE_S)
    entered = renewal.enter(connection.pk, given, by=by)
    shops.journal(connection, "consented", keys=", ".join(sorted(given)), by=by)
    renewal.test(entered.pk, by=by, limit_s=PATIENCE_S)
    return switch_and_verify(connection, by)


def callback_url(request: HttpRequest) -> str:
    """The address to register with the application; the same for every shop."""
    return request.build_absolute_uri(reverse("channels:consent-callback"))


def _consenting(connection: Connection) -> Consenting:
    return cast(Consenting, shops.connector_of(connection))


def _sent_out(request: HttpRequest) -> Connection | None:
    """The shop this session was sent out for; the state is used up with the asking."""
    nonce = request.session.pop(PLACE, None)
    try:
        connection_id, given = signing.loads(request.GET.get("state", ""), salt=SALT, max_age=LIFE_S)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if not nonce or not secrets.compare_digest(str(given), nonce):
        return None
    return Connection.objects.select_related("shop").filter(pk=connection_id).first()
