"""受注の手入力: one form that is filled step by step, each step a POST of the whole form, and saved at the end.

`step` says what is wanted: look up members, take one over, fill in an address, add rows, choose a product, reckon,
save.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from oms.kernel import clock
from oms.kernel.web import person_of, render_page
from orders.decide.manual import totals_of
from orders.forms import PREFECTURES
from orders.forms_manual_shop import PhoneShopForm
from orders.manual_forms import MORE, MOST, Sheet, Values, blank_values, typed_text
from orders.models import Order, Quote, Shop
from orders.queries import manual as queries
from orders.queries.detail import PERSONAL
from orders.services import manual, quotes
from orders.services.manual import Origin, Refused
from orders.views.order import actor_of

ENTER = ["orders.add_order", PERSONAL]
NOT_KEPT = {"key", "csrfmiddlewaretoken", "member_q", "quote"}  # what of a form is no part of a quote
PAGE, FORM = "orders/manual/new.html", "orders/manual/_form.html"


@require_http_methods(["GET", "POST"])
@permission_required(ENTER, raise_exception=True)
def manual_new(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        known = queries.member_values(_id(request.GET.get("member")))
        return _show(request, blank_values() | known | _quoted(request))
    values = {name: str(value).replace("\x00", "") for name, value in request.POST.items()}
    step, _colon, argument = values.pop("step", "").partition(":")
    if step in {"save", "quote"}:
        return _save(request, values) if step == "save" else _quote(request, values)
    fragment = {"sums": "orders/manual/_reckoned.html", "place": "orders/manual/_place.html"}.get(step, FORM)
    side = "to" if argument == "to" else "buyer"
    return _show(request, _after(step, argument, values), fragment=fragment, side=side)


@require_GET
@permission_required(ENTER, raise_exception=True)
def manual_copy(request: HttpRequest, pk: int) -> HttpResponse:
    """The form, filled with what stands of an order; with several recipients, of the one that `?to=` names."""
    order = get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
    to = request.GET.get("to", "0")
    position = int(to) if to.isdecimal() and len(to) < 5 else 0
    for name in queries.unmapped_of(order, position):
        text = _("「%(name)s」は商品マスタにないため複写していません。要るなら商品を入れてください。")
        messages.warning(request, text % {"name": name})
    values = blank_values() | {"source": "other"} | queries.copy_values(order, position)
    return _show(request, values, recipients=list(order.recipients.order_by("position")), position=position)


@require_GET
@permission_required(ENTER, raise_exception=True)
def manual_skus(request: HttpRequest) -> HttpResponse:
    """What `?q=` may mean, for the field's list."""
    typed = next((str(value) for name, value in request.GET.items() if name.endswith("-sku") or name == "q"), "")
    typed = typed_text(typed)[:120]
    found = queries.skus_offered(typed) if typed else []
    return render_page(request, "orders/manual/_sku_options.html", {"offered": found})


@require_http_methods(["GET", "POST"])
@permission_required("orders.change_papersettings", raise_exception=True)
def manual_shop(request: HttpRequest) -> HttpResponse:
    """Name, sender and letterhead of the shop that typed orders belong to."""
    shop = Shop.objects.filter(channel=manual.CHANNEL).order_by("pk").first()
    form = PhoneShopForm(request.POST or None, instance=shop)
    if form.is_bound and form.is_valid():
        manual.change_phone_shop(form.cleaned_data, by=person_of(request))
        messages.success(request, _("保存しました。"))
        return HttpResponseRedirect(reverse("orders:manual-shop"))
    return render_page(request, "orders/manual/shop.html", {"form": form, "known": shop is not None})


# ---- steps


def _after(step: str, argument: str, values: dict[str, str]) -> dict[str, Any]:
    """The form's values as this step leaves them."""
    moves: Mapping[str, Callable[[], Mapping[str, Any]]] = {
        "member": lambda: {"member_q": "", **queries.member_values(_id(argument))},
        "place": lambda: _placed("to" if argument == "to" else "buyer", values),
        "more": lambda: {"rows": str(min(MOST, int(values.get("rows") or 0) + MORE))},
        "pick": lambda: _picked(argument),
    }
    return values | dict(moves.get(step, dict)())


