"""隔離: what could not be taken in, and trying again. Also: one stored order fetched anew."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from channels.connectors.contract import ChannelError
from channels.models import QuarantinedOrder
from channels.queries import quarantine as queries
from channels.queries import refetched
from channels.services import intake, quarantine
from channels.services.intake import Pulled
from channels.services.patience import PATIENCE_S
from channels.views.shops import connection_of
from oms.kernel import clock
from oms.kernel.keyset import keyset_page
from oms.kernel.later import later
from oms.kernel.web import answer, person_of, render_page
from orders.models import Order, Shop


@require_GET
@permission_required("channels.view_connection", raise_exception=True)
def quarantine_list(request: HttpRequest) -> HttpResponse:
    return render_page(request, "channels/quarantine.html", _list(request), fragment="channels/_quarantine.html")


def _list(request: HttpRequest) -> dict[str, object]:
    shop, resolved = chosen_shop(request), request.GET.get("resolved") == "1"
    cause = "" if resolved else request.GET.get("cause", "")
    shop_id = shop.pk if shop else None
    rows = queries.quarantined(shop_id=shop_id, resolved=resolved, cause=cause)
    return {
        "cause": cause,
        "causes": [] if resolved else queries.causes(shop_id=shop_id),
        "page": keyset_page(request, rows, order=("-at", "-id")),
        "shop": shop,
        "resolved": resolved,
        "shops": Shop.objects.order_by("code"),
    }


def chosen_shop(request: HttpRequest) -> Shop | None:
    """The shop that `?shop=` names; an unknown one is as none."""
    typed = request.GET.get("shop") or request.POST.get("shop") or ""
    return Shop.objects.filter(pk=int(typed)).first() if typed.isdecimal() and len(typed) < 18 else None


@require_GET
@permission_required("channels.view_connection", raise_exception=True)
def quarantined_order(request: HttpRequest, pk: int) -> HttpResponse:
    """One order that could not be taken in. Who reads its personal data is on record."""
    row = get_object_or_404(QuarantinedOrder.objects.select_related("shop", "raw"), pk=pk)
    personal = request.user.has_perm("orders.view_personal_data")
    if personal and row.raw_id:
        quarantine.note_revealed(connection_of(row.shop_id), row, by=person_of(request))
    context = {"row": row, "payload": queries.payload_shown(row, personal=personal), "personal": personal}
    return render_page(request, "channels/quarantined.html", context)


@require_POST
@permission_required("orders.change_order", raise_exception=True)
def replay_one(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(QuarantinedOrder.objects.select_related("shop", "raw"), pk=pk, resolved_at__isnull=True)
    try:
        _tell(request, intake.replay(row, limit_s=PATIENCE_S))
    except ChannelError as error:
        messages.error(request, error.cause)
    row.refresh_from_db(fields=["resolved_at"])
    url = reverse("channels:quarantine") if row.resolved_at else reverse("channels:quarantined", args=[pk])
    return answer(request, to=url)


@require_POST
@permission_required("orders.change_order", raise_exception=True)
def replay_all(request: HttpRequest) -> HttpResponse:
    """A worker does it, shop by shop; with `cause` those of this cause only."""
    shop, cause = chosen_shop(request), request.POST.get("cause", "")
    open_rows = queries.quarantined(shop_id=shop.pk if shop else None, cause=cause).order_by()
    for shop_id in open_rows.values_list("shop", flat=True).distinct():
        later("channels.tasks.intake_replay", *([shop_id, cause] if cause else [shop_id]))
    messages.info(request, _("再取込を始めました。取り込めた受注は、この一覧から消えます。"))
    return answer(request, to=f"{reverse('channels:quarantine')}{f'?shop={shop.pk}' if shop else ''}")


@require_POST
@permission_required("orders.change_order", raise_exception=True)
def reimport(request: HttpRequest, pk: int) -> HttpResponse:
    """Fetch one stored order from its channel now; the order page hears `order-changed`."""
    order, since = get_object_or_404(Order, pk=pk), clock.now()
    try:
        _tell(request, intake.pull_order(connection_of(order.shop_id), order.channel_order_no, limit_s=PATIENCE_S))
        _name_fields(request, refetched.named_since(pk, since))
    except ChannelError as error:
        messages.error(request, error.cause)
    return answer(request, to=reverse("orders:detail", args=[pk]), trigger="order-changed")


def _name_fields(request: HttpRequest, changed: refetched.Named) -> None:
    if changed.taken:
        messages.info(request, _("変わった項目: %(fields)s") % {"fields": _("、").join(changed.taken)})
    if changed.told:
        late = _("出荷指示のあとのため、まだ反映していない項目: %(fields)s")
        messages.warning(request, late % {"fields": _("、").join(changed.told)})


def _tell(request: HttpRequest, pulled: Pulled) -> None:
    if pulled.quarantined:
        messages.error(request, _("取り込めませんでした。理由を確かめてください。"))
    elif pulled.created:
        messages.success(request, _("受注を取り込みました。"))
    elif pulled.updated:
        messages.success(request, _("モールの変更を取り込みました。"))
    else:
        messages.info(request, _("モールの内容と同じです。変更はありません。"))
