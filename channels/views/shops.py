"""店舗・モール: a card per shop, and what can be done at once."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from channels.connectors.contract import ChannelError
from channels.models import Connection
from channels.queries import cards
from channels.services import shop_settings
from channels.services import shops as connecting
from channels.services.patience import PATIENCE_S
from channels.services.shop_settings import FUNCTION_LABELS
from oms.kernel.later import later
from oms.kernel.web import answer, live, person_of, render_page


@require_GET
@permission_required("channels.view_connection", raise_exception=True)
def shop_list(request: HttpRequest) -> HttpResponse:
    return render_page(request, "channels/list.html", _list(), fragment="channels/_cards.html")


@require_GET
@permission_required("channels.view_connection", raise_exception=True)
def shop_list_live(request: HttpRequest) -> HttpResponse:
    context = _list()
    return live(
        request,
        token=context["token"],
        fragments=["channels/_cards.html", "channels/_live.html"],
        context=lambda: context,
        to=reverse("channels:list"),
    )


def _list() -> dict[str, Any]:
    shown = cards.cards()
    return {"cards": shown, "token": cards.token(shown)}


@require_POST
@permission_required("channels.change_connection", raise_exception=True)
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Try the credentials now; the person waits, but not for ever."""
    try:
        seen = connecting.check(connection_of(pk), by=person_of(request), limit_s=PATIENCE_S)
    except ChannelError as error:
        messages.error(request, _("接続できません。%(cause)s") % {"cause": error.cause})
    else:
        messages.success(request, seen)
    return answer_with_card(request, pk)


@require_POST
@permission_required("orders.change_order", raise_exception=True)
def import_now(request: HttpRequest, pk: int) -> HttpResponse:
    """A worker does it: an import may take minutes."""
    connection = connection_of(pk)
    if connection.import_paused:
        messages.warning(request, _("受注の取込を止めています。再開してから取り込んでください。"))
    else:
        later("channels.tasks.pull", connection.pk)
        messages.info(
            request, _("%(shop)sの取込を始めました。終わると「最終取込」が変わります。") % {"shop": connection.shop}
        )
    return answer_with_card(request, pk)


@require_POST
@permission_required("channels.change_connection", raise_exception=True)
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause or resume import, stock or notices."""
    function = request.POST.get("function", "")
    if function not in shop_settings.FUNCTIONS:
        raise Http404
    paused = request.POST.get("paused") == "1"
    if shop_settings.set_paused(connection_of(pk).pk, function, paused=paused, by=person_of(request)):
        text = _("%(function)sを止めました。") if paused else _("%(function)sを再開しました。")
        messages.success(request, text % {"function": FUNCTION_LABELS[function]})
    return answer_with_card(request, pk)


def connection_of(shop_id: int) -> Connection:
    """The shop's connection, secrets included: for calls, never for templates."""
    return get_object_or_404(Connection.objects.select_related("shop"), shop=shop_id)


def answer_with_card(request: HttpRequest, shop_id: int) -> HttpResponse:
    """The card as it is now, and on the shop's own page its journal too."""
    [card] = cards.cards([shop_id])
    if request.POST.get("page") == "shop":
        context = {"card": card, "journal": cards.journal(card.connection), "page": "shop"}
        fragments = ["channels/_card.html", "channels/_journal.html"]
        return answer(request, to=reverse("channels:edit", args=[shop_id]), fragments=fragments, context=context)
    return answer(request, to=reverse("channels:list"), fragments=["channels/_card.html"], context={"card": card})
