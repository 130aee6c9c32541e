"""商品対応表: giving a shop's codes their SKUs."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from channels.forms import MapForm
from channels.queries import mapping as queries
from channels.queries import mapping_state
from channels.services import mapping
from channels.views.quarantine import chosen_shop
from oms.kernel.web import answer, person_of, render_page
from orders.models import Shop
from orders.services.journal import Actor


@require_GET
@permission_required("channels.view_listing", raise_exception=True)
def unmapped_codes(request: HttpRequest) -> HttpResponse:
    return render_page(request, "channels/map.html", _list(request), fragment="channels/_unmapped.html")


def _list(request: HttpRequest) -> dict[str, Any]:
    shop = chosen_shop(request)
    rows = queries.with_sure_suggestions(queries.unmapped(shop_id=shop.pk if shop else None))
    return {
        "rows": rows,
        "shop": shop,
        "shops": Shop.objects.order_by("code"),
        "limit": queries.SHOWN,
        "counts": mapping_state.counts(),
        "tab": "map",
    }


@require_http_methods(["GET", "POST"])
@permission_required("channels.change_listing", raise_exception=True)
def map_code(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """What one code could stand for, a search for others, and the choice."""
    shop = get_object_or_404(Shop, pk=shop_id)
    form = MapForm(request.POST or None, initial={"units": 1})
    if not form.is_valid():
        context = {**_code(request, shop, code), "form": form, "versions_ref": mapping.ref_of(shop.pk, code)}
        return render_page(request, "channels/map_code.html", context, fragment="channels/_map_dialog.html")
    sku, actor = form.cleaned_data["sku"], Actor(by=person_of(request), action=uuid4().hex)
    orders = mapping.map_code(shop, code, sku, units=form.cleaned_data["units"], actor=actor)
    text = _("%(code)s を %(sku)s に対応付けました。") % {"code": code, "sku": sku.code}
    if orders:
        text += _("待っていた受注%(n)d件を進めました。") % {"n": len(orders)}
    messages.success(request, text)
    return answer(request, to=reverse("channels:map"), trigger="listings-changed")


@require_GET
@permission_required("channels.change_listing", raise_exception=True)
def sku_options(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """The picker's answer to `?q=`, inside the dialog."""
    context = _code(request, get_object_or_404(Shop, pk=shop_id), code)
    return render_page(request, "channels/map_code.html", context, fragment="channels/_sku_options.html")


def _code(request: HttpRequest, shop: Shop, code: str) -> dict[str, Any]:
    found = queries.unmapped(shop_id=shop.pk, code=code)
    name = found[0].name if found else mapping.name_of(shop, code)
    options = found[0].options if found else ""
    typed = request.GET.get("q", "").strip()
    return {
        "shop": shop,
        "code": code,
        "name": name,
        "options": options,
        "orders": found[0].orders if found else 0,
        "q": typed,
        "found": queries.skus_found(typed) if typed else [],
        "suggestions": [] if typed else queries.suggestions(code, f"{name} {options}".strip()),
        "form": MapForm(initial={"units": 1}),
    }
