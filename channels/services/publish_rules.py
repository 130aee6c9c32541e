"""Changing the rules of publishing: of a shop, of its places, of a SKU. All is journaled; what it concerns is told."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from channels.models import Listing, PlaceRule, PublishRule, SkuRule
from channels.services import desired, publishing_journal
from channels.services.publishing_journal import Event
from channels.services.wake import wake_publisher
from oms.kernel.models import User
from oms.kernel.services import setting_versions

COLUMNS = (
    "buffer",
    "share",
    "cap",
    "priority",
    "adaptive",
    "hot_below",
    "hot_per_minute",
    "maintenance_lead_min",
    "maintenance_buffer",
    "compare_every_h",
)


@transaction.atomic
def change_shop(
    shop_id: int, *, values: Mapping[str, Any], places: Mapping[int, int | None], by: User | None
) -> list[str]:
    """Write what differs; returns the names of what changed. `values`: columns of `COLUMNS`; `places`: location → most
    units sold from there, None for no limit."""
    with setting_versions.kept("publishing", shop_id, by=by):
        PublishRule.objects.get_or_create(shop_id=shop_id)
        rule = PublishRule.objects.select_for_update(no_key=True).get(shop_id=shop_id)
        differs = {name: [getattr(rule, name), values[name]] for name in COLUMNS if getattr(rule, name) != values[name]}
        for name, (_before, new) in differs.items():
            setattr(rule, name, new)
        if differs:
            rule.save(update_fields=list(differs))
        differs |= _change_places(shop_id, places)
        if differs:
            publishing_journal.write([Event("shop", differs, shop_id=shop_id)], by=by)
            desired.mark(
                Listing.objects.filter(shop=shop_id, sku__isnull=False).values_list("sku", flat=True).distinct()
            )
            wake_publisher()
        return list(differs)


def _change_places(shop_id: int, places: Mapping[int, int | None]) -> dict[str, list[Any]]:
    """Under the shop's rule's lock."""
    stored = {row.location_id: row for row in PlaceRule.objects.filter(shop=shop_id, location__in=places)}
    differs: dict[str, list[Any]] = {}
    for location, most in places.items():
        row = stored.get(location)
        if (row.most if row else None) == most:
            continue
        differs[f"place:{location}"] = [row.most if row else None, most]
        if most is None:
            if row:
                row.delete()
        elif row:
            row.most = most
            row.save(update_fields=["most"])
        else:
            PlaceRule.objects.create(shop_id=shop_id, location_id=location, most=most)
    return differs


@transaction.atomic
def set_safety_stock(sku_id: int, units: int, *, by: User | None) -> bool:
    """Keep so many units of a SKU back from every shop; False when it is so already."""
    with setting_versions.kept("safety_stock", sku_id, by=by):
        SkuRule.objects.get_or_create(sku_id=sku_id)
        rule = SkuRule.objects.select_for_update(no_key=True).get(sku_id=sku_id)
        if rule.safety_stock == units:
            return False
        changes = {"safety_stock": [rule.safety_stock, units]}
        rule.safety_stock = units
        rule.save(update_fields=["safety_stock"])
        publishing_journal.write([Event("sku", changes, sku_id=sku_id)], by=by)
        desired.mark([sku_id])
        wake_publisher()
        return True
