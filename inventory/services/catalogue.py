"""Products, SKUs and sets, written in batches by their codes. Running the same batch twice changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from inventory.models import Balance, BundleComponent, FormerComponent, Sku
from inventory.models.balance import PREORDER
from inventory.services import door, places
from oms.kernel.said import said, together
from oms.kernel.text import clean_text, search_text


@dataclass(frozen=True, slots=True)
class ProductRow:
    code: str
    name: str
    brand: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class SkuRow:
    """`price` in yen, tax included; `tax_rate` in percent; `preorder_limit` counts only with a `release_date`.

    `cost` in yen without tax and `weight_g` are of one unit, None where nobody knows them.
    """

    code: str
    product_code: str
    name: str
    variant: str = ""
    jan: str = ""
    price: int = 0
    tax_rate: int = 10
    temperature: str = Sku.Temperature.AMBIENT
    size_factor: int = 1
    release_date: date | None = None
    preorder_limit: int = 0
    is_bundle: bool = False
    is_made_to_order: bool = False
    active: bool = True
    shelf: str = ""
    cost: int | None = None
    supplier: str = ""
    weight_g: int | None = None
    tags: list[str] = field(default_factory=list)
    custom: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ComponentRow:
    bundle_code: str
    component_code: str
    quantity: int = 1


class CatalogueError(Exception):
    """The batch contradicts itself or what is stored; nothing was written. The text is for people."""


UPSERT_PRODUCTS = """
INSERT INTO inventory_product (code, name, brand, category)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS r(code, name, brand, category) ORDER BY code
ON CONFLICT (code) DO UPDATE SET name = excluded.name, brand = excluded.brand, category = excluded.category
 WHERE (inventory_product.name, inventory_product.brand, inventory_product.category)
       IS DISTINCT FROM (excluded.name, excluded.brand, excluded.category)
"""


@transaction.atomic
def upsert_products(rows: Iterable[ProductRow]) -> dict[str, int]:
    """Code → id. The last row of a code wins."""
    latest = list({row.code: row for row in rows}.values())
    with connection.cursor() as cursor:
        cursor.execute(
            UPSERT_PRODUCTS,
            [[clean_text(getattr(row, one.name)) for row in latest] for one in fields(ProductRow)],
        )
    return _ids("inventory_product", [row.code for row in latest])


UPSERT_SKUS = """
INSERT INTO inventory_sku (code, product_id, name, variant, jan, price, tax_rate, temperature, size_factor,
                           release_date, preorder_limit, is_bundle, is_made_to_order, active, shelf, cost,
                           supplier, weight_g, tags, custom, search_text)
SELECT r.code, p.id, r.name, r.variant, r.jan, r.price, r.tax_rate, r.temperature, r.size_factor,
       r.release_date, r.preorder_limit, r.is_bundle, r.is_made_to_order, r.active, r.shelf, r.cost,
       r.supplier, r.weight_g, r.tags, r.custom, r.search_text
  FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[], %s::int[], %s::text[], %s::int[],
              %s::date[], %s::int[], %s::bool[], %s::bool[], %s::bool[], %s::text[], %s::int[],
              %s::text[], %s::int[], %s::jsonb[], %s::jsonb[], %s::text[])
    AS r(code, product_code, name, variant, jan, price, tax_rate, temperature, size_factor,
         release_date, preorder_limit, is_bundle, is_made_to_order, active, shelf, cost,
         supplier, weight_g, tags, custom, search_text)
  JOIN inventory_product p ON p.code = r.product_code ORDER BY r.code
ON CONFLICT (code) DO UPDATE SET
  product_id = excluded.product_id, name = excluded.name, variant = excluded.variant, jan = excluded.jan,
  price = excluded.price, tax_rate = excluded.tax_rate, temperature = excluded.temperature,
  size_factor = excluded.size_factor, release_date = excluded.release_date,
  preorder_limit = excluded.preorder_limit, is_bundle = excluded.is_bundle,
  is_made_to_order = excluded.is_made_to_order, active = excluded.active, shelf = excluded.shelf,
  cost = excluded.cost, supplier = excluded.supplier, weight_g = excluded.weight_g,
  tags = excluded.tags, custom = excluded.custom, search_text = excluded.search_text
