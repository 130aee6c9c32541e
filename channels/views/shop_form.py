"""Adding a shop, and changing its settings and credentials."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from channels.connectors.registry import CONNECTORS, connector_class
from channels.forms import NewShopForm, ShopForm
from channels.models import Connection
from channels.queries import cards
from channels.queries.abilities import abilities
from channels.services import shop_settings
from channels.setting_kinds import CREDENTIALS, shop_form
from channels.views.shops import connection_of
from oms.kernel.web import person_of, render_page


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@permission_required("channels.add_connection", raise_exception=True)
def add(request: HttpRequest) -> HttpResponse:
    """First the channel (`?channel=`), then its form."""
    channel = request.GET.get("channel", "")
    if channel not in CONNECTORS:
        return render_page(request, "channels/add.html", {"channels": channels()})
    may = request.user.has_perm(CREDENTIALS)
    form = NewShopForm(request.POST or None, channel=channel, initial={"active": True}, secrets=may)
    if not form.is_valid():
        context = _context(form, channel, label=connector_class(channel).label)
        return render_page(request, "channels/shop.html", context)
    connection = shop_settings.add(
        form.cleaned_data["code"],
        channel=channel,
        settings=form.settings(),
        addresses=form.addresses(),
        secrets=form.secrets(),
        notices=form.notices(),
        by=person_of(request),
    )
    messages.success(request, _("店舗を登録しました。続けて接続テストをしてください。"))
    _warn(request, form)
    return redirect("channels:edit", connection.shop_id)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@permission_required("channels.change_connection", raise_exception=True)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    connection = connection_of(pk)
    form = shop_form(connection, request.POST or None, secrets=request.user.has_perm(CREDENTIALS))
    if not form.is_valid():
        context = _context(form, connection.shop.channel, connection, connection.shop.channel_label)
        return render_page(request, "channels/shop.html", context)
    changed = shop_settings.change(
        connection.pk,
        settings=form.settings(),
        addresses=form.addresses(),
        secrets=form.secrets(),
        notices=form.notices(),
        by=person_of(request),
    )
    if changed:
        messages.success(request, _("保存しました。"))
    else:
        messages.info(request, _("変わったところはありません。"))
    _warn(request, form)
    return redirect("channels:edit", pk)


def channels() -> list[dict[str, str]]:
    """Every channel that has a connector."""
    return [{"code": code, "label": connector_class(code).label} for code in CONNECTORS]


def _context(form: ShopForm, channel: str, connection: Connection | None = None, label: str = "") -> dict[str, Any]:
    shown = {"form": form, "channel_label": label, "abilities": abilities(channel)}
    if connection is None:
        return shown
    [card] = cards.cards([connection.shop_id])
    return {
        **shown,
        "card": card,
        "journal": cards.journal(connection),
        "page": "shop",
    }


def _warn(request: HttpRequest, form: ShopForm) -> None:
    if form.registration_looks_wrong:
        messages.warning(
            request, _("登録番号の検査数字が法人番号と合いません。個人事業者の番号であれば、このままで構いません。")
        )
