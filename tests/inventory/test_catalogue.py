"""Products, SKUs and sets by their codes, and what may be promised of them."""

from datetime import timedelta

import pytest

from inventory.models import Balance, BundleComponent, Product, Sku
from inventory.queries.set_contents import contents
from inventory.services import catalogue, stock
from inventory.services.catalogue import CatalogueError, ComponentRow, ProductRow, SkuRow
from oms.kernel import clock
from tests.inventory.builders import make_goods, make_location

pytestmark = pytest.mark.django_db


def skus(*rows: SkuRow) -> dict[str, int]:
    catalogue.upsert_products([ProductRow(row.product_code, row.product_code) for row in rows])
    return catalogue.upsert_skus(rows)


def test_a_batch_may_run_twice_and_the_last_row_wins():
    ids = skus(SkuRow("A", "P", "椅子", price=100), SkuRow("A", "P", "椅子", price=200, tax_rate=8))
    again = skus(SkuRow("A", "P", "机", price=300))
    assert again == ids
    sku = Sku.objects.get(code="A")
    assert (sku.name, sku.price, sku.tax_rate) == ("机", 300, 10)
    assert Product.objects.count() == 1
    assert Balance.objects.filter(sku=sku).count() == 1, "the pool row stands ready"


def test_unknown_products_are_named():
    with pytest.raises(CatalogueError, match="NOPE"):
        catalogue.upsert_skus([SkuRow("A", "NOPE", "椅子")])
    assert not Sku.objects.exists()


def test_a_preorder_gets_its_room_and_keeps_what_it_promised():
    day = clock.today() + timedelta(days=10)
    ids = skus(SkuRow("A", "P", "新譜", release_date=day, preorder_limit=5))
    assert stock.available(ids.values()) == {ids["A"]: 5}
    stock.reserve({stock.pool_ids(ids.values())[ids["A"]]: 4}, ref="line:1")
    skus(SkuRow("A", "P", "新譜", release_date=day, preorder_limit=2))
    assert stock.available(ids.values()) == {ids["A"]: 0}
    skus(SkuRow("A", "P", "新譜", release_date=day, preorder_limit=6))
    assert stock.available(ids.values()) == {ids["A"]: 2}


