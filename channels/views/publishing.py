"""在庫連携の設定: what each shop is told of the stock, its maintenance calendar, its comparison with the mall."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from channels.models import MaintenanceWindow
from channels.publishing_forms import SafetyForm, ShopRuleForm, WindowForm
from channels.queries import publishing as queries
from channels.services import compare, maintenance, publish_rules
from channels.setting_kinds import rule_form
from channels.views.shops import connection_of
from inventory.models import Sku
from oms.kernel.later import later
from oms.kernel.web import answer, person_of, render_page


@require_GET
@permission_required("channels.view_listing", raise_exception=True)
def overview(request: HttpRequest) -> HttpResponse:
    return render_page(request, "channels/publishing.html", {"rows": queries.shop_rows()})


@require_http_methods(["GET", "POST"])
@permission_required("channels.change_publishrule", raise_exception=True)
def shop_rules(request: HttpRequest, pk: int) -> HttpResponse:
    """One shop's rules, with its calendar, comparisons and journal beside them."""
    form = _form(pk, request.POST or None)
    if not form.is_valid():
        return render_page(request, "channels/publishing_shop.html", _page(pk, form))
    changed = publish_rules.change_shop(pk, values=form.rules(), places=form.places(), by=person_of(request))
    if changed:
        messages.success(request, _("保存しました。見せる数を計算し直して送ります。"))
    else:
        messages.info(request, _("変わったところはありません。"))
    return answer(request, to=_url(pk))


def _form(shop_id: int, data: Any = None) -> ShopRuleForm:
    connection_of(shop_id)
    return rule_form(shop_id, data)


def _page(shop_id: int, form: ShopRuleForm, window: WindowForm | None = None) -> dict[str, Any]:
    connection = connection_of(shop_id)
    return {
        "shop": connection.shop,
        "form": form,
        "window_form": window or WindowForm(),
        "windows": MaintenanceWindow.objects.filter(shop=shop_id).order_by("weekday", "start_time", "starts_at"),
        "comparisons": queries.comparisons(shop_id),
        "events": queries.shop_events(shop_id),
        "place_names": {f"place:{place.pk}": place.name for place in queries.places()},
    }


def _url(shop_id: int) -> str:
    return reverse("channels:publishing-shop", args=[shop_id])


@require_POST
@permission_required("channels.change_publishrule", raise_exception=True)
def add_window(request: HttpRequest, pk: int) -> HttpResponse:
    form = WindowForm(request.POST)
    if not form.is_valid():
        return render_page(request, "channels/publishing_shop.html", _page(pk, _form(pk), form))
    maintenance.add_window(connection_of(pk).shop_id, form.values(), by=person_of(request))
    messages.success(request, _("メンテナンスの予定を登録しました。"))
    return answer(request, to=_url(pk))


@require_POST
@permission_required("channels.change_publishrule", raise_exception=True)
def remove_window(request: HttpRequest, pk: int) -> HttpResponse:
    window = get_object_or_404(MaintenanceWindow, pk=pk)
    maintenance.remove_window(pk, by=person_of(request))
    messages.success(request, _("メンテナンスの予定を削除しました。"))
    return answer(request, to=_url(window.shop_id))


@require_POST
@permission_required("channels.change_listing", raise_exception=True)
def compare_now(request: HttpRequest, pk: int) -> HttpResponse:
    """A worker does it; what it found stands on the page."""
    connection = connection_of(pk)
    compare.begin(connection.shop_id, by=person_of(request))
    later("channels.tasks.publish_compare_shop", connection.pk)
    messages.info(request, _("%(shop)sとの全件照合を始めました。") % {"shop": connection.shop})
    return answer(request, to=reverse("channels:publishing"))


@require_GET
@permission_required("channels.view_listing", raise_exception=True)
def sku_stock(request: HttpRequest, pk: int) -> HttpResponse:
    """Why each shop shows the number it shows, and every push behind it."""
    return render_page(request, "channels/sku_stock.html", _sku_page(pk))


def _sku_page(pk: int, form: SafetyForm | None = None) -> dict[str, Any]:
    page = queries.sku_page(get_object_or_404(Sku.objects.defer("search_text"), pk=pk))
    return {**page, "place_names": {}, "form": form or SafetyForm(initial={"safety_stock": page["safety"]})}


@require_POST
@permission_required("channels.change_listing", raise_exception=True)
def set_safety(request: HttpRequest, pk: int) -> HttpResponse:
    form = SafetyForm(request.POST)
    if not form.is_valid():
        return render_page(request, "channels/sku_stock.html", _sku_page(pk, form))
    sku = get_object_or_404(Sku.objects.only("pk"), pk=pk)
    if publish_rules.set_safety_stock(sku.pk, form.cleaned_data["safety_stock"], by=person_of(request)):
        messages.success(request, _("安全在庫を保存しました。見せる数を計算し直して送ります。"))
    else:
        messages.info(request, _("変わったところはありません。"))
    return answer(request, to=reverse("channels:sku-stock", args=[pk]))
