"""Settings of shops, listings and publishing with versions (`oms.kernel.setting_kinds`). Credentials are left out."""

from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from channels.forms import SECRET_PREFIX, LimitsForm, ListingForm, MapForm, ShopForm
from channels.forms_mapping import RuleForm
from channels.models import Connection, Listing, MaintenanceWindow, MatchRule, PlaceRule, PublishRule, SkuRule
from channels.publishing_forms import SafetyForm, ShopRuleForm, WindowsForm
from channels.queries import budgets, publishing
from channels.services import (
    credentials,
    limits,
    listings,
    maintenance,
    mapping,
    matching,
    publish_rules,
    shop_settings,
)
from inventory.models import Sku
from oms.kernel.setting_kinds import Kind, Refused, Who, register
from orders.models import Shop
from orders.services.journal import Actor

CREDENTIALS = "channels.change_credential"


def _connection(ref: str) -> Connection:
    return Connection.objects.select_related("shop").get(shop=int(ref))


def _shop_name(ref: str) -> str:
    return Shop.objects.values_list("name", flat=True).get(pk=ref)


def _shop_form(ref: str, data: Any, who: Who | None) -> ShopForm:
    return shop_form(_connection(ref), data, secrets=who is None or who.by.has_perm(CREDENTIALS))


def shop_form(connection: Connection, data: Any = None, *, secrets: bool) -> ShopForm:
    return ShopForm(
        data,
        secrets=secrets,
        instance=connection.shop,
        channel=connection.shop.channel,
        stored=credentials.last_four(connection),
        initial={
            "base_url": connection.base_url,
            "auth_url": connection.auth_url,
            "told_number": connection.told_number,
        },
    )


def _save_shop(ref: str, form: ShopForm, who: Who) -> None:
    shop_settings.change(
        _connection(ref).pk, settings=form.settings(), addresses=form.addresses(), secrets={}, notices=form.notices(),
        by=who.by,
    )  # fmt: skip


def rule_form(shop_id: int, data: Any = None) -> ShopRuleForm:
    rule = PublishRule.objects.filter(shop=shop_id).first() or PublishRule(shop_id=shop_id)
    most = dict(PlaceRule.objects.filter(shop=shop_id).values_list("location", "most"))
    return ShopRuleForm(data, instance=rule, places=publishing.places(), most=most)


def _windows_form(ref: str, data: Any, _who: Who | None) -> WindowsForm:
    return WindowsForm(data, windows=MaintenanceWindow.objects.filter(shop=int(ref)).order_by("pk"))


def _limits_form(ref: str, data: Any, _who: Who | None) -> LimitsForm:
    shop = Shop.objects.get(pk=ref)
    return LimitsForm(data, limits=budgets.limits_of([shop]), shop=shop)


def _sku_code(ref: str) -> str:
    return Sku.objects.values_list("code", flat=True).get(pk=ref)


def _safety_form(ref: str, data: Any, _who: Who | None) -> SafetyForm:
    kept = SkuRule.objects.filter(sku=int(ref)).values_list("safety_stock", flat=True).first() or 0
    return SafetyForm(data, initial={"safety_stock": kept})


def _listing(ref: str) -> Listing | None:
    return Listing.objects.filter(pk=ref).first()


def _listing_form(ref: str, data: Any, _who: Who | None) -> ListingForm:
    return ListingForm(data, instance=_listing(ref) or Listing())


def _save_listing(ref: str, form: ListingForm, who: Who) -> None:
    if _listing(ref) is None:
        raise Refused([_("この出品はもうありません。")])
    listings.change(int(ref), by=who.by, **{name: form.cleaned_data[name] for name in listings.COLUMNS})


def _match_rule(ref: str) -> MatchRule | None:
    return MatchRule.objects.filter(pk=ref).first()


def _match_form(ref: str, data: Any, _who: Who | None) -> RuleForm:
    return RuleForm(data, instance=_match_rule(ref) or MatchRule(pk=int(ref)))


def _save_match_rule(_ref: str, form: RuleForm, who: Who) -> None:
    matching.save_rule(form.save(commit=False), by=who.by)
    matching.propose()


def _delete_match_rule(ref: str, who: Who) -> None:
    matching.delete_rule(int(ref), by=who.by)
    matching.propose()