def test_sets_nest_two_levels_and_no_deeper():
    ids = skus(
        SkuRow("LEAF", "P", "茶葉"),
        SkuRow("CUP", "P", "湯呑"),
        *(SkuRow(code, "P", code, is_bundle=True) for code in ("INNER", "OUTER", "DEEP")),
    )
    catalogue.set_components([ComponentRow("INNER", "LEAF", 2), ComponentRow("OUTER", "INNER", 3)])
    catalogue.set_components([ComponentRow("OUTER", "INNER", 3), ComponentRow("OUTER", "CUP")])
    assert stock.components([ids["OUTER"], ids["CUP"]]) == {
        ids["OUTER"]: {ids["LEAF"]: 6, ids["CUP"]: 1},
        ids["CUP"]: {ids["CUP"]: 1},
    }
    assert stock.bundles_of([ids["LEAF"], ids["CUP"], ids["DEEP"]]) == {
        ids["LEAF"]: {ids["INNER"], ids["OUTER"]},
        ids["CUP"]: {ids["OUTER"]},
    }
    with pytest.raises(CatalogueError, match="DEEP"):
        catalogue.set_components([ComponentRow("DEEP", "OUTER")])
    with pytest.raises(CatalogueError, match="2段まで"):
        catalogue.set_components([ComponentRow("DEEP", "OUTER")])
    with pytest.raises(CatalogueError, match=r"たがいの構成品.*INNER, OUTER"):
        catalogue.set_components([ComponentRow("INNER", "OUTER")])
    with pytest.raises(CatalogueError, match="セット自身"):
        catalogue.set_components([ComponentRow("INNER", "INNER")])
    assert BundleComponent.objects.filter(bundle__code="INNER").get().component.code == "LEAF"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (ComponentRow("NOPE", "LEAF"), "NOPE"),
        (ComponentRow("SET", "NOPE"), "NOPE"),
        (ComponentRow("LEAF", "SET"), "セット商品ではありません"),
        (ComponentRow("SET", "LEAF", 0), "1以上"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(row, says):
    skus(SkuRow("LEAF", "P", "茶葉"), SkuRow("SET", "P", "茶器", is_bundle=True))
    with pytest.raises(CatalogueError, match=says):
        catalogue.set_components([row])
    assert not BundleComponent.objects.exists()


def test_what_lies_on_a_shelf_cannot_become_a_set():
    chair = make_goods("chair", {make_location("tokyo"): 1})
    with pytest.raises(CatalogueError, match="chair"):
        catalogue.upsert_skus([SkuRow("chair", "P-chair", "椅子", is_bundle=True)])
    assert not Sku.objects.get(pk=chair.sku_id).is_bundle


def test_a_set_is_available_as_its_scarcest_component_allows():
    ids = skus(SkuRow("A", "P", "皿"), SkuRow("B", "P", "箸"), SkuRow("SET", "P", "食卓", is_bundle=True))
    assert stock.available([ids["SET"]]) == {ids["SET"]: 0}, "a set without components cannot be sold"
    catalogue.set_components([ComponentRow("SET", "A", 2), ComponentRow("SET", "B")])
    tokyo = make_location("tokyo")
    stock.receive([stock.Fact(ids["A"], tokyo.pk, 7, "arrival:1"), stock.Fact(ids["B"], tokyo.pk, 9, "arrival:1")])
    assert stock.available(ids.values()) == {ids["A"]: 7, ids["B"]: 9, ids["SET"]: 3}
    assert stock.available([]) == {}


def test_free_places_come_in_the_order_of_priority():
    far, near, idle = make_location("far", priority=50), make_location("near", priority=10), make_location("idle")
    shop = make_location("shop", "store", online=False)
    chair = make_goods("chair", {far: 2, near: 3, idle: 1, shop: 5})
    idle.active = False
    idle.save(update_fields=["active"])
    stock.reserve({chair.pool: 3}, ref="line:1")
    stock.allocate([stock.Request.of("line:1", chair.at(near).pk, 2)])
    free = stock.free_by_location([chair.sku_id])[chair.sku_id]
    assert [(place.location_id, place.free) for place in free] == [(near.pk, 1), (far.pk, 2)]


def test_a_nested_set_is_worth_its_price_spread_over_its_own_components():
    ids = skus(
        SkuRow("LEAF", "P", "茶葉", price=100, tax_rate=8),
        SkuRow("CUP", "P", "湯呑", price=300),
        SkuRow("INNER", "P", "茶の組", price=999, is_bundle=True),
        SkuRow("OUTER", "P", "贈り物", price=5000, is_bundle=True),
    )
    rows = [ComponentRow("INNER", "LEAF", 2), ComponentRow("INNER", "CUP"), ComponentRow("OUTER", "INNER", 2)]
    catalogue.set_components([*rows, ComponentRow("OUTER", "CUP")])
    [leaf, cup] = sorted(contents([ids["OUTER"], ids["CUP"]])[ids["OUTER"]], key=lambda part: part.units, reverse=True)
    assert (leaf.sku_id, leaf.units, leaf.list_value, leaf.set_name) == (ids["LEAF"], 4, 2 * 399, "茶の組")
    assert (cup.units, cup.list_value, cup.set_name) == (3, 2 * 600 + 300, ""), "it stands there alone too"
    assert {leaf.tax_rate, cup.tax_rate} == {10}, "the set's own rate, unless it says otherwise"
    Sku.objects.filter(code="OUTER").update(tax_by_component=True)
    Sku.objects.filter(code="INNER").update(price=0)
    [cup, leaf] = sorted(contents([ids["OUTER"]])[ids["OUTER"]], key=lambda part: part.units)
    assert (leaf.tax_rate, cup.tax_rate, leaf.list_value) == (8, 10, 400), "without a price it is worth its components"


def test_a_set_with_an_empty_set_in_it_waits_as_a_whole():
    ids = skus(SkuRow("CUP", "P", "湯呑"), *(SkuRow(code, "P", code, is_bundle=True) for code in ("INNER", "OUTER")))
    catalogue.set_components([ComponentRow("OUTER", "CUP"), ComponentRow("OUTER", "INNER")])
    assert stock.components([ids["OUTER"]]) == {ids["OUTER"]: {}} and contents([ids["OUTER"]]) == {}
    assert stock.available([ids["OUTER"]]) == {ids["OUTER"]: 0}
