"""欠品一覧, the queue of one SKU, and 引当待ち."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from fulfillment.queries import shortage, waiting
from inventory.models import Sku
from oms.kernel.keyset import KeysetPage, keyset_page
from oms.kernel.text import clean_text
from oms.kernel.web import render_page
from orders import actions
from orders.views.order import user_of

SIZE = shortage.SHOWN
LAST_PAGE = 10_000
# What one decides about orders without goods; what destroys stands last.
BAR = ("wait_stock", "ship_partly", "location", "reallocate", "cancel_short")


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def shortage_list(request: HttpRequest) -> HttpResponse:
    """Which SKU lacks how much, the most urgent first."""
    typed, number = clean_text(request.GET.get("q", "")), _page_number(request)
    found = shortage.lacking(typed, page=number)
    context = {
        "found": found,
        "typed": typed,
        "page": _numbered(request, found.rows, number, more=number * SIZE < found.skus),
        "here": "shortages",
    }
    return render_page(request, "fulfillment/shortages.html", context, fragment="fulfillment/_shortages.html")


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def shortage_queue(request: HttpRequest, pk: int) -> HttpResponse:
    """Who waits for a SKU, in the order in which it would be given, with what one may decide about them."""
    sku = get_object_or_404(Sku.objects.defer("search_text"), pk=pk)
    number = _page_number(request)
    rows, more = waiting.queue_rows(pk, page=number, size=SIZE)
    context = {
        "sku": sku,
        "lacking": shortage.lacking_of(pk),
        "rows": rows,
        "page": _numbered(request, rows, number, more=more),
        **_offers(request),
    }
    return render_page(request, "fulfillment/shortage.html", context, fragment="fulfillment/_shortage_queue.html")


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def waiting_list(request: HttpRequest) -> HttpResponse:
    """The orders that wait for goods, each with why not yet."""
    page = keyset_page(request, waiting.waiting_rows(), order=waiting.SERVICE, size=SIZE)
    context = {"page": page, "rows": waiting.described(page.rows), "here": "waiting", **_offers(request)}
    return render_page(request, "fulfillment/waiting.html", context, fragment="fulfillment/_waiting.html")


def _offers(request: HttpRequest) -> dict[str, Any]:
    may = {action.code: action for action in actions.offered_to(user_of(request))}
    offered = [may[code] for code in BAR if code in may]
    return {
        "offered": offered,
        "bar": actions.Bar(offered),
        "empty_title": _("待っている受注はありません"),
    }


def _page_number(request: HttpRequest) -> int:
    typed = request.GET.get("page", "")
    return min(max(int(typed), 1), LAST_PAGE) if typed.isdecimal() and len(typed) < len(str(LAST_PAGE)) + 1 else 1


def _numbered(request: HttpRequest, rows: list[Any], number: int, *, more: bool) -> KeysetPage:
    """Pages by number: the rows are sums over what waits, which no cursor can point into."""

    def url(page: int) -> str:
        query = request.GET.copy()
        query.pop("page", None)
        if page > 1:
            query["page"] = str(page)
        return f"{request.path}?{query.urlencode()}" if query else request.path

    back = url(number - 1) if number > 1 else None
    return KeysetPage(rows=rows, next_url=url(number + 1) if more else None, prev_url=back, first_url=url(1))