def _placed(side: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Prefecture and city as the postal code has them; the town only where no address was typed."""
    found = queries.place_values(side, values.get(f"{side}_postal_code", ""))
    town = found.pop(f"{side}_town", "")
    if found and not values.get(f"{side}_address", "").strip():
        found[f"{side}_address"] = town
    return found


def _picked(argument: str) -> dict[str, str]:
    """`3:CHAIR-01`: the product of the fourth row."""
    row, _colon, code = argument.partition(":")
    return {f"line-{row}-sku": code} if row.isdecimal() else {}


def _save(request: HttpRequest, values: dict[str, str]) -> HttpResponse:
    sheet = Sheet(values, shops=_shops(values), strict=True)
    if sheet.is_valid:
        data = sheet.head.cleaned_data
        first = Order.objects.filter(pk=data["copied_from"] or 0).defer("search").first()
        origin = Origin(data["key"], data["source"], first, data["copy_reason"] if first else "", data["quote"])
        shop = sheet.shop if sheet.shop.pk else manual.phone_shop()
        try:
            entered = manual.enter(shop, sheet.draft, origin, actor=actor_of(request))
        except Refused as refused:
            sheet.problems.append(str(refused))
        else:
            text = _("受注 %(no)s を登録しました。") if entered.is_new else _("受注 %(no)s は登録済みです。")
            messages.success(request, text % {"no": entered.order.channel_order_no})
            return HttpResponseRedirect(reverse("orders:detail", args=[entered.order.pk]))
    return render_page(request, PAGE, _context(values, sheet), fragment=FORM)


def _quote(request: HttpRequest, values: dict[str, str]) -> HttpResponse:
    """見積書を作る: the same form, as a paper instead of an order."""
    if not person_of(request).has_perm("orders.issue_document"):
        raise PermissionDenied
    sheet = Sheet(values, shops=_shops(values), strict=True, quote=True)
    if not sheet.is_valid:
        return render_page(request, PAGE, _context(values, sheet), fragment=FORM)
    data = sheet.head.cleaned_data
    kept = {name: value for name, value in values.items() if name not in NOT_KEPT}
    typed = quotes.Typed(data["key"], kept, data["valid_until"], data["quote_note"], data["quote"])
    shop = sheet.shop if sheet.shop.pk else manual.phone_shop()
    made = quotes.make(shop, sheet.draft, typed, actor=actor_of(request))
    messages.success(request, _("見積書を作りました。在庫は確保していません。"))
    return HttpResponseRedirect(reverse("orders:paper", args=[made.document_id]))


def _quoted(request: HttpRequest) -> dict[str, Any]:
    """What was typed for `?quote=`; says so where that quote has run out."""
    quote = Quote.objects.select_related("document").filter(pk=_id(request.GET.get("quote")), order=None).first()
    if quote is None or not quote.values:
        return {}
    if quote.valid_until < clock.today():
        text = _("見積書 %(no)s の有効期限を過ぎています。価格と在庫を確かめてください。")
        messages.warning(request, text % {"no": quote.document.number})
    return quote.values | {"quote": quote.pk, "valid_until": ""}


def _show(request: HttpRequest, values: Values, *, fragment: str = FORM, **more: Any) -> HttpResponse:
    sheet = Sheet(values, shops=_shops(values), strict=False)
    form = sheet.shown_head
    more["fields"] = form.to_place if more.get("side") == "to" else form.buyer_place
    return render_page(request, PAGE, _context(values, sheet) | more, fragment=fragment)


def _shops(values: Values) -> list[Shop]:
    """A copy may stay in the first order's shop; everything else belongs to the telephone. The latter is not stored
    before the first order is."""
    phone = Shop.objects.filter(channel=manual.CHANNEL).order_by("pk").first() or manual.unsaved_phone_shop()
    first = Order.objects.filter(pk=_id(values.get("copied_from"))).select_related("shop").defer("search").first()
    if first is None or first.shop.channel == manual.CHANNEL:
        return [phone]
    return [first.shop, phone]


def _id(value: Any) -> int:
    """0, which no row has, for what is no id."""
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 18 else 0


def _context(values: Values, sheet: Sheet) -> dict[str, Any]:
    items = sheet.items
    stock = queries.stock_words(items)
    try:
        totals = totals_of(items, sheet.charges)
    except ValueError:  # the discount is above everything; its field says so when the order is saved
        totals = None
    typed = str(values.get("member_q") or "")
    first = Order.objects.filter(pk=_id(values.get("copied_from"))).only("channel_order_no").first()
    return {
        "sheet": sheet,
        "form": sheet.shown_head,
        "rows": [(row, item, stock.get(item.sku_id) if item else None) for row, item in sheet.rows],
        "row_count": len(sheet.lines),
        "may_add": len(sheet.lines) < MOST,
        "items": items,
        "pieces": sum(item.quantity for item in items),
        "totals": totals,
        "is_free": sheet.head.is_free,
        "member_q": typed,
        "members": partial(queries.members_found, typed),
        "first": first,
        "quoted": Quote.objects.select_related("document").filter(pk=_id(values.get("quote"))).first(),
        "offer_shops": len(sheet.shops) > 1,
        "prefectures": PREFECTURES,
    }
