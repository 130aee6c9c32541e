"""作り置きセット: parts become kits and kits parts, at one place, never out of what a customer was promised."""

from uuid import uuid4

import pytest
from django.urls import reverse

from inventory.models import Entry, KitChange, KitPart, Sku
from inventory.queries import kits as queries
from inventory.services import kits, stock
from inventory.services.audit import violations
from inventory.services.kits import Refused
from tests.inventory.builders import make_bundle, make_goods, make_location

pytestmark = pytest.mark.django_db


@pytest.fixture
def tokyo():
    return make_location("tokyo")


@pytest.fixture
def cup(tokyo):
    return make_goods("CUP", {tokyo: 10})


@pytest.fixture
def tea(tokyo):
    return make_goods("TEA", {tokyo: 4})


@pytest.fixture
def kit(cup, tea):
    """Two cups and a tea."""
    made = make_goods("KIT")
    assert kits.set_parts(made.sku_id, {"CUP": 2, "TEA": 1})
    return made


def build(kit, place, count: int, key: str = "") -> bool:
    return kits.build(kit.sku_id, place.pk, count, key=key or str(uuid4()))


def test_building_takes_the_parts_and_stocks_the_kit_for_sale(kit, cup, tea, tokyo):
    assert build(kit, tokyo, 3)
    assert (cup.numbers(tokyo), tea.numbers(tokyo), kit.numbers(tokyo)) == ((4, 0), (1, 0), (3, 0))
    assert (cup.numbers(), tea.numbers(), kit.numbers()) == ((4, 0), (1, 0), (3, 0))
    assert stock.available([kit.sku_id]) == {kit.sku_id: 3}
    assert set(Entry.objects.filter(ref__startswith="build:").values_list("kind", flat=True)) == {"build"}
    assert violations() == []


def test_taking_apart_gives_the_parts_back(kit, cup, tea, tokyo):
    build(kit, tokyo, 3)
    assert build(kit, tokyo, -2)
    assert (cup.numbers(), tea.numbers(), kit.numbers()) == ((8, 0), (3, 0), (1, 0)) and violations() == []


def test_the_same_key_builds_once(kit, cup, tokyo):
    assert build(kit, tokyo, 1, "one") and not build(kit, tokyo, 1, "one")
    assert kit.numbers() == (1, 0) and cup.numbers() == (8, 0)


def test_what_lacks_is_named_and_nothing_moves(kit, cup, tea, tokyo):
    with pytest.raises(Refused, match="TEA（1個）"):
        build(kit, tokyo, 5)
    with pytest.raises(Refused, match="KIT（1個）"):
        build(kit, tokyo, -1)
    assert cup.numbers(tokyo) == (10, 0) and not Entry.objects.filter(kind__in=["build", "surplus"]).exists()


def test_promised_parts_are_not_built_in(kit, tea, tokyo):
    stock.reserve({tea.pool: 3}, ref="line:1")
    with pytest.raises(Refused, match="TEA"):
        build(kit, tokyo, 2)
    assert build(kit, tokyo, 1) and tea.numbers() == (3, 3) and violations() == []


def test_promised_kits_are_not_taken_apart(kit, tokyo):
    build(kit, tokyo, 2)
    stock.reserve({kit.pool: 2}, ref="line:1")
    with pytest.raises(Refused, match="KIT"):
        build(kit, tokyo, -1)


def test_parts_elsewhere_do_not_help(kit, cup, tea):
    osaka = make_location("osaka")
    stock.receive([stock.Fact(cup.sku_id, osaka.pk, 9, "arrival:2")])
    with pytest.raises(Refused, match="TEA"):
        build(kit, osaka, 1)


def test_a_kit_is_sold_as_itself_and_inside_a_set(kit, tokyo):
    gift = make_bundle("GIFT", {kit.sku_id: 2})
    build(kit, tokyo, 3)
    assert stock.components([kit.sku_id, gift.pk]) == {kit.sku_id: {kit.sku_id: 1}, gift.pk: {kit.sku_id: 2}}
    assert stock.available([gift.pk]) == {gift.pk: 1}


def test_a_recipe_is_journaled_and_saved_once(kit, aoi):
    assert not kits.set_parts(kit.sku_id, {"TEA": 1, "CUP": 2})
    assert kits.set_parts(kit.sku_id, {"CUP": 1}, by_id=aoi.pk)
    last = KitChange.objects.latest("pk")
    assert (last.before, last.after, last.by) == ("CUP × 2、TEA × 1", "CUP × 1", aoi)
    assert kits.set_parts(kit.sku_id, {}) and not KitPart.objects.exists()