"""


@transaction.atomic
def upsert_skus(rows: Iterable[SkuRow]) -> dict[str, int]:
    """Code → id. Makes the pool rows, and gives pre-orders their room. The last row of a code wins.

    Raises CatalogueError when a product is unknown, or a SKU with stock should become a bundle.
    """
    latest = list({row.code: row for row in rows}.values())
    products = _ids("inventory_product", [row.product_code for row in latest])
    _refuse_unknown({row.product_code for row in latest} - products.keys(), "商品コード")
    _refuse_stocked_bundles([row.code for row in latest if row.is_bundle])
    with connection.cursor() as cursor:
        cursor.execute(UPSERT_SKUS, [*_columns(latest), [_searched(row) for row in latest]])
    ids = _ids("inventory_sku", [row.code for row in latest])
    places.ensure_pools(ids.values())
    _give_room({ids[row.code]: row.preorder_limit if row.release_date else 0 for row in latest})
    return ids


def _columns(rows: Sequence[SkuRow]) -> list[list[Any]]:
    """One array per field, in the order of `SkuRow`."""
    values = [[getattr(row, one.name) for row in rows] for one in fields(SkuRow)]
    return [[_plain(value) for value in column] for column in values]


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    return Jsonb(value) if isinstance(value, list | dict) else value


def _searched(row: SkuRow) -> str:
    return search_text(row.code, row.jan, row.name, row.variant, row.product_code)


def _give_room(limits: dict[int, int]) -> None:
    """The room of pre-order rows follows the limit; what is promised beyond a lowered limit stands."""
    rows = Balance.objects.filter(sku_id__in=limits, location=None, release=PREORDER).values_list("pk", "sku_id")
    door.set_overcommit({balance_id: limits[sku_id] for balance_id, sku_id in rows})


def _refuse_stocked_bundles(codes: Sequence[str]) -> None:
    stocked = (
        Balance.objects.filter(sku__code__in=codes).exclude(on_hand=0, reserved=0).values_list("sku__code", flat=True)
    )
    if found := sorted(set(stocked)):
        raise CatalogueError(said("在庫のある商品はセットにできません: %(names)s", names=together(found, ", ")))


@transaction.atomic
def set_components(rows: Iterable[ComponentRow]) -> None:
    """Replace the contents of every bundle named; quantities of one component named twice are added.

    Raises CatalogueError for unknown codes, a bundle that is none, quantities below one and deeper nesting than two.
    """
    wanted: dict[str, dict[str, int]] = {}
    for row in rows:
        if row.quantity < 1:
            raise CatalogueError(
                said("%(bundle_code)s: 構成品の数量は1以上にしてください", bundle_code=row.bundle_code)
            )
        if row.bundle_code == row.component_code:
            raise CatalogueError(
                said("%(code)s: セット自身を構成品にはできません。構成品から外してください", code=row.bundle_code)
            )
        parts = wanted.setdefault(row.bundle_code, {})
        parts[row.component_code] = parts.get(row.component_code, 0) + row.quantity
    codes = set(wanted) | {component for parts in wanted.values() for component in parts}
    skus = {sku.code: sku for sku in Sku.objects.filter(code__in=codes).only("code", "is_bundle")}
    _refuse_unknown(codes - skus.keys(), "SKUコード")
    if plain := sorted(code for code in wanted if not skus[code].is_bundle):
        raise CatalogueError(said("セット商品ではありません: %(names)s", names=together(plain, ", ")))
    FormerComponent.objects.bulk_create(
        (
            FormerComponent(bundle_id=known.bundle_id, component_id=known.component_id)
            for known in BundleComponent.objects.filter(bundle__code__in=wanted).select_related("bundle", "component")
            if known.component.code not in wanted[known.bundle.code]
        ),
        ignore_conflicts=True,
    )
    BundleComponent.objects.filter(bundle__code__in=wanted).delete()
    BundleComponent.objects.bulk_create(
        BundleComponent(bundle=skus[bundle], component=skus[component], quantity=quantity)
        for bundle, parts in wanted.items()
        for component, quantity in parts.items()
    )
    _refuse_deep_bundles()


RING = """
SELECT DISTINCT s.code FROM inventory_bundlecomponent a JOIN inventory_bundlecomponent b ON b.bundle_id = a.component_id
  LEFT JOIN inventory_bundlecomponent c ON c.bundle_id = b.component_id
  JOIN inventory_sku s ON s.id = a.bundle_id
 WHERE a.bundle_id IN (b.component_id, c.component_id) ORDER BY 1
"""
DEEP = """
SELECT DISTINCT s.code FROM inventory_bundlecomponent a
  JOIN inventory_bundlecomponent b ON b.bundle_id = a.component_id
  JOIN inventory_bundlecomponent c ON c.bundle_id = b.component_id
  JOIN inventory_sku s ON s.id = a.bundle_id ORDER BY 1
"""


def _refuse_deep_bundles() -> None:
    """A ring is infinitely deep; it is told by its own name, because the way out is another."""
    with connection.cursor() as cursor:
        cursor.execute(RING)
        if ring := [row[0] for row in cursor.fetchall()]:
            codes = ", ".join(ring[:20])
            raise CatalogueError(f"セットがたがいの構成品になっています: {codes}。どれかを構成品から外してください")
        cursor.execute(DEEP)
        if deep := [row[0] for row in cursor.fetchall()]:
            names = together(deep[:20], ", ")
            raise CatalogueError(
                said("セットの入れ子は2段までです: %(names)s。いちばん内側の商品を直接入れてください", names=names)
            )


def _refuse_unknown(codes: Iterable[str], what: str) -> None:
    if unknown := sorted(codes):
        raise CatalogueError(said("登録のない%(what)s: %(names)s", what=what, names=together(unknown[:20], ", ")))


def _ids(table: str, codes: Iterable[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT code, id FROM {table} WHERE code = ANY(%s)", [list(codes)])
        return dict(cursor.fetchall())
