"""What a set without stock of its own is made of, and how it is sold: set on the product's page."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from inventory.models import AllocatorMark, BundleComponent, KitChange, KitPart, PublisherMark, Sku
from inventory.queries.bundles import bundles_of
from inventory.services import catalogue
from inventory.services.catalogue import CatalogueError, ComponentRow
from inventory.services.kits import written as written_parts
from oms.kernel import clock
from oms.kernel.services import setting_versions


@dataclass(frozen=True, slots=True)
class SetRules:
    """`parts`: SKU code → quantity. `ships_apart`: its components may leave in different parcels.
    `tax_by_component`: each component is taxed at its own rate."""

    parts: Mapping[str, int]
    ships_apart: bool
    tax_by_component: bool


@transaction.atomic
def define(sku_id: int, rules: SetRules, *, by_id: int | None = None) -> bool:
    """Write a set's rules; orders keep what they were sold. False when nothing changes. Raises CatalogueError with a
    sentence for people and nothing written. Locks the SKU; the publisher and the allocator look at the set again.
    """
    with setting_versions.kept("set", sku_id, by=by_id):
        sku = Sku.objects.select_for_update(no_key=True).get(pk=sku_id)
        before = rules_of(sku)
        if before == rules:
            return False
        if not rules.parts:
            raise CatalogueError(_("構成品を1つ以上入れてください。"))
        _refuse_other_sets(sku, rules.parts)
        Sku.objects.filter(pk=sku_id).update(ships_apart=rules.ships_apart, tax_by_component=rules.tax_by_component)
        if before.parts != rules.parts:
            catalogue.set_components(ComponentRow(sku.code, code, count) for code, count in rules.parts.items())
        KitChange.objects.create(kit=sku, at=clock.now(), before=said(before), after=said(rules), by_id=by_id)
        changed = sorted({sku_id, *bundles_of([sku_id]).get(sku_id, ())})
        PublisherMark.objects.bulk_create(PublisherMark(sku_id=pk, at=clock.now()) for pk in changed)
        AllocatorMark.objects.bulk_create(AllocatorMark(sku_id=pk, at=clock.now()) for pk in changed)
        return True


def rules_of(sku: Sku) -> SetRules:
    rows = BundleComponent.objects.filter(bundle=sku).order_by("component__code")
    return SetRules(dict(rows.values_list("component__code", "quantity")), sku.ships_apart, sku.tax_by_component)


def written(sku: Sku) -> dict[str, object]:
    """The rules as the form holds them."""
    now = rules_of(sku)
    return {"parts": written_parts(now.parts), "ships_apart": now.ships_apart, "tax_by_component": now.tax_by_component}


def _refuse_other_sets(sku: Sku, parts: Mapping[str, int]) -> None:
    if KitPart.objects.filter(kit=sku).exists():
        raise CatalogueError(_("作り置きセットを、在庫を持たないセットにはできません。"))
    if sku.code in parts:
        raise CatalogueError(_("セット自身を構成品にはできません。"))


def said(rules: SetRules) -> str:
    """The rules in words, for the journal."""
    words = [f"{code} × {count}" for code, count in sorted(rules.parts.items())]
    words += ["一部出荷可"] if rules.ships_apart else []
    words += ["構成品ごとの税率"] if rules.tax_by_component else []
    return "、".join(words)