def _mapped(ref: str) -> Listing | None:
    shop_id, code = ref.split("/", 1)
    return Listing.objects.filter(shop=int(shop_id), channel_sku=code, sku__isnull=False).order_by("pk").first()


def _mapping_form(ref: str, data: Any, _who: Who | None) -> MapForm:
    listing = _mapped(ref)
    return MapForm(data, initial={"sku": listing.sku_id, "units": listing.units} if listing else {"units": 1})


def _map(ref: str, form: MapForm, who: Who) -> None:
    shop_id, code = ref.split("/", 1)
    said = form.cleaned_data
    actor = Actor(by=who.by, action=uuid4().hex)
    mapping.map_code(Shop.objects.get(pk=shop_id), code, said["sku"], units=said["units"], actor=actor)


def _unmap(ref: str, who: Who) -> None:
    shop_id, code = ref.split("/", 1)
    listed = Listing.objects.filter(shop=int(shop_id), channel_sku=code)
    mapping.unmap(list(listed.values_list("pk", flat=True)), by=who.by)


SHOPS = (
    Kind(
        code="shop",
        label=lazy("店舗の設定"),
        rights=("channels.change_connection",),
        name=_shop_name,
        url=lambda ref: reverse("channels:edit", args=[ref]),
        form=_shop_form,
        save=_save_shop,
        leave_out=(SECRET_PREFIX,),
    ),
    Kind(
        code="service_limits",
        label=lazy("モールの上限"),
        rights=("channels.change_connection",),
        name=_shop_name,
        url=lambda ref: reverse("channels:limits", args=[ref]),
        form=_limits_form,
        save=lambda ref, form, who: limits.set_limits(_connection(ref), form.values(), by=who.by),
    ),
)
MAPPING = Kind(
    code="mapping",
    label=lazy("商品対応表"),
    rights=("channels.change_listing",),
    name=lambda ref: ref.split("/", 1)[1],
    url=lambda ref: reverse("channels:map", args=ref.split("/", 1)),
    form=_mapping_form,
    save=_map,
    exists=lambda ref: _mapped(ref) is not None,
    reset=_unmap,
)
STOCK = (
    MAPPING,
    Kind(
        code="publishing",
        label=lazy("在庫連携の設定"),
        rights=("channels.change_publishrule",),
        name=_shop_name,
        url=lambda ref: reverse("channels:publishing-shop", args=[ref]),
        form=lambda ref, data, who: rule_form(int(ref), data),
        save=lambda ref, form, who: publish_rules.change_shop(
            int(ref), values=form.rules(), places=form.places(), by=who.by
        ),
    ),
    Kind(
        code="windows",
        label=lazy("メンテナンスの予定"),
        rights=("channels.change_publishrule",),
        name=_shop_name,
        url=lambda ref: reverse("channels:publishing-shop", args=[ref]),
        form=_windows_form,
        save=lambda ref, form, who: maintenance.set_windows(int(ref), form.wanted, by=who.by),
    ),
    Kind(
        code="safety_stock",
        label=lazy("安全在庫"),
        rights=("channels.change_listing",),
        name=_sku_code,
        url=lambda ref: reverse("channels:sku-stock", args=[ref]),
        form=_safety_form,
        save=lambda ref, form, who: publish_rules.set_safety_stock(
            int(ref), form.cleaned_data["safety_stock"], by=who.by
        ),
    ),
    Kind(
        code="listing",
        label=lazy("出品の連携方法"),
        rights=("channels.change_listing",),
        name=lambda ref: str(getattr(_listing(ref), "code", "")),
        url=lambda ref: reverse("channels:listing", args=[ref]),
        form=_listing_form,
        save=_save_listing,
        exists=lambda ref: _listing(ref) is not None,
    ),
    Kind(
        code="match_rule",
        label=lazy("対応の候補のルール"),
        rights=("channels.change_listing",),
        name=lambda ref: str(getattr(_match_rule(ref), "pattern", "")),
        url=lambda ref: reverse("channels:match-rule", args=[ref]),
        form=_match_form,
        save=_save_match_rule,
        exists=lambda ref: _match_rule(ref) is not None,
        reset=_delete_match_rule,
    ),
)


def register_kinds() -> None:
    register(*SHOPS, *STOCK)
