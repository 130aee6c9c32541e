"""Small builders: a SKU with stock, in sight of the test."""

from dataclasses import dataclass
from datetime import date

from inventory.models import Balance, BundleComponent, Location, Product, Sku
from inventory.services import stock


@dataclass(frozen=True)
class Goods:
    """A SKU with its pool row."""

    sku_id: int
    code: str
    pool: int

    def row(self) -> Balance:
        return Balance.objects.get(pk=self.pool)

    def at(self, location: Location) -> Balance:
        return Balance.objects.get(sku_id=self.sku_id, location=location)

    def numbers(self, location: Location | None = None) -> tuple[int, int]:
        """(on hand, reserved) of the pool or of a place."""
        row = self.at(location) if location else self.row()
        return row.on_hand, row.reserved


def make_location(
    code: str, kind: str = Location.Kind.WAREHOUSE, *, online: bool = True, priority: int = 100
) -> Location:
    return Location.objects.create(code=code, name=code, kind=kind, sells_online=online, priority=priority)


def make_sku(
    code: str, *, bundle: bool = False, release_date: date | None = None, limit: int = 0, name: str = ""
) -> Sku:
    product, _made = Product.objects.get_or_create(code=f"P-{code}", defaults={"name": name or code})
    sku = Sku.objects.create(
        product=product,
        code=code,
        name=name or code,
        price=1000,
        is_bundle=bundle,
        release_date=release_date,
        preorder_limit=limit,
    )
    stock.ensure_pools([sku.pk])
    return sku


def make_goods(code: str, stocked: dict[Location, int] | None = None) -> Goods:
    """A SKU that has so much at these places."""
    sku = make_sku(code)
    stock.receive([stock.Fact(sku.pk, place.pk, units, "arrival:1") for place, units in (stocked or {}).items()])
    return Goods(sku.pk, code, stock.pool_ids([sku.pk])[sku.pk])


def make_bundle(code: str, parts: dict[int, int]) -> Sku:
    """A set of these SKUs (id → quantity)."""
    bundle = make_sku(code, bundle=True)
    for component_id, quantity in parts.items():
        BundleComponent.objects.create(bundle=bundle, component_id=component_id, quantity=quantity)
    return bundle