@pytest.mark.parametrize(
    ("parts", "says"),
    [({"NOPE": 1}, "NOPE"), ({"KIT": 1}, "セット自身"), ({"SET": 1}, "SET"), ({"KIT2": 1}, "KIT2")],
)
def test_parts_that_cannot_be_are_refused_with_a_sentence(kit, cup, parts, says):
    make_bundle("SET", {cup.sku_id: 1})
    kits.set_parts(make_goods("KIT2").sku_id, {"CUP": 1})
    with pytest.raises(Refused, match=says):
        kits.set_parts(kit.sku_id, parts)
    assert kits.recipe_of(kit.sku_id) == {"CUP": 2, "TEA": 1}


def test_a_set_without_stock_becomes_no_kit_and_a_part_becomes_no_kit(kit, cup):
    with pytest.raises(Refused, match="在庫を持たないセット"):
        kits.set_parts(make_bundle("SET", {cup.sku_id: 1}).pk, {"TEA": 1})
    with pytest.raises(Refused, match="ほかの作り置きセット"):
        kits.set_parts(cup.sku_id, {"TEA": 1})


def test_a_kit_without_parts_cannot_be_built(tokyo):
    with pytest.raises(Refused, match="先に構成を登録"):
        build(make_goods("KIT"), tokyo, 1)


# ---- the screens


def url_of(name: str, kit) -> str:
    return reverse(f"inventory:{name}", args=[kit.sku_id])


def test_parts_are_typed_line_by_line_and_kits_built_on_the_page(client_of, aoi, cup, tea, tokyo):
    made, client = make_goods("KIT"), client_of(aoi)
    client.post(url_of("kit-parts", made), {"parts": "CUP 2\n\nTEA\nTEA ×2"})
    assert kits.recipe_of(made.sku_id) == {"CUP": 2, "TEA": 3}
    assert "CUP 2\nTEA 3" in client.get(url_of("kit-parts", made)).content.decode()
    key = client.get(url_of("kit-build", made)).context["form"]["key"].value()
    posted = {"location": tokyo.pk, "how": "build", "units": 1, "key": key, "note": "朝の分"}
    for _click in range(2):
        assert "在庫を更新しました" in client.post(url_of("kit-build", made), posted, follow=True).content.decode()
    assert made.numbers() == (1, 0) and tea.numbers() == (1, 0)
    assert set(Entry.objects.filter(kind="build").values_list("by", "note")) == {(aoi.pk, "朝の分")}
    text = client.post(url_of("kit-build", made), {**posted, "key": uuid4(), "units": 9}).content.decode()
    assert "引当のない在庫が足りません" in text and made.numbers() == (1, 0)


@pytest.mark.parametrize("typed", ["CUP 2 3", "CUP 0", "CUP 99999", "CUP x", "NOPE 1"])
def test_a_line_that_cannot_be_read_is_told(client_of, aoi, kit, typed):
    page = client_of(aoi).post(url_of("kit-parts", kit), {"parts": typed})
    assert page.context["form"].errors["parts"] and kits.recipe_of(kit.sku_id) == {"CUP": 2, "TEA": 1}


def test_the_panel_says_how_many_can_be_built_where(client_of, ben, kit, tokyo):
    build(kit, tokyo, 1)
    page = client_of(ben).get(url_of("kit", kit))
    assert [(p.name, p.buildable, p.built) for p in page.context["kit_places"]] == [("tokyo", 3, 1)]
    assert url_of("kit", kit) in client_of(ben).get(url_of("sku", kit)).content.decode()


def test_looking_is_not_building(client_of, ben, chie, kit, tokyo):
    for user in (ben, chie):
        client = client_of(user)
        for name in ("kit-parts", "kit-build"):
            assert client.get(url_of(name, kit)).status_code == client.post(url_of(name, kit), {}).status_code == 403
    assert client_of(chie).get(url_of("kit", kit)).status_code == 403
    assert url_of("kit-build", kit) not in client_of(ben).get(url_of("kit", kit)).content.decode()


def test_the_panel_costs_the_same_for_any_number_of_places(django_assert_num_queries, kit, cup):
    for number in range(5):
        stock.receive([stock.Fact(cup.sku_id, make_location(f"P{number}").pk, 1, "arrival:3")])
    sku = Sku.objects.get(pk=kit.sku_id)
    with django_assert_num_queries(2):
        queries.places_of(sku, queries.parts_of(sku))
