"""Cost, supplier, weight and what else a SKU is: set by hand, seen by who may, summed for sets."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.urls import reverse

from inventory.models import Sku, SkuChange
from inventory.services import catalogue, sku_facts

pytestmark = pytest.mark.django_db
COST = "仕入価格"


def goods(*rows: catalogue.SkuRow) -> dict[str, int]:
    catalogue.upsert_products(catalogue.ProductRow(row.product_code, row.name) for row in rows)
    return catalogue.upsert_skus(rows)


def typed(sku: Sku, **values) -> dict[str, object]:
    told = sku_facts.facts_of(sku) | values
    return {name: "" if value is None else value for name, value in told.items()} | {"seen": sku_facts.seen(sku)}


@pytest.fixture
def tea() -> Sku:
    ids = goods(catalogue.SkuRow("TEA", "T", "緑茶", cost=600), catalogue.SkuRow("TEA-2", "T", "緑茶"))
    return Sku.objects.select_related("product").get(pk=ids["TEA"])


def test_facts_are_set_journaled_and_the_products_own_hold_for_all_its_skus(client_of, aoi, tea):
    url = reverse("inventory:facts", args=[tea.pk])
    client = client_of(aoi)
    assert COST in client.get(url).content.decode()
    client.post(url, typed(tea, cost=650, supplier=" 茶問屋 ", weight_g=120, brand="山の茶"))
    tea.refresh_from_db()
    assert (tea.cost, tea.supplier, tea.weight_g) == (650, "茶問屋", 120)
    assert Sku.objects.get(code="TEA-2").product.brand == "山の茶" and Sku.objects.get(code="TEA-2").cost is None
    [change] = SkuChange.objects.all()
    assert change.by == aoi and change.before == {"brand": "", "supplier": "", "cost": 600, "weight_g": None}
    assert change.after == {"brand": "山の茶", "supplier": "茶問屋", "cost": 650, "weight_g": 120}
    page = client.get(reverse("inventory:sku", args=[tea.pk])).content.decode()
    assert "¥650" in page and "120 g" in page and "茶問屋" in page


def test_saving_what_stands_writes_nothing(client_of, aoi, tea):
    client_of(aoi).post(reverse("inventory:facts", args=[tea.pk]), typed(tea))
    assert not SkuChange.objects.exists()


def test_two_people_on_one_sku_see_both_values(client_of, aoi, tea):
    url = reverse("inventory:facts", args=[tea.pk])
    mine = typed(tea, cost=700)
    sku_facts.change(tea.pk, {"cost": 640}, shown=sku_facts.seen(tea), by_id=None)
    client = client_of(aoi)
    answer = client.post(url, mine)
    page = answer.content.decode()
    assert answer.status_code == 409 and 'value="700"' in page and "今の値は「640」です。" in page
    assert Sku.objects.get(pk=tea.pk).cost == 640
    fresh = Sku.objects.select_related("product").get(pk=tea.pk)
    client.post(url, mine | {"seen": sku_facts.seen(fresh)})
    assert Sku.objects.get(pk=tea.pk).cost == 700


@pytest.mark.parametrize("wrong", [{"cost": -1}, {"weight_g": "重い"}, {"size_factor": ""}])
def test_what_cannot_be_read_is_said_and_not_saved(client_of, aoi, tea, wrong):
    answer = client_of(aoi).post(reverse("inventory:facts", args=[tea.pk]), typed(tea, **wrong))
    assert answer.status_code == 200 and answer.context["form"].errors and not SkuChange.objects.exists()


def test_costs_are_for_those_who_may_see_them(client_of, person_with, ben, chie, tea):
    url = reverse("inventory:sku", args=[tea.pk])
    operator = person_with("operator")
    sees = {person_with("shift_lead"): True, person_with("accounting"): True, operator: False}
    for who, may in sees.items():
        assert (COST in client_of(who).get(url).content.decode()) is may, who
    facts = reverse("inventory:facts", args=[tea.pk])
    assert {client_of(who).get(facts).status_code for who in (ben, chie, operator)} == {403}
    assert client_of(ben).post(facts, typed(tea, cost=1)).status_code == 403


def test_who_changes_facts_without_seeing_costs_leaves_the_cost_alone(client_of, chie, tea):
    chie.user_permissions.set(Permission.objects.filter(codename__in=["change_sku", "view_sku"]))
    url = reverse("inventory:facts", args=[tea.pk])
    client = client_of(chie)
    assert COST not in client.get(url).content.decode()
    client.post(url, typed(tea, cost=1, supplier="茶問屋"))
    tea.refresh_from_db()
    assert (tea.cost, tea.supplier) == (600, "茶問屋")


def test_the_journal_of_facts_is_only_added_to(tea):
    sku_facts.change(tea.pk, {"cost": 640}, shown=sku_facts.seen(tea), by_id=None)
    for statement in ("UPDATE inventory_skuchange SET at = at", "DELETE FROM inventory_skuchange"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_set_costs_what_its_parts_do_unless_it_has_a_cost_of_its_own(django_assert_num_queries):
    ids = goods(
        catalogue.SkuRow("CUP", "CUP", "茶碗", cost=300),
        catalogue.SkuRow("TEA", "TEA", "緑茶", cost=600),
        catalogue.SkuRow("POT", "POT", "急須"),
        catalogue.SkuRow("PAIR", "PAIR", "組茶碗", is_bundle=True),
        catalogue.SkuRow("GIFT", "GIFT", "茶の詰合せ", is_bundle=True),
        catalogue.SkuRow("OWN", "OWN", "値決めの組", is_bundle=True, cost=111),
        catalogue.SkuRow("LACKS", "LACKS", "急須の組", is_bundle=True),
    )
    catalogue.set_components(
        [
            catalogue.ComponentRow("PAIR", "CUP", 2),
            catalogue.ComponentRow("GIFT", "PAIR", 1),
            catalogue.ComponentRow("GIFT", "TEA", 3),
            catalogue.ComponentRow("OWN", "POT", 1),
            catalogue.ComponentRow("LACKS", "POT", 1),
            catalogue.ComponentRow("LACKS", "CUP", 1),
        ]
    )
    with django_assert_num_queries(1):
        found = sku_facts.unit_costs(ids.values())
    said = {code: found[pk] for code, pk in ids.items()}
    assert said == {
        "CUP": (300, []), "TEA": (600, []), "POT": (None, ["POT"]), "PAIR": (600, []), "GIFT": (2400, []),
        "OWN": (111, []), "LACKS": (None, ["POT"]),
    }  # fmt: skip


def test_tags_and_own_fields_are_written_on_the_goods_page_and_journaled(client_of, aoi, tea):
    client = client_of(aoi)
    url = reverse("inventory:facts", args=[tea.pk])
    now = client.get(url).context["form"].initial
    typed = {name: "" if value is None else value for name, value in now.items()}
    client.post(url, typed | {"tags": "冬物、贈答", "custom": "産地=宇治\n等級：特上"})
    tea.refresh_from_db()
    assert (tea.tags, tea.custom) == (["冬物", "贈答"], {"産地": "宇治", "等級": "特上"})
    page = client.get(reverse("inventory:sku", args=[tea.pk])).content.decode()
    assert "贈答" in page and "宇治" in page
    assert SkuChange.objects.latest("pk").after["tags"] == ["冬物", "贈答"]
    shown = client.get(url).context["form"].initial
    assert shown["tags"] == "冬物、贈答" and shown["custom"] == "産地=宇治\n等級=特上"
    assert "読み取れません" in client.post(url, typed | {"custom": "等級"}).content.decode()
