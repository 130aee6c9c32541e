"""取込の照合: a calendar of each shop's days against the channel, the orders behind a day, and how late orders come."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from channels.models import DayCheck
from channels.queries import gaps as queries
from channels.views.quarantine import chosen_shop
from channels.views.shops import connection_of
from oms.kernel import clock
from oms.kernel.keyset import keyset_page
from oms.kernel.later import later
from oms.kernel.typed import typed_day
from oms.kernel.web import answer, render_page
from orders.models import Shop
from orders.services.manual import CHANNEL as BY_HAND

NUMBERS_SHOWN = 500
HOURS = 24


@require_GET
@permission_required("channels.view_connection", raise_exception=True)
def calendar(request: HttpRequest) -> HttpResponse:
    """Two weeks up to `?day=`, a column per shop."""
    last = typed_day(request.GET.get("day", "")) or clock.today()
    shops = list(Shop.objects.filter(active=True).exclude(channel=BY_HAND).order_by("code"))
    context = {
        "shops": shops,
        "rows": queries.calendar(shops, last=last),
        "today": clock.today(),
        "last": last,
        "open_missed": queries.open_missed(),
        "spans": queries.spans(last),
    }
    return render_page(request, "channels/gaps.html", context, fragment="channels/_gaps.html")


@require_GET
@permission_required("channels.view_connection", raise_exception=True)
def day(request: HttpRequest, shop_id: int, day: str) -> HttpResponse:
    """One shop's day: the counts with their rows, and every order that was missing."""
    shop, moment = get_object_or_404(Shop, pk=shop_id), _day(day)
    check = DayCheck.objects.filter(shop=shop, day=moment).first()
    page = keyset_page(request, queries.missed(shop, moment), order=("ordered_at", "id"))
    named = list(check.numbers[:NUMBERS_SHOWN]) if check else []
    here = queries.orders_by_number(shop, [*named, *(row.channel_order_no for row in page)])
    context: dict[str, Any] = {
        "shop": shop,
        "day": moment,
        "check": check,
        "page": page,
        "rows": [{"missed": row, "order": here.get(row.channel_order_no)} for row in page],
        "named": [(no, here.get(no)) for no in named],
        "named_more": max(0, len(check.numbers) - NUMBERS_SHOWN) if check else 0,
    }
    return render_page(request, "channels/gap_day.html", context, fragment="channels/_gap_day.html")


@require_POST
@permission_required("orders.change_order", raise_exception=True)
def compare(request: HttpRequest) -> HttpResponse:
    """A worker compares `day` of `shop`, or of every active shop."""
    moment, shop = typed_day(request.POST.get("day", "")), chosen_shop(request)
    if moment is None or moment > clock.today():
        messages.error(request, _("照合する日を選んでください。"))
        return answer(request, to=reverse("channels:gaps"))
    shops = [shop] if shop else list(Shop.objects.filter(active=True).exclude(channel=BY_HAND).order_by("code"))
    for one in shops:
        later("channels.tasks.intake_compare", connection_of(one.pk).pk, moment.isoformat())
    messages.info(request, _("照合を始めました。終わると、件数が変わります。"))
    to = reverse("channels:gap-day", args=[shop.pk, moment.isoformat()]) if shop else reverse("channels:gaps")
    return answer(request, to=to)


@require_GET
@permission_required("channels.view_connection", raise_exception=True)
def delay(request: HttpRequest, pk: int) -> HttpResponse:
    """取込の遅れ: order time → on the desk, from the stored orders."""
    shop = get_object_or_404(Shop, pk=pk)
    context = {
        "shop": shop,
        "delays": [queries.delay_of(pk, hours) for hours in (1, HOURS, 7 * HOURS)],
        "slowest": queries.slowest(pk, HOURS),
    }
    return render_page(request, "channels/delay.html", context, fragment="channels/_delay.html")


def _day(text: str) -> date:
    found = typed_day(text)
    if found is None:
        raise Http404
    return found
